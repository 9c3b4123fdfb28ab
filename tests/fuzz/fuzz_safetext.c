/*
 * Fuzzes what is shown of text from the wire: the first byte says where a token is planted in the rest.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/report/safetext.h"

enum { SALT = 7, MARK_LENGTH = 7, NUL_LENGTH = 4 };

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool is_steering(gunichar c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static void check_append(const char *bytes, size_t length)
{
    GString *out = g_string_new("x");

    wsl_safe_append(out, bytes, length);
    require(out->str[0] == 'x' && out->len <= 1 + 4 * length);
    require(g_utf8_validate_len(out->str, out->len, NULL));
    for (const char *c = out->str; *c != '\0'; c = g_utf8_next_char(c))
        require(!is_steering(g_utf8_get_char(c)));
    g_string_free(out, TRUE);
}

static size_t count(const char *text, size_t length, const char *what, size_t size)
{
    size_t found = 0;

    for (size_t i = 0; i + size <= length; i++)
        found += memcmp(text + i, what, size) == 0 ? 1 : 0;
    return found;
}

/** The text redacted; no longer than the marks in it, which replace at least a byte each, explain. */
static char *redact(const char *bytes, size_t length)
{
    char *copy = g_memdup2(bytes, length);
    char *redacted = wsl_redact(copy, length, SALT);
    size_t marks = count(redacted, strlen(redacted), "…", strlen("…"));

    require(strlen(redacted) <= length + (MARK_LENGTH - 1) * marks + (NUL_LENGTH - 1) * count(bytes, length, "", 1));
    g_free(copy);
    return redacted;
}

static void check_planted(const char *bytes, size_t length, size_t place)
{
    GString *text = g_string_new_len(bytes, (gssize)length);
    char *redacted;

    if (count(bytes, length, "SECRETVALUE", strlen("SECRETVALUE")) == 0) {
        g_string_insert(text, (gssize)(place % (length + 1)), "&token=SECRETVALUE&");
        redacted = redact(text->str, text->len);
        require(strstr(redacted, "SECRETVALUE") == NULL);
        g_free(redacted);
    }
    g_string_free(text, TRUE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data + 1;
    char *once;

    if (size < 2)
        return 0;
    check_append(bytes, size - 1);
    once = redact(bytes, size - 1);
    g_free(redact(once, strlen(once)));
    g_free(once);
    check_planted(bytes, size - 1, data[0]);
    return 0;
}

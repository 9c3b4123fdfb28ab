/*
 * A streaming JSON writer (RFC 8259): nothing is kept but the nesting.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/report/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/report/utf8text.h"

enum {
    DIGITS_MAX = 20,     /**< of a 64-bit number */
    SIGNIFICANT = 6,     /**< digits of a number that is not whole */
    PLAIN_MIN_EXP = -4,  /**< smaller ones are written with an exponent, as %g does */
    PLAIN_MAX_EXP = 15,  /**< as are larger ones */
    NUMBER_TEXT_MAX = 32 /**< "d.ddddde-308" fits */
};

void wsl_json_init(WslJson *json, GString *out, unsigned indent)
{
    memset(json, 0, sizeof *json);
    json->out = out;
    json->indent = indent;
}

/** Appends bytes. GLib's own function is called only to grow: it costs as much as all the rest of a short value. */
static inline void put(GString *out, const char *bytes, size_t length)
{
    if (length < out->allocated_len - out->len) {
        memcpy(out->str + out->len, bytes, length);
        out->len += length;
        out->str[out->len] = '\0';
    } else {
        g_string_append_len(out, bytes, (gssize)length);
    }
}

static void new_line(WslJson *json)
{
    unsigned spaces = json->depth * json->indent;

    g_string_append_c(json->out, '\n');
    for (unsigned i = 0; i < spaces; i++)
        g_string_append_c(json->out, ' ');
}

/** What stands between the value or key to come and what was written before it. */
static void separate(WslJson *json)
{
    bool *first;

    if (json->after_key) {
        json->after_key = false;
        return;
    }
    if (json->depth == 0)
        return;
    first = &json->first[json->depth - 1];
    if (!*first)
        g_string_append_c(json->out, ',');
    if (json->indent > 0)
        new_line(json);
    else if (!*first)
        g_string_append_c(json->out, ' ');
    *first = false;
}

static void open_nest(WslJson *json, char bracket)
{
    g_assert(json->depth < WSL_JSON_DEPTH_MAX);
    separate(json);
    g_string_append_c(json->out, bracket);
    json->first[json->depth++] = true;
}

static void close_nest(WslJson *json, char bracket)
{
    g_assert(json->depth > 0 && !json->after_key);
    json->depth--;
    if (json->indent > 0 && !json->first[json->depth])
        new_line(json);
    g_string_append_c(json->out, bracket);
}

void wsl_json_object(WslJson *json)
{
    open_nest(json, '{');
}

void wsl_json_object_end(WslJson *json)
{
    close_nest(json, '}');
}

void wsl_json_array(WslJson *json)
{
    open_nest(json, '[');
}

void wsl_json_array_end(WslJson *json)
{
    close_nest(json, ']');
}

static bool is_plain(char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/** Appends the character at `bytes`, which is not a plain one, and returns how many bytes it takes. */
static size_t put_special(GString *out, const char *bytes, size_t length)
{
    uint32_t code;
    size_t taken = wsl_utf8_next(bytes, length, &code);

    if (code == WSL_UTF8_INVALID) {
        g_string_append(out, "\xef\xbf\xbd");
    } else if (code == '"' || code == '\\') {
        g_string_append_c(out, '\\');
        g_string_append_c(out, (char)code);
    } else if (wsl_utf8_steers(code)) {
        static const char digits[] = "0123456789abcdef";
        const char escape[] = {
            '\\', 'u', digits[code >> 12 & 15], digits[code >> 8 & 15], digits[code >> 4 & 15], digits[code & 15]};

        put(out, escape, sizeof escape);
    } else {
        put(out, bytes, taken);
    }
    return taken;
}

static void put_quoted(GString *out, const char *bytes, size_t length)
{
    size_t at = 0;

    g_string_append_c(out, '"');
    while (at < length) {
        size_t end = at;

        while (end < length && is_plain(bytes[end]))
            end++;
        put(out, bytes + at, end - at);
        at = end;
        if (at < length)
            at += put_special(out, bytes + at, length - at);
    }
    g_string_append_c(out, '"');
}

void wsl_json_key(WslJson *json, const char *key)
{
    g_assert(json->depth > 0 && !json->after_key);
    separate(json);
    put_quoted(json->out, key, strlen(key));
    put(json->out, ": ", 2);
    json->after_key = true;
}

void wsl_json_text(WslJson *json, const char *bytes, size_t length)
{
    separate(json);
    put_quoted(json->out, bytes, length);
}

void wsl_json_string(WslJson *json, const char *string)
{
    wsl_json_text(json, string, string == NULL ? 0 : strlen(string));
}

/** Writes `value` in decimal before `end`, with zeros in front up to `width` digits, and returns where it begins. */
static char *digits_before(char *end, uint64_t value, int width)
{
    while (value > 0 || width > 0) {
        *--end = (char)('0' + value % 10);
        value /= 10;
        width--;
    }
    return end;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

void wsl_json_uint(WslJson *json, uint64_t value)
{
    char text[DIGITS_MAX];
    char *begin = digits_before(text + DIGITS_MAX, value, 1);

    separate(json);
    put(json->out, begin, (size_t)(text + DIGITS_MAX - begin));
}

void wsl_json_int(WslJson *json, int64_t value)
{
    char text[1 + DIGITS_MAX];
    char *begin = digits_before(text + sizeof text, magnitude(value), 1);

    if (value < 0)
        *--begin = '-';
    separate(json);
    put(json->out, begin, (size_t)(text + sizeof text - begin));
}

void wsl_json_bool(WslJson *json, bool value)
{
    separate(json);
    put(json->out, value ? "true" : "false", value ? 4 : 5);
}

void wsl_json_seconds(WslJson *json, int64_t nanoseconds)
{
    uint64_t ns = magnitude(nanoseconds);
    char text[1 + DIGITS_MAX + 1 + 9];
    char *end = text + sizeof text;
    char *begin = digits_before(end, ns % (uint64_t)WSL_SECOND, 9);

    while (end > begin + 1 && end[-1] == '0')
        end--;
    *--begin = '.';
    begin = digits_before(begin, ns / (uint64_t)WSL_SECOND, 1);
    if (nanoseconds < 0)
        *--begin = '-';
    separate(json);
    put(json->out, begin, (size_t)(end - begin));
}

/** Appends the digits d₁d₂… of d₁.d₂… × 10^exponent, which do not end in zeros, as a number. */
static void put_decimal(GString *out, const char *digits, int count, int exponent)
{
    if (exponent < PLAIN_MIN_EXP || exponent > PLAIN_MAX_EXP) {
        g_string_append_c(out, digits[0]);
        if (count > 1)
            g_string_append_c(out, '.');
        put(out, digits + 1, (size_t)count - 1);
        g_string_append_printf(out, "e%d", exponent);
        return;
    }
    if (exponent < 0) {
        g_string_append(out, "0.");
        put(out, "000", (size_t)(-exponent - 1));
        put(out, digits, (size_t)count);
        return;
    }
    for (int place = 0; place < count || place <= exponent; place++) {
        if (place == exponent + 1)
            g_string_append_c(out, '.');
        g_string_append_c(out, place < count ? digits[place] : '0');
    }
}

void wsl_json_number(WslJson *json, double value)
{
    char text[NUMBER_TEXT_MAX];
    char digits[SIGNIFICANT];
    char *point;
    int count = SIGNIFICANT;

    if (!isfinite(value))
        value = 0;
    if (value > -1e6 && value < 1e6 && value == (double)(int)value) {
        wsl_json_int(json, (int)value);
        return;
    }
    separate(json);
    if (value < 0)
        g_string_append_c(json->out, '-');
    g_ascii_formatd(text, sizeof text, "%.5e", fabs(value));
    point = strchr(text, 'e');
    digits[0] = text[0];
    memcpy(digits + 1, text + 2, SIGNIFICANT - 1);
    while (count > 1 && digits[count - 1] == '0')
        count--;
    put_decimal(json->out, digits, count, atoi(point + 1));
}

void wsl_json_put_string(WslJson *json, const char *key, const char *value)
{
    wsl_json_key(json, key);
    wsl_json_string(json, value);
}

void wsl_json_put_uint(WslJson *json, const char *key, uint64_t value)
{
    wsl_json_key(json, key);
    wsl_json_uint(json, value);
}

void wsl_json_put_bool(WslJson *json, const char *key, bool value)
{
    wsl_json_key(json, key);
    wsl_json_bool(json, value);
}

void wsl_json_put_seconds(WslJson *json, const char *key, int64_t nanoseconds)
{
    wsl_json_key(json, key);
    wsl_json_seconds(json, nanoseconds);
}

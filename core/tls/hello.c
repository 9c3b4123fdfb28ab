/*
 * ClientHello (hello.h).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/tls/hello.h"

#include <string.h>

enum { HANDSHAKE = 22, CLIENT_HELLO = 1, EXTENSION_SERVER_NAME = 0, EXTENSION_ALPN = 16, NAMES = 16 };

/* A cursor that never leaves its bytes: reading beyond them marks it short and yields zeros. */
typedef struct {
    const uint8_t *at, *end;
    bool is_short;
} Cursor;

static size_t take_number(Cursor *cursor, unsigned bytes)
{
    size_t value = 0;

    if ((size_t)(cursor->end - cursor->at) < bytes) {
        cursor->is_short = true;
        cursor->at = cursor->end;
        return 0;
    }
    while (bytes--)
        value = value << 8 | *cursor->at++;
    return value;
}

static Cursor take_part(Cursor *cursor, size_t length)
{
    size_t there = (size_t)(cursor->end - cursor->at);
    Cursor part = {cursor->at, cursor->at + MIN(length, there), length > there};

    cursor->is_short |= part.is_short;
    cursor->at = part.end;
    return part;
}

bool wsl_hello_may_be(const uint8_t *bytes, size_t length)
{
    return length > 0 && bytes[0] == HANDSHAKE && (length < 2 || bytes[1] == 3) && (length < 3 || bytes[2] <= 4) &&
           (length < 6 || bytes[5] == CLIENT_HELLO);
}

static void take_server_name(Cursor body, WslHello *hello)
{
    Cursor list = take_part(&body, take_number(&body, 2));

    while (list.at < list.end && !hello->server_name) {
        size_t type = take_number(&list, 1);
        Cursor name = take_part(&list, take_number(&list, 2));
        if (type == 0 && name.at < name.end && !name.is_short)
            hello->server_name = g_strndup((const char *)name.at, (size_t)(name.end - name.at));
    }
}

static void take_alpn(Cursor body, WslHello *hello)
{
    Cursor list = take_part(&body, take_number(&body, 2));

    while (list.at < list.end && hello->alpn->len < NAMES) {
        Cursor name = take_part(&list, take_number(&list, 1));
        if (name.at < name.end && !name.is_short)
            g_ptr_array_add(hello->alpn, g_strndup((const char *)name.at, (size_t)(name.end - name.at)));
    }
}

/* The body of the ClientHello, taken out of its records. */
static GByteArray *handshake_bytes(const uint8_t *bytes, size_t length, bool *is_short)
{
    GByteArray *joined = g_byte_array_sized_new(512);
    Cursor records = {bytes, bytes + length, false};
    size_t wanted = 4;

    while (joined->len < wanted && records.at < records.end) {
        if (take_number(&records, 1) != HANDSHAKE)
            break;
        take_number(&records, 2);
        Cursor part = take_part(&records, take_number(&records, 2));
        g_byte_array_append(joined, part.at, (guint)(part.end - part.at));
        if (joined->len >= 4)
            wanted = 4 + ((size_t)joined->data[1] << 16 | (size_t)joined->data[2] << 8 | joined->data[3]);
    }
    *is_short = joined->len < wanted;
    return joined;
}

WslHello *wsl_hello_parse(const uint8_t *bytes, size_t length, bool *complete)
{
    bool is_short;

    if (!wsl_hello_may_be(bytes, length))
        return NULL;
    g_autoptr(GByteArray) joined = handshake_bytes(bytes, length, &is_short);
    WslHello *hello = g_new0(WslHello, 1);
    hello->alpn = g_ptr_array_new_with_free_func(g_free);
    const uint8_t *message = joined->data ? joined->data : bytes; /* of no bytes there is no address */
    Cursor body = {message, message + joined->len, false};
    take_part(&body, 4 + 2 + 32); /* handshake header, version, random */
    take_part(&body, take_number(&body, 1));
    take_part(&body, take_number(&body, 2));
    take_part(&body, take_number(&body, 1));
    Cursor extensions = take_part(&body, take_number(&body, 2));
    while (extensions.at < extensions.end) {
        size_t type = take_number(&extensions, 2);
        Cursor extension = take_part(&extensions, take_number(&extensions, 2));
        if (type == EXTENSION_SERVER_NAME)
            take_server_name(extension, hello);
        else if (type == EXTENSION_ALPN)
            take_alpn(extension, hello);
    }
    *complete = !is_short;
    return hello;
}

void wsl_hello_free(WslHello *hello)
{
    if (!hello)
        return;
    g_free(hello->server_name);
    g_ptr_array_free(hello->alpn, TRUE);
    g_free(hello);
}

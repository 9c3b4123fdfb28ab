/*
 * Tests of reading a TLS ClientHello (RFC 8446 §4.1.2, RFC 6066 §3, RFC 7301 §3.1), written here by hand.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/tls/hello.h"

#include <string.h>

/* Appends a big-endian number. */
static void add(GByteArray *out, size_t value, unsigned bytes)
{
    while (bytes--) {
        uint8_t byte = (uint8_t)(value >> 8 * bytes);
        g_byte_array_append(out, &byte, 1);
    }
}

static void add_bytes(GByteArray *out, const void *bytes, size_t length)
{
    g_byte_array_append(out, bytes, (guint)length);
}

static void add_alpn(GByteArray *out, const char *const *names)
{
    g_autoptr(GByteArray) list = g_byte_array_new();

    for (; *names; names++) {
        add(list, strlen(*names), 1);
        add_bytes(list, *names, strlen(*names));
    }
    add(out, 16, 2);
    add(out, list->len + 2, 2);
    add(out, list->len, 2);
    add_bytes(out, list->data, list->len);
}

static void add_server_name(GByteArray *out, const char *name)
{
    size_t length = strlen(name);

    add(out, 0, 2);
    add(out, length + 5, 2);
    add(out, length + 3, 2);
    add(out, 0, 1);
    add(out, length, 2);
    add_bytes(out, name, length);
}

/* The handshake message, without a record around it. */
static GByteArray *hello_with(const GByteArray *extensions)
{
    GByteArray *body = g_byte_array_new(), *message = g_byte_array_new();
    static const uint8_t random[32] = {1, 2, 3}, session[32] = {4};

    add(body, 0x0303, 2);
    add_bytes(body, random, 32);
    add(body, 32, 1);
    add_bytes(body, session, 32);
    add(body, 4, 2);
    add(body, 0x13011302, 4);
    add(body, 1, 1);
    add(body, 0, 1);
    add(body, extensions->len, 2);
    add_bytes(body, extensions->data, extensions->len);
    add(message, 1, 1);
    add(message, body->len, 3);
    add_bytes(message, body->data, body->len);
    g_byte_array_unref(body);
    return message;
}

/* Records of at most `most` bytes each. */
static GByteArray *records_of(const GByteArray *message, guint most)
{
    GByteArray *out = g_byte_array_new();

    for (guint at = 0; at < message->len; at += most) {
        guint length = MIN(most, message->len - at);
        add(out, 22, 1);
        add(out, at ? 0x0303 : 0x0301, 2);
        add(out, length, 2);
        add_bytes(out, message->data + at, length);
    }
    return out;
}

static GByteArray *usual_message(void)
{
    static const char *const names[] = {"h2", "http/1.1", NULL};
    g_autoptr(GByteArray) extensions = g_byte_array_new();

    add(extensions, 0x2a2a, 2); /* GREASE, RFC 8701 */
    add(extensions, 0, 2);
    add_server_name(extensions, "server.example.com");
    add(extensions, 43, 2); /* supported_versions */
    add(extensions, 3, 2);
    add(extensions, 0x020304, 3);
    add_alpn(extensions, names);
    return hello_with(extensions);
}

static WslHello *parse(const uint8_t *bytes, size_t length, bool *complete)
{
    g_autofree uint8_t *copy = g_memdup2(bytes, length);

    *complete = false;
    return wsl_hello_parse(copy, length, complete);
}

static void assert_usual(const WslHello *hello)
{
    g_assert_nonnull(hello);
    g_assert_cmpstr(hello->server_name, ==, "server.example.com");
    g_assert_cmpuint(hello->alpn->len, ==, 2);
    g_assert_cmpstr(hello->alpn->pdata[0], ==, "h2");
    g_assert_cmpstr(hello->alpn->pdata[1], ==, "http/1.1");
}

static void test_names(void)
{
    g_autoptr(GByteArray) message = usual_message(), bytes = records_of(message, 16384);
    bool complete;
    WslHello *hello = parse(bytes->data, bytes->len, &complete);

    assert_usual(hello);
    g_assert_true(complete);
    wsl_hello_free(hello);
    wsl_hello_free(NULL);
}

static void test_records_of_every_size(void)
{
    g_autoptr(GByteArray) message = usual_message();

    for (guint most = 1; most <= message->len; most++) {
        g_autoptr(GByteArray) bytes = records_of(message, most);
        bool complete;
        WslHello *hello = parse(bytes->data, bytes->len, &complete);
        assert_usual(hello);
        g_assert_true(complete);
        wsl_hello_free(hello);
    }
}

/* Cut anywhere, it may say more; what it says is never wrong. */
static void test_every_truncation(void)
{
    g_autoptr(GByteArray) message = usual_message();
    static const guint sizes[] = {16384, 40};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(GByteArray) bytes = records_of(message, sizes[i]);
        for (guint length = 1; length < bytes->len; length++) {
            bool complete;
            g_assert_true(wsl_hello_may_be(bytes->data, length));
            WslHello *hello = parse(bytes->data, length, &complete);
            g_assert_nonnull(hello);
            g_assert_false(complete);
            if (hello->server_name)
                g_assert_cmpstr(hello->server_name, ==, "server.example.com");
            g_assert_cmpuint(hello->alpn->len, <=, 2);
            for (guint name = 0; name < hello->alpn->len; name++)
                g_assert_cmpstr(hello->alpn->pdata[name], ==, name ? "http/1.1" : "h2");
            wsl_hello_free(hello);
        }
    }
}

/* The name stands before the cut: it is told although the rest is missing. */
static void test_a_name_before_the_cut_is_told(void)
{
    g_autoptr(GByteArray) message = usual_message(), bytes = records_of(message, 16384);
    bool complete;
    /* all but the ALPN extension: 2 + 2 + 2 + 3 + 9 bytes */
    WslHello *hello = parse(bytes->data, bytes->len - 18, &complete);

    g_assert_cmpstr(hello->server_name, ==, "server.example.com");
    g_assert_cmpuint(hello->alpn->len, ==, 0);
    wsl_hello_free(hello);
}

/* Each byte of the message in turn is made 0, 1 more, and 255: nothing is read that is not there (ASan looks on). */
static void test_lengths_that_lie(void)
{
    g_autoptr(GByteArray) message = usual_message(), bytes = records_of(message, 100);

    for (guint at = 0; at < bytes->len; at++)
        for (unsigned kind = 0; kind < 3; kind++) {
            uint8_t before = bytes->data[at];
            bool complete;
            bytes->data[at] = (uint8_t)(kind == 0 ? 0 : kind == 1 ? before + 1 : 255);
            WslHello *hello = parse(bytes->data, bytes->len, &complete);
            if (hello && hello->server_name)
                g_assert_cmpuint(strlen(hello->server_name), <, bytes->len);
            wsl_hello_free(hello);
            bytes->data[at] = before;
        }
}

/* An extension's length reaches no further than the extensions, a name's no further than its extension. */
static void test_a_name_longer_than_its_extension_is_none(void)
{
    g_autoptr(GByteArray) extensions = g_byte_array_new();
    static const char *const names[] = {"http/1.1", NULL};
    bool complete;

    add(extensions, 0, 2);
    add(extensions, 8, 2);
    add(extensions, 6, 2);
    add(extensions, 0, 1);
    add(extensions, 200, 2); /* of a name of 3 bytes */
    add_bytes(extensions, "abc", 3);
    add_alpn(extensions, names);
    g_autoptr(GByteArray) message = hello_with(extensions), bytes = records_of(message, 16384);
    WslHello *hello = parse(bytes->data, bytes->len, &complete);
    g_assert_nonnull(hello);
    g_assert_null(hello->server_name);
    g_assert_cmpuint(hello->alpn->len, ==, 1);
    g_assert_cmpstr(hello->alpn->pdata[0], ==, "http/1.1");
    wsl_hello_free(hello);
}

static void test_no_extensions(void)
{
    g_autoptr(GByteArray) none = g_byte_array_new(), message = hello_with(none), bytes = records_of(message, 16384);
    bool complete;
    WslHello *hello = parse(bytes->data, bytes->len, &complete);

    g_assert_nonnull(hello);
    g_assert_null(hello->server_name);
    g_assert_cmpuint(hello->alpn->len, ==, 0);
    g_assert_true(complete);
    wsl_hello_free(hello);
}

static void test_what_is_no_client_hello(void)
{
    static const struct {
        const char *bytes;
        size_t length;
    } cases[] = {{"", 0},
                 {"GET / HTTP/1.1", 14},
                 {"\x17\x03\x03\x00\x05hello", 10},   /* application data */
                 {"\x15\x03\x03\x00\x02\x01\x00", 7}, /* an alert */
                 {"\x16\x02\x00\x00\x05\x01", 6},     /* no version of TLS */
                 {"\x16\x03\x09\x00\x05\x01", 6},
                 {"\x16\x03\x03\x00\x05\x02\x00\x00\x01", 9}}; /* a ServerHello */

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        bool complete;
        const uint8_t *bytes = (const uint8_t *)cases[i].bytes;
        g_assert_false(wsl_hello_may_be(bytes, cases[i].length));
        g_assert_null(wsl_hello_parse(bytes, cases[i].length, &complete));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hello/names", test_names);
    g_test_add_func("/hello/records", test_records_of_every_size);
    g_test_add_func("/hello/truncated", test_every_truncation);
    g_test_add_func("/hello/truncated/name", test_a_name_before_the_cut_is_told);
    g_test_add_func("/hello/lies", test_lengths_that_lie);
    g_test_add_func("/hello/lies/name", test_a_name_longer_than_its_extension_is_none);
    g_test_add_func("/hello/no-extensions", test_no_extensions);
    g_test_add_func("/hello/none", test_what_is_no_client_hello);
    return g_test_run();
}

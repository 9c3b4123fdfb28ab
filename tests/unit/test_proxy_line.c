/*
 * Tests of the PROXY protocol's header, by HAProxy's proxy-protocol.txt (§2.1, §2.2 and their examples).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/http/proxy_line.h"

#include <glib.h>
#include <string.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
enum { SIGNATURE_LENGTH = 12 };

/* Asserts the length and the client; then that every shorter start of the header is incomplete. */
static void assert_line(const char *bytes, size_t length, size_t expected, const char *client)
{
    for (size_t given = 0; given <= length; given++) {
        g_autofree uint8_t *copy = g_malloc(given + 1);
        g_autofree uint8_t *exact = given ? g_memdup2(bytes, given) : NULL;
        g_autofree char *named = NULL;
        size_t found = wsl_proxy_line(exact ? exact : copy, given, &named);
        if (given >= expected) {
            g_assert_cmpuint(found, ==, expected);
            g_assert_cmpstr(named, ==, client);
        } else {
            g_assert_cmpuint(found, ==, given ? WSL_PROXY_LINE_INCOMPLETE : 0);
            g_assert_null(named);
        }
    }
}

static void test_version_1(void)
{
    static const struct {
        const char *line, *client;
    } cases[] = {
        {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535"},
        {"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", "192.168.0.1:56324"},
        {"PROXY TCP6 ffff:f:f:f:f:f:f:ffff ffff:f:f:f:f:f:f:ffff 65535 65535\r\n", "[ffff:f:f:f:f:f:f:ffff]:65535"},
        {"PROXY TCP6 2001:db8::1 2001:db8::2 4000 80\r\n", "[2001:db8::1]:4000"},
        {"PROXY UNKNOWN\r\n", NULL},
        /* What stands behind UNKNOWN must be ignored: the longest line that there is. */
        {"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", NULL},
        {"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
         "65535\r\n",
         NULL},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        size_t length = strlen(cases[i].line);
        g_autofree char *with_http = g_strconcat(cases[i].line, "GET / HTTP/1.1\r\n", NULL);
        g_assert_cmpuint(length, <=, 107);
        assert_line(with_http, strlen(with_http), length, cases[i].client);
    }
}

static void add_version_2(GByteArray *out, uint8_t command, uint8_t family, size_t length, const void *body)
{
    const uint8_t fixed[] = {command, family, (uint8_t)(length >> 8), (uint8_t)length};

    g_byte_array_append(out, (const uint8_t *)SIGNATURE, SIGNATURE_LENGTH);
    g_byte_array_append(out, fixed, 4);
    g_byte_array_append(out, body, (guint)length);
}

static void assert_version_2(uint8_t command, uint8_t family, size_t length, const char *client)
{
    /* 192.0.2.1 to 192.0.2.2, ports 0xc001 and 443; read as IPv6, c000:201:c000:202:c001:1bb:… */
    static const uint8_t addresses[600] = {192, 0, 2, 1, 192, 0, 2, 2, 0xc0, 0x01, 0x01, 0xbb};
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    add_version_2(bytes, command, family, length, addresses);
    size_t whole = bytes->len;
    g_byte_array_append(bytes, (const uint8_t *)"GET ", 4);
    assert_line((const char *)bytes->data, bytes->len, whole, client);
}

static void test_version_2_ipv4(void)
{
    assert_version_2(0x21, 0x11, 12, "192.0.2.1:49153");
    assert_version_2(0x21, 0x11, 100, "192.0.2.1:49153"); /* with extensions */
    assert_version_2(0x21, 0x11, 11, NULL);               /* too short for its addresses */
    assert_version_2(0x21, 0x11, 0, NULL);
    assert_version_2(0x21, 0x00, 0, NULL);   /* AF_UNSPEC */
    assert_version_2(0x21, 0x31, 216, NULL); /* AF_UNIX */
}

static void test_version_2_ipv6(void)
{
    uint8_t addresses[36] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1, [16] = 0x20, 0x01, 0x0d, 0xb8, [31] = 2};
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    addresses[32] = 0xc0;
    addresses[33] = 0x02;
    add_version_2(bytes, 0x21, 0x21, sizeof addresses, addresses);
    assert_line((const char *)bytes->data, bytes->len, bytes->len, "[2001:db8::1]:49154");
}

/* §2.2: LOCAL is the proxy's own connection: the receiver must use the real endpoints and ignore the addresses. */
static void test_version_2_local_names_nobody(void)
{
    assert_version_2(0x20, 0x11, 12, NULL);
    assert_version_2(0x20, 0x00, 0, NULL);
}

static void test_what_is_no_proxy_line(void)
{
    g_autofree char *endless = g_strnfill(200, 'x');
    memcpy(endless, "PROXY ", 6);
    const struct {
        const char *bytes;
        size_t length;
    } cases[] = {
        {"GET / HTTP/1.1\r\n", 16},
        {"PROXX TCP4", 10},
        {"PUT ", 4},
        {"\x16\x03\x01", 3},
        {SIGNATURE "\x11\x11\x00\x0c", 16}, /* version 1 in a header of version 2 */
        {SIGNATURE "\x31\x11\x00\x0c", 16},
        {"\r\n\r\nGET", 7},
        {endless, 107},
        {endless, 200},
        {"", 0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *named = NULL;
        g_assert_cmpuint(wsl_proxy_line((const uint8_t *)cases[i].bytes, cases[i].length, &named), ==, 0);
        g_assert_null(named);
    }
    char *named = NULL;
    g_assert_cmpuint(wsl_proxy_line((const uint8_t *)endless, 106, &named), ==, WSL_PROXY_LINE_INCOMPLETE);
}

static void test_lengths_up_to_the_limit(void)
{
    assert_version_2(0x21, 0x11, WSL_PROXY_LINE_MAX - 16, "192.0.2.1:49153");
    static const char above[] = SIGNATURE "\x21\x11\x02\x09"; /* 16 + 521 = 537 */
    char *named = NULL;
    g_assert_cmpuint(wsl_proxy_line((const uint8_t *)above, 16, &named), ==, 0);
    g_assert_null(named);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/proxy-line/1", test_version_1);
    g_test_add_func("/proxy-line/2/ipv4", test_version_2_ipv4);
    g_test_add_func("/proxy-line/2/ipv6", test_version_2_ipv6);
    g_test_add_func("/proxy-line/2/local", test_version_2_local_names_nobody);
    g_test_add_func("/proxy-line/none", test_what_is_no_proxy_line);
    g_test_add_func("/proxy-line/limit", test_lengths_up_to_the_limit);
    return g_test_run();
}

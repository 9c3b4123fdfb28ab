/*
 * The PROXY protocol's header (proxy_line.h), by HAProxy's proxy-protocol.txt, §2.1 and §2.2.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/http/proxy_line.h"

#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

enum { LINE_MAX_V1 = 107, FIXED_V2 = 16, STREAM_IPV4 = 0x11, STREAM_IPV6 = 0x21, VERSION2_LOCAL = 0x20 };

static size_t version1(const uint8_t *bytes, size_t length, char **client)
{
    const uint8_t *lf = memchr(bytes, '\n', MIN(length, LINE_MAX_V1));

    if (!lf)
        return length < LINE_MAX_V1 ? WSL_PROXY_LINE_INCOMPLETE : 0;
    g_autofree char *line = g_strndup((const char *)bytes, (size_t)(lf - bytes));
    g_auto(GStrv) words = g_strsplit(g_strchomp(line), " ", 7);
    /* What follows UNKNOWN is to be ignored. */
    if (g_strv_length(words) == 6 && (!strcmp(words[1], "TCP4") || !strcmp(words[1], "TCP6")))
        *client = g_strdup_printf(strchr(words[2], ':') ? "[%s]:%s" : "%s:%s", words[2], words[4]);
    return (size_t)(lf - bytes) + 1;
}

static size_t version2(const uint8_t *bytes, size_t length, char **client)
{
    char text[INET6_ADDRSTRLEN];

    if (length < FIXED_V2)
        return WSL_PROXY_LINE_INCOMPLETE;
    size_t body = (size_t)bytes[14] << 8 | bytes[15], whole = FIXED_V2 + body;
    if (bytes[12] >> 4 != 2 || whole > WSL_PROXY_LINE_MAX)
        return 0;
    if (length < whole)
        return WSL_PROXY_LINE_INCOMPLETE;
    if (bytes[12] == VERSION2_LOCAL)
        return whole; /* the proxy's own connection: its addresses are to be ignored */
    const uint8_t *addresses = bytes + FIXED_V2;
    if (bytes[13] == STREAM_IPV4 && body >= 12 && inet_ntop(AF_INET, addresses, text, sizeof text))
        *client = g_strdup_printf("%s:%u", text, addresses[8] << 8 | addresses[9]);
    else if (bytes[13] == STREAM_IPV6 && body >= 36 && inet_ntop(AF_INET6, addresses, text, sizeof text))
        *client = g_strdup_printf("[%s]:%u", text, addresses[32] << 8 | addresses[33]);
    return whole;
}

size_t wsl_proxy_line(const uint8_t *bytes, size_t length, char **client)
{
    static const uint8_t signature1[] = {'P', 'R', 'O', 'X', 'Y', ' '};
    static const uint8_t signature2[] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
    static const struct {
        const uint8_t *signature;
        size_t length;
        size_t (*parse)(const uint8_t *bytes, size_t length, char **client);
    } versions[] = {{signature1, sizeof signature1, version1}, {signature2, sizeof signature2, version2}};

    for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
        if (!length || memcmp(bytes, versions[i].signature, MIN(length, versions[i].length)) != 0)
            continue;
        return length < versions[i].length ? WSL_PROXY_LINE_INCOMPLETE : versions[i].parse(bytes, length, client);
    }
    return 0;
}

/*
 * WebSocket as the generated captures speak it: frame headers, masking, and the two heads of the upgrade.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_BENCH_FRAMES_H
#define WSL_BENCH_FRAMES_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum opcode { WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };
enum { WS_FIN = 0x80, WS_RSV1 = 0x40, WS_HEADER_MAX = 14 };

/* RFC 6455 §5.2. Returns the header's length; `key` of NULL leaves the frame unmasked. */
static size_t ws_put_header(uint8_t *to, unsigned first_byte, const uint8_t *key, size_t len)
{
    uint8_t mask_bit = key ? 0x80 : 0;
    size_t n = 2;
    to[0] = (uint8_t)first_byte;
    if (len < 126) {
        to[1] = (uint8_t)(mask_bit | len);
    } else if (len < 65536) {
        to[1] = mask_bit | 126;
        to[2] = (uint8_t)(len >> 8);
        to[3] = (uint8_t)len;
        n = 4;
    } else {
        to[1] = mask_bit | 127;
        for (unsigned i = 0; i < 8; i++) {
            to[2 + i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
        }
        n = 10;
    }
    if (key) {
        memcpy(to + n, key, 4);
        n += 4;
    }
    return n;
}

/* RFC 6455 §5.3 */
static void ws_put_payload(uint8_t *to, const uint8_t *payload, const uint8_t *key, size_t len)
{
    if (!key) {
        memcpy(to, payload, len);
        return;
    }
    size_t at = 0;
    uint32_t mask, word;
    memcpy(&mask, key, sizeof mask);
    for (; at + sizeof word <= len; at += sizeof word) {
        memcpy(&word, payload + at, sizeof word);
        word ^= mask;
        memcpy(to + at, &word, sizeof word);
    }
    for (; at < len; at++) {
        to[at] = payload[at] ^ key[at % 4];
    }
}

/* The client's head into `to`; returns its length. */
static size_t ws_put_request(char *to, size_t room, const uint8_t nonce[16], bool deflate)
{
    char *key = g_base64_encode(nonce, 16);
    int n = snprintf(to, room,
                     "GET /chat HTTP/1.1\r\n"
                     "Host: ws.example.test:8080\r\n"
                     "Connection: Upgrade\r\n"
                     "User-Agent: wsleuth-bench/1.0 (X11; Linux x86_64)\r\n"
                     "Upgrade: websocket\r\n"
                     "Origin: https://app.example.test\r\n"
                     "Sec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: %s\r\n"
                     "%s\r\n",
                     key, deflate ? "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" : "");
    g_free(key);
    return (size_t)n;
}

/* The server's head, with the accept of RFC 6455 §4.2.2, into `to`; returns its length. */
static size_t ws_put_response(char *to, size_t room, const uint8_t nonce[16], bool deflate)
{
    static GChecksum *sha1;
    if (!sha1) {
        sha1 = g_checksum_new(G_CHECKSUM_SHA1);
    }
    char *key = g_base64_encode(nonce, 16);
    uint8_t digest[20];
    gsize digest_len = sizeof digest;
    g_checksum_reset(sha1);
    g_checksum_update(sha1, (const guchar *)key, -1);
    g_checksum_update(sha1, (const guchar *)"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", -1);
    g_checksum_get_digest(sha1, digest, &digest_len);
    char *accept = g_base64_encode(digest, digest_len);
    int n = snprintf(to, room,
                     "HTTP/1.1 101 Switching Protocols\r\n"
                     "Upgrade: websocket\r\n"
                     "Connection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: %s\r\n"
                     "%s\r\n",
                     accept, deflate ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
    g_free(accept);
    g_free(key);
    return (size_t)n;
}

#endif

/*
 * Traffic that is no WebSocket: downloads over HTTP/1.1 that keep the connection, what looks like TLS 1.3, and SSH.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_BENCH_FOREIGN_H
#define WSL_BENCH_FOREIGN_H

#include "tests/bench/payloads.h"

struct blob {
    uint8_t bytes[1024];
    size_t n;
};

static void blob_add(struct blob *b, const void *bytes, size_t n)
{
    memcpy(b->bytes + b->n, bytes, n);
    b->n += n;
}

static void blob_add16(struct blob *b, size_t value)
{
    put16(b->bytes + b->n, (unsigned)value);
    b->n += 2;
}

static void blob_add_random(struct blob *b, struct gen *g, size_t n)
{
    blob_add(b, random_payload(g), n);
}

static void act_http_request(struct gen *g, struct conn *c)
{
    char head[256];
    int n = snprintf(head, sizeof head,
                     "GET /files/%u.bin HTTP/1.1\r\nHost: files.example.test\r\nUser-Agent: wsleuth-bench/1.0\r\n"
                     "Accept: */*\r\nConnection: keep-alive\r\n\r\n",
                     random_below(g, 1000000));
    push(g, c, CLIENT, head, (size_t)n);
}

static void act_http_response(struct gen *g, struct conn *c)
{
    char head[256];
    uint32_t len = 4096 + random_below(g, 124 * 1024);
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: application/octet-stream\r\n"
                     "Content-Length: %u\r\nConnection: keep-alive\r\n\r\n",
                     len);
    push(g, c, SERVER, head, (size_t)n);
    push(g, c, SERVER, random_payload(g), len);
}

/* RFC 8446 §4.2: what a browser of the day sends, less its padding. */
static void add_client_extensions(struct blob *b, struct gen *g)
{
    static const uint8_t fixed[] = {
        0,   0,   0,   20,  0,   18,  0, 0,   15,  'w', 'w', 'w', '.', 'e', 'x', 'a', 'm', 'p',
        'l', 'e', '.', 'o', 'r', 'g',                           /* SNI */
        0,   10,  0,   6,   0,   4,   0, 29,  0,   23,          /* supported_groups */
        0,   13,  0,   8,   0,   6,   4, 3,   8,   4,   4,   1, /* signature_algorithms */
        0,   16,  0,   14,  0,   12,  2, 'h', '2', 8,   'h', 't', 't', 'p', '/', '1', '.', '1', /* ALPN */
        0,   43,  0,   5,   4,   3,   4, 3,   3,                                                /* supported_versions */
        0,   51,  0,   38,  0,   36,  0, 29,  0,   32,                                          /* key_share: x25519 */
    };
    blob_add16(b, sizeof fixed + 32);
    blob_add(b, fixed, sizeof fixed);
    blob_add_random(b, g, 32);
}

static void push_handshake(struct gen *g, struct conn *c, enum side from, uint8_t type, const struct blob *body)
{
    uint8_t record[9] = {22, 3, from == CLIENT ? 1 : 3, 0, 0, type, 0, 0, 0};
    put16(record + 3, (unsigned)body->n + 4);
    put16(record + 7, (unsigned)body->n);
    push(g, c, from, record, sizeof record);
    push(g, c, from, body->bytes, body->n);
}

static void push_application_data(struct gen *g, struct conn *c, enum side from, size_t len)
{
    while (len > 0) {
        size_t n = MIN(len, (size_t)16384);
        uint8_t record[5] = {23, 3, 3};
        put16(record + 3, (unsigned)n + 17);
        push(g, c, from, record, sizeof record);
        push(g, c, from, random_payload(g), n + 17);
        len -= n;
    }
}

static void act_client_hello(struct gen *g, struct conn *c)
{
    struct blob b = {.n = 0};
    blob_add16(&b, 0x0303);
    blob_add_random(&b, g, 32);
    blob_add(&b, "\40", 1);
    blob_add_random(&b, g, 32);
    blob_add(&b, "\0\6\x13\1\x13\2\x13\3\1\0", 10);
    add_client_extensions(&b, g);
    push_handshake(g, c, CLIENT, 1, &b);
}

static void act_server_hello(struct gen *g, struct conn *c)
{
    struct blob b = {.n = 0};
    blob_add16(&b, 0x0303);
    blob_add_random(&b, g, 32);
    blob_add(&b, "\40", 1);
    blob_add_random(&b, g, 32);
    blob_add(&b, "\x13\1\0\0\56\0\53\0\2\3\4\0\63\0\44\0\35\0\40", 19);
    blob_add_random(&b, g, 32);
    push_handshake(g, c, SERVER, 2, &b);
    push(g, c, SERVER, "\24\3\3\0\1\1", 6);
    push_application_data(g, c, SERVER, 2900);
}

static void act_tls_finished(struct gen *g, struct conn *c)
{
    push(g, c, CLIENT, "\24\3\3\0\1\1", 6);
    push_application_data(g, c, CLIENT, 36);
}

static void act_tls_request(struct gen *g, struct conn *c)
{
    push_application_data(g, c, CLIENT, 100 + random_below(g, 700));
}

static void act_tls_response(struct gen *g, struct conn *c)
{
    push_application_data(g, c, SERVER, 500 + random_below(g, 100000));
}

static void act_ssh_server_banner(struct gen *g, struct conn *c)
{
    static const char banner[] = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n";
    push(g, c, SERVER, banner, sizeof banner - 1);
}

static void act_ssh_client_banner(struct gen *g, struct conn *c)
{
    static const char banner[] = "SSH-2.0-OpenSSH_9.6\r\n";
    push(g, c, CLIENT, banner, sizeof banner - 1);
}

/* RFC 4253 §7.1 */
static void push_kexinit(struct gen *g, struct conn *c, enum side from)
{
    static const char *const lists[] = {"curve25519-sha256",
                                        "ssh-ed25519",
                                        "chacha20-poly1305@openssh.com,aes128-ctr",
                                        "chacha20-poly1305@openssh.com,aes128-ctr",
                                        "hmac-sha2-256",
                                        "hmac-sha2-256",
                                        "none",
                                        "none",
                                        "",
                                        ""};
    struct blob b = {.n = 5};
    blob_add(&b, "\24", 1);
    blob_add_random(&b, g, 16);
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        blob_add16(&b, 0);
        blob_add16(&b, strlen(lists[i]));
        blob_add(&b, lists[i], strlen(lists[i]));
    }
    blob_add(&b, "\0\0\0\0\0", 5);
    size_t padding = 12 - (b.n + 4) % 8;
    blob_add_random(&b, g, padding);
    put32(b.bytes, (uint32_t)b.n - 4);
    b.bytes[4] = (uint8_t)padding;
    push(g, c, from, b.bytes, b.n);
}

static void act_ssh_server_kexinit(struct gen *g, struct conn *c)
{
    push_kexinit(g, c, SERVER);
}

static void act_ssh_client_kexinit(struct gen *g, struct conn *c)
{
    push_kexinit(g, c, CLIENT);
}

static void act_ssh_keystroke(struct gen *g, struct conn *c)
{
    push(g, c, CLIENT, random_payload(g), 36);
}

static void act_ssh_output(struct gen *g, struct conn *c)
{
    size_t len = 36 + 8 * random_below(g, 400);
    push(g, c, SERVER, random_payload(g), len);
}

#endif

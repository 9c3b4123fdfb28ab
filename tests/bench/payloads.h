/*
 * What the messages of the generated captures hold: JSON-like text, text of several scripts, random and deflated bytes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_BENCH_PAYLOADS_H
#define WSL_BENCH_PAYLOADS_H

#include "tests/bench/traffic.h"

enum { SMALL_TEXT_MAX = 120, DEFLATE_TEXT_MAX = 8192 };

/* A letter of the ranges that people write in, of one to four bytes. */
static size_t put_letter(struct gen *g, uint8_t *to, unsigned alphabet)
{
    static const struct {
        uint32_t first, count;
    } alphabets[] = {{'a', 26}, {0x430, 32}, {0x430, 32}, {0x4e00, 0x51a0}, {0x3041, 83}, {0x1f600, 0x50}};
    alphabet %= G_N_ELEMENTS(alphabets);
    char letter[6];
    int n = g_unichar_to_utf8(alphabets[alphabet].first + random_below(g, alphabets[alphabet].count), letter);
    memcpy(to, letter, (size_t)n);
    return (size_t)n;
}

static uint8_t *make_utf8_pool(struct gen *g)
{
    uint8_t *pool = g_malloc(2 * POOL_LEN);
    size_t n = 0;
    while (n < POOL_LEN - 64) {
        unsigned alphabet = random_below(g, 6), letters = alphabet == 5 ? 1 : 2 + random_below(g, 8);
        for (unsigned i = 0; i < letters; i++) {
            n += put_letter(g, pool + n, alphabet);
        }
        pool[n++] = ' ';
    }
    memset(pool + n, '.', POOL_LEN - n);
    memcpy(pool + POOL_LEN, pool, POOL_LEN);
    return pool;
}

static uint8_t *make_random_pool(struct gen *g)
{
    uint8_t *pool = g_malloc(2 * POOL_LEN);
    for (size_t i = 0; i < POOL_LEN; i += 8) {
        uint64_t value = random64(g);
        memcpy(pool + i, &value, sizeof value);
    }
    memcpy(pool + POOL_LEN, pool, POOL_LEN);
    return pool;
}

static void payloads_open(struct gen *g)
{
    g->utf8 = make_utf8_pool(g);
    g->random_bytes = make_random_pool(g);
}

/* Where `*len` bytes (at most POOL_LEN) of the random pool begin. */
static const uint8_t *random_payload(struct gen *g)
{
    return g->random_bytes + random_below(g, POOL_LEN);
}

/* Text of at most `*len` bytes (at most POOL_LEN), cut between characters; `*len` becomes its length. */
static const uint8_t *utf8_payload(struct gen *g, size_t *len)
{
    const uint8_t *text = g->utf8 + random_below(g, POOL_LEN);
    while ((*text & 0xc0) == 0x80) {
        text++;
    }
    while ((text[*len] & 0xc0) == 0x80) {
        --*len;
    }
    return text;
}

/* The ASCII text of 10 to 120 bytes that belongs to `hash`; returns its length. */
static size_t put_small_text(char *to, uint64_t hash)
{
    static const char letters[] =
        "the quick brown fox jumps over the lazy dog, then naps; 0123456789 PACKETS & FRAMES? ";
    size_t len = 10 + hash % 111, n = 5;
    memcpy(to, "{\"n\":", 5);
    size_t digits = len < 20 ? len - 6 : 6;
    for (size_t i = 0; i < digits; i++) {
        to[n++] = (char)('1' + (hash >> (i * 4)) % 9);
    }
    if (len >= 20) {
        memcpy(to + n, ",\"v\":\"", 6);
        n += 6;
        for (size_t at = hash >> 32; n < len - 2; at++) {
            to[n++] = letters[at % (sizeof letters - 1)];
        }
        to[n++] = '"';
    }
    to[n++] = '}';
    return n;
}

static size_t put_word(struct gen *g, char *to)
{
    static const char *const words[] = {"order",  "bid",    "ask",  "room",  "joined",  "left",  "typing", "price",
                                        "Zürich", "Москва", "東京", "hello", "message", "alpha", "state",  "update"};
    const char *word = words[random_below(g, G_N_ELEMENTS(words))];
    size_t n = strlen(word);
    memcpy(to, word, n);
    return n;
}

/* JSON of about `len` bytes, at most DEFLATE_TEXT_MAX, that compresses as such messages do; returns its length. */
static size_t put_json(struct gen *g, char *to, size_t len)
{
    size_t n = 0;
    to[n++] = '[';
    while (n == 1 || n + 256 < len) {
        uint64_t r = random64(g);
        n += (size_t)snprintf(to + n, DEFLATE_TEXT_MAX - n, "%s{\"id\":%u,\"price\":%u.%02u,\"text\":\"",
                              n > 1 ? "," : "", (unsigned)(r & 0xfffff), (unsigned)(r >> 24 & 0xfff),
                              (unsigned)(r >> 40) % 100);
        for (unsigned i = 0; i < 8; i++) {
            n += put_word(g, to + n);
            to[n++] = ' ';
        }
        to[n++] = '"';
        to[n++] = '}';
    }
    to[n++] = ']';
    return n;
}

/* RFC 7692 §7.2.1, with context takeover. Returns the length of what `to` then holds. */
static size_t put_deflated(struct conn *c, enum side from, uint8_t *to, size_t room, const char *text, size_t len)
{
    z_stream *z = c->bulk->deflate[from];
    if (!z) {
        z = c->bulk->deflate[from] = g_new0(z_stream, 1);
        if (deflateInit2(z, 4, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
            g_error("deflateInit2");
        }
    }
    z->next_in = (Bytef *)(uintptr_t)text;
    z->avail_in = (uInt)len;
    z->next_out = to;
    z->avail_out = (uInt)room;
    if (deflate(z, Z_SYNC_FLUSH) != Z_OK || z->avail_in > 0 || z->avail_out == 0) {
        g_error("deflate");
    }
    return room - z->avail_out - 4; /* without 00 00 ff ff */
}

/* A compressed text message of about `len` bytes. */
static void push_deflated(struct gen *g, struct conn *c, enum side from, size_t len)
{
    static char text[DEFLATE_TEXT_MAX];
    static uint8_t deflated[2 * DEFLATE_TEXT_MAX];
    if (!c->bulk) {
        c->bulk = g_new0(struct bulk, 1);
    }
    size_t text_len = put_json(g, text, len);
    size_t deflated_len = put_deflated(c, from, deflated, sizeof deflated, text, text_len);
    push_frame(g, c, from, WS_FIN | WS_RSV1 | WS_TEXT, deflated, deflated_len, text_len);
}

#endif

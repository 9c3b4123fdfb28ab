/*
 * UTF-8 and masks (utf8.h).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/websocket/utf8.h"

#include <stdbool.h>
#include <string.h>

/* What is awaited after a lead byte (RFC 3629 §4); each state admits one range of continuation bytes and leads on to `next`. */
enum { ACCEPT, REJECT, TAIL1, TAIL2, TAIL3, AFTER_E0, AFTER_ED, AFTER_F0, AFTER_F4, STATES };

static const struct {
    uint8_t from, to, next;
} tails[STATES] = {
    [TAIL1] = {0x80, 0xbf, ACCEPT},   [TAIL2] = {0x80, 0xbf, TAIL1},    [TAIL3] = {0x80, 0xbf, TAIL2},
    [AFTER_E0] = {0xa0, 0xbf, TAIL1}, [AFTER_ED] = {0x80, 0x9f, TAIL1}, /* no surrogates */
    [AFTER_F0] = {0x90, 0xbf, TAIL2}, [AFTER_F4] = {0x80, 0x8f, TAIL2}, /* nothing beyond U+10FFFF */
};

static uint8_t after_lead(uint8_t byte)
{
    static const struct {
        uint8_t from, to, state;
    } leads[] = {
        {0x00, 0x7f, ACCEPT},   {0xc2, 0xdf, TAIL1},    {0xe0, 0xe0, AFTER_E0},
        {0xe1, 0xec, TAIL2},    {0xed, 0xed, AFTER_ED}, {0xee, 0xef, TAIL2},
        {0xf0, 0xf0, AFTER_F0}, {0xf1, 0xf3, TAIL3},    {0xf4, 0xf4, AFTER_F4},
    };

    for (size_t i = 0; i < sizeof leads / sizeof *leads; i++)
        if (byte >= leads[i].from && byte <= leads[i].to)
            return leads[i].state;
    return REJECT;
}

static uint8_t step(uint8_t state, uint8_t byte)
{
    if (state == ACCEPT)
        return byte < 0x80 ? ACCEPT : after_lead(byte);
    return byte >= tails[state].from && byte <= tails[state].to ? tails[state].next : REJECT;
}

static bool is_ascii(const uint8_t *bytes, size_t words, uint64_t key)
{
    uint64_t high = 0, word;

    for (size_t i = 0; i < words; i++) {
        memcpy(&word, bytes + i * 8, 8);
        high |= word ^ key;
    }
    return !(high & 0x8080808080808080U);
}

static uint64_t turned_key(const uint8_t key[4], unsigned phase)
{
    uint8_t turned[8];
    uint64_t word;

    for (unsigned i = 0; i < 8; i++)
        turned[i] = key[(phase + i) & 3];
    memcpy(&word, turned, 8);
    return word;
}

enum { BLOCK = 64 };

uint8_t wsl_utf8_check_masked(uint8_t state, const uint8_t *bytes, size_t length, const uint8_t key[4], unsigned phase)
{
    uint64_t word_key = turned_key(key, phase);
    size_t i = 0;

    while (i < length && state != REJECT) {
        size_t whole = (length - i) / BLOCK * BLOCK;
        if (state == ACCEPT && whole && (i & 3) == 0 && is_ascii(bytes + i, BLOCK / 8, word_key)) {
            i += BLOCK;
            continue;
        }
        /* Not all ASCII: byte by byte to the next place where blocks can be tried again. */
        size_t stop = whole ? i + BLOCK - (i & 3) : length;
        for (; i < stop && state != REJECT; i++)
            state = step(state, bytes[i] ^ key[(phase + i) & 3]);
    }
    return state;
}

uint8_t wsl_utf8_check(uint8_t state, const uint8_t *bytes, size_t length)
{
    static const uint8_t none[4];

    return wsl_utf8_check_masked(state, bytes, length, none, 0);
}

void wsl_unmask(uint8_t *out, const uint8_t *bytes, size_t length, const uint8_t key[4], unsigned phase)
{
    uint64_t word_key = turned_key(key, phase), word;
    size_t i = 0;

    for (; i + 8 <= length; i += 8) {
        memcpy(&word, bytes + i, 8);
        word ^= word_key;
        memcpy(out + i, &word, 8);
    }
    for (; i < length; i++)
        out[i] = bytes[i] ^ key[(phase + i) & 3];
}

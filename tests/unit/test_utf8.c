/*
 * Tests of streaming UTF-8 and of masks against a plain reading of RFC 3629 §4 and RFC 6455 §5.3.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/websocket/utf8.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

enum { LONGEST = 200, ROUNDS = 200000 };
typedef enum { GOOD, CUT, BAD } Verdict;

/* The rules UTF8-1 to UTF8-4 of RFC 3629's ABNF: a lead byte, and the ranges of the bytes behind it. */
static const struct {
    uint8_t ranges[4][2];
    unsigned length;
} rules[] = {
    {{{0x00, 0x7f}}, 1},
    {{{0xc2, 0xdf}, {0x80, 0xbf}}, 2},
    {{{0xe0, 0xe0}, {0xa0, 0xbf}, {0x80, 0xbf}}, 3},
    {{{0xe1, 0xec}, {0x80, 0xbf}, {0x80, 0xbf}}, 3},
    {{{0xed, 0xed}, {0x80, 0x9f}, {0x80, 0xbf}}, 3},
    {{{0xee, 0xef}, {0x80, 0xbf}, {0x80, 0xbf}}, 3},
    {{{0xf0, 0xf0}, {0x90, 0xbf}, {0x80, 0xbf}, {0x80, 0xbf}}, 4},
    {{{0xf1, 0xf3}, {0x80, 0xbf}, {0x80, 0xbf}, {0x80, 0xbf}}, 4},
    {{{0xf4, 0xf4}, {0x80, 0x8f}, {0x80, 0xbf}, {0x80, 0xbf}}, 4},
};

/* One character at `bytes`: its length, 0 if none begins there; `*cut` if it goes on behind the end. */
static size_t character(const uint8_t *bytes, size_t length, bool *cut)
{
    for (size_t rule = 0; rule < G_N_ELEMENTS(rules); rule++) {
        size_t i = 0;
        while (i < rules[rule].length && i < length && bytes[i] >= rules[rule].ranges[i][0] &&
               bytes[i] <= rules[rule].ranges[i][1])
            i++;
        if (i == rules[rule].length)
            return i;
        if (i == length) {
            *cut = true;
            return 0;
        }
    }
    return 0;
}

static Verdict reference(const uint8_t *bytes, size_t length)
{
    bool cut = false;

    for (size_t at = 0, step; at < length; at += step) {
        step = character(bytes + at, length - at, &cut);
        if (!step)
            return cut ? CUT : BAD;
    }
    return GOOD;
}

static Verdict verdict_of(uint8_t state)
{
    return state == WSL_UTF8_ACCEPT ? GOOD : state == WSL_UTF8_REJECT ? BAD : CUT;
}

static void test_every_sequence_up_to_three_bytes(void)
{
    uint8_t bytes[3];

    g_assert_cmpint(verdict_of(wsl_utf8_check(WSL_UTF8_ACCEPT, bytes, 0)), ==, GOOD);
    for (uint32_t value = 0; value < 1U << 24; value++) {
        bytes[0] = (uint8_t)(value >> 16);
        bytes[1] = (uint8_t)(value >> 8);
        bytes[2] = (uint8_t)value;
        for (size_t length = value & 0xffff ? (value & 0xff ? 3 : 2) : 1; length <= 3; length++)
            if (verdict_of(wsl_utf8_check(WSL_UTF8_ACCEPT, bytes, length)) != reference(bytes, length))
                g_error("%06x, %zu bytes", value, length);
    }
}

/* All characters of four bytes, and those that would stand beyond the last. */
static void test_every_sequence_of_four_bytes_by_its_second(void)
{
    static const uint8_t tails[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};

    for (unsigned lead = 0xe0; lead < 0x100; lead++)
        for (unsigned second = 0; second < 0x100; second++)
            for (size_t i = 0; i < G_N_ELEMENTS(tails) * G_N_ELEMENTS(tails); i++) {
                uint8_t bytes[] = {(uint8_t)lead, (uint8_t)second, tails[i / G_N_ELEMENTS(tails)],
                                   tails[i % G_N_ELEMENTS(tails)]};
                g_assert_cmpint(verdict_of(wsl_utf8_check(WSL_UTF8_ACCEPT, bytes, 4)), ==, reference(bytes, 4));
            }
}

/* Mostly valid text of mixed lengths with long runs of ASCII; in every other string one byte is changed, and the end is cut. */
static size_t random_text(GRand *random, uint8_t *bytes, size_t most)
{
    static const char *const characters[] = {"\xc3\xa4",         "\xe2\x82\xac", "\xf0\x9f\x92\xa9", "\xed\x9f\xbf",
                                             "\xf4\x8f\xbf\xbf", "\x7f",         "\xdf\xbf"};
    size_t length = 0, wanted = (size_t)g_rand_int_range(random, 0, (gint32)most + 1);
    bool ascii = g_rand_boolean(random);

    while (length < wanted) {
        const char *next = characters[g_rand_int_range(random, 0, G_N_ELEMENTS(characters))];
        if ((ascii && g_rand_int_range(random, 0, 100)) || length + strlen(next) > wanted) {
            bytes[length++] = (uint8_t)g_rand_int_range(random, 0, 128);
        } else {
            memcpy(bytes + length, next, strlen(next));
            length += strlen(next);
        }
    }
    if (length && g_rand_boolean(random))
        bytes[g_rand_int_range(random, 0, (gint32)length)] = (uint8_t)g_rand_int(random);
    size_t cut = (size_t)g_rand_int_range(random, 0, 3);
    return length - MIN(length, cut);
}

/* Random texts behind random masks, cut in three at random, at every alignment, against the reference. */
static void test_random_texts_masks_and_cuts(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(6455);
    uint8_t plain[LONGEST], room[LONGEST + 16], key[4];
    unsigned verdicts[3] = {0};

    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t length = random_text(random, plain, LONGEST);
        unsigned phase = (unsigned)g_rand_int_range(random, 0, 4);
        uint32_t bits = round % 8 ? g_rand_int(random) : 0;
        uint8_t *masked = room + g_rand_int_range(random, 0, 16);
        memcpy(key, &bits, 4);
        for (size_t i = 0; i < length; i++)
            masked[i] = plain[i] ^ key[(phase + i) % 4];
        Verdict expected = reference(plain, length);
        verdicts[expected]++;
        g_assert_cmpint(verdict_of(wsl_utf8_check_masked(WSL_UTF8_ACCEPT, masked, length, key, phase)), ==, expected);
        size_t first = (size_t)g_rand_int_range(random, 0, (gint32)length + 1);
        size_t second = (size_t)g_rand_int_range(random, (gint32)first, (gint32)length + 1);
        uint8_t state = wsl_utf8_check_masked(WSL_UTF8_ACCEPT, masked, first, key, phase);
        state = wsl_utf8_check_masked(state, masked + first, second - first, key, (phase + (unsigned)first) & 3);
        state = wsl_utf8_check_masked(state, masked + second, length - second, key, (phase + (unsigned)second) & 3);
        g_assert_cmpint(verdict_of(state), ==, expected);
    }
    for (unsigned i = 0; i < 3; i++)
        g_assert_cmpuint(verdicts[i], >, ROUNDS / 200);
}

/* One bad byte anywhere in a long text is found: no block is skipped. */
static void test_one_bad_byte_at_every_place(void)
{
    static const uint8_t bad[] = {0x80, 0xc0, 0xff};

    for (size_t length = 0; length <= LONGEST; length++) {
        g_autofree uint8_t *text = g_malloc(length + 1);
        memset(text, 'a', length);
        g_assert_cmpint(wsl_utf8_check(WSL_UTF8_ACCEPT, text, length), ==, WSL_UTF8_ACCEPT);
        for (size_t place = 0; place < length; place++) {
            text[place] = bad[place % 3];
            g_assert_cmpint(wsl_utf8_check(WSL_UTF8_ACCEPT, text, length), ==, WSL_UTF8_REJECT);
            text[place] = 'a';
        }
    }
}

static void test_rejection_is_final(void)
{
    uint8_t state = wsl_utf8_check(WSL_UTF8_ACCEPT, (const uint8_t *)"\xff", 1);

    g_assert_cmpint(wsl_utf8_check(state, (const uint8_t *)"fine", 4), ==, WSL_UTF8_REJECT);
    g_assert_cmpint(wsl_utf8_check(state, NULL, 0), ==, WSL_UTF8_REJECT);
}

/* RFC 6455 §5.3: octet i of the result is octet i of the data XOR octet i modulo 4 of the key. */
static void test_unmask(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(53);

    for (size_t length = 0; length <= LONGEST; length++)
        for (unsigned turn = 0; turn < 64; turn++) {
            unsigned phase = turn & 3, from = turn >> 2 & 3, to = turn >> 4 & 3;
            uint8_t key[4], expected[LONGEST + 1];
            g_autofree uint8_t *in = g_malloc(from + length + 1), *out = g_malloc(to + length + 1);
            for (unsigned i = 0; i < 4; i++)
                key[i] = (uint8_t)g_rand_int(random);
            for (size_t i = 0; i < length; i++) {
                in[from + i] = (uint8_t)g_rand_int(random);
                expected[i] = in[from + i] ^ key[(i + phase) % 4];
            }
            out[to + length] = 0x5a;
            wsl_unmask(out + to, in + from, length, key, phase);
            g_assert_true(memcmp(out + to, expected, length) == 0);
            g_assert_cmpuint(out[to + length], ==, 0x5a);
            wsl_unmask(in + from, in + from, length, key, phase);
            g_assert_true(memcmp(in + from, expected, length) == 0);
        }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/utf8/three-bytes", test_every_sequence_up_to_three_bytes);
    g_test_add_func("/utf8/four-bytes", test_every_sequence_of_four_bytes_by_its_second);
    g_test_add_func("/utf8/random", test_random_texts_masks_and_cuts);
    g_test_add_func("/utf8/one-bad-byte", test_one_bad_byte_at_every_place);
    g_test_add_func("/utf8/rejection-is-final", test_rejection_is_final);
    g_test_add_func("/unmask", test_unmask);
    return g_test_run();
}

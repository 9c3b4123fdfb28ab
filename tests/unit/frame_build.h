/*
 * Frames written byte by byte and read in any pieces, for the tests of core/websocket/.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_TEST_FRAME_BUILD_H
#define WSL_TEST_FRAME_BUILD_H

#include <glib.h>
#include <string.h>

#include "core/websocket/frames.h"

#define V(violation) (1U << WSL_V_##violation)

enum { FRAMES_MAX = 160 };

/* The key of RFC 6455 §5.7's examples. */
static const uint8_t example_key[4] = {0x37, 0xfa, 0x21, 0x3d};

static const WslFrameRules from_server = {.judge_bits = true};
static const WslFrameRules from_client = {.from_client = true, .judge_bits = true};

/** As g_assert_cmpmem(), whose lengths are signed. */
static inline void assert_bytes(const void *found, size_t length, const void *expected, size_t expected_length)
{
    g_assert_cmpuint(length, ==, expected_length);
    g_assert_true(length == 0 || memcmp(found, expected, length) == 0);
}

/** What a reader made of what it was given. */
typedef struct {
    WslFrameReader reader;
    const WslFrameRules *rules;
    uint64_t offset;
    WslFrame frames[FRAMES_MAX];
    char reasons[FRAMES_MAX][WSL_CONTROL_MAX];
    unsigned count;
    unsigned lost;     /**< times that the place was lost */
    WslFrame lost_for; /**< what was told then */
} Feed;

static inline Feed *feed_new(const WslFrameRules *rules)
{
    Feed *feed = g_new0(Feed, 1);

    feed->rules = rules;
    return feed;
}

static inline void feed_free(Feed *feed)
{
    wsl_frames_clear(&feed->reader);
    g_free(feed);
}

static inline void feed_frame(Feed *feed, const WslFrame *frame)
{
    g_assert_cmpuint(feed->count, <, FRAMES_MAX);
    WslFrame *kept = &feed->frames[feed->count];
    *kept = *frame;
    if (frame->reason) {
        g_assert_cmpuint(frame->reason_length, <=, WSL_CONTROL_MAX);
        memcpy(feed->reasons[feed->count], frame->reason, frame->reason_length);
        kept->reason = (const uint8_t *)feed->reasons[feed->count];
    }
    feed->count++;
}

/** `bytes` NULL: a hole. The bytes are read from a copy of just that size, so that ASan sees reads beyond them. */
static inline void feed_piece(Feed *feed, const uint8_t *bytes, uint64_t length, WslPacketNo packet)
{
    g_autofree uint8_t *copy = bytes ? g_memdup2(bytes, (gsize)length) : NULL;
    WslPiece piece = {
        .packet = packet, .time = (WslTime)packet * WSL_SECOND, .hole = bytes ? WSL_HOLE_NONE : WSL_HOLE_CUT};

    for (uint64_t at = 0, taken; at < length; at += taken) {
        WslFrame frame = {0};
        piece.data = copy ? copy + at : NULL;
        piece.length = length - at;
        piece.offset = feed->offset + at;
        WslReadResult result = wsl_frames_read(&feed->reader, feed->rules, &piece, &taken, &frame);
        g_assert_cmpuint(taken, >, 0);
        g_assert_cmpuint(taken, <=, piece.length);
        if (result == WSL_READ_FRAME) {
            feed_frame(feed, &frame);
        } else if (result == WSL_READ_LOST) {
            feed->lost++;
            feed->lost_for = frame;
        } else {
            g_assert_cmpuint(taken, ==, piece.length);
        }
    }
    feed->offset += length;
}

static inline void feed_hole(Feed *feed, uint64_t length, WslPacketNo packet)
{
    feed_piece(feed, NULL, length, packet);
}

static inline GByteArray *unhex(const char *hex)
{
    GByteArray *bytes = g_byte_array_sized_new(1); /* of no bytes there is an address too */
    unsigned digits = 0;
    uint8_t byte = 0;

    for (; *hex; hex++) {
        if (*hex == ' ')
            continue;
        g_assert_true(g_ascii_isxdigit(*hex));
        byte = (uint8_t)(byte << 4 | g_ascii_xdigit_value(*hex));
        if (++digits % 2 == 0)
            g_byte_array_append(bytes, &byte, 1);
    }
    g_assert_cmpuint(digits % 2, ==, 0);
    return bytes;
}

static inline void feed_hex(Feed *feed, const char *hex, WslPacketNo packet)
{
    g_autoptr(GByteArray) bytes = unhex(hex);

    feed_piece(feed, bytes->data, bytes->len, packet);
}

static inline void feed_text(Feed *feed, const char *text, WslPacketNo packet)
{
    feed_piece(feed, (const uint8_t *)text, strlen(text), packet);
}

/** A header with the length in the given form (0: 7 bits, 126, 127); `key` NULL: not masked. */
static inline void add_header(GByteArray *out, uint8_t first, unsigned form, uint64_t length, const uint8_t *key)
{
    uint8_t mask = key ? 0x80 : 0, second = (uint8_t)(mask | (form ? form : length));
    unsigned extended = form == 126 ? 2 : form == 127 ? 8 : 0;

    g_byte_array_append(out, &first, 1);
    g_byte_array_append(out, &second, 1);
    for (unsigned i = extended; i-- > 0;) {
        uint8_t byte = (uint8_t)(length >> 8 * i);
        g_byte_array_append(out, &byte, 1);
    }
    if (key)
        g_byte_array_append(out, key, 4);
}

/** A frame with the shortest length form. */
static inline void add_frame(GByteArray *out, uint8_t first, const uint8_t *key, const void *payload, size_t length)
{
    add_header(out, first, length < 126 ? 0 : length < 65536 ? 126 : 127, length, key);
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = (uint8_t)(((const uint8_t *)payload)[i] ^ (key ? key[i & 3] : 0));
        g_byte_array_append(out, &byte, 1);
    }
}

static inline Feed *fed(const WslFrameRules *rules, const GByteArray *bytes)
{
    Feed *feed = feed_new(rules);

    feed_piece(feed, bytes->data, bytes->len, 1);
    return feed;
}

static inline Feed *fed_hex(const WslFrameRules *rules, const char *hex)
{
    g_autoptr(GByteArray) bytes = unhex(hex);

    return fed(rules, bytes);
}

/** The one frame that `hex` is. */
static inline WslFrame only_frame(const WslFrameRules *rules, const char *hex)
{
    Feed *feed = fed_hex(rules, hex);

    g_assert_cmpuint(feed->count, ==, 1);
    g_assert_cmpuint(feed->lost, ==, 0);
    WslFrame frame = feed->frames[0];
    frame.reason = NULL; /* goes with the feed */
    feed_free(feed);
    return frame;
}

static inline void assert_same_frame(const WslFrame *a, const WslFrame *b)
{
    g_assert_cmpint(a->fin, ==, b->fin);
    g_assert_cmpint(a->masked, ==, b->masked);
    g_assert_cmpint(a->whole, ==, b->whole);
    g_assert_cmpint(a->finished, ==, b->finished);
    g_assert_cmpint(a->message, ==, b->message);
    g_assert_cmpint(a->compressed, ==, b->compressed);
    g_assert_cmpuint(a->opcode, ==, b->opcode);
    g_assert_cmpuint(a->rsv, ==, b->rsv);
    g_assert_cmpuint(a->header_length, ==, b->header_length);
    assert_bytes(a->key, 4, b->key, 4);
    g_assert_cmpuint(a->length, ==, b->length);
    g_assert_cmpuint(a->begin, ==, b->begin);
    g_assert_cmpuint(a->end, ==, b->end);
    g_assert_cmphex(a->violations, ==, b->violations);
    g_assert_cmphex(a->payload_hash, ==, b->payload_hash);
    g_assert_cmpint(a->close_code, ==, b->close_code);
    assert_bytes(a->reason, a->reason_length, b->reason, b->reason_length);
    if (!a->message)
        return;
    g_assert_cmpuint(a->message_opcode, ==, b->message_opcode);
    g_assert_cmpint(a->message_whole, ==, b->message_whole);
    g_assert_cmpint(a->message_readable, ==, b->message_readable);
    g_assert_cmpint(a->message_counts, ==, b->message_counts);
    g_assert_cmpuint(a->message_length, ==, b->message_length);
    g_assert_cmpuint(a->message_frames, ==, b->message_frames);
    g_assert_cmphex(a->fingerprint[0], ==, b->fingerprint[0]);
    g_assert_cmphex(a->fingerprint[1], ==, b->fingerprint[1]);
}

static inline void assert_same_feed(const Feed *a, const Feed *b)
{
    g_assert_cmpuint(a->count, ==, b->count);
    g_assert_cmpuint(a->lost, ==, b->lost);
    for (unsigned i = 0; i < a->count; i++)
        assert_same_frame(&a->frames[i], &b->frames[i]);
}

/** Reads `bytes` whole, byte by byte, and in two pieces split at every point: the frames must be the same. */
static inline Feed *fed_every_way(const WslFrameRules *rules, const GByteArray *bytes)
{
    Feed *whole = fed(rules, bytes), *single = feed_new(rules);

    for (guint i = 0; i < bytes->len; i++)
        feed_piece(single, bytes->data + i, 1, 1);
    assert_same_feed(whole, single);
    feed_free(single);
    for (guint split = 1; split < bytes->len; split++) {
        Feed *halves = feed_new(rules);
        feed_piece(halves, bytes->data, split, 1);
        feed_piece(halves, bytes->data + split, bytes->len - split, 2);
        assert_same_feed(whole, halves);
        feed_free(halves);
    }
    return whole;
}

#endif

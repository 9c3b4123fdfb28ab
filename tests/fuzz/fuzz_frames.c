/*
 * Fuzz target: a direction's bytes as frames; cut into pieces in two ways they must give the same frames, and holes must
 * not stop the reader.
 *
 * The first byte chooses the rules, the second the pieces; the rest is the stream.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/websocket/frames.h"
#include "core/websocket/recognise.h"
#include "tests/support/build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition) ((condition) ? (void)0 : abort())

typedef struct {
    WslFrameRules rules;
    const uint8_t *data;
    size_t size;
    uint32_t random;
    bool pieces, holes;
    GByteArray *told; /* what was said of each frame */
} Run;

static void tell(Run *run, const void *bytes, size_t length)
{
    g_byte_array_append(run->told, bytes, (guint)length);
}

static void tell_number(Run *run, uint64_t number)
{
    tell(run, &number, sizeof number);
}

static void tell_frame(Run *run, const WslFrame *frame)
{
    const uint64_t numbers[] = {frame->fin,           frame->masked,
                                frame->whole,         frame->finished,
                                frame->message,       frame->compressed,
                                frame->opcode,        frame->rsv,
                                frame->header_length, frame->length,
                                frame->begin,         frame->end,
                                frame->violations,    (uint64_t)frame->close_code,
                                frame->reason_length};

    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        tell_number(run, numbers[i]);
    tell(run, frame->key, sizeof frame->key);
    if (frame->reason_length)
        tell(run, frame->reason, frame->reason_length);
    if (frame->opcode >= WSL_OP_CLOSE)
        tell_number(run, frame->payload_hash);
    if (!frame->message)
        return;
    const uint64_t message[] = {frame->message_opcode, frame->message_whole,  frame->message_readable,
                                frame->message_counts, frame->message_length, frame->message_frames};
    for (size_t i = 0; i < G_N_ELEMENTS(message); i++)
        tell_number(run, message[i]);
    tell(run, frame->fingerprint, sizeof frame->fingerprint);
}

static void check_frame(const Run *run, const WslFrame *frame)
{
    CHECK(frame->opcode < 16 && frame->rsv < 8);
    CHECK(frame->header_length >= 2 && frame->header_length <= 14);
    CHECK(frame->violations < 1U << WSL_VIOLATIONS);
    CHECK(frame->close_code >= -1 && frame->close_code <= UINT16_MAX);
    CHECK(frame->reason_length <= WSL_CONTROL_MAX);
    if (frame->finished)
        CHECK(frame->end - frame->begin == frame->header_length + frame->length);
    if (!run->holes)
        CHECK(frame->whole || !frame->finished);
}

static size_t next_length(Run *run, size_t left)
{
    if (!run->pieces)
        return left;
    run->random = run->random * 1664525U + 1013904223U;
    return 1 + (run->random >> 16) % MIN(left, 40);
}

static void read_all(Run *run)
{
    WslFrameReader reader = {0};
    WslFrame frame;
    size_t at = 0;
    uint64_t offset = 0;
    WslReadResult result = WSL_READ_MORE;

    while (at < run->size && result != WSL_READ_LOST) {
        size_t length = next_length(run, run->size - at);
        bool hole = run->holes && (run->random & 0x700) == 0;
        g_autofree uint8_t *exact = test_exact(run->data + at, length); /* so that ASan sees the end */
        WslPiece piece = {
            hole ? NULL : exact, hole ? length * 3 : length, offset, 1, 1, hole ? WSL_HOLE_LOST : WSL_HOLE_NONE};
        at += length;
        offset += piece.length;
        while (piece.length && result != WSL_READ_LOST) {
            uint64_t taken = 0;
            result = wsl_frames_read(&reader, &run->rules, &piece, &taken, &frame);
            CHECK(taken <= piece.length && (taken > 0 || result != WSL_READ_MORE));
            CHECK(result != WSL_READ_MORE || taken == piece.length);
            if (result == WSL_READ_FRAME) {
                check_frame(run, &frame);
                tell_frame(run, &frame);
            }
            piece.length -= taken;
            piece.offset += taken;
            piece.data = piece.data ? piece.data + taken : NULL;
        }
    }
    tell_number(run, result == WSL_READ_LOST);
    if (result != WSL_READ_LOST && wsl_frames_unfinished(&reader, &frame)) {
        CHECK(frame.violations && !frame.finished);
        tell_number(run, frame.violations);
    }
    wsl_frames_clear(&reader);
}

static GByteArray *frames_of(const uint8_t *data, size_t size, bool pieces, bool holes)
{
    Run run = {.rules = {.from_client = data[0] & 1,
                         .owned_bits = data[0] >> 1 & 7,
                         .judge_bits = data[0] & 0x10,
                         .deflate = data[0] & 0x20,
                         .opaque_bits = data[0] & 0x40},
               .data = data + 2,
               .size = size - 2,
               .random = data[1],
               .pieces = pieces,
               .holes = holes,
               .told = g_byte_array_new()};

    if (run.rules.deflate)
        run.rules.owned_bits |= WSL_RSV1;
    read_all(&run);
    return run.told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    GByteArray *whole = frames_of(data, size, false, false), *pieces = frames_of(data, size, true, false);
    CHECK(whole->len == pieces->len && memcmp(whole->data, pieces->data, whole->len) == 0);
    g_byte_array_unref(whole);
    g_byte_array_unref(pieces);
    g_byte_array_unref(frames_of(data, size, true, true));
    g_autofree uint8_t *exact = test_exact(data, size);
    wsl_frames_recognise(exact, size);
    wsl_frames_is_lone_close(exact, size, data[0] & 1, 1000);
    return 0;
}

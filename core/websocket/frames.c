/*
 * WebSocket frames out of bytes and holes (frames.h).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/websocket/frames.h"

#include <glib.h>
#include <string.h>

#include "core/websocket/utf8.h"

enum { FINGERPRINTED = 128, FINGERPRINT_HALF = 64 };

bool wsl_close_code_allowed(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

void wsl_frames_clear(WslFrameReader *reader)
{
    g_free(reader->control);
    reader->control = NULL;
}

static uint8_t opcode_of(const WslFrameReader *reader)
{
    return reader->header[0] & 0x0f;
}

static bool is_control(uint8_t opcode)
{
    return opcode & 0x08;
}

static bool is_reserved(uint8_t opcode)
{
    return (opcode > WSL_OP_BINARY && opcode < WSL_OP_CLOSE) || opcode > WSL_OP_PONG;
}

static bool is_data(uint8_t opcode)
{
    return opcode <= WSL_OP_BINARY;
}

static const uint8_t *key_of(const WslFrameReader *reader)
{
    static const uint8_t none[4];

    return reader->header[1] & 0x80 ? reader->header + reader->need - 4 : none;
}

static void offend(WslFrameReader *reader, WslViolation violation)
{
    reader->violations |= 1U << violation;
}

static void judge_bits(WslFrameReader *reader, const WslFrameRules *rules, uint8_t opcode)
{
    uint8_t bits = reader->header[0] >> 4 & 7, foreign = bits & (uint8_t)~rules->owned_bits;

    if (!rules->judge_bits)
        return;
    /* RFC 7692 §6: only a message's first frame may carry permessage-deflate's bit. */
    if (rules->deflate && rules->owned_bits == WSL_RSV1 && bits & WSL_RSV1 &&
        (is_control(opcode) || opcode == WSL_OP_CONTINUATION))
        foreign |= WSL_RSV1;
    if (foreign)
        offend(reader, WSL_V_RESERVED_BITS);
}

static void judge_header(WslFrameReader *reader, const WslFrameRules *rules)
{
    uint8_t opcode = opcode_of(reader), form = reader->header[1] & 0x7f;
    bool fin = reader->header[0] & 0x80, masked = reader->header[1] & 0x80;

    if (masked != rules->from_client)
        offend(reader, rules->from_client ? WSL_V_MASK_MISSING : WSL_V_MASK_UNEXPECTED);
    judge_bits(reader, rules, opcode);
    if ((form == 126 && reader->length < 126) || (form == 127 && reader->length <= UINT16_MAX))
        offend(reader, WSL_V_LENGTH_NOT_MINIMAL);
    if (reader->length >> 63)
        offend(reader, WSL_V_LENGTH_TOO_LARGE);
    if (is_reserved(opcode)) {
        offend(reader, WSL_V_RESERVED_OPCODE);
        return;
    }
    if (is_control(opcode)) {
        if (!fin)
            offend(reader, WSL_V_CONTROL_FRAGMENTED);
        if (reader->length > WSL_CONTROL_MAX)
            offend(reader, WSL_V_CONTROL_TOO_LONG);
        return;
    }
    if (reader->state & WSL_READER_CLOSED)
        offend(reader, WSL_V_DATA_AFTER_CLOSE);
    if (opcode == WSL_OP_CONTINUATION && !(reader->state & (WSL_READER_IN_MESSAGE | WSL_READER_JOINED)))
        offend(reader, WSL_V_CONTINUATION_UNEXPECTED);
    if (opcode != WSL_OP_CONTINUATION && reader->state & WSL_READER_IN_MESSAGE)
        offend(reader, WSL_V_CONTINUATION_MISSING);
}

static void begin_message(WslFrameReader *reader, uint8_t opcode)
{
    reader->state &= (uint8_t) ~(WSL_READER_COMPRESSED | WSL_READER_UNREADABLE | WSL_READER_BAD_TEXT);
    reader->state |= WSL_READER_IN_MESSAGE;
    reader->message_opcode = opcode;
    reader->message_length = 0;
    reader->message_frames = 0;
    reader->utf8 = WSL_UTF8_ACCEPT;
    reader->fingerprint[0] = reader->fingerprint[1] = 0;
}

/* The header is complete: judge it and get ready for the payload. */
static void begin_payload(WslFrameReader *reader, const WslFrameRules *rules)
{
    uint8_t opcode = opcode_of(reader), bits = reader->header[0] >> 4 & 7;

    judge_header(reader, rules);
    reader->remaining = reader->length;
    reader->state |= WSL_READER_IN_PAYLOAD;
    reader->state &= (uint16_t)~WSL_READER_HOLE;
    reader->hash = 0;
    reader->control_have = 0;
    if (!is_data(opcode))
        return;
    if (opcode != WSL_OP_CONTINUATION || reader->header[0] & 0x80)
        reader->state &= (uint16_t)~WSL_READER_JOINED; /* from here on the order of frames is known */
    if (opcode != WSL_OP_CONTINUATION)
        begin_message(reader, opcode);
    /* What forbidden bits or an extension that nobody knows did to a payload cannot be told. */
    if (reader->violations & 1U << WSL_V_RESERVED_BITS || (bits && rules->opaque_bits))
        reader->state |= WSL_READER_UNREADABLE;
    if (bits & WSL_RSV1 && rules->owned_bits & WSL_RSV1 && !(reader->violations & 1U << WSL_V_RESERVED_BITS))
        reader->state |= WSL_READER_COMPRESSED;
}

static uint64_t big_endian(const uint8_t *bytes, unsigned count)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* Pieces may come out of order: a frame is complete with the latest packet that carries a part of it. */
static void note_packet(WslFrameReader *reader, const WslPiece *piece)
{
    if (piece->packet > reader->latest_in) {
        reader->latest_in = piece->packet;
        reader->latest = piece->time;
    }
}

/* Takes header bytes; true when the header is complete. */
static bool take_header(WslFrameReader *reader, const WslPiece *piece, uint64_t *taken)
{
    if (!reader->have) {
        reader->need = 2;
        reader->begin = piece->offset + *taken;
        reader->begun = reader->latest = piece->time;
        reader->begun_in = reader->latest_in = piece->packet;
        reader->violations = 0;
    }
    note_packet(reader, piece);
    while (reader->have < reader->need && *taken < piece->length) {
        reader->header[reader->have++] = piece->data[(*taken)++];
        if (reader->have == 2) {
            uint8_t form = reader->header[1] & 0x7f;
            reader->need = (uint8_t)(2 + (form == 126 ? 2 : form == 127 ? 8 : 0) + (reader->header[1] & 0x80 ? 4 : 0));
        }
    }
    if (reader->have < reader->need)
        return false;
    uint8_t form = reader->header[1] & 0x7f;
    reader->length = form < 126 ? form : big_endian(reader->header + 2, form == 126 ? 2 : 8);
    reader->header_time = piece->time;
    reader->header_packet = piece->packet;
    return true;
}

/* A sum over positions, so that bytes may come in any pieces. */
static uint32_t hash_part(const uint8_t *bytes, size_t length, uint32_t position)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < length; i++)
        sum += (bytes[i] + 1U) * (((position + i) * 2 + 1) * 0x9e3779b1U ^ 0x85ebca6bU);
    return sum;
}

static void fingerprint(WslFrameReader *reader, const uint8_t *bytes, uint64_t length, unsigned phase)
{
    uint8_t plain[FINGERPRINTED];
    size_t at = (size_t)reader->message_length, count = (size_t)MIN(length, FINGERPRINTED - at);

    wsl_unmask(plain, bytes, count, key_of(reader), phase);
    size_t first = at < FINGERPRINT_HALF ? MIN(count, FINGERPRINT_HALF - at) : 0;
    reader->fingerprint[0] += hash_part(plain, first, (uint32_t)at);
    reader->fingerprint[1] += hash_part(plain + first, count - first, (uint32_t)(at + first));
}

static void take_control(WslFrameReader *reader, const uint8_t *bytes, uint64_t length, uint64_t position)
{
    uint8_t plain[WSL_CONTROL_MAX];

    if (position >= WSL_CONTROL_MAX)
        return;
    size_t count = (size_t)MIN(length, WSL_CONTROL_MAX - position);
    wsl_unmask(plain, bytes, count, key_of(reader), position & 3);
    reader->hash += hash_part(plain, count, (uint32_t)position);
    /* What stands behind a hole is not kept: nothing would tell it from the bytes before. */
    if (opcode_of(reader) != WSL_OP_CLOSE || position > reader->control_have)
        return;
    if (!reader->control)
        reader->control = g_malloc(WSL_CONTROL_MAX);
    memcpy(reader->control + position, plain, count);
    reader->control_have = (uint8_t)(position + count);
}

static bool judges_text(const WslFrameReader *reader)
{
    return reader->message_opcode == WSL_OP_TEXT && reader->state & WSL_READER_IN_MESSAGE &&
           !(reader->state & (WSL_READER_COMPRESSED | WSL_READER_UNREADABLE | WSL_READER_BAD_TEXT));
}

static void bad_text(WslFrameReader *reader)
{
    reader->state |= WSL_READER_BAD_TEXT;
    offend(reader, WSL_V_TEXT_INVALID_UTF8);
}

static void take_payload(WslFrameReader *reader, const uint8_t *bytes, uint64_t length)
{
    uint64_t position = reader->length - reader->remaining;
    uint8_t opcode = opcode_of(reader);

    if (is_control(opcode)) {
        take_control(reader, bytes, length, position);
    } else if (is_data(opcode) && reader->state & WSL_READER_IN_MESSAGE) {
        if (reader->message_length < FINGERPRINTED)
            fingerprint(reader, bytes, length, position & 3);
        if (judges_text(reader)) {
            reader->utf8 = wsl_utf8_check_masked(reader->utf8, bytes, (size_t)length, key_of(reader), position & 3);
            if (reader->utf8 == WSL_UTF8_REJECT)
                bad_text(reader);
        }
        reader->message_length += length;
    }
}

static void take_hole(WslFrameReader *reader, uint64_t length)
{
    reader->state |= WSL_READER_HOLE;
    if (!is_data(opcode_of(reader)))
        return;
    reader->state |= WSL_READER_UNREADABLE;
    reader->message_length += length;
}

static void judge_close(WslFrameReader *reader, const WslFrameRules *rules, WslFrame *frame)
{
    bool whole = !(reader->state & WSL_READER_HOLE), opaque = frame->rsv && rules->opaque_bits;

    frame->close_code = -1;
    frame->reason = NULL;
    frame->reason_length = 0;
    if (reader->length == 1)
        offend(reader, WSL_V_CLOSE_MALFORMED);
    if (reader->length < 2 || reader->control_have < 2 || !reader->control)
        return;
    frame->close_code = reader->control[0] << 8 | reader->control[1];
    frame->reason = reader->control + 2;
    frame->reason_length = (size_t)reader->control_have - 2;
    if (!wsl_close_code_allowed(frame->close_code))
        offend(reader, WSL_V_CLOSE_INVALID_CODE);
    if (whole && !opaque && reader->length <= WSL_CONTROL_MAX && !(reader->violations & 1U << WSL_V_RESERVED_BITS) &&
        wsl_utf8_check(WSL_UTF8_ACCEPT, frame->reason, frame->reason_length) != WSL_UTF8_ACCEPT)
        offend(reader, WSL_V_TEXT_INVALID_UTF8);
}

static void end_message(WslFrameReader *reader, WslFrame *frame)
{
    if (judges_text(reader) && reader->utf8 != WSL_UTF8_ACCEPT)
        bad_text(reader);
    frame->message = true;
    frame->message_opcode = reader->message_opcode;
    frame->message_whole = !(reader->state & WSL_READER_UNREADABLE);
    frame->message_readable = !(reader->state & (WSL_READER_UNREADABLE | WSL_READER_COMPRESSED));
    frame->message_counts = !(reader->state & WSL_READER_CLOSED);
    frame->message_length = reader->message_length;
    frame->message_frames = reader->message_frames;
    frame->fingerprint[0] = reader->fingerprint[0];
    frame->fingerprint[1] = reader->fingerprint[1];
    reader->state &= (uint16_t)~WSL_READER_IN_MESSAGE;
}

static void describe(const WslFrameReader *reader, WslFrame *frame)
{
    frame->fin = reader->header[0] & 0x80;
    frame->rsv = reader->header[0] >> 4 & 7;
    frame->opcode = opcode_of(reader);
    frame->masked = reader->header[1] & 0x80;
    frame->header_length = reader->need;
    memcpy(frame->key, key_of(reader), 4);
    frame->length = reader->length;
    frame->begin = reader->begin;
    frame->end = reader->begin + reader->need + reader->length;
    frame->begun = reader->begun;
    frame->begun_in = reader->begun_in;
    frame->header_time = reader->header_time;
    frame->header_packet = reader->header_packet;
    frame->completed = reader->latest;
    frame->packet = reader->latest_in;
    frame->payload_hash = reader->hash;
    frame->whole = !(reader->state & WSL_READER_HOLE);
    frame->compressed =
        reader->state & WSL_READER_COMPRESSED && reader->state & WSL_READER_IN_MESSAGE && is_data(frame->opcode);
    frame->finished = true;
    frame->message = false;
    frame->close_code = -1;
    frame->reason = NULL;
    frame->reason_length = 0;
}

static void complete(WslFrameReader *reader, const WslFrameRules *rules, WslFrame *frame)
{
    uint8_t opcode = opcode_of(reader);

    describe(reader, frame);
    if (is_data(opcode) && reader->state & WSL_READER_IN_MESSAGE) {
        reader->message_frames++;
        if (frame->fin)
            end_message(reader, frame);
    } else if (opcode == WSL_OP_CLOSE) {
        judge_close(reader, rules, frame);
        reader->state |= WSL_READER_CLOSED;
    }
    frame->violations = reader->violations;
    reader->have = 0;
    reader->state &= (uint8_t) ~(WSL_READER_IN_PAYLOAD | WSL_READER_HOLE);
}

static void lose(WslFrameReader *reader)
{
    reader->state |= WSL_READER_LOST;
    reader->state &= (uint8_t) ~(WSL_READER_IN_PAYLOAD | WSL_READER_IN_MESSAGE);
    reader->have = 0;
}

WslReadResult wsl_frames_read(WslFrameReader *reader, const WslFrameRules *rules, const WslPiece *piece,
                              uint64_t *taken, WslFrame *frame)
{
    *taken = 0;
    if (reader->state & WSL_READER_LOST || (!piece->data && !(reader->state & WSL_READER_IN_PAYLOAD))) {
        bool already = reader->state & WSL_READER_LOST;
        *taken = piece->length;
        frame->violations = 0;
        lose(reader);
        return already ? WSL_READ_MORE : WSL_READ_LOST;
    }
    if (!(reader->state & WSL_READER_IN_PAYLOAD)) {
        if (!take_header(reader, piece, taken))
            return WSL_READ_MORE;
        begin_payload(reader, rules);
        if (reader->length >> 63) {
            describe(reader, frame);
            frame->completed = reader->header_time;
            frame->packet = reader->header_packet;
            frame->end = frame->begin + reader->need; /* nothing of the payload can be meant */
            frame->finished = false;
            frame->violations = reader->violations;
            lose(reader);
            return WSL_READ_LOST;
        }
    }
    uint64_t length = MIN(reader->remaining, piece->length - *taken);
    if (length) {
        note_packet(reader, piece);
        if (piece->data)
            take_payload(reader, piece->data + *taken, length);
        else
            take_hole(reader, length);
        *taken += length;
        reader->remaining -= length;
    }
    if (reader->remaining)
        return WSL_READ_MORE;
    complete(reader, rules, frame);
    return WSL_READ_FRAME;
}

bool wsl_frames_pending(const WslFrameReader *reader, WslFrame *frame)
{
    if (!(reader->state & WSL_READER_IN_PAYLOAD) || !reader->violations)
        return false;
    describe(reader, frame);
    frame->finished = false;
    frame->completed = reader->header_time;
    frame->packet = reader->header_packet;
    frame->violations = reader->violations;
    return true;
}

bool wsl_frames_unfinished(WslFrameReader *reader, WslFrame *frame)
{
    if (!wsl_frames_pending(reader, frame))
        return false;
    lose(reader);
    return true;
}

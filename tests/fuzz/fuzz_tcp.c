/*
 * Fuzz target: segments of any kind into the TCP table, pulled by a consumer that takes and refuses at will.
 *
 * Each segment is 8 bytes of the input: what it is (flags, side, view), where it stands, how long it is, how much is captured,
 * how much time passes, how much is consumed.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/tcp/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition) ((condition) ? (void)0 : abort())

enum { STEP = 8, PORTS = 4 };

static const uint8_t addresses[2][16] = {{10, 0, 0, 1}, {10, 0, 0, 2}};
static const uint8_t payload[20 + 255 * 16];

typedef struct {
    WslTcpTable *table;
    WslTcpLimits limits;
    WslTime now;
    WslPacketNo number;
} Run;

static WslArrival arrival_of(Run *run, const uint8_t *step)
{
    static const uint8_t flags[] = {WSL_TCP_ACK,
                                    WSL_TCP_SYN,
                                    WSL_TCP_SYN | WSL_TCP_ACK,
                                    WSL_TCP_ACK | WSL_TCP_FIN,
                                    WSL_TCP_RST,
                                    WSL_TCP_RST | WSL_TCP_ACK,
                                    WSL_TCP_SYN | WSL_TCP_RST,
                                    WSL_TCP_FIN | WSL_TCP_SYN | WSL_TCP_ACK};
    bool back = step[0] & 8;
    uint16_t port = (uint16_t)(1000 + (step[0] >> 4) % PORTS);
    uint32_t far = step[5] & 0x80 ? UINT32_C(0x40000000) * (step[5] >> 5 & 3) : 0;
    WslArrival arrival = {.time = run->now, .packet = run->number};

    arrival.segment = (WslSegment){
        .source = addresses[back],
        .target = addresses[!back],
        .tcp = payload,
        .payload = payload + 20,
        .length = (uint32_t)step[2] * (step[0] & 0x80 ? 16 : 1),
        .seq = (back ? 5U : 0xffffff80U) + step[1] + far,
        .ack = (back ? 0xffffff80U : 5U) + step[3],
        .view = 1U + (step[5] & 3),
        .source_port = back ? 80 : port,
        .target_port = back ? port : 80,
        .window = step[3],
        .ip_id = step[7] & 1 ? 0 : (uint16_t)(step[7] + 1),
        .flags = flags[step[0] & 7],
        .ttl = step[7] & 2 ? 63 : 64,
        .window_scale = step[6] & 1 ? WSL_NO_SCALE : 3,
        .quoted = (step[5] & 0x1c) == 0x1c,
    };
    if (arrival.segment.quoted)
        arrival.segment.length = 0;
    arrival.segment.captured = step[4] & 0x80 ? arrival.segment.length / 2 : arrival.segment.length;
    return arrival;
}

static void pull(Run *run, WslTcp *tcp, unsigned side, uint8_t appetite)
{
    WslPiece piece;
    uint8_t bytes[64];

    /* A hole may be of a gigabyte: bites of some bytes get tired of it. */
    for (unsigned bites = 0; bites < 200 && wsl_tcp_piece(run->table, tcp, side, &piece); bites++) {
        uint64_t before = tcp->side[side].offset;
        CHECK(piece.length > 0 && piece.offset == before);
        CHECK((piece.hole == WSL_HOLE_NONE) == (piece.data != NULL));
        size_t peeked = wsl_tcp_peek(run->table, tcp, side, bytes, sizeof bytes);
        CHECK(piece.data ? peeked >= MIN(piece.length, sizeof bytes) : peeked == 0);
        for (size_t i = 0; piece.data && i < MIN(piece.length, sizeof bytes); i++)
            CHECK(piece.data[i] == bytes[i]);
        uint64_t length = appetite & 1 ? piece.length : MIN(piece.length, appetite);
        wsl_tcp_consume(run->table, tcp, side, length);
        CHECK(tcp->side[side].offset == before + length);
        if (!length)
            break;
    }
}

static void end(Run *run, WslTcp *tcp)
{
    WslPiece piece;

    wsl_tcp_give_up(run->table, tcp);
    for (unsigned side = 0; side < 2; side++)
        while (wsl_tcp_piece(run->table, tcp, side, &piece))
            pull(run, tcp, side, 1);
    CHECK(!tcp->trouble || (!tcp->trouble->side[0].held && !tcp->trouble->side[1].held));
    wsl_tcp_release(run->table, tcp);
}

static void check_limits(const Run *run, const WslTcp *tcp)
{
    CHECK(run->table->held_bytes <= run->limits.held_in_all);
    for (unsigned side = 0; tcp->trouble && side < 2; side++)
        CHECK(tcp->trouble->side[side].held_bytes <= run->limits.held_per_side);
    CHECK(wsl_tcp_counts(run->table)->streams <= run->limits.streams);
}

static void take(Run *run, const uint8_t *step)
{
    WslPlace place;
    WslTcp *over;

    run->now += (WslTime)(step[6] >> 2) * (step[6] & 2 ? 10 * WSL_MILLISECOND : 20000);
    run->number++;
    WslArrival arrival = arrival_of(run, step);
    wsl_tcp_prepare(run->table, &arrival);
    wsl_tcp_look_up(run->table, &arrival);
    wsl_tcp_prefetch(&arrival);
    if ((over = wsl_tcp_superseded(run->table, &arrival)))
        end(run, over);
    wsl_tcp_place(run->table, &arrival, &place);
    if (place.tcp)
        wsl_tcp_advance(run->table, &arrival, &place);
    if (place.tcp && !(place.what & WSL_ARRIVAL_DUPLICATE)) {
        pull(run, place.tcp, 0, step[4] & 0x7f);
        pull(run, place.tcp, 1, step[4] & 0x7f);
        wsl_tcp_settle(run->table, place.tcp);
        check_limits(run, place.tcp);
    }
    if (place.tcp && step[7] == 0xff)
        wsl_tcp_ignore(run->table, place.tcp);
    while ((over = wsl_tcp_next_over(run->table)))
        end(run, over);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Run run = {.limits = {600, 1500, 40, WSL_SECOND}, .now = WSL_SECOND};
    WslTcp *open;

    run.table = wsl_tcp_new(&run.limits);
    for (size_t at = 0; at + STEP <= size; at += STEP)
        take(&run, data + at);
    while ((open = wsl_tcp_next_open(run.table)))
        end(&run, open);
    CHECK(run.table->held_bytes == 0);
    wsl_tcp_free(run.table);
    return 0;
}

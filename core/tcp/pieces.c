/*
 * The bytes of a side in order: what the current segment brings, what waited, and holes.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <string.h>

#include "core/tcp/table.h"

/* A list is searched from its start: so many parts of a side may wait, however small they are. */
enum { HELD_PARTS = 1024 };

static WslHeld *held_of(const WslTcp *tcp, unsigned side)
{
    return tcp->trouble ? tcp->trouble->side[side].held : NULL;
}

uint32_t wsl_tcp_contiguous(const WslTcp *tcp, unsigned side)
{
    uint64_t reached = tcp->side[side].offset;

    for (const WslHeld *held = held_of(tcp, side); held && held->offset <= reached; held = held->next)
        reached = MAX(reached, held->offset + held->length);
    return tcp->flow->side[side].next + (uint32_t)(reached - tcp->side[side].offset);
}

static void drop_first(WslTcpTable *table, WslTcp *tcp, unsigned side)
{
    WslHeld *held = tcp->trouble->side[side].held;

    tcp->trouble->side[side].held = held->next;
    tcp->trouble->side[side].held_bytes -= held->length;
    table->held_bytes -= held->length;
    g_free(held);
}

void wsl_tcp_drop_held(WslTcpTable *table, WslTcp *tcp)
{
    for (unsigned side = 0; side < 2; side++)
        while (held_of(tcp, side))
            drop_first(table, tcp, side);
}

/* The part of [data, captured | length) that begins at the consumer's offset. */
static void part_at(WslPiece *piece, uint64_t at, uint64_t offset, const uint8_t *data, uint32_t captured,
                    uint32_t length)
{
    uint64_t skip = at - offset;

    piece->offset = at;
    if (skip < captured) {
        piece->data = data + skip;
        piece->length = captured - skip;
        piece->hole = WSL_HOLE_NONE;
    } else {
        piece->data = NULL;
        piece->length = length - skip;
        piece->hole = WSL_HOLE_CUT;
    }
}

static bool current_piece(const WslTcpTable *table, const WslTcp *tcp, unsigned side, WslPiece *piece)
{
    const WslCurrent *current = &table->current;
    uint64_t at = tcp->side[side].offset;

    if (current->tcp != tcp || current->side != side || at < current->offset || at >= current->offset + current->length)
        return false;
    part_at(piece, at, current->offset, current->data, current->captured, current->length);
    const WslHeld *held = held_of(tcp, side); /* came first, so it stays */
    if (held && held->offset - at < piece->length)
        piece->length = held->offset - at;
    piece->packet = current->packet;
    piece->time = current->time;
    return true;
}

static bool held_piece(WslTcpTable *table, WslTcp *tcp, unsigned side, WslPiece *piece)
{
    uint64_t at = tcp->side[side].offset;
    const WslHeld *held;

    while ((held = held_of(tcp, side)) && held->offset + held->length <= at)
        drop_first(table, tcp, side);
    if (!held || held->offset > at)
        return false;
    part_at(piece, at, held->offset, held->bytes, held->captured, held->length);
    piece->packet = held->packet;
    piece->time = held->time;
    return true;
}

static bool hole_piece(const WslTcpTable *table, const WslTcp *tcp, unsigned side, WslPiece *piece)
{
    if (!tcp->trouble || !tcp->trouble->side[side].hole)
        return false;
    uint64_t at = tcp->side[side].offset, until = wsl_tcp_offset_of(tcp, side, tcp->trouble->side[side].hole_until);
    const WslHeld *held = held_of(tcp, side);
    if (held)
        until = MIN(until, held->offset);
    if (table->current.tcp == tcp && table->current.side == side && table->current.offset > at)
        until = MIN(until, table->current.offset);
    if (until <= at) {
        tcp->trouble->side[side].hole = false;
        return false;
    }
    *piece = (WslPiece){NULL, until - at, at, table->packet, table->clock, WSL_HOLE_LOST};
    return true;
}

bool wsl_tcp_piece(WslTcpTable *table, WslTcp *tcp, unsigned side, WslPiece *piece)
{
    bool found = held_piece(table, tcp, side, piece) || current_piece(table, tcp, side, piece) ||
                 hole_piece(table, tcp, side, piece);

    table->piece_hole = found ? piece->hole : WSL_HOLE_NONE;
    return found;
}

void wsl_tcp_consume(WslTcpTable *table, WslTcp *tcp, unsigned side, uint64_t length)
{
    tcp->side[side].offset += length;
    tcp->flow->side[side].next += (uint32_t)length;
    if (table->piece_hole != WSL_HOLE_LOST || !length)
        return;
    tcp->trouble->side[side].missing += length;
    tcp->trouble->side[side].gaps++;
    if (seq_diff(tcp->side[side].sent, tcp->flow->side[side].next) < 0)
        tcp->side[side].sent = tcp->flow->side[side].next;
}

static size_t copy_from(uint8_t *out, size_t size, uint64_t at, uint64_t offset, const uint8_t *data, uint32_t captured)
{
    size_t skip = (size_t)(at - offset);

    if (skip >= captured)
        return 0;
    size_t length = MIN(size, captured - skip);
    memcpy(out, data + skip, length);
    return length;
}

size_t wsl_tcp_peek(const WslTcpTable *table, const WslTcp *tcp, unsigned side, uint8_t *out, size_t size)
{
    const WslCurrent *current = &table->current;
    const WslHeld *held = held_of(tcp, side);
    bool has_current = current->tcp == tcp && current->side == side;
    uint64_t at = tcp->side[side].offset;
    size_t copied = 0;

    while (copied < size) {
        size_t more = 0, most = size - copied;
        for (; held && held->offset + held->length <= at; held = held->next)
            ;
        if (held && held->offset <= at)
            more = copy_from(out + copied, most, at, held->offset, held->bytes, held->captured);
        else if (has_current && current->offset <= at && at < current->offset + current->length)
            more = copy_from(out + copied, held ? MIN(most, (size_t)(held->offset - at)) : most, at, current->offset,
                             current->data, current->captured);
        if (!more)
            break;
        copied += more;
        at += more;
    }
    return copied;
}

static bool has_room(const WslTcpTable *table, const WslTcp *tcp, unsigned side, uint32_t bytes)
{
    unsigned parts = 0;

    for (const WslHeld *held = held_of(tcp, side); held; held = held->next)
        parts++;
    return parts < HELD_PARTS && tcp->trouble->side[side].held_bytes + bytes <= table->limits.held_per_side &&
           table->held_bytes + bytes <= table->limits.held_in_all;
}

/* Too much waits: what is missing before it will not come any more. */
static void overflow(WslTcpTable *table, WslTcp *tcp, unsigned side)
{
    const WslHeld *held = held_of(tcp, side);

    table->counts.overflowed++;
    if (!held || held->offset <= tcp->side[side].offset)
        return;
    tcp->trouble->side[side].hole = true;
    tcp->trouble->side[side].hole_until =
        tcp->flow->side[side].next + (uint32_t)(held->offset - tcp->side[side].offset);
}

static WslHeld *copy_part(const WslCurrent *current, uint64_t from, uint64_t to)
{
    uint64_t skip = from - current->offset;
    uint32_t captured = skip < current->captured ? (uint32_t)MIN(to - from, current->captured - skip) : 0;
    WslHeld *held = g_malloc(sizeof *held + captured);

    *held = (WslHeld){NULL, from, current->time, current->packet, (uint32_t)(to - from), captured};
    if (captured)
        memcpy(held->bytes, current->data + skip, captured);
    return held;
}

/* Keeps [from, end of the segment) where nothing waits yet: what came first stays (as most receivers do). */
static void hold(WslTcpTable *table, WslTcp *tcp, unsigned side, uint64_t from)
{
    const WslCurrent *current = &table->current;
    uint64_t end = current->offset + current->length;
    WslHeld **link = &wsl_tcp_trouble(tcp)->side[side].held;

    while (from < end) {
        while (*link && (*link)->offset + (*link)->length <= from)
            link = &(*link)->next;
        if (*link && (*link)->offset <= from) {
            tcp->trouble->side[side].retransmitted += MIN(end, (*link)->offset + (*link)->length) - from;
            from = (*link)->offset + (*link)->length;
            continue;
        }
        uint64_t to = *link ? MIN(end, (*link)->offset) : end;
        if (!has_room(table, tcp, side, (uint32_t)(to - from))) {
            overflow(table, tcp, side);
            return;
        }
        WslHeld *part = copy_part(current, from, to);
        part->next = *link;
        *link = part;
        tcp->trouble->side[side].held_bytes += part->length;
        table->held_bytes += part->length;
        from = to;
    }
}

void wsl_tcp_settle(WslTcpTable *table, WslTcp *tcp)
{
    unsigned side = table->current.side;

    if (table->current.tcp != tcp)
        return;
    uint64_t from = MAX(table->current.offset, tcp->side[side].offset);
    if (from < table->current.offset + table->current.length) {
        if (!held_of(tcp, side))
            wsl_tcp_trouble(tcp)->side[side].gap_time = table->clock;
        hold(table, tcp, side, from);
    }
    table->current.tcp = NULL;
}

void wsl_tcp_give_up(WslTcpTable *table, WslTcp *tcp)
{
    if (!tcp->trouble)
        return;
    for (unsigned side = 0; side < 2; side++) {
        const WslFlowSide *own = &tcp->flow->side[side];
        const WslHeld *held = held_of(tcp, side);
        while (held && held->next)
            held = held->next;
        uint32_t until = own->next;
        if (held)
            until += (uint32_t)(held->offset + held->length - tcp->side[side].offset);
        if (own->flags & WSL_SIDE_ACKED && own->flags & WSL_SIDE_SEEN) {
            uint32_t acked = wsl_tcp_acked_bytes(tcp, side, own->acked);
            int32_t unseen = seq_diff(acked, own->next) > 0 ? seq_diff(acked, until) : 0;
            if (unseen > 1 || (unseen == 1 && own->flags & WSL_SIDE_FIN)) /* one number may be an unseen FIN's */
                until = acked;
        }
        tcp->trouble->side[side].hole = until != own->next;
        tcp->trouble->side[side].hole_until = until;
        tcp->trouble->side[side].watching = false;
    }
    (void)table;
}

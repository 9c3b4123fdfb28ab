/*
 * What the files of core/tcp/ share: the table and the segment in work. Internal.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_TCP_TABLE_H
#define WSL_TCP_TABLE_H

#include "core/slab.h"
#include "core/tcp/addresses.h"
#include "core/tcp/duplicates.h"
#include "core/tcp/flow.h"
#include "core/tcp/tcp.h"

/** Bytes that wait: behind a gap, or for a consumer that cannot take them yet. */
struct WslHeld {
    WslHeld *next;
    uint64_t offset; /* in the stream */
    WslTime time;
    WslPacketNo packet;
    uint32_t length;
    uint32_t captured;
    uint8_t bytes[];
};

/** The payload of the segment that is being worked on, as long as the packet's bytes are there. */
typedef struct {
    WslTcp *tcp; /* NULL: none */
    unsigned side;
    const uint8_t *data;
    uint64_t offset;
    uint32_t length;
    uint32_t captured;
    WslTime time;
    WslPacketNo packet;
} WslCurrent;

struct WslTcpTable {
    WslFlowTable *flows;
    WslAddresses *addresses;
    WslDuplicates *duplicates;
    WslSlab *connections; /* of WslTcp */
    WslTcpLimits limits;
    WslTcpCounts counts;
    WslCurrent current;
    WslHole piece_hole; /* what the last piece was */
    uint64_t held_bytes;
    WslTime clock;
    WslPacketNo packet;
    WslTcp *queue_head, *queue_tail;
    uint32_t cursor; /* of wsl_tcp_next_open() */
};

static inline int32_t seq_diff(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

/** The connection's record of what went wrong, made when first needed. */
WslTcpTrouble *wsl_tcp_trouble(WslTcp *tcp);

/** Stream offset of a sequence number near what `side` has reached. */
static inline uint64_t wsl_tcp_offset_of(const WslTcp *tcp, unsigned side, uint32_t seq)
{
    int64_t offset = (int64_t)tcp->side[side].offset + seq_diff(seq, tcp->flow->side[side].next);

    return offset > 0 ? (uint64_t)offset : 0;
}

/** `acked` without the number that a FIN takes, if the side's FIN was seen. */
static inline uint32_t wsl_tcp_acked_bytes(const WslTcp *tcp, unsigned side, uint32_t acked)
{
    uint32_t sent = tcp->side[side].sent;

    return tcp->flow->side[side].flags & WSL_SIDE_FIN && seq_diff(acked, sent) > 0 ? sent : acked;
}

/** Sequence number up to which everything that `side` sent is there, consumed or waiting. */
uint32_t wsl_tcp_contiguous(const WslTcp *tcp, unsigned side);

/** Puts the connection into the queue of those to look at again after the linger time. */
void wsl_tcp_enqueue(WslTcpTable *table, WslTcp *tcp);

void wsl_tcp_drop_held(WslTcpTable *table, WslTcp *tcp);

#endif

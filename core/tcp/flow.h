/*
 * The flow table: from addresses and ports to what is remembered of them. Internal to core/tcp/.
 *
 * Open addressing over 8-byte slots (hash, index); records of one cache line in slabs, so that they never move. The table
 * grows a few slots at each insertion: no packet waits for a rehash of millions.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_TCP_FLOW_H
#define WSL_TCP_FLOW_H

#include "core/tcp/tcp.h"

/** What is known of a side's sequence numbers and window. */
enum {
    WSL_SIDE_SEEN = 1 << 0,  /**< it sent a packet: `next` is valid */
    WSL_SIDE_ACKED = 1 << 1, /**< the other side acknowledged: `acked` is valid */
    WSL_SIDE_SYN = 1 << 2,
    WSL_SIDE_FIN = 1 << 3,
    WSL_SIDE_RST = 1 << 4,
    WSL_SIDE_BASE = 1 << 5,    /**< the flow's `base` of this side is set */
    WSL_SIDE_GUESSED = 1 << 6, /**< `next` was only deduced from the other side's acknowledgement */
};

enum { WSL_FLOW_IPV6 = 1 << 0, WSL_FLOW_IGNORED = 1 << 1, WSL_FLOW_TENANT = 1 << 2 };

typedef struct {
    uint32_t next;   /**< the sequence number of the next byte to consume */
    uint32_t acked;  /**< the highest acknowledgement of this side's bytes */
    uint16_t window; /**< raw, as last advertised by this side */
    uint8_t scale;   /**< WSL_NO_SCALE: unknown or none */
    uint8_t flags;   /**< WSL_SIDE_ */
} WslFlowSide;

/** One cache line: all that a packet without news needs. */
struct WslFlow {
    uint32_t address[2];
    uint16_t port[2];
    uint16_t flags; /**< WSL_FLOW_ */
    uint16_t reserved;
    uint32_t stream;
    uint32_t base[2]; /**< by which a SYN is told to be new (Wireshark's base_seq) */
    uint32_t sibling; /**< index + 1 of another flow between the same ends: another tenant */
    WslTcp *tcp;      /**< NULL: not followed (any more) */
    WslFlowSide side[2];
};
_Static_assert(sizeof(struct WslFlow) == 64, "a flow fits a cache line");

typedef struct WslFlowTable WslFlowTable;

WslFlowTable *wsl_flow_table_new(void);
void wsl_flow_table_free(WslFlowTable *table);
uint32_t wsl_flow_hash(const WslFlowTable *table, const WslFlowKey *key);
/* A batch looks up in three steps, each of which finds the memory that the one before asked for. */
void wsl_flow_prefetch_slot(const WslFlowTable *table, uint32_t hash);
/** The flow that this hash most likely belongs to, on its way into the cache; NULL if there is none. */
WslFlow *wsl_flow_guess(const WslFlowTable *table, uint32_t hash);
/** True if the guess was right. */
bool wsl_flow_is(const WslFlow *flow, const WslFlowKey *key);
WslFlow *wsl_flow_find(const WslFlowTable *table, const WslFlowKey *key, uint32_t hash);
/** A new flow; the key must not be in the table. NULL if there is no room (2^31 flows). */
WslFlow *wsl_flow_insert(WslFlowTable *table, const WslFlowKey *key, uint32_t hash);
/** A flow that is reached only through `head`. */
WslFlow *wsl_flow_add_sibling(WslFlowTable *table, WslFlow *head);
WslFlow *wsl_flow_sibling(const WslFlowTable *table, const WslFlow *flow);
size_t wsl_flow_count(const WslFlowTable *table);
WslFlow *wsl_flow_at(const WslFlowTable *table, uint32_t index);

#endif

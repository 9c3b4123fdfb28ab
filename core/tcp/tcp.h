/*
 * TCP: which connection a segment belongs to, and the bytes of each direction in order, or the holes in them.
 *
 *   in:   segments (core/packet/), in capture order
 *   out:  connections; for each side a sequence of pieces (bytes or holes), pulled by whoever consumes them
 *   owns: the flow table, the connections (WslTcp) until wsl_tcp_release(), copies of bytes that had to wait
 *
 * A side is one end of a connection: 0 is the end whose address and port are smaller. Who is the client is known later.
 * The order of calls for a batch is: wsl_tcp_prepare(), wsl_tcp_look_up(), wsl_tcp_prefetch() for all, then for each packet
 * wsl_tcp_superseded(), wsl_tcp_place(), wsl_tcp_advance(), wsl_tcp_piece()/wsl_tcp_consume() as long as there is something, wsl_tcp_settle().
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_TCP_H
#define WSL_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/packet/segment.h"

typedef struct WslTcpTable WslTcpTable;
typedef struct WslFlow WslFlow;

/** Both ends of a connection; end 0 is the smaller. IPv6 addresses are numbers that wsl_tcp_address() resolves. */
typedef struct {
    uint32_t address[2];
    uint16_t port[2];
    bool ipv6;
} WslFlowKey;

/** A segment on its way through a batch. */
typedef struct {
    WslSegment segment;
    WslFlowKey key;
    uint32_t hash;
    uint8_t from; /**< the side that sent it */
    WslTime time;
    WslPacketNo packet;
    WslFlow *flow; /**< of this key, or NULL if it has to be looked for: wsl_tcp_look_up() */
} WslArrival;

/** Round trips between the point of capture and one end: the shortest, and a histogram of powers of two. */
typedef struct {
    uint32_t shortest_us; /**< 0: none was seen (shorter ones count as 1) */
    uint8_t bins[16];     /**< bin i: 2^(i+4) µs and more; all are halved when one is full */
} WslRoundTrips;

typedef struct WslHeld WslHeld;

/** What most connections never need: bytes that wait, losses, what was sent twice. */
typedef struct {
    struct {
        WslHeld *held; /**< by stream offset; the first may start where the consumer stopped */
        uint64_t held_bytes;
        uint64_t missing;       /**< bytes that the capture lacks (not those that a snaplen cut) */
        uint64_t retransmitted; /**< bytes sent again, or late because the network lost them */
        uint32_t gaps;
        uint32_t hole_until; /**< sequence number up to which missing bytes are given up; valid if `hole` */
        bool hole;
        bool watching;          /**< bytes not seen were acknowledged: */
        uint32_t watched;       /**<   up to here, */
        uint32_t watch_packets; /**<   so many packets ago, */
        WslTime watch_time;     /**<   first at this time */
        WslTime gap_time;       /**< when bytes first had to wait behind a gap */
        WslTime
            unanswered_since; /**< what is sent again and again was first sent then; 0: the other side was heard since */
        WslPacketNo unanswered_in; /**< the first packet that sent it again */
        uint32_t resends;          /**< since then */
    } side[2];
} WslTcpTrouble;

typedef struct {
    uint64_t offset;  /**< stream offset of the next byte to be consumed; 0 is the first one seen or after the SYN */
    WslTime timed_at; /**< when the segment was sent whose acknowledgement is being timed */
    uint32_t timed_end;
    uint32_t sent; /**< the highest sequence number sent so far, + 1 */
    uint32_t view;
    uint32_t first_seq;
    uint32_t window_most; /**< the largest window that it advertised, bytes */
    uint16_t mss;
    uint8_t ttl;
    bool timing;
} WslTcpSide;

/** Connection flags */
enum {
    WSL_TCP_SAW_SYN = 1 << 0,    /**< the client's SYN was seen: the connection's start is in the capture */
    WSL_TCP_SAW_ANSWER = 1 << 1, /**< the SYN/ACK */
    WSL_TCP_ENDED = 1 << 2,      /**< RST, or FIN from both sides */
    WSL_TCP_TWO_VIEWS = 1 << 3,
    WSL_TCP_PAYLOAD = 1 << 4,   /**< at least one byte of payload was seen */
    WSL_TCP_RST_FIRST = 1 << 5, /**< a RST came before any FIN */
};

/**
 * A TCP connection that is being followed. Read only outside of core/tcp/, but for `client` (set once, when known) and
 * `owner` (the consumer's). It lives from wsl_tcp_place() until wsl_tcp_release().
 */
typedef struct WslTcp {
    WslFlow *flow;
    struct WslConnection *owner;
    WslTime first_time, last_time;
    WslPacketNo first_packet, last_packet;
    WslTcpSide side[2];
    WslTcpTrouble *trouble;                   /**< NULL as long as nothing waited, was lost or was sent again */
    struct WslTcp *queue_next, *queue_before; /**< the queue of those to be released later */
    WslTime queued_at;
    WslRoundTrips round_trips[2]; /**< to side 0, to side 1 */
    uint32_t stream;              /**< Wireshark's tcp.stream */
    uint16_t flags;
    int8_t client;    /**< the client's side, -1 if not known */
    int8_t first_end; /**< the side that sent the first FIN or RST, -1 if none */
    bool queued;
} WslTcp;

/** What a segment meant. */
enum {
    WSL_ARRIVAL_DUPLICATE = 1 << 0, /**< the capture shows this packet twice: it was counted and nothing else */
    WSL_ARRIVAL_ATTEMPT = 1 << 1,   /**< a new connection's SYN */
    WSL_ARRIVAL_ANSWER = 1 << 2,    /**< the first SYN/ACK */
    WSL_ARRIVAL_FIN = 1 << 3,       /**< this side's first FIN */
    WSL_ARRIVAL_RST = 1 << 4,       /**< this side's first RST */
    WSL_ARRIVAL_NEW_DATA = 1 << 5,
    WSL_ARRIVAL_SENT_AGAIN = 1 << 6,   /**< some of its payload was sent before */
    WSL_ARRIVAL_KEEP_ALIVE = 1 << 7,   /**< RFC 9293 §3.8.4 */
    WSL_ARRIVAL_ACKNOWLEDGES = 1 << 8, /**< it acknowledges something new */
    WSL_ARRIVAL_OUTSIDE = 1 << 9,      /**< its sequence number is nowhere near the connection's */
    WSL_ARRIVAL_REFUSED = 1 << 10,     /**< a RST that answers a SYN */
    WSL_ARRIVAL_LATE = 1 << 11,        /**< of a connection that is no longer followed */
    WSL_ARRIVAL_NEW_STREAM = 1 << 12,  /**< it took a stream number */
};

typedef struct {
    WslTcp *tcp;     /**< NULL: not followed (quoted, late, beyond a limit) */
    uint32_t stream; /**< the packet's stream number */
    uint32_t what;   /**< WSL_ARRIVAL_ */
} WslPlace;

typedef enum {
    WSL_HOLE_NONE,
    WSL_HOLE_CUT,  /**< the snaplen cut these bytes from a packet that is there */
    WSL_HOLE_LOST, /**< the capture lacks the packets */
} WslHole;

/** The next bytes of a side, or a hole. Valid until the next call with this connection. */
typedef struct {
    const uint8_t *data; /**< NULL: a hole */
    uint64_t length;
    uint64_t offset;    /**< stream offset of the first byte */
    WslPacketNo packet; /**< that carried it (a lost hole: in which it was given up) */
    WslTime time;
    WslHole hole;
} WslPiece;

/** Limits, in bytes or counts. */
typedef struct {
    uint64_t held_per_side; /**< bytes that may wait for one side */
    uint64_t held_in_all;
    uint64_t streams; /**< stream numbers handed out; beyond it new connections are not followed */
    WslTime linger;   /**< ns that an ended connection is kept for its late packets */
} WslTcpLimits;

/** Counts for the report on the capture. */
typedef struct {
    uint64_t streams;
    uint64_t duplicates;    /**< packets */
    uint64_t outside;       /**< packets whose sequence number is nowhere near */
    uint64_t untracked;     /**< packets of connections beyond the limit */
    WslPacketNo limited_at; /**< the first of them, 0 if none */
    uint64_t overflowed;    /**< times that a side's waiting bytes hit a limit */
} WslTcpCounts;

WslTcpTable *wsl_tcp_new(const WslTcpLimits *limits);
void wsl_tcp_free(WslTcpTable *table);

/*
 * The steps of a batch, each for all of its segments before the next: what one step asks of the memory is there for the next.
 */
/** Finds key, side and hash of `arrival->segment`, and prefetches the table's slot. */
void wsl_tcp_prepare(WslTcpTable *table, WslArrival *arrival);
/** Looks into the slot and prefetches the flow. */
void wsl_tcp_look_up(const WslTcpTable *table, WslArrival *arrival);
/** Prefetches the flow's connection. */
void wsl_tcp_prefetch(WslArrival *arrival);
/** The connection that the segment is likely to belong to, for prefetching what its owner keeps; NULL if there is none. */
const WslTcp *wsl_tcp_expected(const WslArrival *arrival);

/** The connection that this SYN replaces, NULL if none: end and release it before wsl_tcp_place(). */
WslTcp *wsl_tcp_superseded(WslTcpTable *table, const WslArrival *arrival);

/** Gives the segment its stream number and its connection, which is made if it is new. */
void wsl_tcp_place(WslTcpTable *table, const WslArrival *arrival, WslPlace *place);

/** Takes the segment into the connection's account: `place->what` tells what it meant. Its new bytes can then be pulled. */
void wsl_tcp_advance(WslTcpTable *table, const WslArrival *arrival, WslPlace *place);

/** The next piece of `side`, or false if there is none yet. */
bool wsl_tcp_piece(WslTcpTable *table, WslTcp *tcp, unsigned side, WslPiece *piece);

/** Moves on by `length` bytes, at most the last piece's. */
void wsl_tcp_consume(WslTcpTable *table, WslTcp *tcp, unsigned side, uint64_t length);

/** Copies up to `size` bytes that wait to be consumed, without consuming them; stops at a hole. Returns how many. */
size_t wsl_tcp_peek(const WslTcpTable *table, const WslTcp *tcp, unsigned side, uint8_t *out, size_t size);

/** Keeps what of the current segment was not consumed. Must follow the pulling, before the packet's bytes go away. */
void wsl_tcp_settle(WslTcpTable *table, WslTcp *tcp);

/** Gives up on what is missing, so that all bytes that wait can be pulled: the connection or the capture is over. */
void wsl_tcp_give_up(WslTcpTable *table, WslTcp *tcp);

/** A connection that ended, or never got beyond its handshake, long enough before the clock; NULL if there is none. Release it. */
WslTcp *wsl_tcp_next_over(WslTcpTable *table);

/** For the end of the capture: the next connection that is still followed, in the order of their flows. Release each. */
WslTcp *wsl_tcp_next_open(WslTcpTable *table);

/** The largest time so far: the clock of everything that is measured. */
WslTime wsl_tcp_clock(const WslTcpTable *table);

/** Ends following a connection; its number stays. `owner` must have been dealt with. */
void wsl_tcp_release(WslTcpTable *table, WslTcp *tcp);

/** Stops looking at a connection whose protocol does not matter: its packets cost a lookup from now on. */
void wsl_tcp_ignore(WslTcpTable *table, WslTcp *tcp);

const WslTcpCounts *wsl_tcp_counts(const WslTcpTable *table);

/** The connection's ends. */
WslFlowKey wsl_tcp_key(const WslTcp *tcp);
/** "192.0.2.1:80", "[2001:db8::1]:80" (RFC 5952) of an address as in WslFlowKey. */
void wsl_tcp_end_text(const WslTcpTable *table, uint32_t address, bool ipv6, uint16_t port, char out[64]);

/** Stream offset up to which the other side has acknowledged what `side` sent (0: nothing yet). */
uint64_t wsl_tcp_acknowledged(const WslTcp *tcp, unsigned side);
/** Stream offset up to which `side` has sent. */
uint64_t wsl_tcp_sent(const WslTcp *tcp, unsigned side);
/** Bytes that `side` has sent and that are not acknowledged. */
uint64_t wsl_tcp_in_flight(const WslTcp *tcp, unsigned side);
/** The window that `side` advertises now, in bytes; -1 if its scale is not known and it is not 0. */
int64_t wsl_tcp_window(const WslTcp *tcp, unsigned side);
bool wsl_tcp_saw_fin(const WslTcp *tcp, unsigned side);
bool wsl_tcp_saw_rst(const WslTcp *tcp, unsigned side);
/** True if anything of this side was seen: a packet that it sent. */
bool wsl_tcp_seen(const WslTcp *tcp, unsigned side);

/** Median in ns (the middle of its bin, within what was seen), 0 if none was seen. */
WslTime wsl_round_trips_median(const WslRoundTrips *trips);
void wsl_round_trips_add(WslRoundTrips *trips, WslTime duration);

#endif

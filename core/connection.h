/*
 * A connection as the stages behind TCP know it: what is spoken on it, its upgrade, its frames' counts, its end.
 *
 * Made by core/stream.c for the first byte of a connection; kept after its end only while it is listed.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_CONNECTION_H
#define WSL_CONNECTION_H

#include "core/endpoint.h"
#include "core/http/exchange.h"
#include "core/http/upgrade.h"
#include "core/tls/hello.h"
#include "core/wsleuth.h"

typedef enum {
    WSL_KIND_UNDECIDED, /**< too few bytes yet */
    WSL_KIND_HTTP,
    WSL_KIND_WEBSOCKET,
    WSL_KIND_TLS,
    WSL_KIND_FOREIGN, /**< something else */
} WslKind;

/** Connection marks */
enum {
    WSL_IS_WEBSOCKET = 1 << 0, /**< it became one */
    WSL_IS_SKIPPED = 1 << 1,   /**< without an upgrade */
    WSL_HAS_FINDING = 1 << 2,
    WSL_IS_OVER = 1 << 3,     /**< its end fields are set */
    WSL_OPEN_AT_END = 1 << 4, /**< the capture ended first */
    WSL_SAW_START = 1 << 5,
    WSL_IS_LISTED = 1 << 6,
    WSL_REFUSED = 1 << 7,
    WSL_TO_BE_CONFIRMED = 1 << 8, /**< a 101 whose heads were cut: frames must show that it is one */
    WSL_ANSWER_LOST = 1 << 9,     /**< the capture lacks the answer to the upgrade request */
    WSL_START_MISSING = 1 << 10,  /**< its SYN was seen, its first bytes are not in the capture */
};

/** `lost_at` of a direction whose first byte behind its head is still to come. */
#define WSL_LOST_SOON UINT64_MAX

/** What one direction did. Counters of frames are 32 bits: 4 thousand million frames of one kind in one direction. */
typedef struct {
    uint64_t payload_bytes, message_bytes;
    uint64_t retransmitted, missing; /**< set at the end */
    WslFrameReader *reader;          /**< NULL between messages: most of the time */
    char *close_reason;
    WslTime ping_time; /**< when the last Ping without Pong was sent, for round trips only; 0: none */
    WslTime close_time;
    uint32_t ping_hash;
    uint32_t text, binary, continuation, ping, pong, close, reserved, masked, messages, unread;
    int32_t close_code;    /**< of the first Close; -1: it carried none */
    uint16_t reader_state; /**< of a reader that is NULL */
    bool ended;            /**< FIN or RST seen */
    bool lost;             /**< its place */
    bool holed;            /**< bytes of it are not in the capture */
    bool tail_missing;     /**< the capture lacks its end: what it said last is not known */
    bool likely_place;     /**< lost only in form: one plausible header is enough to go on */
    uint64_t lost_at;      /**< stream offset at which it was lost last */
} WslDirectionState;

struct WslConnection {
    WslTcp *tcp;           /**< NULL after the end */
    WslEndpoint *endpoint; /**< of the server; NULL if roles are unknown */
    WslUpgrade *upgrade;
    WslExchange *exchange;
    char *client_named; /**< by a PROXY line; NULL */
    WslFinding *cause;  /**< that explains how it ended; NULL */
    WslHello *hello;
    WslTime start, end;
    WslPacketNo first_packet, last_packet;
    WslTime rst_time; /**< of the first RST of either side; 0: none */
    WslTime end_time; /**< of the first FIN or RST; 0: none */
    WslPacketNo end_packet;
    WslTime opened;               /**< when it became a WebSocket; 0: never */
    WslRoundTrips round_trips[2]; /**< to the client, to the server */
    WslRoundTrips pings;
    uint32_t ping_max_us;
    uint32_t stream;
    uint32_t address[2]; /**< client, server: as in WslFlowKey */
    uint16_t port[2];
    uint16_t marks;
    uint8_t kind;
    bool ipv6;
    uint8_t how;            /**< WslHow */
    int8_t ended_by;        /**< WslDirection of the first FIN or RST; -1 */
    int8_t initiated_by;    /**< WslDirection of the first Close; -1 */
    int8_t silent;          /**< WslDirection of what nobody answers, to the end of the capture; -1 */
    uint16_t proxied;       /**< bytes of a PROXY line at the client's start */
    WslFrameRules rules[2]; /**< by WslDirection; set when it becomes a WebSocket */
    WslDirectionState directions[2];
    uint64_t kept[]; /**< what detectors declared */
};

static inline WslDirection wsl_direction_of(const WslTcp *tcp, unsigned side)
{
    return (int)side == tcp->client ? WSL_CLIENT_TO_SERVER : WSL_SERVER_TO_CLIENT;
}

static inline unsigned wsl_side_of(const WslTcp *tcp, WslDirection direction)
{
    return direction == WSL_CLIENT_TO_SERVER ? (unsigned)tcp->client : !tcp->client;
}

static inline WslDirection wsl_other(WslDirection direction)
{
    return direction == WSL_CLIENT_TO_SERVER ? WSL_SERVER_TO_CLIENT : WSL_CLIENT_TO_SERVER;
}

/** The code that the receiver of `direction` sees (RFC 6455 §7.1.5); -1 if the capture cannot tell. */
int wsl_connection_seen_code(const WslConnection *connection, WslDirection direction);

#endif

/*
 * The HTTP/1.1 conversation on one connection: heads, bodies to step over, which answer belongs to which request.
 *
 *   in:   pieces of both directions
 *   out:  for each call how much was taken, and at most one piece of news
 *   owns: partial heads (limited), the requests not answered yet
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_HTTP_EXCHANGE_H
#define WSL_HTTP_EXCHANGE_H

#include "core/http/head.h"
#include "core/tcp/tcp.h"

typedef struct WslExchange WslExchange;

typedef enum {
    WSL_NEWS_NONE,     /**< more bytes are needed */
    WSL_NEWS_REQUEST,  /**< `head` is a request */
    WSL_NEWS_RESPONSE, /**< `head` is the final answer to the oldest request that had none */
    WSL_NEWS_FOREIGN,  /**< this is not HTTP/1.x (any more) */
} WslNewsType;

typedef struct {
    WslNewsType type;
    const WslHead *head; /**< valid until the next call */
    bool upgrade;        /**< the request asks for a WebSocket, or (response) answers one that did */
    bool too_long;       /**< FOREIGN because the head is beyond the limit */
    bool maybe_upgrade;  /**< the request was cut or is missing: it may have */
    WslTime begun, complete;
    WslPacketNo begun_in, complete_in;
} WslNews;

/** `scratch` is used for parsing by all exchanges; it belongs to the caller. */
WslExchange *wsl_exchange_new(WslHead *scratch, size_t head_limit);
void wsl_exchange_free(WslExchange *exchange);

/**
 * Takes the next piece of the client's (or the server's) side. Returns how many of its bytes were taken; 0 without news
 * means that they must wait: client bytes behind an upgrade request for its answer, an answer for its request.
 * `request_may_come`: bytes of the client are known to be missing still (an answer before its request waits for them).
 */
uint64_t wsl_exchange_take(WslExchange *exchange, bool client, const WslPiece *piece, bool request_may_come,
                           WslNews *news);

/** How sure it is that a side's next byte is the first one behind its last head. */
typedef enum {
    WSL_PLACE_SURE,
    WSL_PLACE_LIKELY,  /**< the snaplen cut the head: it is taken to end with its packet */
    WSL_PLACE_UNKNOWN, /**< the capture lacks a part of the head, or all of it */
} WslHeadPlace;
WslHeadPlace wsl_exchange_place(const WslExchange *exchange, bool client);

/** True while the client's bytes wait for the answer to an upgrade request. */
bool wsl_exchange_waits(const WslExchange *exchange);

#endif

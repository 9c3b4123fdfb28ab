/*
 * The HTTP/1.1 conversation on one connection (exchange.h).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/http/exchange.h"

#include <glib.h>
#include <string.h>

#include "core/http/upgrade.h"

enum { LINE_LOOKED_AT = 8192 };
enum { REQUESTS = 64 }; /* pipelined requests without answer; more is no HTTP that a browser speaks */

typedef enum {
    AT_HEAD,
    IN_BODY,  /* `remaining` bytes */
    AT_CHUNK, /* a chunk's size line */
    IN_CHUNK, /* `remaining` bytes with their line end */
    IN_TRAILER,
    UNTIL_END,
} State;

typedef struct {
    State state;
    WslHeadPlace place; /* behind the last head */
    bool lost;          /* somewhere inside: look for a head at the start of a piece */
    uint64_t remaining;
    GString *line;  /* a head or a line that is not complete */
    bool line_done; /* it is, and stays only as long as the news that lead into it */
    WslTime begun;
    WslPacketNo begun_in;
} Side;

typedef enum { ORDINARY, WITHOUT_BODY /* HEAD */, TUNNEL /* CONNECT */, UPGRADE, MAYBE_UPGRADE } Request;

struct WslExchange {
    Side client, server;
    WslHead *head;
    size_t limit;
    uint8_t requests[REQUESTS];
    WslPacketNo asked_in[REQUESTS];
    bool request_missed; /* the capture lacks one, or a part of the client's bytes where one may have been */
    unsigned first, count;
    bool client_waits;
};

WslExchange *wsl_exchange_new(WslHead *scratch, size_t head_limit)
{
    WslExchange *exchange = g_new0(WslExchange, 1);

    exchange->head = scratch;
    exchange->limit = head_limit;
    return exchange;
}

static void drop_line(Side *side)
{
    if (side->line)
        g_string_free(side->line, TRUE);
    side->line = NULL;
    side->line_done = false;
}

void wsl_exchange_free(WslExchange *exchange)
{
    if (!exchange)
        return;
    drop_line(&exchange->client);
    drop_line(&exchange->server);
    g_free(exchange);
}

WslHeadPlace wsl_exchange_place(const WslExchange *exchange, bool client)
{
    return client ? exchange->client.place : exchange->server.place;
}

bool wsl_exchange_waits(const WslExchange *exchange)
{
    return exchange->client_waits;
}

static bool push(WslExchange *exchange, Request request, WslPacketNo packet)
{
    if (exchange->count == REQUESTS)
        return false;
    unsigned last = (exchange->first + exchange->count++) % REQUESTS;
    exchange->requests[last] = (uint8_t)request;
    exchange->asked_in[last] = packet;
    return true;
}

static Request pop(WslExchange *exchange)
{
    if (!exchange->count)
        return MAYBE_UPGRADE; /* its request was not seen */
    Request request = exchange->requests[exchange->first];
    exchange->first = (exchange->first + 1) % REQUESTS;
    exchange->count--;
    return request;
}

static bool body_length(const WslHead *head, uint64_t *length)
{
    WslSpan value = wsl_head_field(head, "Content-Length");
    uint64_t sum = 0;

    if (!value.length || value.length > 18)
        return false;
    for (size_t i = 0; i < value.length; i++) {
        if (!g_ascii_isdigit(value.bytes[i]))
            return false;
        sum = sum * 10 + (uint64_t)(value.bytes[i] - '0');
    }
    *length = sum;
    return true;
}

static void expect_body(Side *side, const WslHead *head, bool until_end)
{
    uint64_t length;

    if (wsl_list_holds(head, "Transfer-Encoding", "chunked")) {
        side->state = AT_CHUNK;
    } else if (body_length(head, &length)) {
        side->state = length ? IN_BODY : AT_HEAD;
        side->remaining = length;
    } else {
        side->state = until_end ? UNTIL_END : AT_HEAD;
    }
}

static void judge_request(WslExchange *exchange, WslNews *news)
{
    const WslHead *head = exchange->head;
    Request request = ORDINARY;

    news->upgrade = wsl_upgrade_is_request(head);
    if (news->upgrade)
        request = UPGRADE;
    else if (head->cut)
        request = MAYBE_UPGRADE;
    else if (wsl_span_is(head->method, "HEAD"))
        request = WITHOUT_BODY;
    else if (wsl_span_is(head->method, "CONNECT"))
        request = TUNNEL;
    news->maybe_upgrade = request == MAYBE_UPGRADE;
    if (!push(exchange, request, news->complete_in)) {
        news->type = WSL_NEWS_FOREIGN;
        return;
    }
    news->type = WSL_NEWS_REQUEST;
    exchange->client_waits = request >= TUNNEL;
    if (request != TUNNEL)
        expect_body(&exchange->client, head, false);
}

static void judge_response(WslExchange *exchange, WslNews *news)
{
    const WslHead *head = exchange->head;

    if (head->status < 200 && head->status != 101)
        return; /* 100 Continue, 103 Early Hints: the answer is still to come */
    /* Sent before the oldest request that was seen: the answer to one that the capture lacks. */
    if (exchange->request_missed && exchange->count && news->complete_in < exchange->asked_in[exchange->first]) {
        expect_body(&exchange->server, head, !head->cut);
        return;
    }
    Request request = pop(exchange);
    /* 101 answers a request to upgrade: those before it got answers that the capture lacks. */
    while (head->status == 101 && request < UPGRADE && exchange->count)
        request = pop(exchange);
    news->type = WSL_NEWS_RESPONSE;
    news->upgrade = request == UPGRADE;
    news->maybe_upgrade = request == MAYBE_UPGRADE;
    exchange->client_waits = false;
    if (request == TUNNEL && head->status / 100 == 2) {
        exchange->client.state = exchange->server.state = AT_HEAD; /* whatever is inside begins anew */
        exchange->count = 0;
        return;
    }
    if (request == WITHOUT_BODY || head->status == 204 || head->status == 304 || head->status == 101)
        return;
    expect_body(&exchange->server, head, !head->cut);
}

static void finish_head(WslExchange *exchange, Side *side, bool client, const WslPiece *piece, WslNews *news)
{
    news->head = exchange->head;
    news->begun = side->line ? side->begun : piece->time;
    news->begun_in = side->line ? side->begun_in : piece->packet;
    news->complete = piece->time;
    news->complete_in = piece->packet;
    if (exchange->head->request != client)
        news->type = WSL_NEWS_FOREIGN;
    else if (client)
        judge_request(exchange, news);
    else
        judge_response(exchange, news);
}

/* Bytes of earlier pieces and of this one in one place; how many were there before is returned in `*before`. */
static WslSpan gather(Side *side, const WslPiece *piece, size_t *before)
{
    *before = 0;
    if (!side->line)
        return (WslSpan){(const char *)piece->data, (size_t)piece->length};
    *before = side->line->len;
    g_string_append_len(side->line, (const char *)piece->data, (gssize)piece->length);
    return (WslSpan){side->line->str, side->line->len};
}

static void keep_line(Side *side, const WslPiece *piece)
{
    if (side->line)
        return;
    side->line = g_string_new_len((const char *)piece->data, (gssize)piece->length);
    side->begun = piece->time;
    side->begun_in = piece->packet;
}

static bool begins_head(bool client, const WslPiece *piece)
{
    return client ? wsl_head_may_be_request(piece->data, piece->length)
                  : wsl_head_may_be_response(piece->data, piece->length);
}

/* Parsing anew for each byte of a head that comes in bytes would cost its square: only an empty line is worth it. */
static bool may_end(WslSpan bytes, size_t before)
{
    for (size_t i = MAX(before, 1); i < bytes.length; i++)
        if (bytes.bytes[i] == '\n' &&
            (bytes.bytes[i - 1] == '\n' || (i > 1 && bytes.bytes[i - 1] == '\r' && bytes.bytes[i - 2] == '\n')))
            return true;
    return false;
}

static uint64_t take_head(WslExchange *exchange, Side *side, bool client, const WslPiece *piece, WslNews *news)
{
    size_t before, used = 0;

    if (side->lost && !begins_head(client, piece))
        return piece->length;
    side->lost = false;
    WslSpan bytes = gather(side, piece, &before);
    if (before && bytes.length <= exchange->limit && !may_end(bytes, before))
        return piece->length;
    switch (wsl_head_parse(bytes.bytes, bytes.length, exchange->head, &used)) {
    case WSL_HEAD_COMPLETE:
        side->place = WSL_PLACE_SURE;
        finish_head(exchange, side, client, piece, news);
        side->line_done = true;
        return used - before;
    case WSL_HEAD_INCOMPLETE:
        keep_line(side, piece);
        if (side->line->len <= exchange->limit)
            return piece->length;
        news->too_long = true;
        /* fall through */
    case WSL_HEAD_INVALID:
        break;
    }
    news->type = WSL_NEWS_FOREIGN;
    return piece->length;
}

/* A head that the snaplen cut ends with its packet: what it still says counts. */
static void cut_head(WslExchange *exchange, Side *side, bool client, const WslPiece *piece, WslNews *news)
{
    size_t used = 0;

    side->place = piece->hole == WSL_HOLE_CUT ? WSL_PLACE_LIKELY : WSL_PLACE_UNKNOWN;
    if (!side->line) {
        side->lost = true;
        return;
    }
    WslHeadResult result = wsl_head_parse(side->line->str, side->line->len, exchange->head, &used);
    side->lost = true; /* the head may go on behind the hole */
    if (result == WSL_HEAD_INVALID || (!exchange->head->request && !exchange->head->status)) {
        drop_line(side);
        return;
    }
    exchange->head->cut = true;
    side->line_done = true;
    finish_head(exchange, side, client, piece, news);
}

static uint64_t take_hole(WslExchange *exchange, Side *side, bool client, const WslPiece *piece, WslNews *news)
{
    if (client && piece->hole == WSL_HOLE_LOST)
        exchange->request_missed = true;
    switch (side->state) {
    case AT_HEAD:
        cut_head(exchange, side, client, piece, news);
        return piece->length;
    case IN_BODY:
    case IN_CHUNK: {
        uint64_t length = MIN(piece->length, side->remaining);
        side->remaining -= length;
        if (!side->remaining)
            side->state = side->state == IN_BODY ? AT_HEAD : AT_CHUNK;
        return length;
    }
    case AT_CHUNK:
    case IN_TRAILER:
        drop_line(side);
        side->state = AT_HEAD;
        side->lost = true;
        return piece->length;
    case UNTIL_END:
        break;
    }
    return piece->length;
}

static bool chunk_size(const char *line, size_t length, uint64_t *size)
{
    size_t digits = 0;

    *size = 0;
    for (; digits < length && digits < 15 && g_ascii_isxdigit(line[digits]); digits++)
        *size = *size << 4 | (uint64_t)g_ascii_xdigit_value(line[digits]);
    return digits > 0;
}

/* One line of a chunked body: a chunk's size, or a line of the trailer (RFC 9112 §7.1). */
static uint64_t take_line(WslExchange *exchange, Side *side, const WslPiece *piece, WslNews *news)
{
    size_t before;
    uint64_t size;
    WslSpan bytes = gather(side, piece, &before);
    const char *lf = memchr(bytes.bytes, '\n', bytes.length);

    if (!lf) {
        keep_line(side, piece);
        if (side->line->len > exchange->limit)
            news->type = WSL_NEWS_FOREIGN;
        return piece->length;
    }
    size_t length = (size_t)(lf - bytes.bytes);
    if (side->state == IN_TRAILER) {
        if (length == 0 || (length == 1 && bytes.bytes[0] == '\r'))
            side->state = AT_HEAD;
    } else if (!chunk_size(bytes.bytes, length, &size)) {
        side->state = AT_HEAD;
        side->lost = true;
    } else {
        side->state = size ? IN_CHUNK : IN_TRAILER;
        side->remaining = size + 2;
    }
    drop_line(side);
    return length + 1 - before;
}

static uint64_t take_bytes(WslExchange *exchange, Side *side, bool client, const WslPiece *piece, WslNews *news)
{
    switch (side->state) {
    case AT_HEAD:
        return take_head(exchange, side, client, piece, news);
    case AT_CHUNK:
    case IN_TRAILER:
        return take_line(exchange, side, piece, news);
    default:
        return take_hole(exchange, side, client, piece, news);
    }
}

static bool is_whole_request_line(const WslPiece *piece)
{
    if (!piece->data || !wsl_head_may_be_request(piece->data, piece->length))
        return false;
    const uint8_t *lf = memchr(piece->data, '\n', (size_t)MIN(piece->length, LINE_LOOKED_AT));
    return lf && g_strstr_len((const char *)piece->data, lf - piece->data, " HTTP/1.");
}

uint64_t wsl_exchange_take(WslExchange *exchange, bool client, const WslPiece *piece, bool request_may_come,
                           WslNews *news)
{
    Side *side = client ? &exchange->client : &exchange->server;

    *news = (WslNews){.type = WSL_NEWS_NONE};
    if (side->line_done)
        drop_line(side);
    if (client && exchange->client_waits && side->state == AT_HEAD) {
        if (exchange->requests[exchange->first] < UPGRADE || !is_whole_request_line(piece))
            return 0;
        pop(exchange); /* no frame begins like this: the answer to the request before is not in the capture */
        exchange->client_waits = false;
    }
    if (!client && side->state == AT_HEAD && !exchange->count && !side->line && request_may_come)
        return 0;
    return piece->data ? take_bytes(exchange, side, client, piece, news)
                       : take_hole(exchange, side, client, piece, news);
}

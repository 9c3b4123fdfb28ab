/*
 * What a connection's bytes are, and where they go: undecided, HTTP, WebSocket, TLS or something foreign.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "core/analyzer_state.h"
#include "core/http/proxy_line.h"
#include "core/websocket/recognise.h"

enum { PEEKED = 4096 };

static void take_ping(WslConnection *connection, WslDirection direction, const WslFrame *frame)
{
    WslDirectionState *own = &connection->directions[direction], *other = &connection->directions[wsl_other(direction)];

    if (frame->opcode == WSL_OP_PING) {
        if (own->ping_time && own->ping_hash == frame->payload_hash)
            return; /* alike: the first one is the one that its Pong answers */
        own->ping_time = frame->completed;
        own->ping_hash = frame->payload_hash;
    } else if (other->ping_time && other->ping_hash == frame->payload_hash) {
        WslTime took = MAX(frame->completed - other->ping_time, 0);
        other->ping_time = 0;
        wsl_round_trips_add(&connection->pings, took);
        connection->ping_max_us = MAX(connection->ping_max_us, (uint32_t)MIN(took / 1000, UINT32_MAX));
        if (connection->endpoint)
            wsl_durations_add(&connection->endpoint->pings, took);
    }
}

static void take_close(WslConnection *connection, WslDirection direction, const WslFrame *frame)
{
    WslDirectionState *own = &connection->directions[direction];

    if (connection->initiated_by < 0)
        connection->initiated_by = (int8_t)direction;
    if (own->close > 1)
        return;
    own->close_time = frame->completed;
    own->close_code = frame->close_code;
    if (frame->reason_length)
        own->close_reason = g_strndup((const char *)frame->reason, frame->reason_length);
}

static void count_frame(WslAnalyzer *analyzer, WslConnection *connection, WslDirection direction, const WslFrame *frame)
{
    WslDirectionState *own = &connection->directions[direction];
    uint32_t *const counters[16] = {
        [WSL_OP_CONTINUATION] = &own->continuation,
        [WSL_OP_TEXT] = &own->text,
        [WSL_OP_BINARY] = &own->binary,
        [WSL_OP_CLOSE] = &own->close,
        [WSL_OP_PING] = &own->ping,
        [WSL_OP_PONG] = &own->pong,
    };

    ++*(counters[frame->opcode] ? counters[frame->opcode] : &own->reserved);
    own->masked += frame->masked;
    own->payload_bytes += frame->length;
    analyzer->totals.frames++;
    if (frame->message && frame->message_counts) {
        own->messages++;
        own->message_bytes += frame->message_length;
        own->unread += frame->compressed;
        analyzer->totals.messages++;
    }
    if (frame->opcode == WSL_OP_PING || frame->opcode == WSL_OP_PONG)
        take_ping(connection, direction, frame);
    else if (frame->opcode == WSL_OP_CLOSE)
        take_close(connection, direction, frame);
}

static void tell_frame(WslAnalyzer *analyzer, WslConnection *connection, WslDirection direction, WslFrame *frame)
{
    frame->connection = connection;
    frame->direction = (int)direction;
    if (frame->finished) {
        count_frame(analyzer, connection, direction, frame);
        if (analyzer->listener && analyzer->listener->frame)
            analyzer->listener->frame(analyzer->listener->user, analyzer, connection->stream, frame);
    }
    WSL_TELL(analyzer, on_frame, frame);
}

static bool is_idle(const WslFrameReader *reader)
{
    return !reader->have && !(reader->state & (WSL_READER_IN_PAYLOAD | WSL_READER_IN_MESSAGE));
}

/* A reader between messages is one byte of state: most connections have none most of the time. */
static void put_away(WslDirectionState *own, WslFrameReader *reader)
{
    if (is_idle(reader)) {
        wsl_frames_clear(reader);
        own->reader_state = reader->state;
        g_free(own->reader);
        own->reader = NULL;
    } else if (!own->reader) {
        own->reader = g_memdup2(reader, sizeof *reader);
    }
}

/* Not the rest of a head: text has no such opcodes, and a client's frame has its mask bit. */
static bool may_begin_frame(const WslFrameRules *rules, const WslPiece *piece)
{
    uint8_t opcode = piece->data[0] & 0x0f, foreign = (piece->data[0] >> 4 & 7) & (uint8_t)~rules->owned_bits;
    bool known = opcode <= WSL_OP_BINARY || (opcode >= WSL_OP_CLOSE && opcode <= WSL_OP_PONG && piece->data[0] & 0x80);

    return piece->length >= 2 && known && !foreign && (piece->data[1] & 0x80) == (rules->from_client ? 0x80 : 0);
}

/* After a lost place only strong evidence at a packet's start is believed: one plausible header alone is luck. */
static bool find_place(WslAnalyzer *analyzer, WslConnection *connection, WslDirection direction, const WslPiece *piece)
{
    WslDirectionState *own = &connection->directions[direction];
    bool masked = direction == WSL_CLIENT_TO_SERVER;
    const WslDirectionState *other = &connection->directions[wsl_other(direction)];

    if (own->lost_at == WSL_LOST_SOON)
        own->lost_at = piece->offset;
    if (!piece->data) {
        own->likely_place &= piece->hole == WSL_HOLE_CUT;
        return false;
    }
    bool likely = own->likely_place;
    own->likely_place = false;
    WslEvidenceOfFrames found = wsl_frames_recognise(piece->data, piece->length);
    bool strong = !found.impossible && found.headers && found.masked == masked && found.substantial &&
                  found.bits >= analyzer->options->settings[WSL_SET_SKIPPED_BITS];
    strong |= likely && may_begin_frame(&connection->rules[direction], piece);
    if (!strong && !wsl_frames_is_lone_close(piece->data, piece->length, masked, other->close ? other->close_code : -1))
        return false;
    own->lost = false;
    own->reader_state = (uint16_t)((own->reader_state & ~WSL_READER_LOST) | (likely ? 0 : WSL_READER_JOINED));
    WSL_TELL(analyzer, on_found, connection, direction, piece->offset - own->lost_at);
    return true;
}

static void lose_place(WslAnalyzer *analyzer, WslConnection *connection, WslDirection direction, const WslPiece *piece,
                       uint64_t at)
{
    connection->directions[direction].lost = true;
    connection->directions[direction].lost_at = at;
    WSL_TELL(analyzer, on_lost, connection, direction, piece);
}

static uint64_t take_frames(WslAnalyzer *analyzer, WslConnection *connection, WslDirection direction,
                            const WslPiece *piece)
{
    WslDirectionState *own = &connection->directions[direction];
    WslPiece rest = *piece;
    WslFrame frame;

    own->holed |= !piece->data;
    if (!piece->data)
        WSL_TELL(analyzer, on_hole, connection, direction, piece);
    if (own->lost && !find_place(analyzer, connection, direction, piece))
        return piece->length;
    WslFrameReader fresh = {.state = own->reader_state}, *reader = own->reader ? own->reader : &fresh;
    const WslFrameRules *rules = &connection->rules[direction];
    while (rest.length && !own->lost) {
        uint64_t taken;
        WslReadResult result = wsl_frames_read(reader, rules, &rest, &taken, &frame);
        if (result == WSL_READ_FRAME || (result == WSL_READ_LOST && frame.violations))
            tell_frame(analyzer, connection, direction, &frame);
        if (result == WSL_READ_LOST && frame.violations)
            own->lost = true; /* by a length that cannot be: the sender's fault, no lack of the capture */
        else if (result == WSL_READ_LOST)
            lose_place(analyzer, connection, direction, piece, rest.offset);
        rest.length -= taken;
        rest.offset += taken;
        if (rest.data)
            rest.data += taken;
    }
    put_away(own, reader);
    return piece->length;
}

/* What both sides' first bytes say about frames without a handshake: the client's must be masked and the server's not. */
typedef struct {
    bool impossible;
    bool sure;   /* the evidence is enough */
    bool may_be; /* some header is complete and nothing speaks against it: enough where the port was named */
} Looks;

static Looks looks_like_frames(WslAnalyzer *analyzer, const WslTcp *tcp, bool over)
{
    const double *set = analyzer->options->settings;
    uint8_t bytes[PEEKED];
    double bits = 0;
    unsigned speaking = 0;
    bool substantial = false;
    Looks looks = {0};

    for (unsigned side = 0; side < 2; side++) {
        size_t length = wsl_tcp_peek(analyzer->tcp, tcp, side, bytes, sizeof bytes);
        if (!length)
            continue;
        WslEvidenceOfFrames found = wsl_frames_recognise(bytes, length);
        if (found.impossible || (found.headers && found.masked != ((int)side == tcp->client)) ||
            (length == sizeof bytes && !found.headers))
            looks.impossible = true;
        bits += found.bits;
        speaking += found.headers > 0;
        substantial |= found.substantial;
    }
    looks.may_be = speaking && !looks.impossible;
    if (looks.may_be && substantial)
        looks.sure =
            speaking == 2 ? bits >= set[WSL_SET_SKIPPED_BITS] : over && bits >= set[WSL_SET_SKIPPED_BITS_ONE_SIDED];
    return looks;
}

static bool is_named(const WslAnalyzer *analyzer, uint16_t port)
{
    const GArray *ports = analyzer->options->ports;

    for (guint i = 0; i < ports->len; i++)
        if (g_array_index(ports, guint16, i) == port)
            return true;
    return false;
}

/* True if the user named the server's port; where nothing told the roles yet, the name does. */
static bool has_named_port(WslAnalyzer *analyzer, WslConnection *connection, WslTcp *tcp)
{
    WslFlowKey key = wsl_tcp_key(tcp);

    if (tcp->client >= 0)
        return is_named(analyzer, connection->port[1]);
    if (is_named(analyzer, key.port[0]) == is_named(analyzer, key.port[1]))
        return false;
    tcp->client = is_named(analyzer, key.port[0]) ? 1 : 0;
    wsl_connection_know_roles(analyzer, connection);
    return true;
}

/* Returns false if the bytes must wait for more. */
static bool decide_frames(WslAnalyzer *analyzer, WslConnection *connection, WslTcp *tcp, bool over)
{
    bool confirms = connection->marks & WSL_TO_BE_CONFIRMED, named = has_named_port(analyzer, connection, tcp);
    bool may_skip = connection->marks & WSL_SAW_START && !confirms;

    if (tcp->client < 0 || !(may_skip || confirms || named)) {
        connection->kind = WSL_KIND_FOREIGN;
        return true;
    }
    Looks looks = looks_like_frames(analyzer, tcp, over);
    if (looks.sure || (named && looks.may_be)) {
        if (may_skip && !(connection->marks & WSL_START_MISSING))
            connection->marks |= WSL_IS_SKIPPED;
        connection->marks &= (uint16_t)~WSL_TO_BE_CONFIRMED;
        wsl_connection_open(analyzer, connection, tcp->last_time);
        return true;
    }
    if (!looks.impossible && !over)
        return false;
    connection->kind = WSL_KIND_FOREIGN;
    return true;
}

static void decide_by_bytes(WslAnalyzer *analyzer, WslConnection *connection, WslTcp *tcp, unsigned side,
                            const uint8_t *bytes, size_t length)
{
    bool may_be_client = tcp->client < 0 || tcp->client == (int)side, may_be_server = tcp->client != (int)side;

    (void)analyzer;
    for (; length && (*bytes == '\r' || *bytes == '\n'); bytes++) /* RFC 9112 §2.2 */
        length--;
    if (may_be_client && wsl_head_may_be_request(bytes, length))
        connection->kind = WSL_KIND_HTTP;
    else if (may_be_client && wsl_hello_may_be(bytes, length))
        connection->kind = WSL_KIND_TLS;
    else if (may_be_server && wsl_head_may_be_response(bytes, length))
        connection->kind = WSL_KIND_HTTP;
    else
        return;
    if (tcp->client >= 0)
        return;
    /* No SYN told who the client is: whoever sends a request is. */
    tcp->client = (int8_t)(wsl_head_may_be_response(bytes, length) ? !side : side);
    wsl_connection_know_roles(analyzer, connection);
}

static uint64_t take_undecided(WslAnalyzer *analyzer, WslConnection *connection, WslTcp *tcp, unsigned side,
                               const WslPiece *piece, bool over)
{
    uint8_t bytes[WSL_PROXY_LINE_MAX];
    size_t length = wsl_tcp_peek(analyzer->tcp, tcp, side, bytes, sizeof bytes);
    char *named = NULL;

    if (!piece->data) {
        connection->marks |= WSL_START_MISSING;
        return piece->length;
    }
    if (connection->marks & WSL_TO_BE_CONFIRMED) {
        decide_frames(analyzer, connection, tcp, over);
        return 0;
    }
    if (tcp->client != (int)!side && !connection->proxied) {
        size_t used = wsl_proxy_line(bytes, length, &named);
        if (used == WSL_PROXY_LINE_INCOMPLETE && !over)
            return 0;
        if (used && used != WSL_PROXY_LINE_INCOMPLETE) {
            connection->proxied = (uint16_t)used;
            connection->client_named = named;
        }
    }
    if (connection->proxied && tcp->side[side].offset < connection->proxied && tcp->client != (int)!side)
        return MIN(piece->length, connection->proxied - tcp->side[side].offset);
    decide_by_bytes(analyzer, connection, tcp, side, bytes, length);
    if (connection->kind == WSL_KIND_UNDECIDED)
        decide_frames(analyzer, connection, tcp, over);
    return 0;
}

static void take_request(WslAnalyzer *analyzer, WslTcp *tcp, const WslNews *news)
{
    WslConnection *connection = tcp->owner;

    if (!news->upgrade && !news->maybe_upgrade)
        return;
    if (connection->upgrade && connection->upgrade->requested) {
        /* Another try on the same stream is another connection. */
        WslExchange *exchange = connection->exchange;
        connection->exchange = NULL;
        wsl_connection_finish(analyzer, connection, false);
        connection = wsl_connection_begin(analyzer, tcp);
        connection->kind = WSL_KIND_HTTP;
        connection->exchange = exchange;
        connection->start = news->begun;
        connection->first_packet = news->begun_in;
    }
    wsl_upgrade_free(connection->upgrade);
    connection->upgrade = wsl_upgrade_new(news->head);
    connection->upgrade->requested = news->complete;
    connection->upgrade->request_begin = news->begun_in;
    connection->upgrade->request_packet = news->complete_in;
    if (connection->client_named)
        wsl_upgrade_name_client(connection->upgrade, connection->client_named);
    if (news->upgrade)
        WSL_TELL(analyzer, on_request, connection);
}

/* An answer whose request is not in the capture, or was cut before it said what it wants. */
static bool answers_an_upgrade(WslConnection *connection, const WslNews *news)
{
    static const WslHead missing = {.request = true, .cut = true, .minor = 1, .method = {"GET", 3}};
    bool says_so = wsl_list_holds(news->head, "Upgrade", "websocket");

    if (news->upgrade)
        return connection->upgrade != NULL;
    if (!news->maybe_upgrade || news->head->status != 101 || !(says_so || news->head->cut))
        return false;
    if (!connection->upgrade)
        connection->upgrade = wsl_upgrade_new(&missing);
    if (!says_so)
        connection->marks |= WSL_TO_BE_CONFIRMED;
    return true;
}

static void take_response(WslAnalyzer *analyzer, WslConnection *connection, const WslNews *news)
{
    if (!answers_an_upgrade(connection, news)) {
        if (news->maybe_upgrade) {
            wsl_upgrade_free(connection->upgrade);
            connection->upgrade = NULL;
        }
        if (news->head->status == 101)
            connection->kind = WSL_KIND_FOREIGN;
        return;
    }
    WslUpgrade *upgrade = connection->upgrade;
    upgrade->answered = news->complete;
    upgrade->response_packet = news->complete_in;
    bool accepted = wsl_upgrade_answer(upgrade, news->head);
    if (!accepted && news->head->status == 101) {
        /* It speaks something else from here on, as both sides wanted. */
        wsl_upgrade_free(upgrade);
        connection->upgrade = NULL;
        connection->kind = WSL_KIND_FOREIGN;
        return;
    }
    WSL_TELL(analyzer, on_response, connection);
    if (connection->marks & WSL_TO_BE_CONFIRMED) {
        connection->kind = WSL_KIND_UNDECIDED;
    } else if (accepted) {
        wsl_connection_open(analyzer, connection, news->complete);
    } else {
        connection->marks |= WSL_REFUSED;
        analyzer->totals.upgrades_refused++;
        wsl_connection_refused(analyzer, connection);
    }
}

/* Only the capture lacks the answer, if frames follow. */
static bool goes_on_without_answer(WslAnalyzer *analyzer, WslConnection *connection, WslTcp *tcp, const WslPiece *piece)
{
    if (!(connection->marks & WSL_ANSWER_LOST) || !piece->data || !connection->upgrade ||
        wsl_head_may_be_response(piece->data, piece->length))
        return false;
    if (!looks_like_frames(analyzer, tcp, false).sure)
        return false;
    connection->upgrade->flags |= WSL_UPGRADE_EXTENSIONS_UNKNOWN;
    wsl_connection_open(analyzer, connection, piece->time);
    connection->directions[WSL_SERVER_TO_CLIENT].likely_place = true; /* the evidence began at this piece */
    return true;
}

static uint64_t take_http(WslAnalyzer *analyzer, WslTcp *tcp, unsigned side, const WslPiece *piece)
{
    WslConnection *connection = tcp->owner;
    bool client = tcp->client == (int)side;
    WslNews news;

    if (!connection->exchange)
        connection->exchange =
            wsl_exchange_new(&analyzer->head, (size_t)analyzer->options->settings[WSL_SET_LIMIT_HEAD]);
    if (!client && wsl_exchange_waits(connection->exchange)) {
        if (!piece->data)
            connection->marks |= WSL_ANSWER_LOST;
        if (goes_on_without_answer(analyzer, connection, tcp, piece))
            return 0;
    }
    unsigned client_side = (unsigned)tcp->client;
    bool may_come = wsl_tcp_acknowledged(tcp, client_side) > tcp->side[client_side].offset ||
                    wsl_tcp_sent(tcp, client_side) > tcp->side[client_side].offset;
    uint64_t taken = wsl_exchange_take(connection->exchange, client, piece, may_come, &news);
    if (news.type == WSL_NEWS_REQUEST)
        take_request(analyzer, tcp, &news);
    else if (news.type == WSL_NEWS_RESPONSE)
        take_response(analyzer, connection, &news);
    else if (news.type == WSL_NEWS_FOREIGN)
        connection->kind = WSL_KIND_FOREIGN;
    analyzer->long_heads += news.too_long;
    return taken;
}

/* The names in a ClientHello are all that can be read: once they are, or no more will come, the stream is left alone. */
static uint64_t take_tls(WslAnalyzer *analyzer, WslConnection *connection, WslTcp *tcp, unsigned side, bool over)
{
    bool complete;

    if (tcp->client == (int)side || over) {
        g_autofree uint8_t *bytes = g_malloc(WSL_HELLO_MAX);
        size_t length = wsl_tcp_peek(analyzer->tcp, tcp, (unsigned)tcp->client, bytes, WSL_HELLO_MAX);
        WslHello *hello = wsl_hello_parse(bytes, length, &complete);
        wsl_hello_free(connection->hello);
        connection->hello = hello;
        if (hello && !complete && !over && length < WSL_HELLO_MAX)
            return 0;
    }
    if (connection->hello)
        WSL_TELL(analyzer, on_tls, connection);
    connection->kind = WSL_KIND_FOREIGN;
    return 0;
}

static uint64_t take(WslAnalyzer *analyzer, WslTcp *tcp, unsigned side, const WslPiece *piece, bool over)
{
    WslConnection *connection = tcp->owner;

    switch ((WslKind)connection->kind) {
    case WSL_KIND_UNDECIDED:
        return take_undecided(analyzer, connection, tcp, side, piece, over);
    case WSL_KIND_HTTP:
        return take_http(analyzer, tcp, side, piece);
    case WSL_KIND_WEBSOCKET:
        return take_frames(analyzer, connection, wsl_direction_of(tcp, side), piece);
    case WSL_KIND_TLS:
        return take_tls(analyzer, connection, tcp, side, over);
    case WSL_KIND_FOREIGN:
        break;
    }
    return piece->length;
}

/* Takes one piece of a side; true if anything moved. */
static bool step(WslAnalyzer *analyzer, WslTcp *tcp, unsigned side, bool over)
{
    WslPiece piece;

    if (!wsl_tcp_piece(analyzer->tcp, tcp, side, &piece))
        return false;
    if (!tcp->owner)
        wsl_connection_begin(analyzer, tcp);
    uint8_t kind = tcp->owner->kind;
    uint64_t taken = take(analyzer, tcp, side, &piece, over);
    wsl_tcp_consume(analyzer->tcp, tcp, side, taken);
    return taken || kind != tcp->owner->kind;
}

/* Bytes of both sides wait: the earlier packet goes first. -1: neither side has any, or both are stuck. */
static int next_side(WslAnalyzer *analyzer, WslTcp *tcp, const bool stuck[2])
{
    WslPiece pieces[2];
    bool has[2];

    for (unsigned side = 0; side < 2; side++)
        has[side] = !stuck[side] && wsl_tcp_piece(analyzer->tcp, tcp, side, &pieces[side]);
    if (has[0] && has[1])
        return pieces[1].packet < pieces[0].packet;
    return has[0] ? 0 : has[1] ? 1 : -1;
}

static bool is_foreign(const WslTcp *tcp)
{
    return tcp->owner && tcp->owner->kind == WSL_KIND_FOREIGN;
}

/* Pulls what both sides can give: what moved on one may be what the other waited for. */
static void drain(WslAnalyzer *analyzer, WslTcp *tcp, unsigned first, bool over)
{
    bool stuck[2] = {false, false};

    while (!tcp->trouble && !is_foreign(tcp))
        if (!step(analyzer, tcp, first, over))
            return;
    for (int side; !is_foreign(tcp) && (side = next_side(analyzer, tcp, stuck)) >= 0;) {
        stuck[side] = !step(analyzer, tcp, (unsigned)side, over);
        if (!stuck[side])
            stuck[!side] = false;
    }
}

static void note_end(WslAnalyzer *analyzer, WslConnection *connection, const WslArrival *arrival, uint32_t what)
{
    WslDirection direction = wsl_direction_of(connection->tcp, arrival->from);
    uint32_t ends[] = {what & WSL_ARRIVAL_FIN, what & WSL_ARRIVAL_RST};

    connection->directions[direction].ended = true;
    if (!connection->end_time) {
        connection->end_time = arrival->time;
        connection->end_packet = arrival->packet;
    }
    if (what & WSL_ARRIVAL_RST && !connection->rst_time)
        connection->rst_time = arrival->time;
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++)
        if (ends[i])
            WSL_TELL(analyzer, on_end, connection, direction, ends[i], arrival->time, arrival->packet);
}

void wsl_stream_pull(WslAnalyzer *analyzer, WslTcp *tcp, const WslArrival *arrival, uint32_t what)
{
    WslConnection *connection = tcp->owner;

    if (connection && connection->kind == WSL_KIND_WEBSOCKET && *analyzer->hearers.on_segment)
        WSL_TELL(analyzer, on_segment, connection, wsl_direction_of(tcp, arrival->from), arrival, what);
    if (what & WSL_ARRIVAL_NEW_DATA || tcp->trouble)
        drain(analyzer, tcp, arrival->from, false);
    wsl_tcp_settle(analyzer->tcp, tcp);
    connection = tcp->owner;
    if (!connection)
        return;
    if (connection->kind == WSL_KIND_FOREIGN) {
        wsl_connection_finish(analyzer, connection, false);
        tcp->owner = NULL;
        wsl_tcp_ignore(analyzer->tcp, tcp);
        return;
    }
    if (what & (WSL_ARRIVAL_FIN | WSL_ARRIVAL_RST) && tcp->client >= 0)
        note_end(analyzer, connection, arrival, what);
    connection->end = tcp->last_time;
    connection->last_packet = tcp->last_packet;
}

static void end_readers(WslAnalyzer *analyzer, WslConnection *connection)
{
    WslFrame frame;

    for (unsigned direction = 0; direction < 2; direction++) {
        WslDirectionState *own = &connection->directions[direction];
        if (own->reader && wsl_frames_unfinished(own->reader, &frame))
            tell_frame(analyzer, connection, direction, &frame);
        if (own->lost && own->lost_at && own->lost_at != WSL_LOST_SOON) {
            uint64_t sent = wsl_tcp_sent(connection->tcp, wsl_side_of(connection->tcp, direction));
            WSL_TELL(analyzer, on_found, connection, direction, sent > own->lost_at ? sent - own->lost_at : 0);
        }
    }
}

void wsl_stream_end(WslAnalyzer *analyzer, WslTcp *tcp, bool capture_over)
{
    wsl_tcp_give_up(analyzer->tcp, tcp);
    if (tcp->trouble)
        drain(analyzer, tcp, tcp->client > 0, true);
    WslConnection *connection = tcp->owner;
    tcp->owner = NULL;
    if (connection) {
        end_readers(analyzer, connection);
        connection->end = tcp->last_time;
        connection->last_packet = tcp->last_packet;
        wsl_connection_finish(analyzer, connection, capture_over);
    }
    wsl_tcp_release(analyzer->tcp, tcp);
}

/*
 * Beginnings and ends of connections: roles, when one becomes a WebSocket, how it ended, whether it is kept for the report.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "core/analyzer_state.h"

enum { HOSTS = 20, PATHS = 1000, RESENDS = 3 };

WslConnection *wsl_connection_begin(WslAnalyzer *analyzer, WslTcp *tcp)
{
    WslConnection *connection = wsl_slab_take(analyzer->connections);

    connection->tcp = tcp;
    connection->stream = tcp->stream;
    connection->start = connection->end = tcp->first_time;
    connection->first_packet = connection->last_packet = tcp->first_packet;
    connection->initiated_by = connection->ended_by = connection->silent = -1;
    connection->directions[0].close_code = connection->directions[1].close_code = -1;
    if (tcp->flags & (WSL_TCP_SAW_SYN | WSL_TCP_SAW_ANSWER))
        connection->marks |= WSL_SAW_START;
    tcp->owner = connection;
    if (tcp->client >= 0)
        wsl_connection_know_roles(analyzer, connection);
    return connection;
}

void wsl_connection_know_roles(WslAnalyzer *analyzer, WslConnection *connection)
{
    WslFlowKey key = wsl_tcp_key(connection->tcp);
    unsigned client = (unsigned)connection->tcp->client;

    (void)analyzer;
    connection->address[0] = key.address[client];
    connection->address[1] = key.address[!client];
    connection->port[0] = key.port[client];
    connection->port[1] = key.port[!client];
    connection->ipv6 = key.ipv6;
}

static void join_endpoint(WslAnalyzer *analyzer, WslConnection *connection)
{
    if (connection->endpoint)
        return;
    connection->endpoint =
        wsl_endpoint(analyzer->endpoints, connection->address[1], connection->port[1], connection->ipv6);
    if (!connection->endpoint)
        return;
    connection->endpoint->connections++;
    wsl_endpoint_speaks(connection->endpoint);
}

/* The rules for one direction's frames, from what the handshake said. */
static WslFrameRules rules_of(const WslConnection *connection, WslDirection direction)
{
    const WslUpgrade *upgrade = connection->upgrade;
    WslFrameRules rules = {.from_client = direction == WSL_CLIENT_TO_SERVER};
    uint32_t flags = upgrade ? upgrade->flags : 0;
    bool known = connection->marks & WSL_IS_SKIPPED ||
                 (upgrade && flags & WSL_UPGRADE_ANSWERED && !(flags & WSL_UPGRADE_EXTENSIONS_UNKNOWN));

    rules.judge_bits = known;
    rules.deflate = flags & WSL_UPGRADE_DEFLATE;
    if (flags & (WSL_UPGRADE_DEFLATE | WSL_UPGRADE_FRAME_DEFLATE))
        rules.owned_bits = WSL_RSV1;
    if (flags & WSL_UPGRADE_FRAME_DEFLATE && rules.deflate)
        rules.deflate = false; /* either may own the bit of any frame */
    if (!known || flags & WSL_UPGRADE_OTHER_EXTENSION) {
        rules.owned_bits = WSL_RSV1 | WSL_RSV2 | WSL_RSV3;
        rules.opaque_bits = true;
    }
    return rules;
}

/* Behind a head that is not whole, where frames begin is to be shown by the frames. */
static void doubt_places(WslConnection *connection)
{
    bool joined = connection->marks & (WSL_START_MISSING | WSL_ANSWER_LOST) || !(connection->marks & WSL_SAW_START);

    for (unsigned direction = 0; joined && direction < 2; direction++)
        connection->directions[direction].reader_state |= WSL_READER_JOINED;
    for (unsigned direction = 0; connection->exchange && direction < 2; direction++) {
        WslDirectionState *own = &connection->directions[direction];
        WslHeadPlace place = wsl_exchange_place(connection->exchange, direction == WSL_CLIENT_TO_SERVER);
        bool unseen = direction == WSL_CLIENT_TO_SERVER && !connection->upgrade->requested;
        if (place == WSL_PLACE_SURE && !unseen)
            continue;
        own->lost = true;
        own->likely_place = place != WSL_PLACE_UNKNOWN;
        own->lost_at = WSL_LOST_SOON;
    }
}

void wsl_connection_open(WslAnalyzer *analyzer, WslConnection *connection, WslTime time)
{
    connection->kind = WSL_KIND_WEBSOCKET;
    connection->marks |= WSL_IS_WEBSOCKET;
    connection->opened = time;
    doubt_places(connection);
    g_clear_pointer(&connection->exchange, wsl_exchange_free);
    connection->rules[WSL_CLIENT_TO_SERVER] = rules_of(connection, WSL_CLIENT_TO_SERVER);
    connection->rules[WSL_SERVER_TO_CLIENT] = rules_of(connection, WSL_SERVER_TO_CLIENT);
    analyzer->totals.websocket_connections++;
    join_endpoint(analyzer, connection);
    wsl_endpoint_log(analyzer->endpoints, connection->endpoint, WSL_LOG_OPENED, time, connection->stream, 0);
    WSL_TELL(analyzer, on_open, connection);
}

void wsl_connection_refused(WslAnalyzer *analyzer, WslConnection *connection)
{
    join_endpoint(analyzer, connection);
    wsl_endpoint_log(analyzer->endpoints, connection->endpoint, WSL_LOG_UPGRADE_REFUSED, connection->upgrade->answered,
                     connection->stream, connection->upgrade->status);
}

void wsl_connection_free(WslAnalyzer *analyzer, WslConnection *connection)
{
    for (unsigned i = 0; i < 2; i++) {
        if (connection->directions[i].reader)
            wsl_frames_clear(connection->directions[i].reader);
        g_free(connection->directions[i].reader);
        g_free(connection->directions[i].close_reason);
    }
    wsl_upgrade_free(connection->upgrade);
    wsl_exchange_free(connection->exchange);
    wsl_hello_free(connection->hello);
    g_free(connection->client_named);
    wsl_slab_give(analyzer->connections, connection);
}

int wsl_connection_seen_code(const WslConnection *connection, WslDirection direction)
{
    const WslDirectionState *sent = &connection->directions[direction];

    if (sent->close)
        return sent->close_code >= 0 ? sent->close_code : 1005;
    if (connection->silent >= 0)
        return connection->silent == (int)wsl_other(direction) && !sent->lost ? 1006 : -1;
    return sent->lost || sent->tail_missing || connection->how == WSL_HOW_OPEN || !connection->end_time ? -1 : 1006;
}

/* Unanswered data for three retransmission timeouts and some seconds before the capture ends: the other end is gone. */
static int unanswered(const WslAnalyzer *analyzer, const WslConnection *connection)
{
    const WslTcp *tcp = connection->tcp;
    WslTime patience = (WslTime)(analyzer->options->settings[WSL_SET_SILENT_S] * (double)WSL_SECOND);

    for (unsigned side = 0; tcp->trouble && side < 2; side++) {
        WslTime since = tcp->trouble->side[side].unanswered_since;
        if (since && tcp->trouble->side[side].resends >= RESENDS && wsl_tcp_clock(analyzer->tcp) - since >= patience)
            return (int)wsl_direction_of(tcp, side);
    }
    return -1;
}

static void judge_end(const WslAnalyzer *analyzer, WslConnection *connection, bool capture_over)
{
    const WslTcp *tcp = connection->tcp;

    if (capture_over && !connection->end_time)
        connection->silent = (int8_t)unanswered(analyzer, connection);
    if (connection->directions[0].close || connection->directions[1].close)
        connection->how = WSL_HOW_CLOSE_FRAME;
    else if (!connection->end_time)
        connection->how = connection->silent >= 0 ? WSL_HOW_SILENT : WSL_HOW_OPEN;
    else
        connection->how = tcp->flags & WSL_TCP_RST_FIRST ? WSL_HOW_RST : WSL_HOW_FIN;
    if (tcp->first_end >= 0 && tcp->client >= 0)
        connection->ended_by = (int8_t)wsl_direction_of(tcp, (unsigned)tcp->first_end);
}

static void take_tcp_figures(WslConnection *connection)
{
    const WslTcp *tcp = connection->tcp;

    for (unsigned direction = 0; direction < 2; direction++) {
        unsigned side = wsl_side_of(tcp, direction);
        connection->round_trips[direction] = tcp->round_trips[side];
        /* One number beyond what was seen may be that of a FIN which the capture lacks. */
        connection->directions[direction].tail_missing = wsl_tcp_sent(tcp, side) > tcp->side[side].offset ||
                                                         wsl_tcp_acknowledged(tcp, side) > tcp->side[side].offset + 1;
        if (!tcp->trouble)
            continue;
        connection->directions[direction].retransmitted = tcp->trouble->side[side].retransmitted;
        connection->directions[direction].missing = tcp->trouble->side[side].missing;
    }
}

static void tell_endpoint(WslAnalyzer *analyzer, WslConnection *connection)
{
    WslEndpoint *endpoint = connection->endpoint;
    const WslUpgrade *upgrade = connection->upgrade;

    if (!endpoint)
        return;
    if (upgrade && upgrade->host)
        wsl_count_text(endpoint->hosts, upgrade->host, HOSTS);
    if (upgrade && upgrade->path)
        wsl_count_text(endpoint->paths, upgrade->path, PATHS);
    if (upgrade && upgrade->status)
        wsl_count_number(endpoint->statuses, upgrade->status);
    if (upgrade && upgrade->status && upgrade->requested)
        wsl_durations_add(&endpoint->upgrades, upgrade->answered - upgrade->requested);
    for (unsigned i = 0; i < 2; i++) {
        endpoint->messages[i] += connection->directions[i].messages;
        endpoint->payload_bytes += connection->directions[i].payload_bytes;
        endpoint->retransmitted += connection->directions[i].retransmitted;
    }
    if (!(connection->marks & WSL_IS_WEBSOCKET))
        return;
    endpoint->open_seconds += (double)MAX(connection->end - connection->opened, 0) / (double)WSL_SECOND;
    wsl_endpoint_log(analyzer->endpoints, endpoint, WSL_LOG_OVER, connection->end, connection->stream, connection->how);
    int code = wsl_connection_seen_code(connection, WSL_SERVER_TO_CLIENT);
    if (code >= 0)
        wsl_count_number(endpoint->close_codes, (uint64_t)code);
}

/* Listed ones are limited in number: one with a finding displaces one without. */
static void list(WslAnalyzer *analyzer, WslConnection *connection)
{
    guint index = analyzer->listed->len;
    bool finding = connection->marks & WSL_HAS_FINDING;

    if (index >= analyzer->options->max_connections) {
        analyzer->totals.connections_not_listed++;
        if (!finding || !analyzer->displaceable->len) {
            wsl_connection_free(analyzer, connection);
            return;
        }
        index = g_array_index(analyzer->displaceable, guint, analyzer->displaceable->len - 1);
        g_array_set_size(analyzer->displaceable, analyzer->displaceable->len - 1);
        wsl_connection_free(analyzer, g_ptr_array_index(analyzer->listed, index));
        g_ptr_array_index(analyzer->listed, index) = connection;
        return;
    }
    g_ptr_array_add(analyzer->listed, connection);
    if (!finding)
        g_array_append_val(analyzer->displaceable, index);
}

void wsl_connection_finish(WslAnalyzer *analyzer, WslConnection *connection, bool capture_over)
{
    bool counts = connection->marks & WSL_IS_WEBSOCKET || connection->upgrade;

    if (!counts || connection->tcp->client < 0) {
        wsl_connection_free(analyzer, connection);
        return;
    }
    judge_end(analyzer, connection, capture_over);
    take_tcp_figures(connection);
    if (capture_over && !connection->end_time)
        connection->marks |= WSL_OPEN_AT_END;
    join_endpoint(analyzer, connection);
    WSL_TELL(analyzer, on_connection_end, connection);
    tell_endpoint(analyzer, connection);
    connection->marks |= WSL_IS_OVER;
    connection->tcp = NULL;
    wsl_exchange_free(connection->exchange);
    connection->exchange = NULL;
    if (analyzer->listener && analyzer->listener->connection)
        analyzer->listener->connection(analyzer->listener->user, analyzer, connection);
    list(analyzer, connection);
}

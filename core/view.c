/*
 * The public model: what reports read of an analysis (wsleuth.h).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "core/analyzer_state.h"

enum { PATHS_SHOWN = 20 };

const char *wsl_direction_name(WslDirection direction)
{
    static const char *const names[] = {"client_to_server", "server_to_client", ""};

    return names[direction];
}

uint64_t wsl_analyzer_salt(const WslAnalyzer *analyzer)
{
    return analyzer->salt;
}

void wsl_analyzer_capture(const WslAnalyzer *analyzer, WslCaptureView *view)
{
    *view = analyzer->capture;
    view->duplicate_packets = wsl_tcp_counts(analyzer->tcp)->duplicates;
}

void wsl_analyzer_totals(const WslAnalyzer *analyzer, WslTotals *totals)
{
    *totals = analyzer->totals;
    totals->tcp_streams = wsl_tcp_counts(analyzer->tcp)->streams;
    wsl_findings_totals(analyzer->findings, totals);
}

static void view_direction(const WslDirectionState *state, WslDirectionView *view)
{
    *view = (WslDirectionView){
        .text = state->text,
        .binary = state->binary,
        .continuation = state->continuation,
        .ping = state->ping,
        .pong = state->pong,
        .close = state->close,
        .messages = state->messages,
        .payload_bytes = state->payload_bytes,
        .message_bytes = state->message_bytes,
        .masked_frames = state->masked,
        .unread_messages = state->unread,
        .retransmitted_bytes = state->retransmitted,
        .missing_bytes = state->missing,
        .close_code = state->close_code,
        .close_reason = state->close_reason,
    };
    view->frames = (uint64_t)state->text + state->binary + state->continuation + state->ping + state->pong +
                   state->close + state->reserved;
}

static void view_upgrade(const WslUpgrade *upgrade, WslUpgradeView *view)
{
    *view = (WslUpgradeView){.round_trip = -1};
    if (!upgrade)
        return;
    view->known = true;
    view->status = upgrade->status;
    view->host = upgrade->host;
    view->path = upgrade->path;
    view->origin = upgrade->origin;
    view->user_agent = upgrade->user_agent;
    view->subprotocol = upgrade->subprotocol;
    view->extensions = upgrade->extensions;
    view->accept_known = upgrade->flags & WSL_UPGRADE_ACCEPT_KNOWN;
    view->accept_valid = upgrade->flags & WSL_UPGRADE_ACCEPT_VALID;
    if (upgrade->requested && upgrade->flags & WSL_UPGRADE_ANSWERED)
        view->round_trip = MAX(upgrade->answered - upgrade->requested, 0);
}

/* Where the capture was taken splits the round trip in two: what was seen of it is said. */
static void view_round_trips(const WslConnection *connection, WslConnectionView *view)
{
    const WslRoundTrips *trips = connection->tcp ? NULL : connection->round_trips;
    static const char *const legs[] = {NULL, "client", "server", "both"};

    if (!trips)
        return;
    unsigned seen = (trips[0].shortest_us ? 1U : 0) | (trips[1].shortest_us ? 2U : 0);
    view->rtt_leg = legs[seen];
    view->rtt_min = ((WslTime)trips[0].shortest_us + trips[1].shortest_us) * 1000;
    view->rtt_median = wsl_round_trips_median(&trips[0]) + wsl_round_trips_median(&trips[1]);
}

static void view_end(const WslConnection *connection, WslConnectionView *view)
{
    const WslDirectionState *up = &connection->directions[WSL_CLIENT_TO_SERVER],
                            *down = &connection->directions[WSL_SERVER_TO_CLIENT];

    view->how = (WslHow)connection->how;
    view->code = -1;
    view->initiated_by = WSL_NO_DIRECTION;
    view->client_sees = wsl_connection_seen_code(connection, WSL_SERVER_TO_CLIENT);
    view->server_sees = wsl_connection_seen_code(connection, WSL_CLIENT_TO_SERVER);
    view->clean = up->close && down->close &&
                  (!connection->rst_time || connection->rst_time >= MAX(up->close_time, down->close_time));
    if (connection->initiated_by < 0)
        return;
    const WslDirectionState *first = &connection->directions[connection->initiated_by];
    view->initiated_by = (WslDirection)connection->initiated_by;
    view->code = first->close_code;
    view->reason = first->close_reason;
}

void wsl_connection_view(const WslAnalyzer *analyzer, const WslConnection *connection, WslConnectionView *view)
{
    *view = (WslConnectionView){
        .stream = connection->stream,
        .start = connection->start,
        .end = connection->end,
        .first_packet = connection->first_packet,
        .last_packet = connection->last_packet,
        .transport = WSL_TRANSPORT_WS,
        .from_start = connection->marks & WSL_SAW_START,
        .websocket = connection->marks & WSL_IS_WEBSOCKET,
        .has_findings = connection->marks & WSL_HAS_FINDING,
        .ended_known = connection->marks & WSL_IS_WEBSOCKET,
        .client_named = connection->client_named,
    };
    wsl_tcp_end_text(analyzer->tcp, connection->address[0], connection->ipv6, connection->port[0], view->client);
    wsl_tcp_end_text(analyzer->tcp, connection->address[1], connection->ipv6, connection->port[1], view->server);
    if (!view->client_named && connection->upgrade)
        view->client_named = connection->upgrade->client_named;
    view_upgrade(connection->upgrade, &view->upgrade);
    view_direction(&connection->directions[0], &view->directions[0]);
    view_direction(&connection->directions[1], &view->directions[1]);
    view_round_trips(connection, view);
    view->ping_median = MIN(wsl_round_trips_median(&connection->pings), (WslTime)connection->ping_max_us * 1000);
    view->ping_max = (WslTime)connection->ping_max_us * 1000;
    view_end(connection, view);
}

size_t wsl_analyzer_connection_count(const WslAnalyzer *analyzer)
{
    return analyzer->listed->len;
}

uint64_t wsl_analyzer_connection_weight(const WslAnalyzer *analyzer, size_t index, bool *has_findings)
{
    const WslConnection *connection = g_ptr_array_index(analyzer->listed, index);

    *has_findings = connection->marks & WSL_HAS_FINDING;
    return connection->directions[0].payload_bytes + connection->directions[1].payload_bytes;
}

void wsl_analyzer_connection(const WslAnalyzer *analyzer, size_t index, WslConnectionView *view)
{
    wsl_connection_view(analyzer, g_ptr_array_index(analyzer->listed, index), view);
}

size_t wsl_analyzer_finding_count(const WslAnalyzer *analyzer)
{
    return wsl_findings_count(analyzer->findings);
}

const WslFinding *wsl_analyzer_finding(const WslAnalyzer *analyzer, size_t index)
{
    return wsl_findings_at(analyzer->findings, index);
}

size_t wsl_analyzer_max_findings(const WslAnalyzer *analyzer)
{
    return analyzer->options->max_findings;
}

uint64_t wsl_analyzer_found(const WslAnalyzer *analyzer, size_t row)
{
    return wsl_findings_found(analyzer->findings, row);
}

size_t wsl_analyzer_server_count(const WslAnalyzer *analyzer)
{
    return analyzer->servers ? analyzer->servers->len : 0;
}

static gint by_address(gconstpointer a, gconstpointer b, gpointer user)
{
    const WslAnalyzer *analyzer = user;
    const WslEndpoint *x = *(WslEndpoint *const *)a, *y = *(WslEndpoint *const *)b;
    char one[64], other[64];

    if (x->ipv6 != y->ipv6)
        return x->ipv6 ? 1 : -1;
    if (!x->ipv6 && x->address != y->address)
        return x->address < y->address ? -1 : 1;
    if (x->ipv6) { /* numbers of IPv6 addresses stand for their order of appearance */
        wsl_tcp_end_text(analyzer->tcp, x->address, true, 0, one);
        wsl_tcp_end_text(analyzer->tcp, y->address, true, 0, other);
        int order = strcmp(one, other);
        if (order)
            return order;
    }
    return (int)x->port - (int)y->port;
}

void wsl_view_settle(WslAnalyzer *analyzer)
{
    analyzer->servers = wsl_endpoints_speaking(analyzer->endpoints);
    g_ptr_array_sort_with_data(analyzer->servers, by_address, analyzer);
}

typedef struct {
    const char *text;
    uint64_t count;
} Used;

static gint most_used_first(gconstpointer a, gconstpointer b)
{
    const Used *x = a, *y = b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return strcmp(x->text, y->text);
}

static GArray *by_use(GHashTable *table)
{
    GArray *used = g_array_new(FALSE, FALSE, sizeof(Used));
    GHashTableIter iter;
    gpointer key, count;

    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, &key, &count)) {
        Used one = {key, *(uint64_t *)count};
        g_array_append_val(used, one);
    }
    g_array_sort(used, most_used_first);
    return used;
}

static void view_names(const WslEndpoint *endpoint, WslServerView *view)
{
    g_autoptr(GArray) hosts = by_use(endpoint->hosts);
    g_autoptr(GArray) paths = by_use(endpoint->paths);

    view->hosts = g_ptr_array_new();
    view->paths = g_ptr_array_new();
    view->path_counts = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    for (guint i = 0; i < hosts->len; i++)
        g_ptr_array_add(view->hosts, (gpointer)(uintptr_t)g_array_index(hosts, Used, i).text);
    for (guint i = 0; i < MIN(paths->len, PATHS_SHOWN); i++) {
        g_ptr_array_add(view->paths, (gpointer)(uintptr_t)g_array_index(paths, Used, i).text);
        g_array_append_val(view->path_counts, g_array_index(paths, Used, i).count);
    }
}

static gint by_value(gconstpointer a, gconstpointer b)
{
    const WslTally *x = a, *y = b;

    return x->value < y->value ? -1 : x->value > y->value;
}

static GArray *tallies(GHashTable *table)
{
    GArray *array = g_array_new(FALSE, FALSE, sizeof(WslTally));
    GHashTableIter iter;
    gpointer key, count;

    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, &key, &count)) {
        WslTally tally = {*(uint64_t *)key, *(uint64_t *)count};
        g_array_append_val(array, tally);
    }
    g_array_sort(array, by_value);
    return array;
}

static void view_traffic(const WslEndpoint *endpoint, WslServerView *view)
{
    static const char *const directions[] = {"idle", "client-only", "server-only", "both"};
    unsigned speaking =
        (endpoint->messages[WSL_CLIENT_TO_SERVER] ? 1U : 0) | (endpoint->messages[WSL_SERVER_TO_CLIENT] ? 2U : 0);

    for (unsigned i = 0; i < 2; i++)
        view->messages_per_min[i] =
            endpoint->open_seconds > 0 ? (double)endpoint->messages[i] * 60 / endpoint->open_seconds : 0;
    view->open_s = endpoint->open_seconds;
    view->direction = directions[speaking];
    uint64_t sent = endpoint->payload_bytes + endpoint->retransmitted;
    view->retransmitted_share = sent ? (double)endpoint->retransmitted / (double)sent : 0;
}

void wsl_analyzer_server(const WslAnalyzer *analyzer, size_t index, WslServerView *view)
{
    const WslEndpoint *endpoint = g_ptr_array_index(analyzer->servers, index);

    *view = (WslServerView){0};
    wsl_tcp_end_text(analyzer->tcp, endpoint->address, endpoint->ipv6, endpoint->port, view->server);
    view_names(endpoint, view);
    view->connections = endpoint->connections;
    wsl_endpoint_peaks(endpoint, &view->open_at_most, &view->opened_per_s_at_most);
    view->statuses = tallies(endpoint->statuses);
    view->close_codes = tallies(endpoint->close_codes);
    view->upgrade_median = wsl_durations_median(&endpoint->upgrades);
    view->upgrade_max = endpoint->upgrades.most;
    view->ping_median = wsl_durations_median(&endpoint->pings);
    view->ping_max = endpoint->pings.most;
    view_traffic(endpoint, view);
}

void wsl_server_view_clear(WslServerView *view)
{
    g_ptr_array_free(view->hosts, TRUE);
    g_ptr_array_free(view->paths, TRUE);
    g_array_free(view->path_counts, TRUE);
    g_array_free(view->statuses, TRUE);
    g_array_free(view->close_codes, TRUE);
}

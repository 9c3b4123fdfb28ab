/*
 * The way of a packet: wires the stages together, in the order in which a packet passes them.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "core/analyzer_state.h"

/* So many first packets make the salt: the same for whoever reads the same capture. */
enum { SALT_PACKETS = 4, SALT_BYTES = 256 };

static WslDetector **hearers_of(WslAnalyzer *analyzer, size_t callback)
{
    GPtrArray *hearers = g_ptr_array_new();

    for (size_t i = 0; i < wsl_detector_type_count; i++) {
        void *function;
        memcpy(&function, (const char *)wsl_detector_types[i] + callback, sizeof function);
        if (function)
            g_ptr_array_add(hearers, &analyzer->detectors[i]);
    }
    g_ptr_array_add(hearers, NULL);
    return (WslDetector **)g_ptr_array_free(hearers, FALSE);
}

/* One row for each event: where its list stands, and which callback of a type it calls. */
#define EVENT(name)                                                                                                    \
    {                                                                                                                  \
        offsetof(WslHearers, name), offsetof(WslDetectorType, name)                                                    \
    }
static const struct {
    size_t list, callback;
} events[] = {EVENT(on_request), EVENT(on_response), EVENT(on_open),           EVENT(on_frame),
              EVENT(on_segment), EVENT(on_hole),     EVENT(on_lost),           EVENT(on_found),
              EVENT(on_end),     EVENT(on_tls),      EVENT(on_connection_end), EVENT(on_finish)};
#undef EVENT

static void set_up_detectors(WslAnalyzer *analyzer)
{
    analyzer->detectors = g_new0(WslDetector, wsl_detector_type_count);
    for (size_t i = 0; i < wsl_detector_type_count; i++) {
        const WslDetectorType *type = wsl_detector_types[i];
        analyzer->detectors[i] = (WslDetector){type, analyzer, analyzer->kept_bytes, g_malloc0(MAX(type->keeps, 1))};
        analyzer->kept_bytes += (type->keeps_per_connection + 7) & ~(size_t)7;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(events); i++)
        *(WslDetector ***)(void *)((char *)&analyzer->hearers + events[i].list) =
            hearers_of(analyzer, events[i].callback);
}

WslAnalyzer *wsl_analyzer_new(const WslOptions *options, const WslListener *listener)
{
    WslAnalyzer *analyzer = g_new0(WslAnalyzer, 1);
    const double *set = options->settings;
    WslTcpLimits limits = {
        .held_per_side = (uint64_t)set[WSL_SET_LIMIT_HELD],
        .held_in_all = (uint64_t)set[WSL_SET_LIMIT_HELD_IN_ALL],
        .streams = (uint64_t)set[WSL_SET_LIMIT_STREAMS],
        .linger = (WslTime)(set[WSL_SET_LINGER_S] * (double)WSL_SECOND),
    };

    analyzer->options = options;
    analyzer->listener = listener;
    analyzer->tcp = wsl_tcp_new(&limits);
    analyzer->endpoints = wsl_endpoints_new((size_t)set[WSL_SET_LIMIT_ENDPOINTS], (size_t)set[WSL_SET_LIMIT_LOG]);
    analyzer->findings = wsl_findings_new(analyzer, options, listener);
    analyzer->capture.link_types = g_array_new(FALSE, FALSE, sizeof(guint16));
    analyzer->listed = g_ptr_array_new();
    analyzer->displaceable = g_array_new(FALSE, FALSE, sizeof(guint));
    set_up_detectors(analyzer);
    analyzer->connections = wsl_slab_new(sizeof(WslConnection) + analyzer->kept_bytes);
    return analyzer;
}

void wsl_analyzer_free(WslAnalyzer *analyzer)
{
    for (size_t i = 0; i < wsl_detector_type_count; i++) {
        if (analyzer->detectors[i].type->free)
            analyzer->detectors[i].type->free(&analyzer->detectors[i]);
        g_free(analyzer->detectors[i].all);
    }
    g_free(analyzer->detectors);
    for (size_t i = 0; i < G_N_ELEMENTS(events); i++)
        g_free(*(void **)(void *)((char *)&analyzer->hearers + events[i].list));
    for (WslTcp *tcp; (tcp = wsl_tcp_next_open(analyzer->tcp)); wsl_tcp_release(analyzer->tcp, tcp))
        if (tcp->owner)
            wsl_connection_free(analyzer, tcp->owner);
    wsl_tcp_free(analyzer->tcp);
    wsl_findings_free(analyzer->findings);
    for (guint i = 0; i < analyzer->listed->len; i++)
        wsl_connection_free(analyzer, g_ptr_array_index(analyzer->listed, i));
    g_ptr_array_free(analyzer->listed, TRUE);
    wsl_slab_free(analyzer->connections);
    if (analyzer->servers)
        g_ptr_array_free(analyzer->servers, TRUE);
    wsl_endpoints_free(analyzer->endpoints);
    g_array_free(analyzer->displaceable, TRUE);
    g_array_free(analyzer->capture.link_types, TRUE);
    g_free(analyzer);
}

static void salt_with(WslAnalyzer *analyzer, const WslPacket *packet)
{
    uint64_t hash = analyzer->salt ^ (uint64_t)packet->time;

    for (uint32_t i = 0; i < MIN(packet->captured, SALT_BYTES); i++)
        hash = (hash ^ packet->data[i]) * 0x100000001b3U;
    analyzer->salt = hash * 0x9e3779b97f4a7c15U;
    analyzer->salted++;
}

static void note_link_type(WslAnalyzer *analyzer, uint16_t link_type)
{
    GArray *types = analyzer->capture.link_types;

    for (guint i = 0; i < types->len; i++)
        if (g_array_index(types, guint16, i) == link_type)
            return;
    g_array_append_val(types, link_type);
}

static void count_packet(WslAnalyzer *analyzer, const WslPacket *packet)
{
    WslCaptureView *capture = &analyzer->capture;

    if (!capture->packets++)
        capture->first_time = capture->last_time = packet->time;
    capture->bytes += packet->length;
    capture->first_time = MIN(capture->first_time, packet->time);
    capture->last_time = MAX(capture->last_time, packet->time);
    if (packet->captured < packet->length) {
        capture->truncated_packets++;
        analyzer->snaplen = MAX(analyzer->snaplen, packet->captured);
    }
    if (analyzer->salted < SALT_PACKETS)
        salt_with(analyzer, packet);
    if (!capture->link_types->len ||
        g_array_index(capture->link_types, guint16, capture->link_types->len - 1) != packet->link_type)
        note_link_type(analyzer, packet->link_type);
}

/* First pass over a batch: headers are decoded and hashed, so that the flow table's lines are on their way. */
static size_t decode(WslAnalyzer *analyzer, const WslPacket *packets, size_t count)
{
    size_t arrived = 0;

    for (size_t i = 0; i < count; i++) {
        WslArrival *arrival = &analyzer->arrivals[arrived];
        count_packet(analyzer, &packets[i]);
        WslDecodeResult result = wsl_segment_decode(&packets[i], &arrival->segment);
        if (result != WSL_DECODED) {
            analyzer->capture.undecodable_packets++;
            analyzer->capture.undecodable[result]++;
            continue;
        }
        arrival->time = packets[i].time;
        arrival->packet = packets[i].number;
        wsl_tcp_prepare(analyzer->tcp, arrival);
        arrived++;
    }
    return arrived;
}

/* The endpoint's log hears of every attempt, long before anyone knows whether it speaks WebSocket. */
static void log_attempt(WslAnalyzer *analyzer, const WslTcp *tcp, const WslArrival *arrival, uint32_t what)
{
    unsigned server = what & WSL_ARRIVAL_ATTEMPT ? !arrival->from : arrival->from;
    WslEndpoint *endpoint =
        wsl_endpoint(analyzer->endpoints, arrival->key.address[server], arrival->key.port[server], arrival->key.ipv6);

    wsl_endpoint_log(analyzer->endpoints, endpoint, what & WSL_ARRIVAL_ATTEMPT ? WSL_LOG_ATTEMPT : WSL_LOG_REFUSED,
                     arrival->time, tcp->stream, 0);
}

static void work_on(WslAnalyzer *analyzer, const WslArrival *arrival)
{
    WslTcpTable *table = analyzer->tcp;
    WslTcp *old = wsl_tcp_superseded(table, arrival);
    WslPlace place;

    if (G_UNLIKELY(old))
        wsl_stream_end(analyzer, old, false);
    wsl_tcp_place(table, arrival, &place);
    if (place.tcp) {
        wsl_tcp_advance(table, arrival, &place);
        if (G_UNLIKELY(place.what & (WSL_ARRIVAL_ATTEMPT | WSL_ARRIVAL_REFUSED)))
            log_attempt(analyzer, place.tcp, arrival, place.what);
        if (!(place.what & WSL_ARRIVAL_DUPLICATE))
            wsl_stream_pull(analyzer, place.tcp, arrival, place.what);
        if (G_UNLIKELY(place.what & WSL_ARRIVAL_REFUSED) && !place.tcp->owner)
            wsl_tcp_release(table, place.tcp); /* nothing more will come of it but its number */
    }
    while ((old = wsl_tcp_next_over(table)))
        wsl_stream_end(analyzer, old, false);
}

static void prefetch_owner(const WslAnalyzer *analyzer, const WslArrival *arrival)
{
    const WslTcp *tcp = wsl_tcp_expected(arrival);
    const char *owner = tcp ? (const char *)tcp->owner : NULL;

    for (size_t line = 0; owner && line < sizeof(WslConnection) + analyzer->kept_bytes; line += 64)
        __builtin_prefetch(owner + line, 1);
}

void wsl_analyzer_packets(WslAnalyzer *analyzer, const WslPacket *packets, size_t count)
{
    size_t arrived = decode(analyzer, packets, MIN(count, WSL_BATCH_MAX));

    for (size_t i = 0; i < arrived; i++)
        wsl_tcp_look_up(analyzer->tcp, &analyzer->arrivals[i]);
    for (size_t i = 0; i < arrived; i++)
        wsl_tcp_prefetch(&analyzer->arrivals[i]);
    for (size_t i = 0; i < arrived; i++)
        prefetch_owner(analyzer, &analyzer->arrivals[i]);
    for (size_t i = 0; i < arrived; i++)
        work_on(analyzer, &analyzer->arrivals[i]);
}

static gint by_first_packet(gconstpointer a, gconstpointer b)
{
    const WslConnection *x = *(WslConnection *const *)a, *y = *(WslConnection *const *)b;

    if (x->first_packet != y->first_packet)
        return x->first_packet < y->first_packet ? -1 : 1;
    return x->stream < y->stream ? -1 : x->stream > y->stream;
}

static bool is_in_order(const GPtrArray *connections)
{
    for (guint i = 1; i < connections->len; i++)
        if (by_first_packet(&g_ptr_array_index(connections, i - 1), &g_ptr_array_index(connections, i)) > 0)
            return false;
    return true;
}

void wsl_analyzer_finish(WslAnalyzer *analyzer)
{
    for (WslTcp *tcp; (tcp = wsl_tcp_next_open(analyzer->tcp));)
        wsl_stream_end(analyzer, tcp, true);
    WSL_TELL(analyzer, on_finish);
    if (!is_in_order(analyzer->listed))
        g_ptr_array_sort(analyzer->listed, by_first_packet);
    wsl_findings_sort(analyzer->findings);
    wsl_view_settle(analyzer);
}

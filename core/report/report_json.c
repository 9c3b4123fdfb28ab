/*
 * The JSON report and its lines (ndjson), by the contract's "wsleuth/1".
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "core/report/report.h"

enum { FLUSH_AT = 1 << 16 };

typedef struct {
    WslJson json;
    const WslAnalyzer *analyzer;
    const WslShown *shown;
} Writer;

static void flush_if_large(const WslSink *sink)
{
    if (sink->out->len >= FLUSH_AT)
        sink->flush(sink->user, sink->out);
}

static void put_wire_element(Writer *writer, const char *text)
{
    g_autofree char *safe = wsl_shown_text(writer->shown, writer->analyzer, text);

    wsl_json_string(&writer->json, safe);
}

static void put_wire_text(Writer *writer, const char *key, const char *text)
{
    if (!text)
        return;
    wsl_json_key(&writer->json, key);
    put_wire_element(writer, text);
}

static void put_number(WslJson *json, const char *key, double value)
{
    wsl_json_key(json, key);
    wsl_json_number(json, value);
}

static void write_capture(Writer *writer)
{
    WslJson *json = &writer->json;
    WslCaptureView view;

    wsl_analyzer_capture(writer->analyzer, &view);
    wsl_json_key(json, "capture");
    wsl_json_object(json);
    wsl_json_key(json, "files");
    wsl_json_array(json);
    for (const char *const *file = writer->shown->files; file && *file; file++)
        wsl_json_string(json, *file);
    wsl_json_array_end(json);
    wsl_json_put_uint(json, "packets", view.packets);
    wsl_json_put_uint(json, "bytes", view.bytes);
    if (view.packets) {
        wsl_json_put_seconds(json, "first_time", view.first_time);
        wsl_json_put_seconds(json, "last_time", view.last_time);
    }
    wsl_json_put_seconds(json, "duration_s", view.last_time - view.first_time);
    wsl_json_key(json, "link_types");
    wsl_json_array(json);
    for (guint i = 0; i < view.link_types->len; i++) {
        guint16 type = g_array_index(view.link_types, guint16, i);
        const char *name = wsl_link_type_name(type);
        g_autofree char *number = g_strdup_printf("LINKTYPE_%u", type);
        wsl_json_string(json, name ? name : number);
    }
    wsl_json_array_end(json);
    wsl_json_put_uint(json, "truncated_packets", view.truncated_packets);
    wsl_json_put_uint(json, "duplicate_packets", view.duplicate_packets);
    wsl_json_put_uint(json, "undecodable_packets", view.undecodable_packets);
    wsl_json_key(json, "undecodable");
    wsl_json_object(json);
    for (unsigned i = 0; i < WSL_DECODE_RESULTS; i++)
        if (view.undecodable[i])
            wsl_json_put_uint(json, wsl_decode_result_name(i), view.undecodable[i]);
    wsl_json_object_end(json);
    wsl_json_put_bool(json, "complete", writer->shown->complete);
    wsl_json_object_end(json);
}

static void write_totals(Writer *writer)
{
    WslJson *json = &writer->json;
    WslTotals totals;
    size_t rows;
    const WslCatalogueEntry *catalogue = wsl_catalogue(&rows);

    wsl_analyzer_totals(writer->analyzer, &totals);
    wsl_json_key(json, "totals");
    wsl_json_object(json);
    wsl_json_put_uint(json, "tcp_streams", totals.tcp_streams);
    wsl_json_put_uint(json, "websocket_connections", totals.websocket_connections);
    wsl_json_put_uint(json, "upgrades_refused", totals.upgrades_refused);
    wsl_json_put_uint(json, "frames", totals.frames);
    wsl_json_put_uint(json, "messages", totals.messages);
    wsl_json_key(json, "findings");
    wsl_json_object(json);
    for (unsigned i = 0; i < WSL_SEVERITIES; i++)
        wsl_json_put_uint(json, wsl_severity_name(i), totals.findings[i]);
    wsl_json_object_end(json);
    wsl_json_key(json, "findings_by_id");
    wsl_json_object(json);
    for (size_t i = 0; i < rows; i++)
        if (wsl_analyzer_found(writer->analyzer, i))
            wsl_json_put_uint(json, catalogue[i].id, wsl_analyzer_found(writer->analyzer, i));
    wsl_json_object_end(json);
    wsl_json_key(json, "not_listed");
    wsl_json_object(json);
    wsl_json_put_uint(json, "connections", totals.connections_not_listed);
    wsl_json_put_uint(json, "findings", totals.findings_not_listed);
    wsl_json_object_end(json);
    wsl_json_object_end(json);
}

static void write_tallies(WslJson *json, const char *key, const GArray *tallies)
{
    char number[24];

    wsl_json_key(json, key);
    wsl_json_object(json);
    for (guint i = 0; i < tallies->len; i++) {
        WslTally tally = g_array_index(tallies, WslTally, i);
        g_snprintf(number, sizeof number, "%" G_GUINT64_FORMAT, tally.value);
        wsl_json_put_uint(json, number, tally.count);
    }
    wsl_json_object_end(json);
}

static void write_median(WslJson *json, const char *key, WslTime median, WslTime most)
{
    if (!most)
        return;
    wsl_json_key(json, key);
    wsl_json_object(json);
    wsl_json_put_seconds(json, "median", median);
    wsl_json_put_seconds(json, "max", most);
    wsl_json_object_end(json);
}

static char *safe_path(const Writer *writer, const char *path)
{
    g_autofree char *redacted = wsl_shown_text(writer->shown, writer->analyzer, path);

    return g_utf8_make_valid(redacted, -1);
}

static void write_server_names(Writer *writer, const WslServerView *view)
{
    WslJson *json = &writer->json;

    wsl_json_key(json, "hosts");
    wsl_json_array(json);
    for (guint i = 0; i < view->hosts->len; i++)
        put_wire_element(writer, g_ptr_array_index(view->hosts, i));
    wsl_json_array_end(json);
    wsl_json_key(json, "paths");
    wsl_json_object(json);
    /* Paths that look alike once they are safe to show are one name: JSON allows no second. */
    g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < view->paths->len; i++) {
        char *name = safe_path(writer, g_ptr_array_index(view->paths, i));
        uint64_t before = GPOINTER_TO_SIZE(g_hash_table_lookup(counts, name));
        if (!before)
            g_ptr_array_add(names, name);
        g_hash_table_insert(counts, name, GSIZE_TO_POINTER(before + g_array_index(view->path_counts, uint64_t, i)));
    }
    for (guint i = 0; i < names->len; i++)
        wsl_json_put_uint(json, g_ptr_array_index(names, i),
                          GPOINTER_TO_SIZE(g_hash_table_lookup(counts, g_ptr_array_index(names, i))));
    wsl_json_object_end(json);
}

static void write_server(Writer *writer, const WslServerView *view, const char *type)
{
    WslJson *json = &writer->json;

    wsl_json_object(json);
    if (type)
        wsl_json_put_string(json, "type", type);
    wsl_json_put_string(json, "server", view->server);
    write_server_names(writer, view);
    wsl_json_put_uint(json, "connections", view->connections);
    wsl_json_put_uint(json, "open_at_most", view->open_at_most);
    wsl_json_put_uint(json, "opened_per_s_at_most", view->opened_per_s_at_most);
    write_tallies(json, "statuses", view->statuses);
    write_tallies(json, "close_codes", view->close_codes);
    write_median(json, "upgrade_s", view->upgrade_median, view->upgrade_max);
    write_median(json, "ping_s", view->ping_median, view->ping_max);
    wsl_json_key(json, "messages_per_min");
    wsl_json_object(json);
    for (unsigned i = 0; i < 2; i++)
        put_number(json, wsl_direction_name(i), view->messages_per_min[i]);
    wsl_json_object_end(json);
    wsl_json_put_string(json, "direction", view->direction);
    put_number(json, "retransmitted_share", view->retransmitted_share);
    wsl_json_put_uint(json, "slow_clients", view->slow_clients);
    wsl_json_put_uint(json, "queued_bytes_estimate", view->queued_bytes);
    wsl_json_object_end(json);
}

static void write_servers(Writer *writer, WslSink *sink, bool lines)
{
    size_t count = wsl_analyzer_server_count(writer->analyzer);

    for (size_t i = 0; i < count; i++) {
        WslServerView view;
        wsl_analyzer_server(writer->analyzer, i, &view);
        if (wsl_shows_server(writer->shown, view.server)) {
            write_server(writer, &view, lines ? "server" : NULL);
            if (lines)
                g_string_append_c(sink->out, '\n');
        }
        wsl_server_view_clear(&view);
        flush_if_large(sink);
    }
}

static void write_upgrade(Writer *writer, const WslUpgradeView *upgrade, bool websocket)
{
    WslJson *json = &writer->json;

    wsl_json_key(json, "upgrade");
    wsl_json_object(json);
    if (upgrade->status)
        wsl_json_put_uint(json, "status", upgrade->status);
    put_wire_text(writer, "host", upgrade->host);
    put_wire_text(writer, "path", upgrade->path);
    put_wire_text(writer, "origin", upgrade->origin);
    put_wire_text(writer, "user_agent", upgrade->user_agent);
    put_wire_text(writer, "subprotocol", upgrade->subprotocol);
    put_wire_text(writer, "extensions", upgrade->extensions);
    if (upgrade->accept_known && websocket)
        wsl_json_put_bool(json, "accept_valid", upgrade->accept_valid);
    if (upgrade->round_trip >= 0)
        wsl_json_put_seconds(json, "round_trip_s", upgrade->round_trip);
    wsl_json_object_end(json);
}

static void write_direction(Writer *writer, const char *key, const WslDirectionView *view)
{
    WslJson *json = &writer->json;
    const struct {
        const char *key;
        uint64_t value;
    } counters[] = {
        {"frames", view->frames},
        {"text", view->text},
        {"binary", view->binary},
        {"continuation", view->continuation},
        {"ping", view->ping},
        {"pong", view->pong},
        {"close", view->close},
        {"messages", view->messages},
        {"payload_bytes", view->payload_bytes},
        {"message_bytes", view->message_bytes},
        {"masked_frames", view->masked_frames},
        {"unread_messages", view->unread_messages},
        {"retransmitted_bytes", view->retransmitted_bytes},
        {"missing_bytes", view->missing_bytes},
    };

    wsl_json_key(json, key);
    wsl_json_object(json);
    for (size_t i = 0; i < G_N_ELEMENTS(counters); i++)
        wsl_json_put_uint(json, counters[i].key, counters[i].value);
    if (view->close_code >= 0)
        wsl_json_put_uint(json, "close_code", (uint64_t)view->close_code);
    put_wire_text(writer, "close_reason", view->close_reason);
    wsl_json_object_end(json);
}

static void write_end(Writer *writer, const WslConnectionView *view)
{
    static const char *const hows[] = {"close-frame", "fin", "rst", "open-at-end", "silent"};
    WslJson *json = &writer->json;

    wsl_json_key(json, "close");
    wsl_json_object(json);
    if (view->code >= 0)
        wsl_json_put_uint(json, "code", (uint64_t)view->code);
    put_wire_text(writer, "reason", view->reason);
    if (view->initiated_by != WSL_NO_DIRECTION)
        wsl_json_put_string(json, "initiated_by", view->initiated_by == WSL_CLIENT_TO_SERVER ? "client" : "server");
    wsl_json_put_bool(json, "clean", view->clean);
    wsl_json_put_string(json, "how", hows[view->how]);
    if (view->client_sees >= 0)
        wsl_json_put_uint(json, "client_sees", (uint64_t)view->client_sees);
    if (view->server_sees >= 0)
        wsl_json_put_uint(json, "server_sees", (uint64_t)view->server_sees);
    wsl_json_object_end(json);
}

static void write_round_trips(WslJson *json, const WslConnectionView *view)
{
    if (view->rtt_leg) {
        wsl_json_key(json, "rtt_s");
        wsl_json_object(json);
        wsl_json_put_seconds(json, "min", view->rtt_min);
        wsl_json_put_seconds(json, "median", view->rtt_median);
        wsl_json_put_string(json, "leg", view->rtt_leg);
        wsl_json_object_end(json);
    }
    write_median(json, "ping_s", view->ping_median, view->ping_max);
}

static void write_connection(Writer *writer, const WslConnectionView *view, const char *type)
{
    static const char *const transports[] = {"ws", "wss", "tls"};
    WslJson *json = &writer->json;

    wsl_json_object(json);
    if (type)
        wsl_json_put_string(json, "type", type);
    wsl_json_put_uint(json, "stream", view->stream);
    wsl_json_put_string(json, "client", view->client);
    wsl_json_put_string(json, "server", view->server);
    put_wire_text(writer, "client_named", view->client_named);
    wsl_json_put_seconds(json, "start", view->start);
    wsl_json_put_seconds(json, "end", view->end);
    wsl_json_put_uint(json, "first_packet", view->first_packet);
    wsl_json_put_uint(json, "last_packet", view->last_packet);
    wsl_json_put_string(json, "transport", transports[view->transport]);
    wsl_json_put_string(json, "seen_from", view->from_start ? "start" : "middle");
    if (view->upgrade.known)
        write_upgrade(writer, &view->upgrade, view->websocket);
    for (unsigned i = 0; i < 2; i++)
        write_direction(writer, wsl_direction_name(i), &view->directions[i]);
    write_round_trips(json, view);
    if (view->ended_known)
        write_end(writer, view);
    wsl_json_object_end(json);
}

static void write_connections(Writer *writer, WslSink *sink)
{
    size_t count = wsl_analyzer_connection_count(writer->analyzer);

    for (size_t i = 0; i < count; i++) {
        WslConnectionView view;
        wsl_analyzer_connection(writer->analyzer, i, &view);
        if (wsl_shows_connection(writer->shown, &view))
            write_connection(writer, &view, NULL);
        flush_if_large(sink);
    }
}

static void write_evidence_value(Writer *writer, WslValueType type, const WslEvidence *value)
{
    WslJson *json = &writer->json;

    switch (type) {
    case WSL_VALUE_COUNT:
    case WSL_VALUE_BYTES:
        wsl_json_uint(json, value->number);
        break;
    case WSL_VALUE_SECONDS:
        wsl_json_seconds(json, value->nanoseconds);
        break;
    case WSL_VALUE_BOOL:
        wsl_json_bool(json, value->truth);
        break;
    case WSL_VALUE_TEXT:
        put_wire_element(writer, value->text);
        break;
    case WSL_VALUE_DIGEST:
        if (wsl_is_digest(value->text))
            wsl_json_string(json, value->text);
        else
            put_wire_element(writer, value->text);
        break;
    case WSL_VALUE_LIST:
        wsl_json_array(json);
        for (guint i = 0; value->list && i < value->list->len; i++)
            put_wire_element(writer, g_ptr_array_index(value->list, i));
        wsl_json_array_end(json);
        break;
    }
}

static void write_evidence(Writer *writer, const WslFinding *finding)
{
    wsl_json_key(&writer->json, "evidence");
    wsl_json_object(&writer->json);
    for (unsigned i = 0; i < WSL_EVIDENCE_KEYS && finding->entry->evidence[i].key; i++) {
        if (!finding->evidence[i].present)
            continue;
        wsl_json_key(&writer->json, finding->entry->evidence[i].key);
        write_evidence_value(writer, finding->entry->evidence[i].type, &finding->evidence[i]);
    }
    wsl_json_object_end(&writer->json);
}

static void write_subject(Writer *writer, const WslFinding *finding)
{
    WslJson *json = &writer->json;

    if (finding->has_stream)
        wsl_json_put_uint(json, "stream", finding->stream);
    if (finding->client)
        wsl_json_put_string(json, "client", finding->client);
    if (finding->server)
        wsl_json_put_string(json, "server", finding->server);
    if (finding->direction != WSL_NO_DIRECTION)
        wsl_json_put_string(json, "direction", wsl_direction_name(finding->direction));
    if (!finding->streams)
        return;
    wsl_json_key(json, "streams");
    wsl_json_array(json);
    for (guint i = 0; i < finding->streams->len; i++)
        wsl_json_uint(json, g_array_index(finding->streams, guint32, i));
    wsl_json_array_end(json);
    wsl_json_put_uint(json, "count", finding->count);
}

static void write_finding(Writer *writer, const WslFinding *finding, const char *type)
{
    WslJson *json = &writer->json;

    wsl_json_object(json);
    if (type)
        wsl_json_put_string(json, "type", type);
    wsl_json_put_string(json, "key", finding->key);
    wsl_json_put_string(json, "id", finding->entry->id);
    wsl_json_put_string(json, "severity", wsl_severity_name(finding->severity));
    wsl_json_put_string(json, "confidence", wsl_confidence_name(finding->confidence));
    wsl_json_put_string(json, "title", finding->entry->title);
    put_wire_text(writer, "summary", finding->summary);
    write_subject(writer, finding);
    wsl_json_key(json, "packets");
    wsl_json_array(json);
    for (guint i = 0; i < finding->packets->len; i++)
        wsl_json_uint(json, g_array_index(finding->packets, WslPacketNo, i));
    wsl_json_array_end(json);
    if (finding->start) {
        wsl_json_put_seconds(json, "start", finding->start);
        wsl_json_put_seconds(json, "end", finding->end);
    }
    write_evidence(writer, finding);
    if (finding->part_of)
        wsl_json_put_string(json, "part_of", finding->part_of->key);
    wsl_json_put_string(json, "explanation", finding->entry->explanation);
    wsl_json_put_string(json, "fix", finding->entry->fix);
    wsl_json_put_string(json, "reference", finding->entry->reference);
    if (finding->filter)
        wsl_json_put_string(json, "filter", finding->filter);
    wsl_json_object_end(json);
}

static void write_findings(Writer *writer, WslSink *sink)
{
    size_t count = wsl_analyzer_finding_count(writer->analyzer);

    for (size_t i = 0; i < count; i++) {
        const WslFinding *finding = wsl_analyzer_finding(writer->analyzer, i);
        if (wsl_shows_finding(writer->shown, finding))
            write_finding(writer, finding, NULL);
        flush_if_large(sink);
    }
}

static Writer writer_of(const WslAnalyzer *analyzer, const WslShown *shown, GString *out, unsigned indent)
{
    Writer writer = {.analyzer = analyzer, .shown = shown};

    wsl_json_init(&writer.json, out, indent);
    return writer;
}

static void write_part(Writer *writer, WslSink *sink, const char *key, void (*write)(Writer *writer, WslSink *sink))
{
    wsl_json_key(&writer->json, key);
    wsl_json_array(&writer->json);
    write(writer, sink);
    wsl_json_array_end(&writer->json);
}

static void write_server_array(Writer *writer, WslSink *sink)
{
    write_servers(writer, sink, false);
}

static void write_nothing(Writer *writer, WslSink *sink)
{
    (void)writer;
    (void)sink;
}

void wsl_report_json(const WslAnalyzer *analyzer, const WslShown *shown, WslSink *sink)
{
    Writer writer = writer_of(analyzer, shown, sink->out, 2);

    wsl_json_object(&writer.json);
    wsl_json_put_string(&writer.json, "schema", "wsleuth/1");
    wsl_json_put_string(&writer.json, "version", WSL_VERSION);
    write_capture(&writer);
    write_totals(&writer);
    write_part(&writer, sink, "servers", write_server_array);
    write_part(&writer, sink, "connections", write_connections);
    write_part(&writer, sink, "findings", write_findings);
    write_part(&writer, sink, "incidents", write_nothing);
    wsl_json_object_end(&writer.json);
    g_string_append_c(sink->out, '\n');
}

void wsl_ndjson_connection(const WslAnalyzer *analyzer, const WslConnectionView *view, const WslShown *shown,
                           GString *out)
{
    Writer writer = writer_of(analyzer, shown, out, 0);

    write_connection(&writer, view, "connection");
    g_string_append_c(out, '\n');
}

void wsl_ndjson_finding(const WslAnalyzer *analyzer, const WslFinding *finding, const WslShown *shown, GString *out)
{
    Writer writer = writer_of(analyzer, shown, out, 0);

    write_finding(&writer, finding, "finding");
    g_string_append_c(out, '\n');
}

void wsl_ndjson_end(const WslAnalyzer *analyzer, const WslShown *shown, WslSink *sink)
{
    Writer writer = writer_of(analyzer, shown, sink->out, 0);

    write_servers(&writer, sink, true);
    writer = writer_of(analyzer, shown, sink->out, 0);
    wsl_json_object(&writer.json);
    wsl_json_put_string(&writer.json, "type", "summary");
    wsl_json_put_string(&writer.json, "schema", "wsleuth/1");
    wsl_json_put_string(&writer.json, "version", WSL_VERSION);
    write_capture(&writer);
    write_totals(&writer);
    wsl_json_object_end(&writer.json);
    g_string_append_c(sink->out, '\n');
}

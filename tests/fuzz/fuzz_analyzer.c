/*
 * Fuzz target: a capture of any bytes through the whole analysis into every report; JSON must be JSON.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <json-glib/json-glib.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/capture/source.h"
#include "core/report/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition) ((condition) ? (void)0 : abort())

static const char *const files[] = {"fuzz.pcap", NULL};

typedef struct {
    WslShown shown;
    GString *lines, *frames;
} Hearing;

static void on_frame(void *user, const WslAnalyzer *analyzer, uint32_t stream, const WslFrame *frame)
{
    Hearing *hearing = user;

    (void)analyzer;
    if (hearing->frames->len > 1 << 20)
        g_string_truncate(hearing->frames, 0);
    wsl_frame_json(stream, (WslDirection)frame->direction, frame, hearing->frames);
    wsl_frame_text(stream, (WslDirection)frame->direction, frame, hearing->frames);
}

static void on_connection(void *user, WslAnalyzer *analyzer, const WslConnection *connection)
{
    Hearing *hearing = user;
    WslConnectionView view;

    wsl_connection_view(analyzer, connection, &view);
    wsl_ndjson_connection(analyzer, &view, &hearing->shown, hearing->lines);
}

static void on_finding(void *user, const WslAnalyzer *analyzer, const WslFinding *finding)
{
    Hearing *hearing = user;

    wsl_ndjson_finding(analyzer, finding, &hearing->shown, hearing->lines);
}

static void keep(void *user, GString *out)
{
    (void)user;
    (void)out;
}

static void check_json(const char *text, gssize length)
{
    g_autoptr(JsonParser) parser = json_parser_new();

    CHECK(json_parser_load_from_data(parser, text, length, NULL));
    CHECK(JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser)));
}

static void check_lines(GString *lines)
{
    g_auto(GStrv) each = g_strsplit(lines->str, "\n", -1);

    CHECK(!lines->len || lines->str[lines->len - 1] == '\n');
    for (char **line = each; *line && (*line)[0]; line++)
        check_json(*line, -1);
}

static void report(WslAnalyzer *analyzer, Hearing *hearing)
{
    g_autoptr(GString) out = g_string_new(NULL);
    WslSink sink = {out, keep, NULL}, lines = {hearing->lines, keep, NULL};

    wsl_report_json(analyzer, &hearing->shown, &sink);
    check_json(out->str, (gssize)out->len);
    g_string_truncate(out, 0);
    hearing->shown.every_connection = true;
    wsl_report_text(analyzer, &hearing->shown, &sink);
    CHECK(g_utf8_validate_len(out->str, out->len, NULL));
    wsl_ndjson_end(analyzer, &hearing->shown, &lines);
    check_lines(hearing->lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static WslBatch batch;
    Hearing hearing = {{.least = WSL_NOTE, .complete = true, .files = files}, g_string_new(NULL), g_string_new(NULL)};
    WslListener listener = {&hearing, on_frame, on_connection, on_finding};
    WslSource *source = wsl_source_open_memory(data, size, NULL);

    if (source) {
        WslOptions *options = wsl_options_new();
        WslAnalyzer *analyzer = wsl_analyzer_new(options, &listener);
        while (wsl_source_next(source, &batch, WSL_BATCH_MAX, NULL) == WSL_SOURCE_BATCH)
            wsl_analyzer_packets(analyzer, batch.packets, batch.count);
        wsl_analyzer_finish(analyzer);
        report(analyzer, &hearing);
        wsl_analyzer_free(analyzer);
        wsl_options_free(options);
        wsl_source_free(source);
    }
    g_string_free(hearing.lines, TRUE);
    g_string_free(hearing.frames, TRUE);
    return 0;
}

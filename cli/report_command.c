/*
 * wsleuth report: text, JSON or ndjson.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "cli/cli.h"

typedef struct {
    Cli *cli;
    Output *output;
    GString *out;
    Analysis *analysis;
    bool worst_met; /* a finding that --fail-on names */
} Reporter;

static void flush(void *user, GString *out)
{
    Reporter *reporter = user;

    output_write(reporter->output, out->str, out->len);
    g_string_truncate(out, 0);
}

static bool meets(const Cli *cli, const WslFinding *finding)
{
    return cli->has_fail_on && !finding->part_of && finding->severity <= cli->fail_on &&
           wsl_shows_finding(&cli->shown, finding);
}

static void on_connection(void *user, WslAnalyzer *analyzer, const WslConnection *connection)
{
    Reporter *reporter = user;
    WslConnectionView view;

    settle_times(reporter->cli, analyzer);
    wsl_connection_view(analyzer, connection, &view);
    if (!wsl_shows_connection(&reporter->cli->shown, &view))
        return;
    wsl_ndjson_connection(analyzer, &view, &reporter->cli->shown, reporter->out);
    flush(reporter, reporter->out);
}

static void on_finding(void *user, const WslAnalyzer *analyzer, const WslFinding *finding)
{
    Reporter *reporter = user;

    settle_times(reporter->cli, analyzer);
    reporter->worst_met |= meets(reporter->cli, finding);
    if (reporter->cli->format != FORMAT_NDJSON || !wsl_shows_finding(&reporter->cli->shown, finding))
        return;
    wsl_ndjson_finding(analyzer, finding, &reporter->cli->shown, reporter->out);
    flush(reporter, reporter->out);
}

static void write_report(Reporter *reporter)
{
    const WslAnalyzer *analyzer = reporter->analysis->analyzer;
    WslSink sink = {reporter->out, flush, reporter};

    switch (reporter->cli->format) {
    case FORMAT_TEXT:
        wsl_report_text(analyzer, &reporter->cli->shown, &sink);
        break;
    case FORMAT_JSON:
        wsl_report_json(analyzer, &reporter->cli->shown, &sink);
        break;
    case FORMAT_NDJSON:
        wsl_ndjson_end(analyzer, &reporter->cli->shown, &sink);
        break;
    }
    flush(reporter, reporter->out);
}

int command_report(Cli *cli)
{
    const char *names[] = {cli->interface ? cli->interface : cli->captures[0], NULL};
    Analysis analysis = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    Reporter reporter = {cli, output_open(cli->output, &error), out, &analysis, false};
    bool lines = cli->format == FORMAT_NDJSON;
    WslListener listener = {&reporter, NULL, lines ? on_connection : NULL,
                            lines || cli->has_fail_on ? on_finding : NULL};

    if (!reporter.output) {
        complain("%s", error->message);
        return EXIT_UNUSABLE;
    }
    cli->shown.files = names;
    analysis = analyse(cli, &listener);
    if (analysis.analyzer && analysis.status != EXIT_UNUSABLE) {
        cli->shown.complete = analysis.complete;
        settle_times(cli, analysis.analyzer);
        write_report(&reporter);
        if (analysis.status == EXIT_ANALYSED && reporter.worst_met)
            analysis.status = EXIT_FINDINGS;
    }
    leave(analysis.analyzer);
    if (analysis.status == EXIT_UNUSABLE)
        output_abandon(reporter.output);
    return output_close(reporter.output) ? analysis.status : EXIT_UNUSABLE;
}

/*
 * From a source to a finished analysis, with progress and errors on standard error.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

enum { PROGRESS_AFTER_US = 1000000, PROGRESS_EVERY_US = 250000 };

static WslSource *interrupted_source;
static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
    if (interrupted_source)
        wsl_source_interrupt(interrupted_source);
}

static void end_on_signals(WslSource *source)
{
    struct sigaction action = {.sa_handler = on_signal};

    interrupted_source = source;
    if (!source)
        action.sa_handler = SIG_DFL;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

typedef struct {
    gint64 began, told;
    bool shown;
} Progress;

static void tell_progress(Progress *progress, const WslSource *source, uint64_t packets)
{
    gint64 now = g_get_monotonic_time();
    uint64_t read, size;

    if (now - progress->began < PROGRESS_AFTER_US || now - progress->told < PROGRESS_EVERY_US)
        return;
    wsl_source_progress(source, &read, &size);
    double seconds = (double)(now - progress->began) / 1e6;
    if (size && read)
        fprintf(stderr, "\r%3.0f %%  %.1f million packets/s, %.0f s left \033[K", 100 * (double)read / (double)size,
                (double)packets / seconds / 1e6, seconds * ((double)size / (double)read - 1));
    else
        fprintf(stderr, "\r%" G_GUINT64_FORMAT " packets \033[K", packets);
    progress->told = now;
    progress->shown = true;
}

static WslSource *open_source(const Cli *cli, GError **error)
{
    if (cli->interface)
        return wsl_source_open_live(cli->interface, cli->filter, error);
    return wsl_source_open_file(cli->captures[0], cli->filter, error);
}

static const char *source_name(const Cli *cli)
{
    return cli->interface ? cli->interface : cli->captures[0];
}

static WslSourceStatus read_all(Cli *cli, WslSource *source, Analysis *analysis, GError **error)
{
    bool shows = isatty(STDERR_FILENO) && !cli->quiet && !cli->interface;
    Progress progress = {.began = g_get_monotonic_time()};
    WslBatch batch;
    WslSourceStatus status;

    while ((status = wsl_source_next(source, &batch, WSL_BATCH_MAX, error)) == WSL_SOURCE_BATCH) {
        wsl_analyzer_packets(analysis->analyzer, batch.packets, batch.count);
        analysis->packets += batch.count;
        if (shows && (analysis->packets & 0xffff) < batch.count)
            tell_progress(&progress, source, analysis->packets);
    }
    if (progress.shown)
        fputs("\r\033[K", stderr);
    return status;
}

/* Packets of a link type that nobody here can decode: the report says nothing of them. */
static void judge_link_types(const Cli *cli, Analysis *analysis)
{
    WslCaptureView view;

    wsl_analyzer_capture(analysis->analyzer, &view);
    uint64_t unknown = view.undecodable[WSL_UNKNOWN_LINK_TYPE];
    for (guint i = 0; unknown && i < view.link_types->len; i++) {
        guint16 type = g_array_index(view.link_types, guint16, i);
        if (!wsl_link_type_name(type))
            complain("%s: %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                     " packets have a link type that cannot be decoded (LINKTYPE %u)",
                     source_name(cli), unknown, view.packets, type);
    }
    if (!unknown)
        return;
    analysis->complete = false;
    analysis->status = unknown == view.packets ? EXIT_UNUSABLE : EXIT_INCOMPLETE;
}

Analysis analyse(Cli *cli, const WslListener *listener)
{
    Analysis analysis = {.complete = true};
    g_autoptr(GError) error = NULL;
    WslSource *source = open_source(cli, &error);

    if (!source) {
        complain("%s", error->message);
        analysis.status = EXIT_UNUSABLE;
        return analysis;
    }
    analysis.analyzer = wsl_analyzer_new(cli->analysis, listener);
    end_on_signals(source);
    if (read_all(cli, source, &analysis, &error) == WSL_SOURCE_DAMAGED) {
        complain("%s", error->message);
        analysis.complete = false;
        analysis.status =
            g_error_matches(error, WSL_SOURCE_ERROR, WSL_SOURCE_ERROR_FILTER) ? EXIT_UNUSABLE : EXIT_INCOMPLETE;
    }
    end_on_signals(NULL);
    /* That is how a live capture ends; a file has more. */
    if (interrupted && !cli->interface && analysis.status == EXIT_ANALYSED) {
        complain("%s: interrupted after packet %" G_GUINT64_FORMAT, source_name(cli), analysis.packets);
        analysis.complete = false;
        analysis.status = EXIT_INCOMPLETE;
    }
    wsl_source_free(source);
    wsl_analyzer_finish(analysis.analyzer);
    judge_link_types(cli, &analysis);
    if (cli->verbose)
        complain("%s: read %" G_GUINT64_FORMAT " packets%s", source_name(cli), analysis.packets,
                 analysis.complete ? "" : ", not to its end");
    return analysis;
}

void leave(WslAnalyzer *analyzer)
{
    static WslAnalyzer *volatile left; /* so that leak checkers see that nothing is lost */

    left = analyzer;
    (void)left;
}

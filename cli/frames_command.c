/*
 * wsleuth frames: one line for each WebSocket frame, as it is found.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli/cli.h"

enum { FLUSH_AT = 1 << 16 };

typedef struct {
    Cli *cli;
    Output *output;
    GString *out;
} Lister;

static void flush(Lister *lister)
{
    output_write(lister->output, lister->out->str, lister->out->len);
    g_string_truncate(lister->out, 0);
}

static bool is_shown(Lister *lister, const WslAnalyzer *analyzer, const WslFrame *frame)
{
    const WslShown *shown = &lister->cli->shown;
    WslConnectionView view;

    settle_times(lister->cli, analyzer);
    if (!wsl_shown_narrows(shown))
        return true;
    wsl_connection_view(analyzer, frame->connection, &view);
    view.start = view.end = frame->completed; /* the frame's own time is what --from and --to ask of */
    return wsl_shows_connection(shown, &view);
}

static void on_frame(void *user, const WslAnalyzer *analyzer, uint32_t stream, const WslFrame *frame)
{
    Lister *lister = user;
    bool lines = lister->cli->format == FORMAT_NDJSON;

    if (!is_shown(lister, analyzer, frame))
        return;
    (lister->cli->format == FORMAT_TEXT ? wsl_frame_text : wsl_frame_json)(stream, (WslDirection)frame->direction,
                                                                           frame, lister->out);
    if (lines || lister->out->len >= FLUSH_AT)
        flush(lister);
}

int command_frames(Cli *cli)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    Lister lister = {cli, output_open(cli->output, &error), out};
    WslListener listener = {.user = &lister, .frame = on_frame};

    if (!lister.output) {
        complain("%s", error->message);
        return EXIT_UNUSABLE;
    }
    if (cli->format == FORMAT_JSON) {
        complain("frames come one a line: -f text or -f ndjson");
        output_abandon(lister.output);
        output_close(lister.output);
        return EXIT_UNUSABLE;
    }
    Analysis analysis = analyse(cli, &listener);
    flush(&lister);
    leave(analysis.analyzer);
    if (analysis.status == EXIT_UNUSABLE)
        output_abandon(lister.output);
    return output_close(lister.output) ? analysis.status : EXIT_UNUSABLE;
}

/*
 * Reports on an analysis: text for tickets, JSON and ndjson for programs. Made from the public model alone, so that the
 * command line and the plugin print the same bytes.
 *
 *   in:   a finished analyzer (ndjson: also one at work), what to show
 *   out:  bytes at the end of a GString, which a sink may take away whenever it is large
 *   owns: nothing that outlives a call
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_REPORT_H
#define WSL_REPORT_H

#include "core/report/json.h"
#include "core/wsleuth.h"

/** What is shown. The analysis always sees everything. */
typedef struct {
    WslSeverity least; /**< findings of at least this severity: WSL_NOTE shows all */
    GPtrArray *only;   /**< char *: these ids; NULL: all */
    bool has_stream;
    uint32_t stream;
    WslPacketNo connection; /**< the connection with this first packet; 0: all */
    const char *server;     /**< "address" or "address:port"; NULL: all */
    bool has_from, has_to;
    WslTime from, to; /**< what touches this span */
    bool show_secrets;
    bool every_connection; /**< in the text, not the worst ones only */
    bool colour;           /**< ANSI colours in the text */
    bool complete;         /**< the capture was read to its end */
    size_t preview;
    const char *const *files; /**< names, NULL at the end */
} WslShown;

/** Takes bytes from the start of `out` and empties it; called whenever it is large. */
typedef struct {
    GString *out;
    void (*flush)(void *user, GString *out);
    void *user;
} WslSink;

bool wsl_shows_finding(const WslShown *shown, const WslFinding *finding);
bool wsl_shows_connection(const WslShown *shown, const WslConnectionView *view);
bool wsl_shows_server(const WslShown *shown, const char *server);
/** A copy of a text from the wire with its credentials masked, unless they are to be shown. g_free() it. */
char *wsl_shown_text(const WslShown *shown, const WslAnalyzer *analyzer, const char *text);
/** True if a text has the form of a SHA-1 in base64: then it is shown, though random. */
bool wsl_is_digest(const char *text);
/** True if something narrows the report to some of the connections. */
bool wsl_shown_narrows(const WslShown *shown);

void wsl_report_text(const WslAnalyzer *analyzer, const WslShown *shown, WslSink *sink);
void wsl_report_json(const WslAnalyzer *analyzer, const WslShown *shown, WslSink *sink);

/** ndjson: a line each; servers and summary once at the end. */
void wsl_ndjson_connection(const WslAnalyzer *analyzer, const WslConnectionView *view, const WslShown *shown,
                           GString *out);
void wsl_ndjson_finding(const WslAnalyzer *analyzer, const WslFinding *finding, const WslShown *shown, GString *out);
void wsl_ndjson_end(const WslAnalyzer *analyzer, const WslShown *shown, WslSink *sink);

/** A frame as `wsleuth frames` shows it: a line of JSON, or of text. */
void wsl_frame_json(uint32_t stream, WslDirection direction, const WslFrame *frame, GString *out);
void wsl_frame_text(uint32_t stream, WslDirection direction, const WslFrame *frame, GString *out);

/** Everything the catalogue says of a finding, wrapped for a terminal. */
void wsl_explain(const WslCatalogueEntry *entry, GString *out);
/** One line for each finding, then the settings. */
void wsl_explain_all(GString *out);
/** All findings as a page of Markdown: docs/findings.md. */
void wsl_explain_page(GString *out);

#endif

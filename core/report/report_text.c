/*
 * The text report: what someone pastes into a ticket. Verdict, findings by severity, servers, connections.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "core/report/report.h"
#include "core/report/safetext.h"
#include "core/report/textout.h"

enum {
    INDENT = 7,
    ROLLED_UP = 20,
    ROLLED_SHOWN = 3,
    ROWS = 10,
    FLUSH_AT = 1 << 16,
    LIST_SHOWN = 6,
    CLIENT_COLUMNS = 21
};
#define RATE_AFTER_S 10.0

typedef struct {
    const WslAnalyzer *analyzer;
    const WslShown *shown;
    WslSink *sink;
    GString *out;
    WslTime zero;      /* of the capture: offsets count from it */
    GHashTable *parts; /* finding -> how many are part of it */
} Page;

static void append_wire(Page *page, GString *out, const char *text)
{
    g_autofree char *safe = wsl_shown_text(page->shown, page->analyzer, text);

    wsl_safe_append(out, safe, strlen(safe));
}

static void append_offset(GString *out, const Page *page, WslTime time)
{
    double seconds = (double)(time - page->zero) / (double)WSL_SECOND;

    g_string_append_printf(out, "%+.*f s", seconds < 100 ? 3 : 1, seconds);
}

static void append_severity(Page *page, WslSeverity severity)
{
    static const struct {
        const char *word, *colour;
    } words[] = {{"ERROR", "\033[1;31m"}, {"WARNING", "\033[1;33m"}, {"NOTE", "\033[1;36m"}};

    g_string_append_printf(page->out, "%s%s%s", page->shown->colour ? words[severity].colour : "", words[severity].word,
                           page->shown->colour ? "\033[0m" : "");
}

static void append_plural(GString *out, uint64_t count, const char *one, const char *many)
{
    wsl_text_count(out, count);
    g_string_append_printf(out, " %s", count == 1 ? one : many);
}

static void write_capture(Page *page)
{
    WslCaptureView capture;
    WslTotals totals;
    g_autoptr(GString) line = g_string_new(NULL);

    wsl_analyzer_capture(page->analyzer, &capture);
    wsl_analyzer_totals(page->analyzer, &totals);
    for (const char *const *file = page->shown->files; file && *file; file++) {
        if (file != page->shown->files)
            g_string_append(line, ", ");
        wsl_safe_append(line, *file, strlen(*file));
    }
    g_string_append(line, ": ");
    append_plural(line, capture.packets, "packet", "packets");
    if (capture.packets) {
        g_string_append(line, ", ");
        wsl_text_duration(line, capture.last_time - capture.first_time);
        g_string_append(line, " from ");
        wsl_text_time(line, capture.first_time, TRUE);
    }
    g_string_append(line, "; ");
    append_plural(line, totals.websocket_connections, "WebSocket connection", "WebSocket connections");
    if (totals.upgrades_refused) {
        g_string_append(line, ", ");
        append_plural(line, totals.upgrades_refused, "upgrade refused", "upgrades refused");
    }
    g_string_append(line, ", ");
    append_plural(line, wsl_analyzer_server_count(page->analyzer), "server", "servers");
    if (!page->shown->complete)
        g_string_append(line, " (the capture was not read to its end)");
    wsl_text_paragraph(page->out, 0, "%s", line->str);
    page->zero = capture.first_time;
}

/* "mask-missing 2, mask-unexpected": which findings of a severity there are, the most frequent first as listed. */
static void append_ids(GString *line, const Page *page, WslSeverity severity)
{
    size_t count = wsl_analyzer_finding_count(page->analyzer), rows, written = 0;
    const WslCatalogueEntry *catalogue = wsl_catalogue(&rows);
    g_autofree uint64_t *seen = g_new0(uint64_t, rows);

    for (size_t i = 0; i < count; i++) {
        const WslFinding *finding = wsl_analyzer_finding(page->analyzer, i);
        if (finding->severity == severity)
            seen[finding->entry - catalogue]++;
    }
    for (size_t i = 0; i < rows; i++) {
        if (!seen[i])
            continue;
        g_string_append_printf(line, "%s%s", written++ ? ", " : " (", catalogue[i].id);
        if (seen[i] > 1) {
            g_string_append_c(line, ' ');
            /* Beyond the listed ones only the id's total is known. */
            wsl_text_count(line, seen[i] == wsl_analyzer_max_findings(page->analyzer)
                                     ? wsl_analyzer_found(page->analyzer, i)
                                     : seen[i]);
        }
    }
    if (written)
        g_string_append_c(line, ')');
}

static void write_verdict(Page *page)
{
    WslTotals totals;
    g_autoptr(GString) line = g_string_new(NULL);
    static const char *const words[][2] = {{"error", "errors"}, {"warning", "warnings"}, {"note", "notes"}};

    wsl_analyzer_totals(page->analyzer, &totals);
    for (unsigned i = 0; i < WSL_SEVERITIES; i++) {
        if (!totals.findings[i])
            continue;
        g_string_append(line, line->len ? ", " : "");
        append_plural(line, totals.findings[i], words[i][0], words[i][1]);
        append_ids(line, page, i);
    }
    if (!totals.websocket_connections && !totals.upgrades_refused)
        wsl_text_paragraph(page->out, 0, "No WebSocket traffic was recognised%s%s.", line->len ? ": " : "", line->str);
    else if (!totals.findings[WSL_ERROR] && !totals.findings[WSL_WARNING])
        wsl_text_paragraph(page->out, 0, "Nothing is wrong with the WebSocket traffic that this capture shows%s%s.",
                           line->len ? ": " : "", line->str);
    else
        wsl_text_paragraph(page->out, 0, "%s.", line->str);
    g_string_append_c(page->out, '\n');
}

static bool is_shown(const Page *page, const WslFinding *finding)
{
    return !finding->part_of && wsl_shows_finding(page->shown, finding);
}

static unsigned parts_of(const Page *page, const WslFinding *parent)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(page->parts, parent));
}

static GHashTable *count_parts(const WslAnalyzer *analyzer)
{
    GHashTable *parts = g_hash_table_new(NULL, NULL);

    for (size_t i = 0; i < wsl_analyzer_finding_count(analyzer); i++) {
        struct WslFinding *parent = wsl_analyzer_finding(analyzer, i)->part_of;
        if (parent)
            g_hash_table_insert(parts, parent,
                                GUINT_TO_POINTER(GPOINTER_TO_UINT(g_hash_table_lookup(parts, parent)) + 1));
    }
    return parts;
}

static void write_who_and_when(Page *page, const WslFinding *finding)
{
    g_autoptr(GString) line = g_string_new(NULL);

    if (finding->client)
        g_string_append_printf(line, "%s -> %s", finding->client, finding->server);
    else if (finding->server)
        g_string_append(line, finding->server);
    if (finding->has_stream)
        g_string_append_printf(line, "  stream %u", finding->stream);
    if (finding->start) {
        g_string_append(line, line->len ? "  " : "");
        wsl_text_time(line, finding->start, FALSE);
        g_string_append(line, " (");
        append_offset(line, page, finding->start);
        if (finding->end > finding->start) {
            g_string_append(line, " to ");
            append_offset(line, page, finding->end);
        }
        g_string_append_c(line, ')');
    }
    if (finding->confidence != WSL_CERTAIN)
        g_string_append_printf(line, "  %s", wsl_confidence_name(finding->confidence));
    if (line->len)
        wsl_text_paragraph(page->out, INDENT - 2, "%s", line->str);
}

static void write_digests(Page *page, const WslFinding *finding)
{
    for (unsigned i = 0; i < WSL_EVIDENCE_KEYS && finding->entry->evidence[i].key; i++)
        if (finding->evidence[i].present && finding->entry->evidence[i].type == WSL_VALUE_DIGEST &&
            wsl_is_digest(finding->evidence[i].text))
            wsl_text_paragraph(page->out, INDENT, "%s: %s", finding->entry->evidence[i].key, finding->evidence[i].text);
}

static void write_case(Page *page, const WslFinding *finding)
{
    g_autoptr(GString) summary = g_string_new(NULL);
    unsigned parts = parts_of(page, finding);

    write_who_and_when(page, finding);
    append_wire(page, summary, finding->summary);
    if (parts)
        g_string_append_printf(summary, " %u further finding%s of the same cause.", parts, parts == 1 ? "" : "s");
    wsl_text_paragraph(page->out, INDENT, "%s", summary->str);
    write_digests(page, finding);
    if (finding->filter)
        wsl_text_paragraph(page->out, INDENT, "Show: %s", finding->filter);
}

static void write_head(Page *page, const WslFinding *finding, uint64_t cases)
{
    append_severity(page, finding->severity);
    g_string_append_printf(page->out, "  %s: %s", finding->entry->id, finding->entry->title);
    if (cases > 1) {
        g_string_append(page->out, " (");
        wsl_text_count(page->out, cases);
        g_string_append_c(page->out, ')');
    }
    g_string_append_c(page->out, '\n');
}

/* How many there are of this id: all that are listed, or the total if the list was too short for them. */
static uint64_t cases_in_all(Page *page, const GPtrArray *cases)
{
    const WslFinding *first = g_ptr_array_index(cases, 0);
    size_t rows;
    bool full = cases->len == wsl_analyzer_max_findings(page->analyzer);

    return full ? wsl_analyzer_found(page->analyzer, (size_t)(first->entry - wsl_catalogue(&rows))) : cases->len;
}

static void write_rest(Page *page, const GPtrArray *cases, unsigned listed, uint64_t all)
{
    const WslFinding *last = g_ptr_array_index(cases, cases->len - 1);
    g_autoptr(GString) line = g_string_new("... and ");

    wsl_text_count(line, all - listed);
    g_string_append(line, " more like these, ");
    append_offset(line, page, last->start);
    g_string_append(line, all > cases->len ? " and later" : " the last");
    g_string_append(line, page->shown->every_connection ? " (--max-findings)" : " (--all lists them)");
    wsl_text_paragraph(page->out, INDENT - 2, "%s", line->str);
}

/* All findings of one id and severity together: the cases, then once what to do. */
static void write_group(Page *page, GPtrArray *cases)
{
    const WslFinding *first = g_ptr_array_index(cases, 0);
    unsigned listed = cases->len > ROLLED_UP && !page->shown->every_connection ? ROLLED_SHOWN : cases->len;
    uint64_t all = cases_in_all(page, cases);

    write_head(page, first, all);
    for (guint i = 0; i < listed; i++)
        write_case(page, g_ptr_array_index(cases, i));
    if (listed < all)
        write_rest(page, cases, listed, all);
    wsl_text_paragraph(page->out, INDENT - 2, "Fix: %s (%s)", first->entry->fix, first->entry->reference);
    g_string_append_c(page->out, '\n');
    if (page->out->len >= FLUSH_AT)
        page->sink->flush(page->sink->user, page->out);
}

static void write_findings(Page *page)
{
    size_t count = wsl_analyzer_finding_count(page->analyzer);
    g_autofree bool *written = g_new0(bool, count + 1);

    for (size_t i = 0; i < count; i++) {
        const WslFinding *first = wsl_analyzer_finding(page->analyzer, i);
        if (written[i] || !is_shown(page, first))
            continue;
        g_autoptr(GPtrArray) cases = g_ptr_array_new();
        for (size_t j = i; j < count; j++) {
            const WslFinding *other = wsl_analyzer_finding(page->analyzer, j);
            if (other->entry != first->entry || other->severity != first->severity || !is_shown(page, other))
                continue;
            written[j] = true;
            g_ptr_array_add(cases, (gpointer)(uintptr_t)other);
        }
        write_group(page, cases);
    }
}

static void append_tallies(GString *out, const char *label, const GArray *tallies)
{
    if (!tallies->len)
        return;
    g_string_append(out, label);
    for (guint i = 0; i < tallies->len; i++) {
        WslTally tally = g_array_index(tallies, WslTally, i);
        g_string_append_printf(out, "%s%" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT, i ? ", " : " ", tally.value,
                               tally.count);
    }
    g_string_append(out, "; ");
}

static void append_median(GString *out, const char *label, WslTime median, WslTime most)
{
    if (!most)
        return;
    g_string_append_printf(out, "%s ", label);
    wsl_text_duration(out, median);
    g_string_append(out, " (at most ");
    wsl_text_duration(out, most);
    g_string_append(out, "); ");
}

static void write_server_name(Page *page, const WslServerView *view)
{
    g_autoptr(GString) line = g_string_new(view->server);

    for (guint i = 0, shown = 0; i < view->hosts->len && shown < LIST_SHOWN; i++) {
        if (strcmp(g_ptr_array_index(view->hosts, i), view->server) == 0)
            continue;
        g_string_append(line, shown++ ? ", " : "  ");
        append_wire(page, line, g_ptr_array_index(view->hosts, i));
    }
    for (guint i = 0; i < MIN(view->paths->len, LIST_SHOWN); i++) {
        g_string_append(line, i ? ", " : "  ");
        append_wire(page, line, g_ptr_array_index(view->paths, i));
        g_string_append_printf(line, " x %" G_GUINT64_FORMAT, g_array_index(view->path_counts, uint64_t, i));
    }
    if (view->paths->len > LIST_SHOWN)
        g_string_append(line, " ...");
    g_string_append_c(page->out, ' ');
    g_string_append_c(page->out, ' ');
    wsl_text_wrap(page->out, line->str, 6);
    g_string_append_c(page->out, '\n');
}

static void write_server(Page *page, const WslServerView *view)
{
    g_autoptr(GString) line = g_string_new(NULL);

    write_server_name(page, view);
    append_plural(line, view->connections, "connection", "connections");
    g_string_append(line, ", open at most ");
    wsl_text_count(line, view->open_at_most);
    g_string_append(line, ", opened in a second at most ");
    wsl_text_count(line, view->opened_per_s_at_most);
    g_string_append(line, "; ");
    append_tallies(line, "answers", view->statuses);
    append_tallies(line, "clients saw", view->close_codes);
    append_median(line, "upgrade", view->upgrade_median, view->upgrade_max);
    append_median(line, "pong after", view->ping_median, view->ping_max);
    /* A rate that a few seconds gave says nothing of a minute. */
    if (view->open_s >= RATE_AFTER_S)
        g_string_append_printf(line, "messages a minute up %.3g, down %.3g for each open connection (%s); ",
                               view->messages_per_min[WSL_CLIENT_TO_SERVER],
                               view->messages_per_min[WSL_SERVER_TO_CLIENT], view->direction);
    g_string_append_printf(line, "retransmitted %.2g %%", view->retransmitted_share * 100);
    wsl_text_paragraph(page->out, 6, "%s", line->str);
}

static void write_servers(Page *page)
{
    size_t count = wsl_analyzer_server_count(page->analyzer), shown = 0;

    for (size_t i = 0; i < count; i++) {
        WslServerView view;
        wsl_analyzer_server(page->analyzer, i, &view);
        if (wsl_shows_server(page->shown, view.server)) {
            if (!shown++)
                g_string_append(page->out, "SERVERS\n");
            write_server(page, &view);
        }
        wsl_server_view_clear(&view);
    }
    if (shown)
        g_string_append_c(page->out, '\n');
}

typedef struct {
    size_t index;
    uint64_t bytes;
    bool finding;
} Rank;

static gint worst_first(gconstpointer a, gconstpointer b)
{
    const Rank *x = a, *y = b;

    if (x->finding != y->finding)
        return x->finding ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static gint by_index(gconstpointer a, gconstpointer b)
{
    const Rank *x = a, *y = b;

    return x->index < y->index ? -1 : x->index > y->index;
}

static void append_ending(GString *out, const WslConnectionView *view)
{
    static const char *const hows[] = {"", "FIN, no Close", "RST, no Close", "open at the end", "silence"};

    if (!view->websocket && view->upgrade.status)
        g_string_append_printf(out, "refused with %u", view->upgrade.status);
    else if (!view->websocket)
        g_string_append(out, "upgrade not answered");
    else if (view->how != WSL_HOW_CLOSE_FRAME)
        g_string_append(out, hows[view->how]);
    else {
        if (view->code >= 0)
            g_string_append_printf(out, "%d", view->code);
        else
            g_string_append(out, "Close");
        g_string_append_printf(out, " by %s%s", view->initiated_by == WSL_CLIENT_TO_SERVER ? "client" : "server",
                               view->directions[0].close && view->directions[1].close ? "" : " only");
    }
}

static void write_connection(Page *page, const WslConnectionView *view)
{
    g_autoptr(GString) lasted = g_string_new(NULL);
    g_autoptr(GString) up = g_string_new(NULL);
    g_autoptr(GString) down = g_string_new(NULL);
    g_autofree char *frames = g_strdup_printf("%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT, view->directions[0].frames,
                                              view->directions[1].frames);

    wsl_text_duration(lasted, MAX(view->end - view->start, 0));
    wsl_text_bytes(up, view->directions[0].payload_bytes);
    wsl_text_bytes(down, view->directions[1].payload_bytes);
    bool is_long = strlen(view->client) > CLIENT_COLUMNS; /* IPv6: on a line of its own */
    g_string_append_printf(page->out, "%6u  %-*s", view->stream, CLIENT_COLUMNS, view->client);
    if (is_long)
        g_string_append_printf(page->out, "\n%*s", 8 + CLIENT_COLUMNS, "");
    g_string_append_printf(page->out, " %+10.3f s %8s %9s %7s %7s  ",
                           (double)(view->start - page->zero) / (double)WSL_SECOND, lasted->str, frames, up->str,
                           down->str);
    append_ending(page->out, view);
    g_string_append_c(page->out, '\n');
    if (page->out->len >= FLUSH_AT)
        page->sink->flush(page->sink->user, page->out);
}

/* The worst ones first, or all in their order; `*all` is how many there are. */
static GArray *ranked(Page *page, uint64_t *all)
{
    GArray *ranks = g_array_new(FALSE, FALSE, sizeof(Rank));

    *all = 0;
    for (size_t i = 0; i < wsl_analyzer_connection_count(page->analyzer); i++) {
        Rank rank = {.index = i};
        rank.bytes = wsl_analyzer_connection_weight(page->analyzer, i, &rank.finding);
        if (wsl_shown_narrows(page->shown)) {
            WslConnectionView view;
            wsl_analyzer_connection(page->analyzer, i, &view);
            if (!wsl_shows_connection(page->shown, &view))
                continue;
        }
        ++*all;
        if (page->shown->every_connection || ranks->len < ROWS)
            g_array_append_val(ranks, rank);
        else if (worst_first(&rank, &g_array_index(ranks, Rank, ROWS - 1)) < 0)
            g_array_index(ranks, Rank, ROWS - 1) = rank;
        else
            continue;
        if (!page->shown->every_connection)
            g_array_sort(ranks, worst_first);
    }
    return ranks;
}

static void write_connections(Page *page)
{
    uint64_t all;
    g_autoptr(GArray) ranks = ranked(page, &all);
    guint rows = ranks->len;

    if (!rows)
        return;
    g_array_sort(ranks, by_index);
    if (rows < all) {
        g_string_append_printf(page->out,
                               "CONNECTIONS  the %u worst and largest of %" G_GUINT64_FORMAT " (--all for every one)\n",
                               rows, all);
    } else {
        g_string_append(page->out, "CONNECTIONS\n");
    }
    g_string_append(page->out,
                    "stream  client                      opened   lasted    frames      up    down  ended\n");
    for (guint i = 0; i < rows; i++) {
        WslConnectionView view;
        wsl_analyzer_connection(page->analyzer, g_array_index(ranks, Rank, i).index, &view);
        write_connection(page, &view);
    }
}

void wsl_report_text(const WslAnalyzer *analyzer, const WslShown *shown, WslSink *sink)
{
    g_autoptr(GHashTable) parts = count_parts(analyzer);
    Page page = {analyzer, shown, sink, sink->out, 0, parts};

    write_capture(&page);
    write_verdict(&page);
    write_findings(&page);
    write_servers(&page);
    write_connections(&page);
}

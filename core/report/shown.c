/*
 * Which findings and connections a report shows (WslShown).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "core/report/report.h"
#include "core/report/safetext.h"

bool wsl_shows_server(const WslShown *shown, const char *server)
{
    if (!shown->server)
        return true;
    if (!server)
        return false;
    size_t length = strlen(shown->server);
    if (strcmp(server, shown->server) == 0)
        return true;
    /* An address without a port: "10.0.0.1", "2001:db8::1" or "[2001:db8::1]". */
    const char *colon = strrchr(server, ':');
    bool bracketed = server[0] == '[' && shown->server[0] != '[';
    const char *address = bracketed ? server + 1 : server;
    const char *end = bracketed ? colon - 1 : colon;
    return colon && (size_t)(end - address) == length && strncmp(address, shown->server, length) == 0;
}

static bool in_span(const WslShown *shown, WslTime start, WslTime end)
{
    return !(shown->has_from && end < shown->from) && !(shown->has_to && start > shown->to);
}

static bool has_stream(const WslFinding *finding, uint32_t stream)
{
    if (finding->has_stream)
        return finding->stream == stream;
    for (guint i = 0; finding->streams && i < finding->streams->len; i++)
        if (g_array_index(finding->streams, guint32, i) == stream)
            return true;
    return false;
}

bool wsl_shows_finding(const WslShown *shown, const WslFinding *finding)
{
    bool about_capture = finding->entry->family == WSL_FAMILY_CAPTURE;
    bool named = !shown->only;

    for (guint i = 0; shown->only && i < shown->only->len; i++)
        named |= strcmp(g_ptr_array_index(shown->only, i), finding->entry->id) == 0;
    if (!named || finding->severity > shown->least)
        return false;
    if (about_capture)
        return true;
    if (shown->has_stream && !has_stream(finding, shown->stream))
        return false;
    if (shown->connection && finding->connection != shown->connection)
        return false;
    if (shown->server && finding->server && !wsl_shows_server(shown, finding->server))
        return false;
    return in_span(shown, finding->start, finding->end);
}

bool wsl_shows_connection(const WslShown *shown, const WslConnectionView *view)
{
    if (shown->has_stream && view->stream != shown->stream)
        return false;
    if (shown->connection && view->first_packet != shown->connection)
        return false;
    return wsl_shows_server(shown, view->server) && in_span(shown, view->start, view->end);
}

bool wsl_shown_narrows(const WslShown *shown)
{
    return shown->has_stream || shown->connection || shown->server || shown->has_from || shown->has_to;
}

bool wsl_is_digest(const char *text)
{
    return strlen(text) == 28 && text[27] == '=' &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") == 27;
}

char *wsl_shown_text(const WslShown *shown, const WslAnalyzer *analyzer, const char *text)
{
    return shown->show_secrets ? g_strdup(text) : wsl_redact(text, strlen(text), wsl_analyzer_salt(analyzer));
}

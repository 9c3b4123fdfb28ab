/*
 * What narrows a report: times and servers as people write them.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <arpa/inet.h>
#include <string.h>

#include "cli/cli.h"

enum { FRACTION_DIGITS = 9 };

/* Seconds in decimals, kept to the nanosecond: times are pasted from reports. */
static bool parse_seconds(const char *text, WslTime *time)
{
    bool negative = *text == '-';
    WslTime whole = 0, fraction = 0, unit = WSL_SECOND;
    const char *at = *text == '+' || *text == '-' ? text + 1 : text;

    if (!g_ascii_isdigit(*at))
        return false;
    for (; g_ascii_isdigit(*at); at++)
        if ((whole = whole * 10 + (*at - '0')) > G_MAXINT64 / WSL_SECOND / 2)
            return false;
    if (*at == '.')
        for (at++; g_ascii_isdigit(*at); at++)
            fraction += (unit /= 10) * (*at - '0');
    *time = (whole * WSL_SECOND + fraction) * (negative ? -1 : 1);
    return !*at;
}

bool parse_time(const char *text, WslTime zero, WslTime *time)
{
    if (parse_seconds(text, time)) {
        *time += *text == '+' || *text == '-' ? zero : 0;
        return true;
    }
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) moment = g_date_time_new_from_iso8601(text, utc);
    if (!moment)
        return false;
    *time = g_date_time_to_unix(moment) * WSL_SECOND + g_date_time_get_microsecond(moment) * (WslTime)1000;
    return true;
}

void settle_times(Cli *cli, const WslAnalyzer *analyzer)
{
    WslCaptureView capture;

    if (!cli->from && !cli->to)
        return;
    wsl_analyzer_capture(analyzer, &capture);
    cli->shown.has_from = cli->from && parse_time(cli->from, capture.first_time, &cli->shown.from);
    cli->shown.has_to = cli->to && parse_time(cli->to, capture.first_time, &cli->shown.to);
}

static char *address_of(const char *text)
{
    char out[INET6_ADDRSTRLEN];
    uint8_t bytes[16];

    if (inet_pton(AF_INET, text, bytes) == 1)
        return g_strdup(inet_ntop(AF_INET, bytes, out, sizeof out));
    if (inet_pton(AF_INET6, text, bytes) == 1)
        return g_strdup_printf("[%s]", inet_ntop(AF_INET6, bytes, out, sizeof out));
    return NULL;
}

char *parse_server(const char *text)
{
    char *whole = address_of(text);
    const char *colon = strrchr(text, ':');
    guint64 port;

    if (whole)
        return whole;
    g_autofree char *host = colon && colon[-(colon > text)] == ']' ? g_strndup(text, (size_t)(colon - text))
                            : colon && !strchr(text, '[')          ? g_strndup(text, (size_t)(colon - text))
                                                                   : g_strdup(text);
    bool has_port = strlen(host) < strlen(text);
    if (*host == '[' && g_str_has_suffix(host, "]")) {
        g_autofree char *inner = g_strndup(host + 1, strlen(host) - 2);
        g_free(host);
        host = g_steal_pointer(&inner);
        if (!strchr(host, ':'))
            return NULL;
    }
    g_autofree char *address = address_of(host);
    if (!address || (has_port && !g_ascii_string_to_unsigned(colon + 1, 10, 1, UINT16_MAX, &port, NULL)))
        return NULL;
    return has_port ? g_strdup_printf("%s:%u", address, (unsigned)port) : g_steal_pointer(&address);
}

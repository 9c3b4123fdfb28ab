/*
 * What the capture itself could not show, so that nobody takes silence for health.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/detectors/detector.h"

enum { NAMES = 20 };

typedef struct {
    uint64_t bytes, gaps, tls_streams, bytes_skipped, places_skipped;
    GPtrArray *servers, *alpn; /* char *, each once */
} All;

static void on_hole(WslDetector *self, WslConnection *connection, WslDirection direction, const WslPiece *hole)
{
    All *all = wsl_kept_all(self);

    (void)connection;
    (void)direction;
    if (hole->hole != WSL_HOLE_LOST)
        return;
    all->bytes += hole->length;
    all->gaps++;
}

static void on_found(WslDetector *self, WslConnection *connection, WslDirection direction, uint64_t skipped)
{
    All *all = wsl_kept_all(self);

    (void)connection;
    (void)direction;
    all->bytes_skipped += skipped;
    all->places_skipped += skipped > 0;
}

static void add_once(GPtrArray **list, const char *text, guint limit)
{
    if (!*list)
        *list = g_ptr_array_new_with_free_func(g_free);
    if ((*list)->len < limit && !g_ptr_array_find_with_equal_func(*list, text, g_str_equal, NULL))
        g_ptr_array_add(*list, g_strdup(text));
}

static void on_tls(WslDetector *self, WslConnection *connection)
{
    All *all = wsl_kept_all(self);
    const WslHello *hello = connection->hello;
    char text[64];

    all->tls_streams++;
    add_once(&all->servers, hello->server_name ? hello->server_name : wsl_end_text(self, connection, false, text),
             NAMES);
    for (guint i = 0; i < hello->alpn->len; i++)
        add_once(&all->alpn, g_ptr_array_index(hello->alpn, i), NAMES);
}

static void tell_gap(WslDetector *self, const All *all)
{
    WslFinding *finding = wsl_open(self, NULL, WSL_NO_DIRECTION, "capture-gap");

    wsl_finding_number(finding, "bytes", all->bytes);
    wsl_finding_number(finding, "gaps", all->gaps);
    wsl_finding_say(finding,
                    "%" G_GUINT64_FORMAT " bytes of WebSocket connections are not in the capture, in %" G_GUINT64_FORMAT
                    " place%s.",
                    all->bytes, all->gaps, all->gaps == 1 ? "" : "s");
    wsl_close(self, finding);
}

static void tell_desync(WslDetector *self, const All *all)
{
    WslFinding *finding = wsl_open(self, NULL, WSL_NO_DIRECTION, "stream-desync");

    wsl_finding_number(finding, "bytes_skipped", all->bytes_skipped);
    wsl_finding_say(finding,
                    "Frames could not be told apart in %" G_GUINT64_FORMAT " bytes, in %" G_GUINT64_FORMAT
                    " place%s behind a header that is not in the capture.",
                    all->bytes_skipped, all->places_skipped, all->places_skipped == 1 ? "" : "s");
    wsl_close(self, finding);
}

static void tell_truncated(WslDetector *self, const WslCaptureView *capture, uint32_t snaplen)
{
    WslFinding *finding = wsl_open(self, NULL, WSL_NO_DIRECTION, "capture-truncated");

    wsl_finding_number(finding, "packets", capture->truncated_packets);
    wsl_finding_number(finding, "snaplen", snaplen);
    wsl_finding_say(finding, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " packets were cut, to %u bytes at most.",
                    capture->truncated_packets, capture->packets, snaplen);
    wsl_close(self, finding);
}

static void tell_duplicates(WslDetector *self, uint64_t packets)
{
    WslFinding *finding = wsl_open(self, NULL, WSL_NO_DIRECTION, "capture-duplicates");

    wsl_finding_number(finding, "packets", packets);
    wsl_finding_say(finding, "%" G_GUINT64_FORMAT " packet%s twice in the capture; the copies were left out.", packets,
                    packets == 1 ? " is" : "s are");
    wsl_close(self, finding);
}

static void tell_encrypted(WslDetector *self, const All *all)
{
    WslFinding *finding = wsl_open(self, NULL, WSL_NO_DIRECTION, "capture-encrypted");
    g_autoptr(GString) names = g_string_new(NULL);

    wsl_finding_number(finding, "streams", all->tls_streams);
    for (guint i = 0; i < all->servers->len; i++) {
        wsl_finding_add(finding, "servers", g_ptr_array_index(all->servers, i));
        if (i < 3)
            g_string_append_printf(names, "%s%s", i ? ", " : "", (const char *)g_ptr_array_index(all->servers, i));
    }
    for (guint i = 0; all->alpn && i < all->alpn->len; i++)
        wsl_finding_add(finding, "alpn_offered", g_ptr_array_index(all->alpn, i));
    wsl_finding_say(finding,
                    "%" G_GUINT64_FORMAT " TLS stream%s to %s%s could not be read: what is spoken inside is unknown.",
                    all->tls_streams, all->tls_streams == 1 ? "" : "s", names->str, all->servers->len > 3 ? " …" : "");
    wsl_close(self, finding);
}

static void tell_limits(WslDetector *self, const WslTcpCounts *counts)
{
    const struct {
        bool reached;
        WslSettingId setting;
    } limits[] = {
        {counts->untracked > 0, WSL_SET_LIMIT_STREAMS},
        {counts->overflowed > 0, WSL_SET_LIMIT_HELD},
        {wsl_long_heads(self) > 0, WSL_SET_LIMIT_HEAD},
        {wsl_endpoints_figures_limited(self), WSL_SET_LIMIT_ENDPOINTS},
    };
    WslFinding *finding = wsl_open(self, NULL, WSL_NO_DIRECTION, "analysis-limited");
    g_autoptr(GString) list = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
        const WslSetting *setting = wsl_setting(limits[i].setting);
        if (!limits[i].reached)
            continue;
        wsl_finding_add(finding, "limit", setting->name);
        g_string_append_printf(list, "%s%s (%s: %.0f)", list->len ? ", " : "", setting->name, setting->meaning,
                               wsl_threshold(self, limits[i].setting));
    }
    if (!list->len) {
        wsl_finding_free(finding);
        return;
    }
    wsl_finding_say(finding, "Reached: %s.", list->str);
    if (counts->limited_at) {
        g_autofree char *reached = g_steal_pointer(&finding->summary);
        wsl_finding_say(finding, "%s Streams that begin at packet %" G_GUINT64_FORMAT " or later are not followed.",
                        reached, counts->limited_at);
    }
    wsl_close(self, finding);
}

static void on_finish(WslDetector *self)
{
    const All *all = wsl_kept_all(self);
    const WslTcpCounts *counts = wsl_tcp_figures(self);
    WslCaptureView capture;
    uint32_t snaplen;

    wsl_capture_figures(self, &capture, &snaplen);
    if (all->gaps)
        tell_gap(self, all);
    if (all->bytes_skipped)
        tell_desync(self, all);
    if (capture.truncated_packets)
        tell_truncated(self, &capture, snaplen);
    if (counts->duplicates)
        tell_duplicates(self, counts->duplicates);
    if (all->tls_streams)
        tell_encrypted(self, all);
    tell_limits(self, counts);
}

static void free_all(WslDetector *self)
{
    All *all = wsl_kept_all(self);

    g_clear_pointer(&all->servers, g_ptr_array_unref);
    g_clear_pointer(&all->alpn, g_ptr_array_unref);
}

const WslDetectorType wsl_detector_capture = {
    .name = "capture",
    .keeps = sizeof(All),
    .on_hole = on_hole,
    .on_found = on_found,
    .on_tls = on_tls,
    .on_finish = on_finish,
    .free = free_all,
};

/*
 * What detectors may ask of the core (detector.h).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/detectors/detector.h"

#include "core/analyzer_state.h"

enum { STREAMS_LISTED = 1000 };

double wsl_threshold(const WslDetector *self, WslSettingId setting)
{
    return self->analyzer->options->settings[setting];
}

const char *wsl_end_text(const WslDetector *self, const WslConnection *connection, bool client, char out[64])
{
    unsigned i = client ? 0 : 1;

    wsl_tcp_end_text(self->analyzer->tcp, connection->address[i], connection->ipv6, connection->port[i], out);
    return out;
}

char *wsl_address_text(const WslDetector *self, uint32_t address, bool ipv6, uint16_t port)
{
    char text[64];

    wsl_tcp_end_text(self->analyzer->tcp, address, ipv6, port, text);
    return g_strdup(text);
}

WslFinding *wsl_open(WslDetector *self, WslConnection *connection, WslDirection direction, const char *id)
{
    WslFinding *finding = wsl_finding_new(self->analyzer->findings, id);
    char text[64];

    finding->direction = direction;
    if (!connection)
        return finding;
    connection->marks |= WSL_HAS_FINDING;
    finding->has_stream = true;
    finding->stream = connection->stream;
    finding->connection = connection->first_packet;
    finding->client = g_strdup(wsl_end_text(self, connection, true, text));
    finding->server = g_strdup(wsl_end_text(self, connection, false, text));
    return finding;
}

void wsl_prove(WslDetector *self, WslFinding *finding, WslPacketNo packet, WslTime time)
{
    wsl_finding_proof(self->analyzer->findings, finding, packet, time);
}

void wsl_add_stream(WslFinding *finding, uint32_t stream)
{
    if (!finding->streams)
        finding->streams = g_array_new(FALSE, FALSE, sizeof stream);
    if (finding->streams->len < STREAMS_LISTED)
        g_array_append_val(finding->streams, stream);
    finding->count++;
}

bool wsl_may_lack(const WslConnection *connection, WslDirection direction)
{
    const WslDirectionState *state = &connection->directions[direction];
    const WslTcp *tcp = connection->tcp;

    if (state->lost || state->holed || connection->marks & WSL_IS_SKIPPED || !(connection->marks & WSL_SAW_START))
        return true;
    unsigned side = wsl_side_of(tcp, direction);
    return !wsl_tcp_seen(tcp, side) || wsl_tcp_acknowledged(tcp, side) > tcp->side[side].offset;
}

WslFinding *wsl_close(WslDetector *self, WslFinding *finding)
{
    return wsl_finding_close(self->analyzer->findings, finding);
}

const WslTcpCounts *wsl_tcp_figures(const WslDetector *self)
{
    return wsl_tcp_counts(self->analyzer->tcp);
}

void wsl_capture_figures(const WslDetector *self, WslCaptureView *view, uint32_t *snaplen)
{
    *view = self->analyzer->capture;
    *snaplen = self->analyzer->snaplen;
}

uint64_t wsl_long_heads(const WslDetector *self)
{
    return self->analyzer->long_heads;
}

bool wsl_endpoints_figures_limited(const WslDetector *self)
{
    return wsl_endpoints_limited(self->analyzer->endpoints);
}

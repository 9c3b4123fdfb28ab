/*
 * Connections that ended without a Close for one side (RFC 6455 §7.1.5): its application sees 1006.
 * Innocent: what follows two Closes, in any order; a direction that the capture lost. A client alone that goes is a note.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/detectors/detector.h"

enum { ABNORMAL = 1006 };

static const char *seen(int code, char out[24])
{
    if (code < 0)
        return "an unknown code";
    g_snprintf(out, 24, "%d", code);
    return out;
}

/* Phones kill applications all day: no fault of a service that answered to the last. */
static bool client_alone(const WslConnection *connection)
{
    const WslTcp *tcp = connection->tcp;
    unsigned client = (unsigned)tcp->client;

    return connection->ended_by == WSL_CLIENT_TO_SERVER && wsl_tcp_in_flight(tcp, client) == 0;
}

static void tell_silent(WslDetector *self, WslConnection *connection, WslFinding *finding)
{
    const WslTcp *tcp = connection->tcp;
    bool client_is_gone = connection->silent == WSL_SERVER_TO_CLIENT;
    unsigned side = wsl_side_of(tcp, (WslDirection)connection->silent);
    WslTime since = tcp->trouble->side[side].unanswered_since;

    wsl_finding_text(finding, "ended_by", "unknown");
    wsl_finding_text(finding, "how", "silent");
    wsl_prove(self, finding, tcp->trouble->side[side].unanswered_in, MAX(since, connection->start));
    wsl_prove(self, finding, connection->last_packet, connection->end);
    wsl_finding_say(
        finding, "%s stopped answering: %s sent the same data %u more times over %.1f s, to the end of the capture.",
        client_is_gone ? finding->client : finding->server, client_is_gone ? finding->server : finding->client,
        tcp->trouble->side[side].resends, (double)(connection->end - since) / (double)WSL_SECOND);
}

static void tell_ended(WslDetector *self, WslConnection *connection, WslFinding *finding, int client_sees,
                       int server_sees)
{
    bool by_client = connection->ended_by == WSL_CLIENT_TO_SERVER, reset = connection->tcp->flags & WSL_TCP_RST_FIRST;
    char first[24], second[24];

    wsl_finding_text(finding, "ended_by", by_client ? "client" : "server");
    wsl_finding_text(finding, "how", reset ? "rst" : "fin");
    wsl_prove(self, finding, connection->end_packet, connection->end_time);
    if (client_alone(connection))
        finding->severity = WSL_NOTE;
    wsl_finding_say(
        finding,
        "%s %s the connection %.1f s after it opened, without a Close handshake: the client sees %s, the server %s.",
        by_client ? finding->client : finding->server, reset ? "reset" : "ended",
        (double)MAX(connection->end_time - connection->opened, 0) / (double)WSL_SECOND, seen(client_sees, first),
        seen(server_sees, second));
}

static void on_connection_end(WslDetector *self, WslConnection *connection)
{
    int client_sees = wsl_connection_seen_code(connection, WSL_SERVER_TO_CLIENT),
        server_sees = wsl_connection_seen_code(connection, WSL_CLIENT_TO_SERVER);
    bool abnormal = (client_sees == ABNORMAL && !connection->directions[WSL_SERVER_TO_CLIENT].close) ||
                    (server_sees == ABNORMAL && !connection->directions[WSL_CLIENT_TO_SERVER].close);

    if (!(connection->marks & WSL_IS_WEBSOCKET) || !abnormal)
        return;
    WslFinding *finding = wsl_open(self, connection, WSL_NO_DIRECTION, "close-abnormal");
    finding->part_of = connection->cause;
    if (client_sees >= 0)
        wsl_finding_number(finding, "client_sees", (uint64_t)client_sees);
    if (server_sees >= 0)
        wsl_finding_number(finding, "server_sees", (uint64_t)server_sees);
    if (connection->silent >= 0)
        tell_silent(self, connection, finding);
    else
        tell_ended(self, connection, finding, client_sees, server_sees);
    wsl_close(self, finding);
}

const WslDetectorType wsl_detector_endings = {
    .name = "endings",
    .on_connection_end = on_connection_end,
};

/*
 * The opening handshake (RFC 6455 §4): refused, invalid, with a wrong accept or selection, stripped by a proxy, skipped.
 * Innocent: 101 to other protocols (no upgrade reaches this file for them), any spelling that HTTP allows, cut heads.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "core/detectors/detector.h"

enum { UPGRADE_REQUIRED = 426, SWITCHING_PROTOCOLS = 101, PROOF_OF_SKIPPING = 8 };

typedef struct {
    uint32_t frames;
    WslPacketNo packets[PROOF_OF_SKIPPING]; /* the first ones */
    WslTime times[PROOF_OF_SKIPPING];
} Skipped;

/* Connections without an upgrade are rare: the others keep a pointer. */
typedef struct {
    Skipped *skipped;
} Kept;

static void prove_by_heads(WslDetector *self, WslFinding *finding, const WslUpgrade *upgrade)
{
    if (upgrade->requested)
        wsl_prove(self, finding, upgrade->request_packet, upgrade->requested);
    if (upgrade->flags & WSL_UPGRADE_ANSWERED)
        wsl_prove(self, finding, upgrade->response_packet, upgrade->answered);
}

static WslFinding *open_about(WslDetector *self, WslConnection *connection, const char *id)
{
    WslFinding *finding = wsl_open(self, connection, WSL_NO_DIRECTION, id);

    prove_by_heads(self, finding, connection->upgrade);
    return finding;
}

static bool is_stripped(const WslUpgrade *upgrade)
{
    return upgrade->flags & (WSL_UPGRADE_LACKS_UPGRADE | WSL_UPGRADE_LACKS_CONNECTION) &&
           upgrade->flags & WSL_UPGRADE_HAS_NONCE && upgrade->status != SWITCHING_PROTOCOLS;
}

static WslFinding *tell_stripped(WslDetector *self, WslConnection *connection)
{
    const WslUpgrade *upgrade = connection->upgrade;
    bool no_upgrade = upgrade->flags & WSL_UPGRADE_LACKS_UPGRADE,
         no_connection = upgrade->flags & WSL_UPGRADE_LACKS_CONNECTION;
    WslFinding *finding = open_about(self, connection, "upgrade-stripped");

    if (no_upgrade)
        wsl_finding_add(finding, "missing", "Upgrade");
    if (no_connection)
        wsl_finding_add(finding, "missing", "Connection: Upgrade");
    if (upgrade->status)
        wsl_finding_number(finding, "status", upgrade->status);
    wsl_finding_say(finding, "The request of %s reached %s with Sec-WebSocket-Key but without %s%s%s: a proxy ate %s.",
                    finding->client, finding->server, no_upgrade ? "Upgrade" : "",
                    no_upgrade && no_connection ? " and " : "", no_connection ? "Connection: Upgrade" : "",
                    no_upgrade && no_connection ? "them" : "it");
    return wsl_close(self, finding);
}

/* A version that the server declines by 426 is negotiation as §4.4 wants it. */
static uint32_t faults_to_tell(const WslUpgrade *upgrade)
{
    uint32_t faults = upgrade->faults;

    if (upgrade->status == UPGRADE_REQUIRED)
        faults &= ~(1U << WSL_FAULT_VERSION_OTHER);
    return faults;
}

static WslFinding *tell_invalid(WslDetector *self, WslConnection *connection, uint32_t faults)
{
    WslFinding *finding = open_about(self, connection, "upgrade-invalid");
    g_autoptr(GString) list = g_string_new(NULL);

    for (unsigned fault = 0; fault < WSL_FAULTS; fault++) {
        if (!(faults >> fault & 1))
            continue;
        wsl_finding_add(finding, "problems", wsl_upgrade_fault_text(fault));
        g_string_append_printf(list, "%s%s", list->len ? "; " : "", wsl_upgrade_fault_text(fault));
    }
    wsl_finding_say(finding, "The handshake between %s and %s breaks RFC 6455: %s.", finding->client, finding->server,
                    list->str);
    return wsl_close(self, finding);
}

static void tell_refused(WslDetector *self, WslConnection *connection, WslFinding *parent)
{
    const WslUpgrade *upgrade = connection->upgrade;
    bool has_reason = upgrade->reason && *upgrade->reason;
    WslFinding *finding = open_about(self, connection, "upgrade-refused");
    g_autofree char *later =
        upgrade->retry_after_s >= 0
            ? g_strdup_printf(", and asked to come back after %" G_GINT64_FORMAT " s", upgrade->retry_after_s)
            : g_strdup("");

    finding->part_of = parent;
    wsl_finding_number(finding, "status", upgrade->status);
    if (has_reason)
        wsl_finding_text(finding, "reason", upgrade->reason);
    if (upgrade->retry_after_s >= 0)
        wsl_finding_seconds(finding, "retry_after_s", upgrade->retry_after_s * WSL_SECOND);
    wsl_finding_say(finding, "%s answered the upgrade request of %s with %u%s%s%s.", finding->server, finding->client,
                    upgrade->status, has_reason ? " " : "", has_reason ? upgrade->reason : "", later);
    wsl_close(self, finding);
}

static void tell_accept(WslDetector *self, WslConnection *connection)
{
    const WslUpgrade *upgrade = connection->upgrade;
    WslFinding *finding = open_about(self, connection, "upgrade-accept-mismatch");
    g_autofree char *expected = wsl_upgrade_accept(upgrade->key, strlen(upgrade->key));

    wsl_finding_text(finding, "expected", expected);
    wsl_finding_text(finding, "got", upgrade->accept);
    wsl_finding_say(finding, "%s answered with a Sec-WebSocket-Accept that does not fit the key of %s%s.",
                    finding->server, finding->client, *upgrade->accept ? "" : ": it is empty");
    wsl_close(self, finding);
}

static void tell_unoffered(WslDetector *self, WslConnection *connection, const char *id, const char *what,
                           const char *offered, const char *selected)
{
    WslFinding *finding = open_about(self, connection, id);

    wsl_finding_text(finding, "offered", offered ? offered : "");
    wsl_finding_text(finding, "selected", selected ? selected : "");
    wsl_finding_say(finding, "%s selected the %s \"%s\"; %s offered %s%s%s.", finding->server, what,
                    selected ? selected : "", finding->client, offered ? "\"" : "none", offered ? offered : "",
                    offered ? "\"" : "");
    wsl_close(self, finding);
}

static void judge(WslDetector *self, WslConnection *connection)
{
    const WslUpgrade *upgrade = connection->upgrade;
    uint32_t faults = faults_to_tell(upgrade);
    WslFinding *parent = NULL;

    if (is_stripped(upgrade))
        parent = tell_stripped(self, connection);
    else if (faults)
        parent = tell_invalid(self, connection, faults);
    if (upgrade->flags & WSL_UPGRADE_ANSWERED && upgrade->status != SWITCHING_PROTOCOLS)
        tell_refused(self, connection, parent);
    if (upgrade->flags & WSL_UPGRADE_ACCEPT_KNOWN && !(upgrade->flags & WSL_UPGRADE_ACCEPT_VALID))
        tell_accept(self, connection);
    if (upgrade->flags & WSL_UPGRADE_SUBPROTOCOL_UNOFFERED)
        tell_unoffered(self, connection, "upgrade-subprotocol-unoffered", "subprotocol", upgrade->offered_subprotocols,
                       upgrade->subprotocol);
    if (upgrade->flags & WSL_UPGRADE_EXTENSION_UNOFFERED)
        tell_unoffered(self, connection, "upgrade-extension-unoffered", "extension", upgrade->offered_extensions,
                       upgrade->extensions);
}

static void on_response(WslDetector *self, WslConnection *connection)
{
    judge(self, connection);
}

static void on_frame(WslDetector *self, const WslFrame *frame)
{
    if (!(frame->connection->marks & WSL_IS_SKIPPED))
        return;
    Kept *kept = wsl_kept(self, frame->connection);
    if (!kept->skipped)
        kept->skipped = g_new0(Skipped, 1);
    Skipped *skipped = kept->skipped;
    if (skipped->frames < PROOF_OF_SKIPPING) {
        skipped->packets[skipped->frames] = frame->packet;
        skipped->times[skipped->frames] = frame->completed;
    }
    skipped->frames++;
}

static void tell_skipped(WslDetector *self, WslConnection *connection, const Skipped *skipped)
{
    WslFinding *finding = wsl_open(self, connection, WSL_NO_DIRECTION, "upgrade-skipped");

    finding->confidence = WSL_LIKELY;
    for (unsigned i = 0; i < MIN(skipped->frames, PROOF_OF_SKIPPING); i++)
        wsl_prove(self, finding, skipped->packets[i], skipped->times[i]);
    wsl_finding_number(finding, "frames", skipped->frames);
    wsl_finding_say(finding,
                    "%s and %s exchanged %u WebSocket frame%s from the connection's first byte on, without an upgrade.",
                    finding->client, finding->server, skipped->frames, skipped->frames == 1 ? "" : "s");
    wsl_close(self, finding);
}

static void on_connection_end(WslDetector *self, WslConnection *connection)
{
    Kept *kept = wsl_kept(self, connection);

    if (kept->skipped)
        tell_skipped(self, connection, kept->skipped);
    else if (connection->upgrade && !(connection->upgrade->flags & (WSL_UPGRADE_ANSWERED | WSL_UPGRADE_REQUEST_CUT)))
        judge(self, connection);
    g_clear_pointer(&kept->skipped, g_free);
}

const WslDetectorType wsl_detector_upgrade = {
    .name = "upgrade",
    .keeps_per_connection = sizeof(Kept),
    .on_response = on_response,
    .on_frame = on_frame,
    .on_connection_end = on_connection_end,
};

/*
 * wsleuth's public face: packets in; connections, frames, servers and findings out.
 *
 *   WslAnalyzer *analyzer = wsl_analyzer_new(options, &listener);
 *   while (there are packets)
 *       wsl_analyzer_packets(analyzer, batch, count);
 *   wsl_analyzer_finish(analyzer);
 *   … wsl_analyzer_capture(), _totals(), _server(), _connection(), _finding() …
 *   wsl_analyzer_free(analyzer);
 *
 * The result depends on the packets and the options alone, not on how they are cut into batches.
 * Nothing here is thread-safe. Texts that came from the wire are raw: see core/report/safetext.h before showing them.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSLEUTH_H
#define WSLEUTH_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/findings/catalogue.h"
#include "core/packet.h"
#include "core/packet/segment.h"
#include "core/websocket/frames.h"

typedef struct WslAnalyzer WslAnalyzer;
typedef struct WslConnection WslConnection;

typedef enum { WSL_CLIENT_TO_SERVER, WSL_SERVER_TO_CLIENT, WSL_NO_DIRECTION } WslDirection;

/** What may be changed about an analysis. */
typedef struct {
    double settings[WSL_SETTINGS];
    GArray *ports; /**< guint16: treated as WebSocket server ports without a handshake */
    size_t max_connections, max_findings, max_proof; /**< listed: of all, of each id, packets of each finding */
} WslOptions;

WslOptions *wsl_options_new(void);
void wsl_options_free(WslOptions *options);
/** Takes "NAME=VALUE"; false and `error` if there is no such setting or the value is out of its range. */
bool wsl_options_set(WslOptions *options, const char *assignment, GError **error);

#define WSL_OPTIONS_ERROR g_quark_from_static_string("wsl-options-error")

/** One direction of a connection. */
typedef struct {
    uint64_t frames, text, binary, continuation, ping, pong, close, messages, payload_bytes, message_bytes,
        masked_frames;
    uint64_t unread_messages, retransmitted_bytes, missing_bytes;
    int close_code;           /**< of its first Close; -1: none, or it carried none */
    const char *close_reason; /**< NULL: none */
} WslDirectionView;

typedef struct {
    bool known;      /**< an upgrade was requested or skipped nothing: the fields below mean something */
    unsigned status; /**< 0: not answered, or the answer was not seen */
    const char *host, *path, *origin, *user_agent, *subprotocol, *extensions; /**< NULL: not there */
    bool accept_known, accept_valid;
    WslTime round_trip; /**< ns; -1: unknown */
} WslUpgradeView;

typedef enum { WSL_TRANSPORT_WS, WSL_TRANSPORT_WSS, WSL_TRANSPORT_TLS } WslTransport;
typedef enum { WSL_HOW_CLOSE_FRAME, WSL_HOW_FIN, WSL_HOW_RST, WSL_HOW_OPEN, WSL_HOW_SILENT } WslHow;

/** A connection as reports show it. Strings are valid as long as the analyzer, or (listener) until the call returns. */
typedef struct {
    uint32_t stream;
    char client[64], server[64];
    const char *client_named;
    WslTime start, end;
    WslPacketNo first_packet, last_packet;
    WslTransport transport;
    bool from_start; /**< its SYN was seen */
    bool websocket;  /**< it became one: counted in websocket_connections */
    bool has_findings;
    WslUpgradeView upgrade;
    WslDirectionView directions[2]; /**< by WslDirection */
    WslTime rtt_min, rtt_median;    /**< ns; 0: not seen */
    const char *rtt_leg;            /**< "client", "server", "both" */
    WslTime ping_median, ping_max;  /**< ns; 0: no answered Ping */
    bool ended_known;               /**< the fields below mean something: it was a WebSocket */
    WslHow how;
    int code; /**< of the first Close; -1 */
    const char *reason;
    WslDirection
        initiated_by; /**< whose Close came first: CLIENT_TO_SERVER is the client; WSL_NO_DIRECTION: no Close */
    bool clean;
    int client_sees, server_sees; /**< -1: cannot be told */
} WslConnectionView;

/** A value of a finding's evidence; `type` is the catalogue's. */
typedef struct {
    bool present;
    union {
        uint64_t number;
        int64_t nanoseconds;
        bool truth;
        char *text;
        GPtrArray *list; /* of char * */
    };
} WslEvidence;

/** A finding. Read only; it lives as long as the analyzer (listener: until the call returns). */
typedef struct WslFinding {
    const WslCatalogueEntry *entry;
    WslSeverity severity;
    WslConfidence confidence;
    char *key, *summary, *filter;
    bool has_stream; /**< it is about one connection: */
    uint32_t stream;
    WslPacketNo connection; /**< its first packet: tells connections of one stream apart */
    char *client, *server;  /**< NULL: many, or none */
    WslDirection direction;
    GArray *streams; /**< guint32; or about many: the first ones */
    uint64_t count;  /**< how many; 0: one */
    GArray *packets; /**< WslPacketNo, at most max_proof */
    WslTime start, end;
    WslEvidence evidence[WSL_EVIDENCE_KEYS];
    struct WslFinding *part_of;
} WslFinding;

typedef struct {
    uint64_t value, count;
} WslTally;

/** A server endpoint that speaks WebSocket. Arrays are owned by whoever got the view: wsl_server_view_clear(). */
typedef struct {
    char server[64];
    GPtrArray *hosts;    /**< const char * */
    GPtrArray *paths;    /**< const char *; the most used first, 20 at most, `path_counts` beside it */
    GArray *path_counts; /**< uint64_t */
    uint64_t connections, open_at_most, opened_per_s_at_most;
    GArray *statuses, *close_codes;                             /**< WslTally, by value */
    WslTime upgrade_median, upgrade_max, ping_median, ping_max; /**< ns; 0: none */
    double messages_per_min[2];                                 /**< for each open connection, by WslDirection */
    double open_s;                                              /**< seconds that its connections were open, summed */
    const char *direction;                                      /**< "both", "server-only", "client-only", "idle" */
    double retransmitted_share;                                 /**< of the payload bytes sent */
    uint64_t slow_clients, queued_bytes;
} WslServerView;
void wsl_server_view_clear(WslServerView *view);

typedef struct {
    uint64_t packets, bytes; /**< bytes on the wire */
    WslTime first_time, last_time;
    GArray *link_types; /**< guint16, as they appeared */
    uint64_t truncated_packets, duplicate_packets, undecodable_packets;
    uint64_t undecodable[WSL_DECODE_RESULTS]; /**< by reason */
} WslCaptureView;

typedef struct {
    uint64_t tcp_streams, websocket_connections, upgrades_refused, frames, messages;
    uint64_t findings[WSL_SEVERITIES];
    uint64_t connections_not_listed, findings_not_listed;
} WslTotals;

/** Hears of things as they happen. Any may be NULL. */
typedef struct {
    void *user;
    void (*frame)(void *user, const WslAnalyzer *analyzer, uint32_t stream, const WslFrame *frame);
    void (*connection)(void *user, WslAnalyzer *analyzer, const WslConnection *connection);
    void (*finding)(void *user, const WslAnalyzer *analyzer, const WslFinding *finding);
} WslListener;

/** `options` and `listener` (may be NULL) must outlive the analyzer. */
WslAnalyzer *wsl_analyzer_new(const WslOptions *options, const WslListener *listener);
void wsl_analyzer_free(WslAnalyzer *analyzer);

/** Takes up to WSL_BATCH_MAX packets, in capture order; their bytes are not needed after it returns. */
void wsl_analyzer_packets(WslAnalyzer *analyzer, const WslPacket *packets, size_t count);

/** The capture is over: ends what is open, judges what needs the whole. Once. */
void wsl_analyzer_finish(WslAnalyzer *analyzer);

void wsl_analyzer_capture(const WslAnalyzer *analyzer, WslCaptureView *view);
void wsl_analyzer_totals(const WslAnalyzer *analyzer, WslTotals *totals);

/** After the end: listed connections in the order of their first packets, servers by address, findings in total order. */
size_t wsl_analyzer_connection_count(const WslAnalyzer *analyzer);
void wsl_analyzer_connection(const WslAnalyzer *analyzer, size_t index, WslConnectionView *view);
/** Payload bytes of a listed connection and whether something was found about it: what ranks it, without making its view. */
uint64_t wsl_analyzer_connection_weight(const WslAnalyzer *analyzer, size_t index, bool *has_findings);
size_t wsl_analyzer_server_count(const WslAnalyzer *analyzer);
void wsl_analyzer_server(const WslAnalyzer *analyzer, size_t index, WslServerView *view);
size_t wsl_analyzer_finding_count(const WslAnalyzer *analyzer);
const WslFinding *wsl_analyzer_finding(const WslAnalyzer *analyzer, size_t index);
/** So many findings of each id are listed at most. */
size_t wsl_analyzer_max_findings(const WslAnalyzer *analyzer);
/** Findings made of a catalogue row (its index), listed or not. */
uint64_t wsl_analyzer_found(const WslAnalyzer *analyzer, size_t row);

void wsl_connection_view(const WslAnalyzer *analyzer, const WslConnection *connection, WslConnectionView *view);

/** What credentials are hashed with: depends on the capture's first packets alone. */
uint64_t wsl_analyzer_salt(const WslAnalyzer *analyzer);

const char *wsl_direction_name(WslDirection direction); /**< "client_to_server", "server_to_client" */

#endif

/*
 * What a family of findings is to the core: the bytes it keeps, the events it hears.
 *
 * A family is one file here, one row in registry.c, its rows in core/findings/catalogue.c. Callbacks that are NULL cost
 * nothing. Every event carries its connection, its time and its packet; what an event points to is valid during the call.
 * Events of one connection come in the order of their bytes for each direction; between directions in the order of the
 * packets, except that a hole comes late: when it is given up, not when its bytes were sent.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_DETECTORS_DETECTOR_H
#define WSL_DETECTORS_DETECTOR_H

#include "core/connection.h"
#include "core/findings/findings.h"

typedef struct WslDetector WslDetector;

typedef struct {
    const char *name;
    size_t keeps_per_connection; /**< bytes, zeroed at first: wsl_kept() */
    size_t keeps;                /**< bytes for the whole capture, zeroed at first: wsl_kept_all() */

    /** `connection->upgrade` holds the request; and after `on_response` what the server said to it, or nothing to the end. */
    void (*on_request)(WslDetector *self, WslConnection *connection);
    void (*on_response)(WslDetector *self, WslConnection *connection);
    /** It is a WebSocket from here on: upgraded, or (mark WSL_IS_SKIPPED) without an upgrade. */
    void (*on_open)(WslDetector *self, WslConnection *connection);
    /** The connection's counters include it already. A frame is complete, or (`finished` false) will never be; at a message's last frame the message too. */
    void (*on_frame)(WslDetector *self, const WslFrame *frame);
    /** Every packet of a WebSocket connection, before the frames that it completes: what it meant for TCP. */
    void (*on_segment)(WslDetector *self, WslConnection *connection, WslDirection direction, const WslArrival *arrival,
                       uint32_t what);
    /** Bytes that are not in the capture. Not told of a side of which nothing was captured: see wsl_may_lack(). */
    void (*on_hole)(WslDetector *self, WslConnection *connection, WslDirection direction, const WslPiece *hole);
    /** A direction lost its place: no frames from it until it is found again, `skipped` bytes later (or at its end). */
    void (*on_lost)(WslDetector *self, WslConnection *connection, WslDirection direction, const WslPiece *at);
    void (*on_found)(WslDetector *self, WslConnection *connection, WslDirection direction, uint64_t skipped);
    /** This side's first FIN or RST (`what`: WSL_ARRIVAL_FIN or _RST). */
    void (*on_end)(WslDetector *self, WslConnection *connection, WslDirection direction, uint32_t what, WslTime time,
                   WslPacketNo packet);
    /** A TLS handshake that cannot be read further: `connection->hello`. */
    void (*on_tls)(WslDetector *self, WslConnection *connection);
    /** The connection is over, with its end fields set, or the capture is. Of upgrades, refused or not, and WebSockets. */
    void (*on_connection_end)(WslDetector *self, WslConnection *connection);
    /** The capture is over; all connections are. */
    void (*on_finish)(WslDetector *self);
    /** Frees what the kept bytes point to; for a connection's see on_connection_end, which always comes. */
    void (*free)(WslDetector *self);
} WslDetectorType;

/** All families. */
extern const WslDetectorType *const wsl_detector_types[];
extern const size_t wsl_detector_type_count;

struct WslDetector {
    const WslDetectorType *type;
    WslAnalyzer *analyzer;
    size_t offset; /**< of its bytes in a connection's */
    void *all;
};

/** This family's bytes of a connection, of the capture. */
static inline void *wsl_kept(const WslDetector *self, const WslConnection *connection)
{
    return (void *)((char *)(uintptr_t)connection->kept + self->offset);
}

static inline void *wsl_kept_all(const WslDetector *self)
{
    return self->all;
}

double wsl_threshold(const WslDetector *self, WslSettingId setting);

/** Opens a finding about one connection (direction WSL_NO_DIRECTION: about both), or (connection NULL) about many. */
WslFinding *wsl_open(WslDetector *self, WslConnection *connection, WslDirection direction, const char *id);
/** A packet that proves it. */
void wsl_prove(WslDetector *self, WslFinding *finding, WslPacketNo packet, WslTime time);
/** For findings about many connections: one more of them. */
void wsl_add_stream(WslFinding *finding, uint32_t stream);
/** True if the capture may lack something that this direction said up to now: do not judge by its absence. */
bool wsl_may_lack(const WslConnection *connection, WslDirection direction);
/** Lists it. Returns it, or NULL if it was only counted. */
WslFinding *wsl_close(WslDetector *self, WslFinding *finding);

/** "ip:port" of the client or server, into a buffer of 64 bytes. */
const char *wsl_end_text(const WslDetector *self, const WslConnection *connection, bool client, char out[64]);

/** The same of a connection that is gone, from its address fields; g_free() it. */
char *wsl_address_text(const WslDetector *self, uint32_t address, bool ipv6, uint16_t port);

/** What TCP and packet decoding counted, for findings about the capture. */
const WslTcpCounts *wsl_tcp_figures(const WslDetector *self);
void wsl_capture_figures(const WslDetector *self, WslCaptureView *view, uint32_t *snaplen);
/** HTTP heads that were beyond the limit. */
uint64_t wsl_long_heads(const WslDetector *self);
bool wsl_endpoints_figures_limited(const WslDetector *self);

#endif

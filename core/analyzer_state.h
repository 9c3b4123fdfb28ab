/*
 * The analyzer's inside, shared by the files at the top of core/ that wire the stages together.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_ANALYZER_STATE_H
#define WSL_ANALYZER_STATE_H

#include "core/connection.h"
#include "core/detectors/detector.h"
#include "core/slab.h"

/** Who hears what: NULL-terminated lists, so that an event that nobody hears costs one load. */
typedef struct {
    WslDetector **on_request, **on_response, **on_open, **on_frame, **on_segment, **on_hole, **on_lost, **on_found,
        **on_end, **on_tls, **on_connection_end, **on_finish;
} WslHearers;

/** Tells all detectors that hear `event`. */
#define WSL_TELL(analyzer, event, ...)                                                                                 \
    for (WslDetector **hearer_ = (analyzer)->hearers.event; *hearer_; hearer_++)                                       \
    (*hearer_)->type->event(*hearer_ __VA_OPT__(, ) __VA_ARGS__)

struct WslAnalyzer {
    const WslOptions *options;
    const WslListener *listener;
    WslTcpTable *tcp;
    WslEndpoints *endpoints;
    WslFindings *findings;
    WslDetector *detectors;
    WslHearers hearers;
    size_t kept_bytes;    /* of a connection */
    WslSlab *connections; /* of WslConnection with its kept bytes */
    WslHead head;         /* scratch for parsing */
    WslArrival arrivals[WSL_BATCH_MAX];
    WslCaptureView capture;
    uint32_t snaplen; /* the greatest captured length of a cut packet */
    uint64_t salt;
    unsigned salted;
    WslTotals totals;
    uint64_t long_heads;  /* beyond the limit */
    GPtrArray *listed;    /* WslConnection, ended */
    GPtrArray *servers;   /* WslEndpoint that speak WebSocket, by address; made at the end */
    GArray *displaceable; /* guint: indexes of listed ones without findings */
};

/* stream.c: bytes of both sides, from TCP to frames */

/** Pulls what the segment brought. The connection may be gone afterwards (foreign protocols are not followed). */
void wsl_stream_pull(WslAnalyzer *analyzer, WslTcp *tcp, const WslArrival *arrival, uint32_t what);
/** The TCP connection is over, or the capture is: pulls what still waits, ends and releases it. */
void wsl_stream_end(WslAnalyzer *analyzer, WslTcp *tcp, bool capture_over);

/* lives.c: beginnings and ends of connections */

WslConnection *wsl_connection_begin(WslAnalyzer *analyzer, WslTcp *tcp);
/** Its server is known: finds the endpoint. */
void wsl_connection_know_roles(WslAnalyzer *analyzer, WslConnection *connection);
/** It is a WebSocket from `time` on. */
void wsl_connection_open(WslAnalyzer *analyzer, WslConnection *connection, WslTime time);
/** Its upgrade was answered with something else. */
void wsl_connection_refused(WslAnalyzer *analyzer, WslConnection *connection);
/** Sets the end fields, tells the detectors, lists it or frees it. */
void wsl_connection_finish(WslAnalyzer *analyzer, WslConnection *connection, bool capture_over);
/** Frees the connection and what it owns. */
void wsl_connection_free(WslAnalyzer *analyzer, WslConnection *connection);

/* view.c: the public model */

/** Puts in order what the views show, at the end. */
void wsl_view_settle(WslAnalyzer *analyzer);

#endif

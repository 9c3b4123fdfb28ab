/*
 * libpcap's filter language over packets of any link type.
 *
 *   in:   an expression, packets
 *   out:  whether a packet matches
 *   owns: one compiled program for each link type that was met
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_CAPTURE_FILTER_H
#define WSL_CAPTURE_FILTER_H

#include <glib.h>
#include <stdint.h>

#include "core/packet.h"

typedef struct WslFilter WslFilter;

typedef enum {
    WSL_FILTER_REJECTS,
    WSL_FILTER_ACCEPTS,
    WSL_FILTER_FAILED, /**< the expression makes no sense for the packet's link type; `error` is set */
} WslFilterVerdict;

/** NULL and WSL_SOURCE_ERROR_FILTER if the expression compiles for none of Ethernet, raw IP and Linux cooked captures. */
WslFilter *wsl_filter_new(const char *expression, GError **error);

WslFilterVerdict wsl_filter_match(WslFilter *filter, const WslPacket *packet, GError **error);

void wsl_filter_free(WslFilter *filter);

/** Sets WSL_SOURCE_ERROR_FILTER for an expression that libpcap refuses for `reason`. */
void wsl_filter_set_error(GError **error, const char *expression, const char *reason);

/** libpcap's DLT_ value of this system for a LINKTYPE_ value of a file, and back. Few differ. */
int wsl_link_type_to_dlt(uint16_t link_type);
uint16_t wsl_link_type_from_dlt(int dlt);

#endif

/*
 * The way into a packet: link types, and a shortcut for what most packets are.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/packet/segment.h"

#include <glib.h>

#include "core/packet/bytes.h"
#include "core/packet/layer.h"

enum {
    LINKTYPE_ETHERNET = 1,
    ETHERNET_BYTES = 14,
    IPV4_BYTES = 20,
    TCP_MIN = 20,
};

static const struct {
    uint16_t number; /* LINKTYPE_, as in files */
    const char *name;
    WslLayer *layer;
} link_types[] = {
    {LINKTYPE_ETHERNET, "EN10MB", wsl_layer_ethernet},
    {113, "LINUX_SLL", wsl_layer_sll},
    {276, "LINUX_SLL2", wsl_layer_sll2},
    {101, "RAW", wsl_layer_raw},
    {12, "RAW", wsl_layer_raw}, /* DLT_RAW of most systems, written to files by some programs */
    {14, "RAW", wsl_layer_raw}, /* DLT_RAW of OpenBSD */
    {228, "IPV4", wsl_layer_ipv4},
    {229, "IPV6", wsl_layer_ipv6},
    {0, "NULL", wsl_layer_null},
    {108, "LOOP", wsl_layer_null},
    {9, "PPP", wsl_layer_ppp},
};

/**
 * Moves the cursor to the TCP header if the packet is Ethernet and unfragmented IPv4 without options, with lengths that
 * fit. All others take the long way, which would yield the same for these.
 */
static bool plain_tcp(WslCursor *cursor, uint16_t link_type)
{
    if (link_type != LINKTYPE_ETHERNET || cursor->captured < ETHERNET_BYTES + IPV4_BYTES + TCP_MIN)
        return false;
    const uint8_t *ip = cursor->at + ETHERNET_BYTES;
    if (wsl_be16(ip - 2) != 0x0800 || ip[0] != 0x45 || ip[9] != 6 || (wsl_be16(ip + 6) & 0x3fff) != 0)
        return false;
    uint32_t total = wsl_be16(ip + 2);
    if (total < IPV4_BYTES + TCP_MIN)
        return false;
    cursor->ip_id = wsl_be16(ip + 4);
    cursor->ttl = ip[8];
    cursor->source = ip + 12;
    cursor->target = ip + 16;
    wsl_skip(cursor, ETHERNET_BYTES);
    wsl_narrow(cursor, total);
    wsl_skip(cursor, IPV4_BYTES);
    return true;
}

WslDecodeResult wsl_segment_decode(const WslPacket *packet, WslSegment *out)
{
    WslCursor cursor = {
        .at = packet->data,
        .captured = packet->captured,
        .wire = packet->length > packet->captured ? packet->length : packet->captured,
        .view = wsl_view_add(0, WSL_VIEW_INTERFACE, packet->interface),
        .out = out,
    };

    if (plain_tcp(&cursor, packet->link_type))
        return wsl_layer_tcp(&cursor);
    for (size_t i = 0; i < G_N_ELEMENTS(link_types); i++) {
        if (link_types[i].number == packet->link_type) {
            WslDecodeResult result = wsl_layers_decode(&cursor, link_types[i].layer);
            return cursor.quoted && result != WSL_DECODED ? WSL_NOT_TCP : result;
        }
    }
    return WSL_UNKNOWN_LINK_TYPE;
}

const char *wsl_decode_result_name(WslDecodeResult result)
{
    static const char *const names[WSL_DECODE_RESULTS] = {
        [WSL_DECODED] = "decoded",     [WSL_UNKNOWN_LINK_TYPE] = "unknown-link-type",
        [WSL_NOT_IP] = "not-ip",       [WSL_NOT_TCP] = "not-tcp",
        [WSL_FRAGMENT] = "fragment",   [WSL_CUT] = "cut",
        [WSL_MALFORMED] = "malformed",
    };

    return (unsigned)result < WSL_DECODE_RESULTS ? names[result] : "unknown";
}

const char *wsl_link_type_name(uint16_t link_type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(link_types); i++) {
        if (link_types[i].number == link_type)
            return link_types[i].name;
    }
    return NULL;
}

/*
 * Link layers: Ethernet with IEEE 802.2 LLC, BSD loopback, PPP, and IP without a link layer.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>

#include "core/packet/bytes.h"
#include "core/packet/layer.h"

enum {
    ETHERNET_BYTES = 14,
    NULL_BYTES = 4,
    LLC_BYTES = 3,
    SNAP_BYTES = 8,
};

WslDecodeResult wsl_layer_ethernet(WslCursor *cursor)
{
    if (cursor->captured < ETHERNET_BYTES)
        return wsl_lacking(cursor, ETHERNET_BYTES);
    uint16_t field = wsl_be16(cursor->at + 12);
    wsl_skip(cursor, ETHERNET_BYTES);
    return wsl_hand_on_type_or_length(cursor, field);
}

/** LLC unnumbered information: SNAP (RFC 1042; the OUI 00-00-F8 is IEEE 802.1H), or IP by its own SAP 6. */
WslDecodeResult wsl_layer_llc(WslCursor *cursor)
{
    static const uint8_t unnumbered_ip[LLC_BYTES] = {0x06, 0x06, 0x03};
    static const uint8_t rfc1042[SNAP_BYTES - 2] = {0xaa, 0xaa, 0x03, 0x00, 0x00, 0x00};
    static const uint8_t bridge_tunnel[SNAP_BYTES - 2] = {0xaa, 0xaa, 0x03, 0x00, 0x00, 0xf8};

    if (cursor->captured < LLC_BYTES)
        return wsl_lacking(cursor, LLC_BYTES);
    if (memcmp(cursor->at, unnumbered_ip, LLC_BYTES) == 0) {
        wsl_skip(cursor, LLC_BYTES);
        return wsl_hand_on(cursor, wsl_layer_ipv4);
    }
    if (memcmp(cursor->at, rfc1042, LLC_BYTES) != 0)
        return WSL_NOT_IP;
    if (cursor->captured < SNAP_BYTES)
        return wsl_lacking(cursor, SNAP_BYTES);
    if (memcmp(cursor->at, rfc1042, sizeof rfc1042) != 0 &&
        memcmp(cursor->at, bridge_tunnel, sizeof bridge_tunnel) != 0)
        return WSL_NOT_IP;
    uint16_t type = wsl_be16(cursor->at + 6);
    wsl_skip(cursor, SNAP_BYTES);
    return wsl_hand_on_ethertype(cursor, type);
}

/** An address family in the byte order of the host that captured (LOOP: always network order). */
WslDecodeResult wsl_layer_null(WslCursor *cursor)
{
    static const struct {
        uint32_t family;
        WslLayer *layer;
    } families[] = {
        {2, wsl_layer_ipv4},  {30, wsl_layer_ipv6}, /* macOS */
        {28, wsl_layer_ipv6},                       /* FreeBSD */
        {24, wsl_layer_ipv6},                       /* OpenBSD, NetBSD */
        {23, wsl_layer_ipv6},                       /* Windows */
        {10, wsl_layer_ipv6},                       /* Linux */
    };

    if (cursor->captured < NULL_BYTES)
        return wsl_lacking(cursor, NULL_BYTES);
    uint32_t family = wsl_be32(cursor->at);
    if (family > UINT16_MAX)
        family = GUINT32_SWAP_LE_BE(family);
    wsl_skip(cursor, NULL_BYTES);
    for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
        if (families[i].family == family)
            return wsl_hand_on(cursor, families[i].layer);
    }
    return WSL_NOT_IP;
}

/** RFC 1661 §2 and §6.5, RFC 1662 §3.1: address and control may be left out, the protocol may be one byte. */
WslDecodeResult wsl_layer_ppp(WslCursor *cursor)
{
    if (cursor->captured >= 2 && wsl_be16(cursor->at) == 0xff03)
        wsl_skip(cursor, 2);
    if (cursor->captured < 2)
        return wsl_lacking(cursor, 2);
    bool compressed = (cursor->at[0] & 1) != 0;
    uint16_t protocol = compressed ? cursor->at[0] : wsl_be16(cursor->at);
    wsl_skip(cursor, compressed ? 1 : 2);
    if (protocol == 0x0021)
        return wsl_hand_on(cursor, wsl_layer_ipv4);
    if (protocol == 0x0057)
        return wsl_hand_on(cursor, wsl_layer_ipv6);
    return WSL_NOT_IP;
}

WslDecodeResult wsl_layer_raw(WslCursor *cursor)
{
    if (cursor->captured < 1)
        return wsl_lacking(cursor, 1);
    unsigned version = cursor->at[0] >> 4;
    if (version == 4)
        return wsl_hand_on(cursor, wsl_layer_ipv4);
    if (version == 6)
        return wsl_hand_on(cursor, wsl_layer_ipv6);
    return WSL_MALFORMED;
}

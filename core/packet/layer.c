/*
 * The tables that lead from one layer's decoder to the next, and the walk along them.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/packet/layer.h"

#include <glib.h>

enum {
    LAYERS_MAX = 64, /* two IP headers with all their extension headers, and whatever is before, between and behind */
    LENGTH_MAX_802_3 = 1500, /* greater values are types (IEEE 802.3 §3.2.6) */
};

typedef struct {
    uint16_t number;
    WslLayer *layer;
} Row;

static const Row ethertypes[] = {
    {0x0800, wsl_layer_ipv4}, {0x86dd, wsl_layer_ipv6}, {0x8100, wsl_layer_vlan},
    {0x88a8, wsl_layer_vlan}, {0x9100, wsl_layer_vlan},
};

static const Row ip_protocols[] = {
    {6, wsl_layer_tcp},
    {1, wsl_layer_icmp},
    {58, wsl_layer_icmpv6},
    {0, wsl_layer_ipv6_extension},   /* hop-by-hop options */
    {43, wsl_layer_ipv6_extension},  /* routing */
    {60, wsl_layer_ipv6_extension},  /* destination options */
    {135, wsl_layer_ipv6_extension}, /* mobility */
    {139, wsl_layer_ipv6_extension}, /* HIP */
    {140, wsl_layer_ipv6_extension}, /* shim6 */
    {44, wsl_layer_ipv6_fragment},
    {51, wsl_layer_authentication},
};

static WslDecodeResult hand_on_by(WslCursor *cursor, const Row *rows, size_t count, uint16_t number,
                                  WslDecodeResult otherwise)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].number == number)
            return wsl_hand_on(cursor, rows[i].layer);
    }
    return otherwise;
}

WslDecodeResult wsl_hand_on_ethertype(WslCursor *cursor, uint16_t type)
{
    return hand_on_by(cursor, ethertypes, G_N_ELEMENTS(ethertypes), type, WSL_NOT_IP);
}

WslDecodeResult wsl_hand_on_type_or_length(WslCursor *cursor, uint16_t field)
{
    if (field > LENGTH_MAX_802_3)
        return wsl_hand_on_ethertype(cursor, field);
    if (field == 0)
        return WSL_NOT_IP;
    wsl_narrow(cursor, field);
    return wsl_hand_on(cursor, wsl_layer_llc);
}

WslDecodeResult wsl_hand_on_ip_protocol(WslCursor *cursor, uint8_t protocol)
{
    return hand_on_by(cursor, ip_protocols, G_N_ELEMENTS(ip_protocols), protocol, WSL_NOT_TCP);
}

WslDecodeResult wsl_layers_decode(WslCursor *cursor, WslLayer *first)
{
    cursor->next = first;
    for (unsigned layers = 0; layers < LAYERS_MAX; layers++) {
        WslDecodeResult result = cursor->next(cursor);
        if (result != WSL_HAND_ON)
            return result;
    }
    return WSL_MALFORMED;
}

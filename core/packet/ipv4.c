/*
 * The IPv4 header (RFC 791).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/packet/bytes.h"
#include "core/packet/layer.h"

enum {
    HEADER_MIN = 20,
    FRAGMENT_MASK = 0x3fff, /* "more fragments" and the offset */
};

WslDecodeResult wsl_layer_ipv4(WslCursor *cursor)
{
    const uint8_t *ip = cursor->at;
    if (cursor->captured < HEADER_MIN)
        return wsl_lacking(cursor, HEADER_MIN);
    uint32_t header = (ip[0] & 0x0fU) * 4;
    uint32_t total = wsl_be16(ip + 2);
    if (ip[0] >> 4 != 4 || header < HEADER_MIN)
        return WSL_MALFORMED;
    /* Segmentation offload leaves 0: the packet is as long as it is. */
    if (total != 0)
        wsl_narrow(cursor, total);
    if (cursor->captured < header)
        return wsl_lacking(cursor, header);
    if ((wsl_be16(ip + 6) & FRAGMENT_MASK) != 0)
        return WSL_FRAGMENT;
    cursor->ipv6 = false;
    cursor->extensions = 0;
    cursor->ip_id = wsl_be16(ip + 4);
    cursor->ttl = ip[8];
    cursor->source = ip + 12;
    cursor->target = ip + 16;
    wsl_skip(cursor, header);
    return wsl_hand_on_ip_protocol(cursor, ip[9]);
}

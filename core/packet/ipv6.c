/*
 * The IPv6 header and its extension headers (RFC 8200), and the authentication header (RFC 4302).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/packet/bytes.h"
#include "core/packet/layer.h"

enum {
    HEADER_BYTES = 40,
    FRAGMENT_BYTES = 8,
    EXTENSION_MIN = 8,
    EXTENSIONS_MAX = 16,
    FRAGMENT_MASK = 0xfff9, /* the offset and "more fragments" (RFC 8200 §4.5) */
};

WslDecodeResult wsl_layer_ipv6(WslCursor *cursor)
{
    const uint8_t *ip = cursor->at;
    if (cursor->captured < HEADER_BYTES)
        return wsl_lacking(cursor, HEADER_BYTES);
    if (ip[0] >> 4 != 6)
        return WSL_MALFORMED;
    /* Jumbograms (RFC 2675) and segmentation offload leave 0: the packet is as long as it is. */
    uint32_t payload = wsl_be16(ip + 4);
    if (payload != 0)
        wsl_narrow(cursor, HEADER_BYTES + payload);
    cursor->ipv6 = true;
    cursor->extensions = 0;
    cursor->ip_id = 0;
    cursor->ttl = ip[7];
    cursor->source = ip + 8;
    cursor->target = ip + 24;
    wsl_skip(cursor, HEADER_BYTES);
    return wsl_hand_on_ip_protocol(cursor, ip[6]);
}

/** Skips an extension header of `length` bytes; at least EXTENSION_MIN are captured. */
static WslDecodeResult skip_extension(WslCursor *cursor, uint32_t length)
{
    if (cursor->extensions == EXTENSIONS_MAX)
        return WSL_MALFORMED;
    cursor->extensions++;
    if (cursor->captured < length)
        return wsl_lacking(cursor, length);
    uint8_t next = cursor->at[0];
    wsl_skip(cursor, length);
    return wsl_hand_on_ip_protocol(cursor, next);
}

WslDecodeResult wsl_layer_ipv6_extension(WslCursor *cursor)
{
    if (!cursor->ipv6)
        return WSL_NOT_TCP;
    if (cursor->captured < EXTENSION_MIN)
        return wsl_lacking(cursor, EXTENSION_MIN);
    return skip_extension(cursor, (cursor->at[1] + 1U) * 8);
}

/** Of IPv4 too; its length counts in other units than IPv6's own headers (RFC 4302 §2.2). */
WslDecodeResult wsl_layer_authentication(WslCursor *cursor)
{
    if (cursor->captured < EXTENSION_MIN)
        return wsl_lacking(cursor, EXTENSION_MIN);
    return skip_extension(cursor, (cursor->at[1] + 2U) * 4);
}

/** "Atomic" fragments are whole packets (RFC 6946). */
WslDecodeResult wsl_layer_ipv6_fragment(WslCursor *cursor)
{
    if (!cursor->ipv6)
        return WSL_NOT_TCP;
    if (cursor->captured < FRAGMENT_BYTES)
        return wsl_lacking(cursor, FRAGMENT_BYTES);
    if ((wsl_be16(cursor->at + 2) & FRAGMENT_MASK) != 0)
        return WSL_FRAGMENT;
    return skip_extension(cursor, FRAGMENT_BYTES);
}

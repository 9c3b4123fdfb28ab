/*
 * ICMP errors (RFC 792, RFC 4443) quote the packet that they are about: its TCP header counts for stream numbers.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>

#include "core/packet/layer.h"

enum { ICMP_BYTES = 8 };

/** Hands the quoted packet on if the type is among `errors`. What a quotation lacks is nobody's fault: WSL_NOT_TCP. */
static WslDecodeResult hand_on_quoted(WslCursor *cursor, const uint8_t *errors, size_t count, WslLayer *ip)
{
    if (cursor->captured < ICMP_BYTES)
        return WSL_NOT_TCP;
    for (size_t i = 0; i < count; i++) {
        if (errors[i] == cursor->at[0]) {
            wsl_skip(cursor, ICMP_BYTES);
            cursor->quoted = true;
            return wsl_hand_on(cursor, ip);
        }
    }
    return WSL_NOT_TCP;
}

WslDecodeResult wsl_layer_icmp(WslCursor *cursor)
{
    /* Unreachable, source quench, time exceeded, parameter problem. In a redirect Wireshark numbers no stream. */
    static const uint8_t errors[] = {3, 4, 11, 12};
    return cursor->ipv6 ? WSL_NOT_TCP : hand_on_quoted(cursor, errors, G_N_ELEMENTS(errors), wsl_layer_ipv4);
}

WslDecodeResult wsl_layer_icmpv6(WslCursor *cursor)
{
    /* Unreachable, packet too big, time exceeded, parameter problem */
    static const uint8_t errors[] = {1, 2, 3, 4};
    return cursor->ipv6 ? hand_on_quoted(cursor, errors, G_N_ELEMENTS(errors), wsl_layer_ipv6) : WSL_NOT_TCP;
}

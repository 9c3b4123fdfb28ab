/*
 * What the decoders of a packet's layers share: a cursor over the packet, and the ways to hand it on.
 *
 * A decoder reads the header at the cursor. It either finishes with a result, or moves the cursor behind the header and
 * hands on to another decoder: by number (wsl_hand_on_ethertype() …) or directly (wsl_hand_on()). It checks `captured`
 * before it reads, and narrows the cursor by the lengths that its header states. What tells one encapsulation from
 * another (a VLAN id) goes into the view.
 * A new encapsulation is one file with one decoder, and its row in a table of layer.c.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_PACKET_LAYER_H
#define WSL_PACKET_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/packet/segment.h"

typedef struct WslCursor WslCursor;

/** A decoder: what the packet is, or WSL_HAND_ON after it has set the cursor's `next`. */
typedef WslDecodeResult WslLayer(WslCursor *cursor);

/** No result yet: the cursor's `next` goes on. */
#define WSL_HAND_ON WSL_DECODE_RESULTS

struct WslCursor {
    const uint8_t *at;     /**< the next header; `captured` bytes are there */
    uint32_t captured;     /**< never more than `wire` */
    uint32_t wire;         /**< bytes from `at` on the wire, by the packet's length and the headers so far */
    uint32_t view;         /**< so far */
    WslLayer *next;        /**< whom the last decoder handed on to */
    WslSegment *out;       /**< filled by the TCP decoder only */
    const uint8_t *source; /**< addresses of the innermost IP header so far */
    const uint8_t *target;
    uint16_t ip_id;
    uint8_t ttl;
    uint8_t vlan_tags;  /**< so far */
    uint8_t extensions; /**< IPv6 extension headers of the innermost IP header so far */
    bool ipv6;
    bool quoted; /**< inside an ICMP error */
};

/** What is wrong when fewer than `needed` bytes are captured. */
static inline WslDecodeResult wsl_lacking(const WslCursor *cursor, uint32_t needed)
{
    return cursor->wire < needed ? WSL_MALFORMED : WSL_CUT;
}

/** Moves behind `bytes`, at most `captured`. */
static inline void wsl_skip(WslCursor *cursor, uint32_t bytes)
{
    cursor->at += bytes;
    cursor->captured -= bytes;
    cursor->wire -= bytes;
}

/** Takes what lies behind `bytes` for padding. A length greater than what there is changes nothing. */
static inline void wsl_narrow(WslCursor *cursor, uint32_t bytes)
{
    cursor->wire = cursor->wire < bytes ? cursor->wire : bytes;
    cursor->captured = cursor->captured < bytes ? cursor->captured : bytes;
}

static inline WslDecodeResult wsl_hand_on(WslCursor *cursor, WslLayer *next)
{
    cursor->next = next;
    return WSL_HAND_ON;
}

/** What a number that goes into the view means, so that VLAN 5 is not interface 5. */
enum { WSL_VIEW_INTERFACE = 1, WSL_VIEW_VLAN = 2, WSL_VIEW_COOKED_INTERFACE = 3 };

/** `view` with one more number in it. Different numbers give different views; the mix is Wellons' lowbias32. */
static inline uint32_t wsl_view_add(uint32_t view, uint32_t meaning, uint32_t number)
{
    uint32_t mix = view * 0x9e3779b1U + meaning * 0x85ebca77U + number;
    mix = (mix ^ mix >> 16) * 0x7feb352dU;
    mix = (mix ^ mix >> 15) * 0x846ca68bU;
    return mix ^ mix >> 16;
}

/** By an Ethernet type; WSL_NOT_IP if no decoder takes it. */
WslDecodeResult wsl_hand_on_ethertype(WslCursor *cursor, uint16_t type);

/** By the field behind MAC addresses or a VLAN tag: an Ethernet type, or the length of an IEEE 802.3 frame. */
WslDecodeResult wsl_hand_on_type_or_length(WslCursor *cursor, uint16_t field);

/** By an IP protocol number; WSL_NOT_TCP if no decoder takes it. */
WslDecodeResult wsl_hand_on_ip_protocol(WslCursor *cursor, uint8_t protocol);

/** Decodes layer by layer, from `first` on. The result is never WSL_HAND_ON. */
WslDecodeResult wsl_layers_decode(WslCursor *cursor, WslLayer *first);

/* Link layers */
WslLayer wsl_layer_ethernet;
WslLayer wsl_layer_null;
WslLayer wsl_layer_ppp;
WslLayer wsl_layer_raw;
WslLayer wsl_layer_sll;
WslLayer wsl_layer_sll2;

/* Between link and IP */
WslLayer wsl_layer_llc;
WslLayer wsl_layer_vlan;

/* IP and what it carries */
WslLayer wsl_layer_ipv4;
WslLayer wsl_layer_ipv6;
WslLayer wsl_layer_ipv6_extension;
WslLayer wsl_layer_ipv6_fragment;
WslLayer wsl_layer_authentication;
WslLayer wsl_layer_icmp;
WslLayer wsl_layer_icmpv6;
WslLayer wsl_layer_tcp;

#endif

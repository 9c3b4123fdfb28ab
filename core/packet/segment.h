/*
 * From a captured packet to the TCP segment in it.
 *
 *   in:   one packet, its link type
 *   out:  a segment whose pointers lead into the packet's bytes, or the reason why there is none
 *   owns: nothing; keeps no state; every length is checked against what was captured
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_PACKET_SEGMENT_H
#define WSL_PACKET_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/packet.h"

/** TCP flags (RFC 9293 §3.1) */
enum {
    WSL_TCP_FIN = 0x01,
    WSL_TCP_SYN = 0x02,
    WSL_TCP_RST = 0x04,
    WSL_TCP_PSH = 0x08,
    WSL_TCP_ACK = 0x10,
    WSL_TCP_URG = 0x20
};

enum { WSL_NO_SCALE = 0xff };

/**
 * A TCP segment. Pointers are valid as long as the packet's bytes.
 * `view` says where it was seen: a hash of the interface and of everything that encapsulates the IP packet (VLAN ids …);
 * the same interface and encapsulation give the same view in every run.
 */
typedef struct {
    const uint8_t *source;  /**< 4 or 16 bytes, network order */
    const uint8_t *target;  /**< 4 or 16 bytes, network order */
    const uint8_t *tcp;     /**< the TCP header */
    const uint8_t *payload; /**< `captured` bytes are there */
    uint32_t length;        /**< payload bytes on the wire, by the IP header */
    uint32_t captured;      /**< payload bytes in the capture, at most `length` */
    uint32_t seq;
    uint32_t ack;
    uint32_t view;
    uint32_t timestamp; /**< TSval (RFC 7323), 0 if there is none */
    uint16_t source_port;
    uint16_t target_port;
    uint16_t window; /**< as in the header, not scaled */
    uint16_t mss;    /**< of a SYN, 0 if it has none */
    uint16_t ip_id;  /**< 0 for IPv6 */
    uint8_t flags;
    uint8_t ttl;          /**< or hop limit */
    uint8_t window_scale; /**< of a SYN; WSL_NO_SCALE if it has none */
    bool ipv6;
    bool options_cut; /**< the TCP header's options were cut away: scale and MSS are unknown, not absent */
    bool quoted;      /**< the header that an ICMP error quotes: it counts for stream numbers only; no payload */
} WslSegment;

/** Why a packet yields no segment. */
typedef enum {
    WSL_DECODED,           /**< it does */
    WSL_UNKNOWN_LINK_TYPE, /**< no decoder for this link type */
    WSL_NOT_IP,            /**< another protocol on the link layer: ARP, LLDP … */
    WSL_NOT_TCP,           /**< IP with another protocol than TCP: UDP, ICMP without a quoted TCP header … */
    WSL_FRAGMENT,          /**< a fragment of an IP packet */
    WSL_CUT,               /**< the snaplen cut it before its first 20 TCP bytes */
    WSL_MALFORMED,         /**< lengths or versions that contradict each other */
    WSL_DECODE_RESULTS
} WslDecodeResult;

/** Decodes one packet into `*out`, which is filled only if the result is WSL_DECODED. */
WslDecodeResult wsl_segment_decode(const WslPacket *packet, WslSegment *out);

/** The reason as a key for reports ("not-ip", "fragment", …), static. */
const char *wsl_decode_result_name(WslDecodeResult result);

/** libpcap's name of a link type that can be decoded ("EN10MB", "LINUX_SLL2"), static; NULL for others. */
const char *wsl_link_type_name(uint16_t link_type);

#endif

/*
 * Packets written as hexadecimal text, for the tests of core/packet/.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_TEST_PACKET_BUILD_H
#define WSL_TEST_PACKET_BUILD_H

#include <glib.h>
#include <string.h>

#include "core/packet/segment.h"

enum { ETHERNET = 1, RAW = 101, SLL = 113, SLL2 = 276 };

#define MACS "020000000001 020000000002 "
#define ETH4 MACS "0800 "
#define ETH6 MACS "86dd "
/* 10.0.0.1 to 10.0.0.2, id 0x1234, do not fragment, TTL 64 */
#define IP4(total, protocol) "45 00 " total " 1234 4000 40 " protocol " 0000 0a000001 0a000002 "
#define ADDRESSES6           "20010db8000000000000000000000001 20010db8000000000000000000000002 "
#define IP6(payload, next)   "60000000 " payload " " next " 40 " ADDRESSES6
/* ports 49153 and 443, PSH and ACK, window 512 */
#define TCP20   "c001 01bb 11223344 55667788 5018 0200 0000 0000 "
#define HELLO   "68656c6c6f"
#define PACKET4 IP4("002d", "06") TCP20 HELLO
#define PACKET6 IP6("0019", "06") TCP20 HELLO

typedef struct {
    uint8_t bytes[2048];
    uint32_t length;
} Built;

/** As g_assert_cmpmem(), whose lengths are signed. */
static inline void assert_bytes(const uint8_t *found, size_t length, const void *expected, size_t expected_length)
{
    g_assert_cmpuint(length, ==, expected_length);
    g_assert_true(memcmp(found, expected, length) == 0);
}

/** The bytes that `hex` spells; white space does not count. */
static inline Built built(const char *hex)
{
    Built packet = {.length = 0};
    unsigned digits = 0;
    for (; *hex != '\0'; hex++) {
        if (g_ascii_isspace(*hex))
            continue;
        g_assert_true(g_ascii_isxdigit(*hex) && digits < 2 * sizeof packet.bytes);
        uint8_t *byte = &packet.bytes[digits / 2];
        *byte = (uint8_t)(*byte << 4 | g_ascii_xdigit_value(*hex));
        digits++;
    }
    g_assert_cmpuint(digits % 2, ==, 0);
    packet.length = digits / 2;
    return packet;
}

/** Decodes the first `captured` bytes of what was `wire` bytes long. */
static inline WslDecodeResult decode_cut(const Built *packet, uint16_t link_type, uint32_t captured, uint32_t wire,
                                         WslSegment *out)
{
    WslPacket record = {.data = packet->bytes, .captured = captured, .length = wire, .link_type = link_type};
    return wsl_segment_decode(&record, out);
}

static inline WslDecodeResult decode(const Built *packet, uint16_t link_type, WslSegment *out)
{
    return decode_cut(packet, link_type, packet->length, packet->length, out);
}

static inline WslDecodeResult result_of(const char *hex, uint16_t link_type)
{
    Built packet = built(hex);
    WslSegment segment;
    return decode(&packet, link_type, &segment);
}

/** Asserts that `packet` holds the TCP segment of PACKET4 or PACKET6 and nothing else. */
static inline WslSegment assert_hello(const Built *packet, uint16_t link_type, bool ipv6)
{
    WslSegment segment;
    g_assert_cmpint(decode(packet, link_type, &segment), ==, WSL_DECODED);
    g_assert_cmpint(segment.ipv6, ==, ipv6);
    Built addresses = built(ipv6 ? ADDRESSES6 : "0a000001 0a000002");
    uint32_t half = addresses.length / 2;
    assert_bytes(segment.source, half, addresses.bytes, half);
    assert_bytes(segment.target, half, addresses.bytes + half, half);
    g_assert_cmpuint(segment.source_port, ==, 49153);
    g_assert_cmpuint(segment.target_port, ==, 443);
    g_assert_cmphex(segment.seq, ==, 0x11223344);
    g_assert_cmphex(segment.ack, ==, 0x55667788);
    g_assert_cmpuint(segment.flags, ==, WSL_TCP_PSH | WSL_TCP_ACK);
    g_assert_cmpuint(segment.window, ==, 512);
    g_assert_cmpuint(segment.ttl, ==, 64);
    g_assert_cmphex(segment.ip_id, ==, ipv6 ? 0 : 0x1234);
    g_assert_cmpuint(segment.length, ==, 5);
    assert_bytes(segment.payload, segment.captured, "hello", 5);
    g_assert_false(segment.quoted);
    g_assert_false(segment.options_cut);
    return segment;
}

static inline void assert_hello_hex(const char *hex, uint16_t link_type, bool ipv6)
{
    Built packet = built(hex);
    assert_hello(&packet, link_type, ipv6);
}

#endif

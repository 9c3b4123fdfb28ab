/*
 * Packets and captures built from fields, for tests that play whole conversations.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_TEST_SUPPORT_BUILD_H
#define WSL_TEST_SUPPORT_BUILD_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/packet/segment.h"

enum { TEST_PACKET_MAX = 66000 };

/** A TCP segment in an Ethernet frame. What is left 0 has a sensible meaning. */
typedef struct {
    uint32_t source, target; /**< IPv4 addresses as numbers; with `ipv6` the end of 2001:db8:: */
    uint16_t source_port, target_port;
    uint32_t seq, ack;
    uint8_t flags;   /**< WSL_TCP_ */
    uint16_t window; /**< 0: none left */
    uint16_t ip_id;  /**< of IPv4 */
    uint8_t ttl;     /**< 0: 64 */
    uint8_t scale;   /**< of a SYN: 0: no option, else 1 more than the shift */
    uint16_t vlan;   /**< 0: no tag */
    bool ipv6;
    const void *payload;
    uint32_t length;
    uint32_t lacking; /**< bytes that a snaplen cuts from the payload's end */
    uint32_t interface;
    WslTime time;
    WslPacketNo number;
} TestSegment;

/** Writes the frame into `bytes` and describes it in `*packet`, whose data it is. */
void test_build(const TestSegment *segment, uint8_t bytes[TEST_PACKET_MAX], WslPacket *packet);

/** A pcap file of Ethernet frames with nanoseconds; g_byte_array_unref() it. */
GByteArray *test_pcap_new(void);
void test_pcap_add(GByteArray *pcap, const WslPacket *packet);

/** A copy of exactly this size, so that ASan sees its end; never NULL. g_free() it. */
uint8_t *test_exact(const uint8_t *bytes, size_t length);

/** Pseudo-random numbers that are the same everywhere (splitmix64, Steele et al. 2014). */
typedef struct {
    uint64_t state;
} TestRandom;
uint64_t test_random(TestRandom *random);
/** 0 … below - 1 */
uint32_t test_below(TestRandom *random, uint32_t below);
/** True once in `in` times. */
bool test_once_in(TestRandom *random, uint32_t in);

#endif

/*
 * Packets and captures built from fields (build.h).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tests/support/build.h"

#include <string.h>

static uint8_t *put8(uint8_t *at, unsigned value)
{
    *at = (uint8_t)value;
    return at + 1;
}

static uint8_t *put16(uint8_t *at, unsigned value)
{
    return put8(put8(at, value >> 8), value & 0xff);
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
    return put16(put16(at, value >> 16), value & 0xffff);
}

static uint8_t *put_ethernet(uint8_t *at, const TestSegment *segment)
{
    memcpy(at, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
    at += 12;
    if (segment->vlan)
        at = put16(put16(at, 0x8100), segment->vlan);
    return put16(at, segment->ipv6 ? 0x86dd : 0x0800);
}

static uint8_t *put_address6(uint8_t *at, uint32_t number)
{
    at = put32(at, 0x20010db8);
    memset(at, 0, 8);
    return put32(at + 8, number);
}

static uint8_t *put_ip(uint8_t *at, const TestSegment *segment, uint32_t tcp_bytes)
{
    unsigned ttl = segment->ttl ? segment->ttl : 64;

    if (segment->ipv6) {
        at = put16(put32(at, 0x60000000), tcp_bytes);
        at = put8(put8(at, 6), ttl);
        return put_address6(put_address6(at, segment->source), segment->target);
    }
    at = put16(put16(at, 0x4500), tcp_bytes + 20);
    at = put16(put16(at, segment->ip_id), 0x4000);
    at = put16(put8(put8(at, ttl), 6), 0);
    return put32(put32(at, segment->source), segment->target);
}

static uint8_t *put_tcp(uint8_t *at, const TestSegment *segment, unsigned header)
{
    at = put16(put16(at, segment->source_port), segment->target_port);
    at = put32(put32(at, segment->seq), segment->ack);
    at = put16(at, header / 4 << 12 | segment->flags);
    at = put32(put16(at, segment->window), 0);
    if (header > 20)
        at = put32(at, 0x01030300U | (segment->scale - 1U)); /* NOP, window scale (RFC 7323 §2.2) */
    return at;
}

void test_build(const TestSegment *segment, uint8_t bytes[TEST_PACKET_MAX], WslPacket *packet)
{
    unsigned header = segment->scale ? 24 : 20;
    uint32_t there = segment->length - segment->lacking;

    g_assert_true(segment->length <= 65000 && segment->lacking <= segment->length);
    uint8_t *at = put_ip(put_ethernet(bytes, segment), segment, header + segment->length);
    at = put_tcp(at, segment, header);
    if (there)
        memcpy(at, segment->payload, there);
    uint32_t captured = (uint32_t)(at - bytes) + there;
    *packet = (WslPacket){
        bytes, captured, captured + segment->lacking, segment->time, segment->number, segment->interface, 1};
}

static void append_le(GByteArray *pcap, uint32_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(value >> 8 * i);
        g_byte_array_append(pcap, &byte, 1);
    }
}

/* draft-ietf-opsawg-pcap §4 */
GByteArray *test_pcap_new(void)
{
    GByteArray *pcap = g_byte_array_new();

    append_le(pcap, 0xa1b23c4d, 4);
    append_le(pcap, 2, 2);
    append_le(pcap, 4, 2);
    append_le(pcap, 0, 4);
    append_le(pcap, 0, 4);
    append_le(pcap, 262144, 4);
    append_le(pcap, 1, 4);
    return pcap;
}

/* draft-ietf-opsawg-pcap §5 */
void test_pcap_add(GByteArray *pcap, const WslPacket *packet)
{
    append_le(pcap, (uint32_t)(packet->time / WSL_SECOND), 4);
    append_le(pcap, (uint32_t)(packet->time % WSL_SECOND), 4);
    append_le(pcap, packet->captured, 4);
    append_le(pcap, packet->length, 4);
    g_byte_array_append(pcap, packet->data, packet->captured);
}

uint8_t *test_exact(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = g_malloc(MAX(length, 1));

    if (length)
        memcpy(copy, bytes, length);
    return copy;
}

uint64_t test_random(TestRandom *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15U;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

uint32_t test_below(TestRandom *random, uint32_t below)
{
    return (uint32_t)((test_random(random) >> 32) * below >> 32);
}

bool test_once_in(TestRandom *random, uint32_t in)
{
    return test_below(random, in) == 0;
}

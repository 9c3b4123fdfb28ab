/*
 * Tests of IPv4 and IPv6: which lengths are believed, what is skipped, what is a fragment.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tests/unit/packet_build.h"

#define EXTENSION(next)             next "00 0102 00000000 " /* with PadN */
#define TWO_EXTENSIONS              EXTENSION("3c") EXTENSION("3c")
#define FOUR_EXTENSIONS             TWO_EXTENSIONS TWO_EXTENSIONS
#define FRAGMENT4(flags_and_offset) "4500 002d 1234 " flags_and_offset " 4006 0000 0a000001 0a000002 " TCP20 HELLO
#define FRAGMENT6(offset_and_more)  IP6("0021", "2c") "0600 " offset_and_more " 00000001 " TCP20 HELLO

static void test_ipv4_options_are_skipped(void)
{
    assert_hello_hex("4600 0031 1234 4000 4006 0000 0a000001 0a000002 94040000" TCP20 HELLO, RAW, false);
    Built longest = built("4f00 0055 1234 4000 4006 0000 0a000001 0a000002"
                          "01010101 01010101 01010101 01010101 01010101"
                          "01010101 01010101 01010101 01010101 01010101" TCP20 HELLO);
    assert_hello(&longest, RAW, false);
}

static void test_ethernet_padding_is_no_payload(void)
{
    assert_hello_hex(ETH4 PACKET4 "000000000000000000", ETHERNET, false);
    assert_hello_hex(ETH6 PACKET6 "000000000000000000", ETHERNET, true);
    WslSegment segment;
    Built empty = built(ETH4 IP4("0028", "06") TCP20 "000000000000");
    g_assert_cmpint(decode(&empty, ETHERNET, &segment), ==, WSL_DECODED);
    g_assert_cmpuint(segment.length, ==, 0);
    g_assert_cmpuint(segment.captured, ==, 0);
}

static void test_length_zero_reaches_to_the_end(void)
{
    assert_hello_hex(ETH4 IP4("0000", "06") TCP20 HELLO, ETHERNET, false);
    assert_hello_hex(ETH6 IP6("0000", "06") TCP20 HELLO, ETHERNET, true);
    /* A jumbogram's length is in a hop-by-hop option (RFC 2675 §2). */
    assert_hello_hex(ETH6 IP6("0000", "00") "0600 c204 00010019" TCP20 HELLO, ETHERNET, true);
}

static void test_snaplen_cuts_captured_not_length(void)
{
    static const char *const packets[] = {ETH4 PACKET4, ETH6 PACKET6, ETH4 IP4("0000", "06") TCP20 HELLO};
    for (size_t i = 0; i < G_N_ELEMENTS(packets); i++) {
        Built packet = built(packets[i]);
        WslSegment segment;
        g_assert_cmpint(decode_cut(&packet, ETHERNET, packet.length - 2, packet.length, &segment), ==, WSL_DECODED);
        g_assert_cmpuint(segment.length, ==, 5);
        assert_bytes(segment.payload, segment.captured, "hel", 3);
    }
}

static void test_a_length_beyond_the_wire_is_not_believed(void)
{
    assert_hello_hex(ETH4 IP4("1000", "06") TCP20 HELLO, ETHERNET, false);
    assert_hello_hex(ETH6 IP6("1000", "06") TCP20 HELLO, ETHERNET, true);
}

static void test_contradicting_ip_lengths_are_malformed(void)
{
    g_assert_cmpint(result_of(ETH4 "4400 002d 1234 4000 4006 0000 0a000001 0a000002" TCP20 HELLO, ETHERNET), ==,
                    WSL_MALFORMED);
    g_assert_cmpint(result_of(ETH4 IP4("0013", "06") TCP20 HELLO, ETHERNET), ==, WSL_MALFORMED);
    g_assert_cmpint(result_of(ETH4 IP4("0014", "06") TCP20 HELLO, ETHERNET), ==, WSL_MALFORMED);
    g_assert_cmpint(result_of(ETH4 IP4("0027", "06") TCP20 HELLO, ETHERNET), ==, WSL_MALFORMED);
    g_assert_cmpint(result_of(ETH4 IP4("0028", "06") TCP20 HELLO, ETHERNET), ==, WSL_DECODED);
    g_assert_cmpint(result_of(ETH6 IP6("0013", "06") TCP20 HELLO, ETHERNET), ==, WSL_MALFORMED);
    g_assert_cmpint(result_of(ETH6 IP6("0014", "06") TCP20 HELLO, ETHERNET), ==, WSL_DECODED);
    g_assert_cmpint(result_of(ETH6 IP6("0010", "00") "0602 0104 00000000 0000000000000000", ETHERNET), ==,
                    WSL_MALFORMED);
    g_assert_cmpint(result_of("4f00 0000 1234 4000 4006 0000 0a000001 0a000002" TCP20, RAW), ==, WSL_MALFORMED);
}

static void test_fragments_are_told_from_whole_packets(void)
{
    g_assert_cmpint(result_of(FRAGMENT4("2000"), RAW), ==, WSL_FRAGMENT);
    g_assert_cmpint(result_of(FRAGMENT4("0001"), RAW), ==, WSL_FRAGMENT);
    g_assert_cmpint(result_of(FRAGMENT4("3fff"), RAW), ==, WSL_FRAGMENT);
    g_assert_cmpint(result_of(ETH4 FRAGMENT4("2000"), ETHERNET), ==, WSL_FRAGMENT);
    assert_hello_hex(FRAGMENT4("0000"), RAW, false);
    assert_hello_hex(FRAGMENT4("8000"), RAW, false); /* the reserved bit */
    assert_hello_hex(ETH4 FRAGMENT4("c000"), ETHERNET, false);
    g_assert_cmpint(result_of(FRAGMENT6("0001"), RAW), ==, WSL_FRAGMENT);
    g_assert_cmpint(result_of(FRAGMENT6("0008"), RAW), ==, WSL_FRAGMENT);
    assert_hello_hex(FRAGMENT6("0000"), RAW, true);
    assert_hello_hex(FRAGMENT6("0006"), RAW, true); /* reserved bits */
}

static void test_ipv6_extension_headers_are_skipped(void)
{
    assert_hello_hex(IP6("0021", "00") EXTENSION("06") TCP20 HELLO, RAW, true);
    assert_hello_hex(IP6("0021", "2b") EXTENSION("06") TCP20 HELLO, RAW, true);
    assert_hello_hex(IP6("0021", "3c") EXTENSION("06") TCP20 HELLO, RAW, true);
    assert_hello_hex(IP6("0021", "87") EXTENSION("06") TCP20 HELLO, RAW, true);
    assert_hello_hex(IP6("0021", "8b") EXTENSION("06") TCP20 HELLO, RAW, true);
    assert_hello_hex(IP6("0021", "8c") EXTENSION("06") TCP20 HELLO, RAW, true);
    assert_hello_hex(IP6("0029", "00") "0601 010c 000000000000000000000000" TCP20 HELLO, RAW, true);
}

static void test_authentication_headers_are_skipped(void)
{
    /* 24 bytes: a 96-bit integrity check (RFC 4302 §2.2) */
    static const char *const header6 =
        IP6("0031", "33") "0604 0000 00000001 00000001 000000000000000000000000" TCP20 HELLO;
    static const char *const header4 =
        IP4("0045", "33") "0604 0000 00000001 00000001 000000000000000000000000" TCP20 HELLO;
    assert_hello_hex(header6, RAW, true);
    assert_hello_hex(header4, RAW, false);
}

static void test_ipv6_extension_headers_have_no_meaning_in_ipv4(void)
{
    g_assert_cmpint(result_of(IP4("0035", "3c") EXTENSION("06") TCP20 HELLO, RAW), ==, WSL_NOT_TCP);
    g_assert_cmpint(result_of(IP4("0035", "2c") "0600 0000 00000001" TCP20 HELLO, RAW), ==, WSL_NOT_TCP);
    g_assert_cmpint(result_of(IP4("0030", "3a") "0100 0000 00000000" TCP20, RAW), ==, WSL_NOT_TCP);
    g_assert_cmpint(result_of(IP6("001c", "01") "0300 0000 00000000" TCP20, RAW), ==, WSL_NOT_TCP);
}

static void test_16_extension_headers_are_enough(void)
{
    static const char *const most = IP6("00a1", "3c")
        FOUR_EXTENSIONS FOUR_EXTENSIONS FOUR_EXTENSIONS TWO_EXTENSIONS EXTENSION("3c") EXTENSION("06") TCP20 HELLO;
    static const char *const more =
        IP6("00a1", "3c") FOUR_EXTENSIONS FOUR_EXTENSIONS FOUR_EXTENSIONS FOUR_EXTENSIONS EXTENSION("06") TCP20 HELLO;
    assert_hello_hex(most, RAW, true);
    g_assert_cmpint(result_of(more, RAW), ==, WSL_MALFORMED);
}

static void test_other_protocols_are_not_tcp(void)
{
    g_assert_cmpint(result_of(IP4("001c", "11") "c0010035 00080000", RAW), ==, WSL_NOT_TCP);
    g_assert_cmpint(result_of(IP6("0008", "11") "c0010035 00080000", RAW), ==, WSL_NOT_TCP);
    g_assert_cmpint(result_of(IP6("0019", "32") TCP20 HELLO, RAW), ==, WSL_NOT_TCP); /* ESP */
    g_assert_cmpint(result_of(IP6("0000", "3b"), RAW), ==, WSL_NOT_TCP);             /* no next header */
}

/* A priority tag leaves the view as it is and sends the packet the long way. */
static void test_the_short_way_equals_the_long_way(void)
{
    static const char *const packets[][2] = {
        {ETH4 PACKET4, MACS "8100 0000 0800" PACKET4},
        {ETH4 PACKET4 "0000", MACS "8100 0000 0800" PACKET4 "0000"},
        {ETH4 IP4("0028", "06") TCP20, MACS "8100 0000 0800" IP4("0028", "06") TCP20},
        {ETH4 IP4("0028", "06") TCP20 "000000000000", MACS "8100 0000 0800" IP4("0028", "06") TCP20 "000000000000"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(packets); i++) {
        Built short_way = built(packets[i][0]);
        Built long_way = built(packets[i][1]);
        for (uint32_t captured = 54; captured <= short_way.length; captured++) {
            WslSegment one;
            WslSegment other;
            g_assert_cmpint(decode_cut(&short_way, ETHERNET, captured, short_way.length, &one), ==, WSL_DECODED);
            g_assert_cmpint(decode_cut(&long_way, ETHERNET, captured + 4, long_way.length, &other), ==, WSL_DECODED);
            g_assert_cmpint(one.source - short_way.bytes + 4, ==, other.source - long_way.bytes);
            g_assert_cmpint(one.target - one.source, ==, other.target - other.source);
            g_assert_cmpint(one.tcp - one.source, ==, other.tcp - other.source);
            g_assert_cmpint(one.payload - one.source, ==, other.payload - other.source);
            g_assert_cmpuint(one.length, ==, other.length);
            g_assert_cmpuint(one.captured, ==, other.captured);
            g_assert_cmphex(one.view, ==, other.view);
            g_assert_cmphex(one.ip_id, ==, other.ip_id);
            g_assert_cmpuint(one.ttl, ==, other.ttl);
            g_assert_cmpint(one.ipv6, ==, other.ipv6);
        }
    }
}

static void test_equal_endpoints_are_no_error(void)
{
    g_assert_cmpint(result_of("4500 0028 1234 4000 4006 0000 0a000001 0a000001"
                              "01bb 01bb 11223344 00000000 5002 0200 0000 0000",
                              RAW),
                    ==, WSL_DECODED);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/packet/ip/options", test_ipv4_options_are_skipped);
    g_test_add_func("/packet/ip/padding", test_ethernet_padding_is_no_payload);
    g_test_add_func("/packet/ip/length-zero", test_length_zero_reaches_to_the_end);
    g_test_add_func("/packet/ip/snaplen", test_snaplen_cuts_captured_not_length);
    g_test_add_func("/packet/ip/length-beyond-the-wire", test_a_length_beyond_the_wire_is_not_believed);
    g_test_add_func("/packet/ip/malformed", test_contradicting_ip_lengths_are_malformed);
    g_test_add_func("/packet/ip/fragments", test_fragments_are_told_from_whole_packets);
    g_test_add_func("/packet/ip/extension-headers", test_ipv6_extension_headers_are_skipped);
    g_test_add_func("/packet/ip/authentication", test_authentication_headers_are_skipped);
    g_test_add_func("/packet/ip/other-version", test_ipv6_extension_headers_have_no_meaning_in_ipv4);
    g_test_add_func("/packet/ip/extension-limit", test_16_extension_headers_are_enough);
    g_test_add_func("/packet/ip/not-tcp", test_other_protocols_are_not_tcp);
    g_test_add_func("/packet/ip/short-way", test_the_short_way_equals_the_long_way);
    g_test_add_func("/packet/ip/land", test_equal_endpoints_are_no_error);
    return g_test_run();
}

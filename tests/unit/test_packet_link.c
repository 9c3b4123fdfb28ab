/*
 * Tests of link layers and VLAN tags: which packets reach the TCP decoder, and with which view.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <pcap/pcap.h>
#include <stdio.h>

#include "tests/unit/packet_build.h"

#define SLL_HEADER(type, hardware)                       type hardware " 0006 0200000000010000 "
#define SLL2_HEADER(protocol, interface, hardware, type) protocol "0000" interface hardware type "06 0200000000010000 "

typedef struct {
    const char *name;
    uint16_t link_type;
    bool ipv6;
    const char *hex;
} Case;

static const Case carriers[] = {
    {"ethernet-4", ETHERNET, false, ETH4 PACKET4},
    {"ethernet-6", ETHERNET, true, ETH6 PACKET6},
    {"snap-4", ETHERNET, false, MACS "0035 aaaa03 000000 0800" PACKET4},
    {"snap-6", ETHERNET, true, MACS "0049 aaaa03 000000 86dd" PACKET6},
    {"snap-longest", ETHERNET, false, MACS "05dc aaaa03 000000 0800" PACKET4},
    {"snap-bridge-tunnel", ETHERNET, false, MACS "0035 aaaa03 0000f8 0800" PACKET4},
    {"llc-ip", ETHERNET, false, MACS "0030 060603" PACKET4},
    {"null-little-endian", 0, false, "02000000" PACKET4},
    {"null-big-endian", 0, false, "00000002" PACKET4},
    {"null-macos", 0, true, "1e000000" PACKET6},
    {"null-freebsd", 0, true, "0000001c" PACKET6},
    {"null-openbsd", 0, true, "18000000" PACKET6},
    {"null-windows", 0, true, "17000000" PACKET6},
    {"null-linux", 0, true, "0a000000" PACKET6},
    {"loop-4", 108, false, "00000002" PACKET4},
    {"loop-6", 108, true, "00000018" PACKET6},
    {"raw-4", RAW, false, PACKET4},
    {"raw-6", RAW, true, PACKET6},
    {"raw-12", 12, false, PACKET4},
    {"raw-14", 14, true, PACKET6},
    {"ipv4", 228, false, PACKET4},
    {"ipv6", 229, true, PACKET6},
    {"ppp-hdlc-like", 9, false, "ff03 0021" PACKET4},
    {"ppp-plain", 9, true, "0057" PACKET6},
    {"ppp-compressed-protocol", 9, false, "21" PACKET4},
    {"sll-4", SLL, false, SLL_HEADER("0000", "0001") "0800" PACKET4},
    {"sll-6-loopback", SLL, true, SLL_HEADER("0004", "0304") "86dd" PACKET6},
    {"sll-llc", SLL, false, SLL_HEADER("0000", "0001") "0004 aaaa03 000000 0800" PACKET4},
    {"sll-vlan", SLL, false, SLL_HEADER("0000", "0001") "8100 0007 0800" PACKET4},
    {"sll-gre-device", SLL, false, SLL_HEADER("0000", "030a") "0800" PACKET4},
    {"sll2-4", SLL2, false, SLL2_HEADER("0800", "00000003", "0001", "00") PACKET4},
    {"sll2-6-tun", SLL2, true, SLL2_HEADER("86dd", "00000003", "fffe", "04") PACKET6},
    {"sll2-vlan", SLL2, true, SLL2_HEADER("8100", "00000003", "0001", "00") "0007 86dd" PACKET6},
    {"vlan", ETHERNET, false, MACS "8100 2005 0800" PACKET4},
    {"vlan-snap", ETHERNET, false, MACS "8100 0005 0035 aaaa03 000000 0800" PACKET4},
    {"qinq", ETHERNET, true, MACS "88a8 0005 8100 0006 86dd" PACKET6},
    {"qinq-9100", ETHERNET, false, MACS "9100 0005 8100 0006 0800" PACKET4},
    {"four-tags", ETHERNET, false, MACS "88a8 0001 88a8 0002 8100 0003 8100 0004 0800" PACKET4},
};

static void test_every_link_layer_leads_to_the_segment(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(carriers); i++) {
        g_test_message("%s", carriers[i].name);
        assert_hello_hex(carriers[i].hex, carriers[i].link_type, carriers[i].ipv6);
    }
}

static void test_an_802_3_length_ends_before_the_padding(void)
{
    assert_hello_hex(MACS "0035 aaaa03 000000 0800" IP4("0000", "06") TCP20 HELLO "000000", ETHERNET, false);
}

static void test_cut_in_a_link_header_is_a_cut(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(carriers); i++) {
        Built packet = built(carriers[i].hex);
        uint32_t before_payload = packet.length - 5;
        for (uint32_t captured = 0; captured < before_payload; captured++) {
            WslSegment segment;
            g_assert_cmpint(decode_cut(&packet, carriers[i].link_type, captured, packet.length, &segment), ==, WSL_CUT);
        }
    }
}

static void test_other_protocols_are_not_ip(void)
{
    static const Case others[] = {
        {"arp", ETHERNET, false, MACS "0806 0001080006040001"},
        {"five-tags", ETHERNET, false, MACS "8100 0001 8100 0001 8100 0001 8100 0001 8100 0001 0800" PACKET4},
        {"spanning-tree", ETHERNET, false, MACS "0026 424203 0000000000"},
        {"snap-cisco", ETHERNET, false, MACS "0035 aaaa03 00000c 0800" PACKET4},
        {"between-length-and-type", ETHERNET, false, MACS "05dd aaaa03 000000 0800" PACKET4},
        {"type-zero", ETHERNET, false, MACS "0000" PACKET4},
        {"null-ipx", 0, false, "17000001" PACKET4},
        {"ppp-lcp", 9, false, "ff03 c021 01010004"},
        {"sll-arp", SLL, false, SLL_HEADER("0000", "0001") "0806 0001080006040001"},
        {"sll-netlink", SLL, false, SLL_HEADER("0000", "0338") "0800" PACKET4},
        {"sll2-radiotap", SLL2, false, SLL2_HEADER("0800", "00000003", "0323", "00") PACKET4},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        g_test_message("%s", others[i].name);
        g_assert_cmpint(result_of(others[i].hex, others[i].link_type), ==, WSL_NOT_IP);
    }
}

static void test_unknown_link_types_have_no_decoder_and_no_name(void)
{
    g_assert_cmpint(result_of(PACKET4, 147), ==, WSL_UNKNOWN_LINK_TYPE);
    g_assert_null(wsl_link_type_name(147));
}

static void test_contradicting_link_layers_are_malformed(void)
{
    g_assert_cmpint(result_of(MACS "08", ETHERNET), ==, WSL_MALFORMED);
    g_assert_cmpint(result_of("75" PACKET4, RAW), ==, WSL_MALFORMED);
    g_assert_cmpint(result_of(PACKET6, 228), ==, WSL_MALFORMED);
    g_assert_cmpint(result_of(PACKET4, 229), ==, WSL_MALFORMED);
    g_assert_cmpint(result_of(ETH4 PACKET6, ETHERNET), ==, WSL_MALFORMED);
}

static void test_link_types_have_libpcaps_names(void)
{
    static const uint16_t numbers[] = {0, 1, 9, 101, 108, 113, 228, 229, 276};
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        uint32_t header[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, numbers[i]};
#if G_BYTE_ORDER == G_BIG_ENDIAN
        header[1] = 2 << 16 | 4;
#endif
        FILE *file = fmemopen(header, sizeof header, "rb");
        char error[PCAP_ERRBUF_SIZE];
        pcap_t *pcap = pcap_fopen_offline(file, error);
        g_assert_nonnull(pcap);
        g_assert_cmpstr(wsl_link_type_name(numbers[i]), ==, pcap_datalink_val_to_name(pcap_datalink(pcap)));
        pcap_close(pcap);
    }
    g_assert_cmpstr(wsl_link_type_name(12), ==, "RAW");
    g_assert_cmpstr(wsl_link_type_name(14), ==, "RAW");
}

static void test_every_result_has_its_own_key(void)
{
    for (int i = 0; i < WSL_DECODE_RESULTS; i++) {
        for (int k = 0; k < i; k++)
            g_assert_cmpstr(wsl_decode_result_name((WslDecodeResult)i), !=, wsl_decode_result_name((WslDecodeResult)k));
    }
    g_assert_cmpstr(wsl_decode_result_name(WSL_NOT_IP), ==, "not-ip");
    g_assert_cmpstr(wsl_decode_result_name(WSL_FRAGMENT), ==, "fragment");
}

static uint32_t view_of(const char *hex, uint16_t link_type, uint32_t interface)
{
    Built packet = built(hex);
    WslPacket record = {.data = packet.bytes,
                        .captured = packet.length,
                        .length = packet.length,
                        .link_type = link_type,
                        .interface = interface};
    WslSegment segment;
    g_assert_cmpint(wsl_segment_decode(&record, &segment), ==, WSL_DECODED);
    return segment.view;
}

static void test_views_differ_by_interface_and_tags(void)
{
    const uint32_t views[] = {
        view_of(ETH4 PACKET4, ETHERNET, 0),
        view_of(ETH4 PACKET4, ETHERNET, 1),
        view_of(ETH4 PACKET4, ETHERNET, UINT32_MAX),
        view_of(MACS "8100 0001 0800" PACKET4, ETHERNET, 0),
        view_of(MACS "8100 0002 0800" PACKET4, ETHERNET, 0),
        view_of(MACS "8100 0002 0800" PACKET4, ETHERNET, 1),
        view_of(MACS "8100 0001 8100 0002 0800" PACKET4, ETHERNET, 0),
        view_of(MACS "8100 0002 8100 0001 0800" PACKET4, ETHERNET, 0),
        view_of(MACS "8100 0001 8100 0001 0800" PACKET4, ETHERNET, 0),
        view_of(SLL2_HEADER("0800", "00000001", "0001", "00") PACKET4, SLL2, 0),
        view_of(SLL2_HEADER("0800", "00000002", "0001", "00") PACKET4, SLL2, 0),
    };
    for (size_t i = 0; i < G_N_ELEMENTS(views); i++) {
        for (size_t k = 0; k < i; k++)
            g_assert_cmphex(views[i], !=, views[k]);
    }
}

static void test_views_ignore_priority_tag_type_and_direction(void)
{
    uint32_t tagged = view_of(MACS "8100 0005 0800" PACKET4, ETHERNET, 3);
    g_assert_cmphex(view_of(MACS "8100 f005 0800" PACKET4, ETHERNET, 3), ==, tagged);
    g_assert_cmphex(view_of(MACS "88a8 0005 0800" PACKET4, ETHERNET, 3), ==, tagged);
    g_assert_cmphex(view_of(MACS "8100 0005 86dd" PACKET6, ETHERNET, 3), ==, tagged);
    g_assert_cmphex(view_of(SLL2_HEADER("0800", "00000001", "0001", "00") PACKET4, SLL2, 0), ==,
                    view_of(SLL2_HEADER("0800", "00000001", "0001", "04") PACKET4, SLL2, 0));
    g_assert_cmphex(view_of(SLL_HEADER("0000", "0001") "0800" PACKET4, SLL, 0), ==,
                    view_of(SLL_HEADER("0004", "0001") "0800" PACKET4, SLL, 0));
}

static void test_a_priority_tag_is_no_vlan(void)
{
    g_assert_cmphex(view_of(MACS "8100 a000 0800" PACKET4, ETHERNET, 3), ==, view_of(ETH4 PACKET4, ETHERNET, 3));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/packet/link/leads-to-the-segment", test_every_link_layer_leads_to_the_segment);
    g_test_add_func("/packet/link/802-3-length", test_an_802_3_length_ends_before_the_padding);
    g_test_add_func("/packet/link/cut", test_cut_in_a_link_header_is_a_cut);
    g_test_add_func("/packet/link/not-ip", test_other_protocols_are_not_ip);
    g_test_add_func("/packet/link/unknown", test_unknown_link_types_have_no_decoder_and_no_name);
    g_test_add_func("/packet/link/malformed", test_contradicting_link_layers_are_malformed);
    g_test_add_func("/packet/link/names", test_link_types_have_libpcaps_names);
    g_test_add_func("/packet/result-names", test_every_result_has_its_own_key);
    g_test_add_func("/packet/view/differs", test_views_differ_by_interface_and_tags);
    g_test_add_func("/packet/view/ignores", test_views_ignore_priority_tag_type_and_direction);
    g_test_add_func("/packet/view/priority-tag", test_a_priority_tag_is_no_vlan);
    return g_test_run();
}

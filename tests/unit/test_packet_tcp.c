/*
 * Tests of the TCP header, its options, and headers that an ICMP error quotes.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tests/unit/packet_build.h"

#define TCP(offset_and_flags) "c001 01bb 11223344 55667788 " offset_and_flags " 0200 0000 0000 "
#define TIMESTAMPS            "0101080a 01020304 05060708 "
#define SYN_OPTIONS           "020405b4 0402 080a 01020304 00000000 01 030307 " /* as Linux sends them */
#define ICMP(type)            type "00 0000 00000000 "

/* IPv4 without a length of its own: whatever `tcp` holds is the segment. */
static WslDecodeResult tcp_of(const char *tcp, WslSegment *out)
{
    static Built packet;
    char *hex = g_strconcat(IP4("0000", "06"), tcp, NULL);
    packet = built(hex);
    g_free(hex);
    return decode(&packet, RAW, out);
}

static void test_syn_options_are_read(void)
{
    WslSegment segment;
    g_assert_cmpint(tcp_of(TCP("a002") SYN_OPTIONS, &segment), ==, WSL_DECODED);
    g_assert_cmpuint(segment.mss, ==, 1460);
    g_assert_cmpuint(segment.window_scale, ==, 7);
    g_assert_cmphex(segment.timestamp, ==, 0x01020304);
    g_assert_cmpuint(segment.flags, ==, WSL_TCP_SYN);
    g_assert_cmpuint(segment.length, ==, 0);
    g_assert_false(segment.options_cut);
}

static void test_scale_and_mss_count_in_a_syn_only(void)
{
    WslSegment segment;
    g_assert_cmpint(tcp_of(TCP("a010") SYN_OPTIONS, &segment), ==, WSL_DECODED);
    g_assert_cmpuint(segment.mss, ==, 0);
    g_assert_cmpuint(segment.window_scale, ==, WSL_NO_SCALE);
    g_assert_cmphex(segment.timestamp, ==, 0x01020304);
}

static void test_a_scale_above_14_counts_as_14(void)
{
    WslSegment segment;
    g_assert_cmpint(tcp_of(TCP("6002") "03030f00", &segment), ==, WSL_DECODED);
    g_assert_cmpuint(segment.window_scale, ==, 14);
    g_assert_cmpint(tcp_of(TCP("6002") "03030e00", &segment), ==, WSL_DECODED);
    g_assert_cmpuint(segment.window_scale, ==, 14);
    g_assert_cmpint(tcp_of(TCP("6002") "03030000", &segment), ==, WSL_DECODED);
    g_assert_cmpuint(segment.window_scale, ==, 0);
}

static void test_no_options_are_not_cut_options(void)
{
    WslSegment segment;
    g_assert_cmpint(tcp_of(TCP("5002"), &segment), ==, WSL_DECODED);
    g_assert_cmpuint(segment.window_scale, ==, WSL_NO_SCALE);
    g_assert_cmpuint(segment.mss, ==, 0);
    g_assert_cmpuint(segment.timestamp, ==, 0);
    g_assert_false(segment.options_cut);
}

static void test_timestamps_are_found_wherever_they_stand(void)
{
    static const char *const forms[] = {
        TCP("8010") TIMESTAMPS HELLO, TCP("8010") "080a 01020304 05060708 0101" HELLO,
        TCP("8010") "080a 01020304 05060708 0000" HELLO,
        TCP("b010") TIMESTAMPS "0101050a 0000000100000002" HELLO, /* with SACK */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        WslSegment segment;
        g_assert_cmpint(tcp_of(forms[i], &segment), ==, WSL_DECODED);
        g_assert_cmphex(segment.timestamp, ==, 0x01020304);
        g_assert_cmpuint(segment.length, ==, 5);
        assert_bytes(segment.payload, segment.captured, "hello", 5);
    }
}

static void test_malformed_options_stop_only_the_options(void)
{
    static const char *const forms[] = {
        TCP("7002") "0200 05b4 030307 00" HELLO, /* length 0 */
        TCP("7002") "0201 05b4 030307 00" HELLO, /* length 1 */
        TCP("7002") "010101 fe09 030307" HELLO,  /* longer than what is left */
        TCP("7002") "00 030307 00000000" HELLO,  /* after the end of the list */
        TCP("7002") "01010101 010101 03" HELLO,  /* no length */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        WslSegment segment;
        g_assert_cmpint(tcp_of(forms[i], &segment), ==, WSL_DECODED);
        g_assert_cmpuint(segment.mss, ==, 0);
        g_assert_cmpuint(segment.window_scale, ==, WSL_NO_SCALE);
        assert_bytes(segment.payload, segment.captured, "hello", 5);
    }
}

static void test_options_of_a_wrong_length_are_passed_over(void)
{
    WslSegment segment;
    g_assert_cmpint(tcp_of(TCP("8002") "0203 05 0804 0000 030307 0101" HELLO, &segment), ==, WSL_DECODED);
    g_assert_cmpuint(segment.mss, ==, 0);
    g_assert_cmpuint(segment.timestamp, ==, 0);
    g_assert_cmpuint(segment.window_scale, ==, 7);
}

static void test_cut_options_are_unknown_not_absent(void)
{
    Built packet = built(ETH4 IP4("003c", "06") TCP("a002") SYN_OPTIONS);
    WslSegment segment;
    /* A snaplen of 60 keeps the MSS and cuts the scale. */
    g_assert_cmpint(decode_cut(&packet, ETHERNET, 60, packet.length, &segment), ==, WSL_DECODED);
    g_assert_true(segment.options_cut);
    g_assert_cmpuint(segment.mss, ==, 1460);
    g_assert_cmpuint(segment.window_scale, ==, WSL_NO_SCALE);
    g_assert_cmpint(decode_cut(&packet, ETHERNET, packet.length, packet.length, &segment), ==, WSL_DECODED);
    g_assert_false(segment.options_cut);

    Built data = built(ETH4 IP4("0039", "06") TCP("8018") TIMESTAMPS HELLO);
    g_assert_cmpint(decode_cut(&data, ETHERNET, 54, data.length, &segment), ==, WSL_DECODED);
    g_assert_true(segment.options_cut);
    g_assert_cmpuint(segment.length, ==, 5);
    g_assert_cmpuint(segment.captured, ==, 0);
    g_assert_cmpint(decode_cut(&data, ETHERNET, 53, data.length, &segment), ==, WSL_CUT);
}

static void test_bad_data_offsets_have_no_payload(void)
{
    static const char *const forms[] = {TCP("4018") HELLO, TCP("0018") HELLO, TCP("8018") HELLO, TCP("f018")};
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        WslSegment segment;
        g_assert_cmpint(tcp_of(forms[i], &segment), ==, WSL_DECODED);
        g_assert_cmphex(segment.seq, ==, 0x11223344);
        g_assert_cmpuint(segment.source_port, ==, 49153);
        g_assert_cmpuint(segment.length, ==, 0);
        g_assert_cmpuint(segment.captured, ==, 0);
    }
}

static void test_payload_of_a_reset_is_payload(void)
{
    WslSegment segment;
    g_assert_cmpint(tcp_of(TCP("5014") HELLO, &segment), ==, WSL_DECODED);
    g_assert_cmpuint(segment.flags, ==, WSL_TCP_RST | WSL_TCP_ACK);
    g_assert_cmpuint(segment.length, ==, 5);
}

static WslDecodeResult quoted_of(const char *hex, WslSegment *out)
{
    static Built packet;
    packet = built(hex);
    WslDecodeResult result = decode(&packet, RAW, out);
    if (result == WSL_DECODED) {
        g_assert_true(out->quoted);
        g_assert_cmpuint(out->source_port, ==, 49153);
        g_assert_cmpuint(out->target_port, ==, 443);
        g_assert_cmphex(out->seq, ==, 0x11223344);
        g_assert_cmpuint(out->length, ==, 0);
        g_assert_cmpuint(out->captured, ==, 0);
    }
    return result;
}

/* The router 10.9.9.9 answers to 10.0.0.1. */
#define OUTER4(total)   "4500 " total " 0000 0000 4001 0000 0a090909 0a000001 "
#define OUTER6(payload) "60000000 " payload " 3a40 20010db8000000000000000000000099 20010db8000000000000000000000001 "

static void test_icmp_errors_quote_a_header(void)
{
    static const char *const forms[] = {
        OUTER4("0044") ICMP("03") IP4("002d", "06") TCP20, OUTER4("0044") ICMP("04") IP4("002d", "06") TCP20,
        OUTER4("0044") ICMP("0b") IP4("002d", "06") TCP20, OUTER4("0049") ICMP("0c") PACKET4,
        OUTER4("0044") ICMP("03") IP4("0000", "06") TCP20,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        WslSegment segment;
        g_assert_cmpint(quoted_of(forms[i], &segment), ==, WSL_DECODED);
        assert_bytes(segment.source, 4, "\x0a\x00\x00\x01", 4);
        assert_bytes(segment.target, 4, "\x0a\x00\x00\x02", 4);
    }
}

static void test_icmpv6_errors_quote_a_header(void)
{
    static const char *const forms[] = {
        OUTER6("0044") ICMP("01") IP6("0019", "06") TCP20,
        OUTER6("0044") ICMP("02") IP6("0019", "06") TCP20,
        OUTER6("0044") ICMP("03") IP6("0019", "06") TCP20,
        OUTER6("0049") ICMP("04") PACKET6,
    };
    Built addresses = built(ADDRESSES6);
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        WslSegment segment;
        g_assert_cmpint(quoted_of(forms[i], &segment), ==, WSL_DECODED);
        assert_bytes(segment.source, 16, addresses.bytes, 16);
        assert_bytes(segment.target, 16, addresses.bytes + 16, 16);
    }
}

static void test_other_icmp_is_not_tcp(void)
{
    static const char *const forms[] = {
        OUTER4("0038") ICMP("03") IP4("002d", "06") "c00101bb11223344", /* 8 bytes quoted */
        OUTER4("0043") ICMP("03") IP4("002d", "06") "c001 01bb 11223344 55667788 5018 0200 0000 00",
        OUTER4("0044") ICMP("05") IP4("002d", "06") TCP20, /* redirect: tshark gives it no stream */
        OUTER4("0044") ICMP("08") IP4("002d", "06") TCP20, /* echo request */
        OUTER4("0044") ICMP("03") IP4("002d", "11") TCP20, /* UDP quoted */
        OUTER4("0044") ICMP("03") "4500 002d 1234 0001 4006 0000 0a000001 0a000002" TCP20, /* a later fragment */
        OUTER4("0044") ICMP("03") "4500 0010 1234 0000 4006 0000 0a000001 0a000002" TCP20, /* lengths contradict */
        OUTER4("001c") ICMP("03"),                                                         /* nothing quoted */
        OUTER4("0018") "03000000",                                                         /* no ICMP header */
        OUTER6("0038") ICMP("02") IP6("0019", "06") "c00101bb11223344",
        OUTER6("0044") ICMP("80") IP6("0019", "06") TCP20,
        OUTER6("0044") ICMP("00") IP6("0019", "06") TCP20,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        WslSegment segment;
        g_assert_cmpint(quoted_of(forms[i], &segment), ==, WSL_NOT_TCP);
    }
}

static void test_nested_quotations_end(void)
{
    GString *hex = g_string_new(NULL);
    for (unsigned i = 0; i < 60; i++)
        g_string_append(hex, OUTER4("0000") ICMP("03"));
    g_string_append(hex, IP4("0000", "06") TCP20);
    g_assert_cmpint(result_of(hex->str, RAW), ==, WSL_NOT_TCP);
    g_string_free(hex, TRUE);
}

static void test_no_cut_yields_bytes_that_are_not_there(void)
{
    static const char *const packets[] = {
        ETH4 PACKET4,
        ETH6 IP6("0029", "00") "0600010400000000 0600010400000000" TCP20 HELLO,
        MACS "8100 0005 88a8 0006 0800" IP4("0039", "06") TCP("8018") TIMESTAMPS HELLO "0000",
        ETH4 IP4("003c", "06") TCP("a002") SYN_OPTIONS,
        ETH4 IP4("0000", "06") TCP("f018") SYN_OPTIONS,
        ETH4 OUTER4("0049") ICMP("0c") PACKET4,
        MACS "0035 aaaa03 000000 0800" PACKET4,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(packets); i++) {
        Built packet = built(packets[i]);
        for (uint32_t captured = 0; captured <= packet.length; captured++) {
            /* As long as it is, so that tools for memory errors see a read behind it. */
            uint8_t *data = g_memdup2(packet.bytes, captured);
            WslPacket record = {.data = data, .captured = captured, .length = packet.length, .link_type = ETHERNET};
            WslSegment segment;
            if (wsl_segment_decode(&record, &segment) == WSL_DECODED) {
                g_assert_true(segment.payload >= data && segment.payload <= data + captured);
                g_assert_cmpuint(segment.captured, <=, (size_t)(data + captured - segment.payload));
                g_assert_cmpuint(segment.captured, <=, segment.length);
            }
            g_free(data);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/packet/tcp/syn-options", test_syn_options_are_read);
    g_test_add_func("/packet/tcp/syn-only", test_scale_and_mss_count_in_a_syn_only);
    g_test_add_func("/packet/tcp/scale-above-14", test_a_scale_above_14_counts_as_14);
    g_test_add_func("/packet/tcp/no-options", test_no_options_are_not_cut_options);
    g_test_add_func("/packet/tcp/timestamps", test_timestamps_are_found_wherever_they_stand);
    g_test_add_func("/packet/tcp/malformed-options", test_malformed_options_stop_only_the_options);
    g_test_add_func("/packet/tcp/wrong-option-length", test_options_of_a_wrong_length_are_passed_over);
    g_test_add_func("/packet/tcp/options-cut", test_cut_options_are_unknown_not_absent);
    g_test_add_func("/packet/tcp/bad-offset", test_bad_data_offsets_have_no_payload);
    g_test_add_func("/packet/tcp/reset-with-payload", test_payload_of_a_reset_is_payload);
    g_test_add_func("/packet/icmp/quoted", test_icmp_errors_quote_a_header);
    g_test_add_func("/packet/icmp/quoted-6", test_icmpv6_errors_quote_a_header);
    g_test_add_func("/packet/icmp/other", test_other_icmp_is_not_tcp);
    g_test_add_func("/packet/icmp/nested", test_nested_quotations_end);
    g_test_add_func("/packet/every-cut", test_no_cut_yields_bytes_that_are_not_there);
    return g_test_run();
}

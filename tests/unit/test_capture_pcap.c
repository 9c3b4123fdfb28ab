/*
 * Reading pcap files, each rule on bytes built by hand; and which files are taken for captures at all.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <glib/gstdio.h>

#include "tests/unit/capture_build.h"

#define MICROSECONDS 0xa1b2c3d4u
#define NANOSECONDS  0xa1b23c4du

static const uint8_t data[64] = "the bytes of a packet";

static void test_both_byte_orders_and_precisions(void)
{
    static const struct {
        uint32_t magic, fraction;
        WslTime time;
    } cases[] = {
        {MICROSECONDS, 654321, 1795471757654321000},
        {NANOSECONDS, 987654321, 1795471757987654321},
    };
    for (size_t i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
        Build build = build_new(i % 2 == 1);
        put_pcap_header(&build, cases[i / 2].magic, 65535, 1);
        put_pcap_record(&build, 1795471757, cases[i / 2].fraction, data, 21, 1500);
        Collected all = collect_build(&build);
        assert_ended(&all);
        const WslPacket *packet = packet_at(&all, 0);
        g_assert_cmpint(packet->time, ==, cases[i / 2].time);
        assert_bytes(packet->data, packet->captured, data, 21);
        g_assert_cmpuint(packet->length, ==, 1500);
        g_assert_cmpuint(packet->number, ==, 1);
        g_assert_cmpuint(packet->link_type, ==, 1);
        g_assert_cmpuint(packet->interface, ==, 0);
        collected_free(&all);
        build_free(&build);
    }
}

static void test_link_type_is_the_low_half(void)
{
    Build build = build_new(true);
    put_pcap_header(&build, MICROSECONDS, 65535, 0x24000000 | 276); /* FCS of 2 words, and its flag */
    put_pcap_record(&build, 0, 0, data, 4, 4);
    Collected all = collect_build(&build);
    g_assert_cmpuint(packet_at(&all, 0)->link_type, ==, 276);
    collected_free(&all);
    build_free(&build);
}

static void test_lengths_and_times_that_others_refuse(void)
{
    Build build = build_new(false);
    put_pcap_header(&build, MICROSECONDS, 16, 1);
    uint8_t *large = g_malloc0(WSL_RECORD_MAX);
    put_pcap_record(&build, 1, 0, data, 20, 10);
    put_pcap_record(&build, 1, 0, data, 20, 0);
    put_pcap_record(&build, 1, 2500000, large, WSL_RECORD_MAX, WSL_RECORD_MAX);
    put_pcap_record(&build, UINT32_MAX, UINT32_MAX, data, 0, 0);
    Collected all = collect_build(&build);
    assert_ended(&all);
    g_assert_cmpuint(packet_at(&all, 0)->length, ==, 20);
    g_assert_cmpuint(packet_at(&all, 1)->length, ==, 20);
    g_assert_cmpuint(packet_at(&all, 2)->captured, ==, 262144);
    g_assert_cmpint(packet_at(&all, 2)->time, ==, 3500000000);
    g_assert_cmpint(packet_at(&all, 3)->time, ==, 4294967295000000000 + 4294967295000);
    g_free(large);
    collected_free(&all);
    build_free(&build);
}

static void test_absurd_length_is_corrupt_after_the_packets_before(void)
{
    Build build = build_new(false);
    put_pcap_header(&build, MICROSECONDS, 65535, 1);
    put_pcap_record(&build, 1, 0, data, 10, 10);
    put_pcap_record(&build, 1, 0, NULL, 0, 0);
    build.bytes->data[24 + 26 + 8] = 1;
    build.bytes->data[24 + 26 + 8 + 2] = 4; /* 0x40001 = 256 KiB + 1 */
    Collected all = collect_build(&build);
    g_assert_cmpuint(all.packets->len, ==, 1);
    assert_error(&all, WSL_SOURCE_ERROR_CORRUPT);
    g_assert_cmpstr(all.error->message, ==,
                    "memory: corrupt at byte 50: packet 2 claims to have 262145 captured bytes");
    collected_free(&all);
    build_free(&build);
}

static void test_header_alone_is_a_capture(void)
{
    Build build = build_new(false);
    put_pcap_header(&build, MICROSECONDS, 65535, 1);
    Collected all = collect_build(&build);
    assert_ended(&all);
    g_assert_cmpuint(all.packets->len, ==, 0);
    collected_free(&all);
    build_free(&build);
}

/* Three records of 0, 5 and 60 bytes end at bytes 40, 61 and 137. */
static void test_cut_at_every_byte_keeps_whole_packets(void)
{
    static const size_t ends[] = {40, 61, 137};
    Build build = build_new(false);
    put_pcap_header(&build, NANOSECONDS, 65535, 1);
    put_pcap_record(&build, 1, 0, data, 0, 0);
    put_pcap_record(&build, 2, 0, data, 5, 5);
    put_pcap_record(&build, 3, 0, data, 60, 60);
    g_assert_cmpuint(build.bytes->len, ==, 137);
    for (size_t length = 0; length <= 137; length++) {
        uint8_t *exact = g_memdup2(build.bytes->data, length);
        Collected all = collect_memory(exact, length, WSL_BATCH_MAX);
        guint whole = 0;
        bool clean = length == 24;
        for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
            whole += length >= ends[i];
            clean = clean || length == ends[i];
        }
        g_assert_cmpuint(all.packets->len, ==, whole);
        if (clean)
            assert_ended(&all);
        else
            assert_error(&all, length == 0 ? WSL_SOURCE_ERROR_FORMAT : WSL_SOURCE_ERROR_CUT);
        collected_free(&all);
        g_free(exact);
    }
    build_free(&build);
}

static void test_cut_message_says_where(void)
{
    Build build = build_new(false);
    put_pcap_header(&build, MICROSECONDS, 65535, 1);
    put_pcap_record(&build, 1, 0, data, 0, 0);
    put_pcap_record(&build, 2, 0, data, 60, 60);
    static const struct {
        size_t length;
        const char *message;
    } cases[] = {
        {72, "memory: cut short at byte 72, inside packet 2: 16 of 60 bytes are there"},
        {43, "memory: cut short at byte 43, inside the header of packet 2: 3 of 16 bytes are there"},
        {10, "memory: cut short at byte 10, inside the file header: 10 of 24 bytes are there"},
        {2, "memory: cut short at byte 2, inside the file header: 2 of 24 bytes are there"},
        {0, "memory: empty file"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Collected all = collect_memory(build.bytes->data, cases[i].length, 1);
        g_assert_nonnull(all.error);
        g_assert_cmpstr(all.error->message, ==, cases[i].message);
        collected_free(&all);
    }
    build_free(&build);
}

static void test_other_files_are_named(void)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *message;
    } cases[] = {
        {"\x7f"
         "ELF\2\1\1",
         7, "memory: not a capture file (begins with 7f 45 4c 46)"},
        {"a", 1, "memory: not a capture file (begins with 61)"},
        {"\x1f\x8b\x08", 3, "memory: compressed with gzip; decompress it first"},
        {"\x28\xb5\x2f\xfd", 4, "memory: compressed with zstd; decompress it first"},
        {"\x34\xcd\xb2\xa1\2\0\4\0", 8,
         "memory: a modified pcap (of a patched libpcap); convert it first: editcap -F pcapng IN OUT"},
        {"snoop\0\0\0\0\0\0\2", 12, "memory: a Solaris snoop capture; convert it first: editcap -F pcapng IN OUT"},
        {"GMBU\0\2", 6, "memory: a Microsoft Network Monitor 2 capture; convert it first: editcap -F pcapng IN OUT"},
        {"TRSNIFF data    \x1a", 17, "memory: a Sniffer capture; convert it first: editcap -F pcapng IN OUT"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Collected all = collect_memory(cases[i].bytes, cases[i].length, 1);
        assert_error(&all, WSL_SOURCE_ERROR_FORMAT);
        g_assert_cmpstr(all.error->message, ==, cases[i].message);
        collected_free(&all);
    }
}

static void test_what_cannot_be_opened_says_why(void)
{
    char *directory = g_dir_make_tmp("wsl-XXXXXX", NULL);
    GError *error = NULL;
    g_assert_null(wsl_source_open_file(directory, NULL, &error));
    g_assert_error(error, WSL_SOURCE_ERROR, WSL_SOURCE_ERROR_OPEN);
    g_assert_true(g_str_has_suffix(error->message, g_strerror(EISDIR)));
    g_clear_error(&error);
    char *missing = g_build_filename(directory, "none.pcap", NULL);
    g_assert_null(wsl_source_open_file(missing, NULL, &error));
    g_assert_error(error, WSL_SOURCE_ERROR, WSL_SOURCE_ERROR_OPEN);
    g_assert_true(g_str_has_prefix(error->message, missing));
    g_assert_true(g_str_has_suffix(error->message, g_strerror(ENOENT)));
    g_clear_error(&error);
    g_free(missing);
    g_rmdir(directory);
    g_free(directory);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/capture/pcap/both-byte-orders-and-precisions", test_both_byte_orders_and_precisions);
    g_test_add_func("/capture/pcap/link-type-is-the-low-half", test_link_type_is_the_low_half);
    g_test_add_func("/capture/pcap/lengths-and-times-that-others-refuse", test_lengths_and_times_that_others_refuse);
    g_test_add_func("/capture/pcap/absurd-length-is-corrupt", test_absurd_length_is_corrupt_after_the_packets_before);
    g_test_add_func("/capture/pcap/header-alone-is-a-capture", test_header_alone_is_a_capture);
    g_test_add_func("/capture/pcap/cut-at-every-byte", test_cut_at_every_byte_keeps_whole_packets);
    g_test_add_func("/capture/pcap/cut-message-says-where", test_cut_message_says_where);
    g_test_add_func("/capture/other-files-are-named", test_other_files_are_named);
    g_test_add_func("/capture/what-cannot-be-opened-says-why", test_what_cannot_be_opened_says_why);
    return g_test_run();
}

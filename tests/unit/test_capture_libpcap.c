/*
 * Our reader against libpcap's, record by record, on every capture at hand that libpcap accepts.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib/gstdio.h>
#include <pcap/pcap.h>
#include <stdio.h>

#include "core/capture/filter.h"
#include "tests/unit/capture_build.h"

typedef struct {
    WslSource *source;
    WslBatch *batch;
    size_t next;
} Cursor;

static const WslPacket *next_packet(Cursor *cursor, GError **error)
{
    while (cursor->next == cursor->batch->count) {
        cursor->next = 0;
        if (wsl_source_next(cursor->source, cursor->batch, WSL_BATCH_MAX, error) != WSL_SOURCE_BATCH)
            return NULL;
    }
    return &cursor->batch->packets[cursor->next++];
}

static void compare_packet(const struct pcap_pkthdr *header, const uint8_t *bytes, const WslPacket *packet, int dlt)
{
    g_assert_cmpint(packet->time, ==, header->ts.tv_sec * WSL_SECOND + header->ts.tv_usec);
    assert_bytes(packet->data, packet->captured, bytes, header->caplen);
    g_assert_cmpuint(packet->length, ==, MAX(header->len, header->caplen));
    g_assert_cmpint(wsl_link_type_to_dlt(packet->link_type), ==, dlt);
}

/* Where libpcap gives up, ours may read on: what it could read must be equal. */
static void compare_records(pcap_t *pcap, Cursor *cursor, const char *path)
{
    GError *error = NULL;
    struct pcap_pkthdr *header;
    const u_char *bytes;
    uint64_t count = 0;
    int status;
    while ((status = pcap_next_ex(pcap, &header, &bytes)) == 1) {
        const WslPacket *packet = next_packet(cursor, &error);
        g_assert_no_error(error);
        g_assert_nonnull(packet);
        compare_packet(header, bytes, packet, pcap_datalink(pcap));
        count++;
    }
    if (status == PCAP_ERROR)
        g_test_message("%s: libpcap stops after packet %" G_GUINT64_FORMAT ": %s", path, count, pcap_geterr(pcap));
    else
        g_assert_null(next_packet(cursor, &error));
    g_test_message("%s: %" G_GUINT64_FORMAT " packets are equal", path, count);
    g_clear_error(&error);
}

static void compare_file(const char *path)
{
    char message[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, message);
    if (!pcap) {
        g_test_message("skipped, refused by libpcap: %s: %s", path, message);
        return;
    }
    GError *error = NULL;
    Cursor cursor = {.source = wsl_source_open_file(path, NULL, &error), .batch = g_new0(WslBatch, 1)};
    g_assert_no_error(error);
    compare_records(pcap, &cursor, path);
    wsl_source_free(cursor.source);
    g_free(cursor.batch);
    pcap_close(pcap);
}

static void compare_directory(const char *path)
{
    GDir *files = g_dir_open(path, 0, NULL);
    guint count = 0;
    for (const char *name; files && (name = g_dir_read_name(files)) != NULL;) {
        if (!g_str_has_suffix(name, ".pcap") && !g_str_has_suffix(name, ".pcapng"))
            continue;
        char *file = g_build_filename(path, name, NULL);
        compare_file(file);
        g_free(file);
        count++;
    }
    if (files)
        g_dir_close(files);
    g_test_message("%u captures in %s%s", count, path, count == 0 ? ": skipped" : "");
}

static void test_captures_at_hand(void)
{
    static const char *const directories[] = {"captures", "../shared/captures/lab", "../shared/captures/public"};
    const char *root = g_getenv("WSLEUTH_ROOT");
    if (!root) {
        g_test_skip("WSLEUTH_ROOT is not set");
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(directories); i++) {
        char *path = g_build_filename(root, directories[i], NULL);
        compare_directory(path);
        g_free(path);
    }
}

/*
 * Random times, of as many bits as 32-bit seconds have in the interface's resolution. Raw IP: where a link type has a header
 * of the capturing host's byte order (LINUX_SLL2 with CAN, NFLOG, USB), libpcap changes the bytes of foreign files.
 */
static Build random_pcapng(uint8_t resolution, unsigned bits, bool big)
{
    Build build = build_new(big);
    uint8_t bytes[512];
    put_section(&build);
    guint block = block_begin(&build, 1);
    put_interface_fields(&build, 101, 2048);
    put_option(&build, 9, &resolution, 1);
    put_option64(&build, 14, 86400);
    block_end(&build, block);
    for (int i = 0; i < 500; i++) {
        uint32_t length = (uint32_t)g_test_rand_int_range(0, 512);
        for (uint32_t j = 0; j < length; j++)
            bytes[j] = (uint8_t)g_test_rand_int();
        block = block_begin(&build, 6);
        uint64_t ticks = ((uint64_t)(uint32_t)g_test_rand_int() << 32 | (uint32_t)g_test_rand_int()) >> (64 - bits);
        put_packet_fields(&build, 0, ticks, bytes, length, length + (uint32_t)g_test_rand_int_range(0, 2));
        if (i % 3 == 0)
            put_comment(&build, "comment");
        block_end(&build, block);
        if (i % 7 == 0)
            put_block(&build, 0xbad, bytes, 20);
    }
    return build;
}

/* Seconds of 31 bits: libpcap takes them for signed. */
static Build random_pcap(uint32_t magic, bool big)
{
    Build build = build_new(big);
    uint8_t bytes[512];
    put_pcap_header(&build, magic, 65535, 101);
    for (int i = 0; i < 500; i++) {
        uint32_t length = (uint32_t)g_test_rand_int_range(0, 512);
        for (uint32_t j = 0; j < length; j++)
            bytes[j] = (uint8_t)g_test_rand_int();
        put_pcap_record(&build, (uint32_t)g_test_rand_int() >> 1, (uint32_t)g_test_rand_int_range(0, 1000000), bytes,
                        length, length);
    }
    return build;
}

static void compare_build(Build *build)
{
    char *path = NULL;
    int descriptor = g_file_open_tmp("wsl-XXXXXX.pcap", &path, NULL);
    g_assert_cmpint(descriptor, >=, 0);
    g_close(descriptor, NULL);
    g_assert_true(g_file_set_contents(path, (const char *)build->bytes->data, build->bytes->len, NULL));
    compare_file(path);
    g_unlink(path);
    g_free(path);
    build_free(build);
}

static void test_generated_captures(void)
{
    static const struct {
        uint8_t resolution;
        unsigned bits;
    } cases[] = {{0, 31}, {3, 41}, {6, 51}, {9, 61}, {12, 63}, {0x80 | 10, 41}, {0x80 | 20, 51}, {0x80 | 32, 63}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Build build = random_pcapng(cases[i].resolution, cases[i].bits, i % 2 == 0);
        compare_build(&build);
    }
    for (int i = 0; i < 4; i++) {
        Build build = random_pcap(i < 2 ? 0xa1b2c3d4 : 0xa1b23c4d, i % 2 == 0);
        compare_build(&build);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/capture/libpcap/captures-at-hand", test_captures_at_hand);
    g_test_add_func("/capture/libpcap/generated-captures", test_generated_captures);
    return g_test_run();
}

/*
 * Reading pcapng files, each rule on bytes built by hand (draft-ietf-opsawg-pcapng).
 * Which blocks take a packet number was tried with tshark 4.0.17.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tests/unit/capture_build.h"

static const uint8_t data[64] = "the bytes of a packet";

static void test_packet_of_either_byte_order(void)
{
    for (int big = 0; big <= 1; big++) {
        Build build = build_new(big == 1);
        put_section(&build);
        put_interface(&build, 113, 0);
        guint block = block_begin(&build, 6);
        put_packet_fields(&build, 0, 1795471757654321, data, 21, 1500);
        block_end(&build, block);
        Collected all = collect_build(&build);
        assert_ended(&all);
        const WslPacket *packet = packet_at(&all, 0);
        g_assert_cmpint(packet->time, ==, 1795471757654321000); /* µs is the default */
        assert_bytes(packet->data, packet->captured, data, 21);
        g_assert_cmpuint(packet->length, ==, 1500);
        g_assert_cmpuint(packet->link_type, ==, 113);
        collected_free(&all);
        build_free(&build);
    }
}

static void test_interfaces_are_numbered_over_sections(void)
{
    Build build = build_new(false);
    put_section(&build);
    put_interface(&build, 1, 0);
    put_interface(&build, 101, 0);
    put_packet(&build, 1, 1, data, 4);
    build.big = true; /* a section may have another byte order */
    put_section(&build);
    put_interface(&build, 276, 0);
    put_packet(&build, 0, 2, data, 4);
    build.big = false;
    put_section(&build);
    put_interface(&build, 113, 0);
    put_packet(&build, 0, 3, data, 4);
    Collected all = collect_build(&build);
    assert_ended(&all);
    static const uint16_t link_types[] = {101, 276, 113};
    for (guint i = 0; i < 3; i++) {
        g_assert_cmpuint(packet_at(&all, i)->interface, ==, i + 1);
        g_assert_cmpuint(packet_at(&all, i)->link_type, ==, link_types[i]);
        g_assert_cmpint(packet_at(&all, i)->time, ==, (i + 1) * 1000);
        g_assert_cmpuint(packet_at(&all, i)->number, ==, i + 1);
    }
    collected_free(&all);
    build_free(&build);
}

static WslTime time_of(uint8_t resolution, int64_t offset, uint64_t ticks)
{
    Build build = build_new(false);
    put_section(&build);
    guint block = block_begin(&build, 1);
    put_interface_fields(&build, 1, 0);
    put_option(&build, 9, &resolution, 1);
    put_option64(&build, 14, (uint64_t)offset);
    put32(&build, 0);
    block_end(&build, block);
    put_packet(&build, 0, ticks, data, 4);
    Collected all = collect_build(&build);
    assert_ended(&all);
    WslTime time = packet_at(&all, 0)->time;
    collected_free(&all);
    build_free(&build);
    return time;
}

/* Expected: ticks / 10^n or 2^n in exact integer arithmetic, rounded down; then the offset; clamped to ±(2^62 - 1). */
static void test_time_resolutions_and_offsets(void)
{
    const WslTime limit = 4611686018427387903;
    static const int64_t huge = INT64_MAX;
    const struct {
        uint8_t resolution;
        int64_t offset;
        uint64_t ticks;
        WslTime time;
    } cases[] = {
        {9, 0, 1795471757987654321, 1795471757987654321},
        {6, 3600, 5, 3600000005000},
        {6, -3600, 5, -3599999995000},
        {3, 0, 1795471757987, 1795471757987000000},
        {0, 0, 1795471757, 1795471757000000000},
        {12, 0, 1234567890123, 1234567890},
        {28, 0, UINT64_MAX, 1},
        {29, 0, UINT64_MAX, 0},
        {127, 0, UINT64_MAX, 0},
        {0x80 | 10, 0, 1536, 1500000000},
        {0x80 | 0, 0, 7, 7000000000},
        {0x80 | 32, 0, 0xc0000000, 750000000},
        {0x80 | 34, 0, (UINT64_C(3) << 34) + (UINT64_C(1) << 33), 3500000000},
        {0x80 | 40, 0, UINT64_C(5) << 38, 1250000000},
        {0x80 | 63, 0, UINT64_MAX, 1999999999},
        {0x80 | 64, 0, UINT64_C(1) << 63, 500000000},
        {0x80 | 127, 0, UINT64_MAX, 0},
        {9, 0, UINT64_MAX, limit},
        {0, 0, UINT64_MAX, limit},
        {0x80 | 0, 0, UINT64_MAX, limit},
        {9, huge, UINT64_MAX, limit},
        {9, -huge - 1, 0, -4611686018000000000},
        {6, huge, 1, 4611686018000001000},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("case %zu", i);
        g_assert_cmpint(time_of(cases[i].resolution, cases[i].offset, cases[i].ticks), ==, cases[i].time);
    }
}

static void test_simple_packets_obey_the_snaplen_and_have_no_time(void)
{
    Build build = build_new(true);
    put_section(&build);
    put_interface(&build, 1, 6);
    guint block = block_begin(&build, 3);
    put32(&build, 60);
    put_padded(&build, data, 6);
    block_end(&build, block);
    block = block_begin(&build, 3);
    put32(&build, 5);
    put_padded(&build, data, 5);
    block_end(&build, block);
    Collected all = collect_build(&build);
    assert_ended(&all);
    assert_bytes(packet_at(&all, 0)->data, packet_at(&all, 0)->captured, data, 6);
    g_assert_cmpuint(packet_at(&all, 0)->length, ==, 60);
    g_assert_cmpint(packet_at(&all, 0)->time, ==, 0);
    g_assert_cmpuint(packet_at(&all, 1)->captured, ==, 5);
    g_assert_cmpuint(all.notes->len, ==, 0);
    collected_free(&all);
    build_free(&build);
}

static void test_obsolete_packet_block(void)
{
    Build build = build_new(true);
    put_section(&build);
    put_interface(&build, 1, 0);
    guint block = block_begin(&build, 2);
    put16(&build, 0);
    put16(&build, 17); /* drops */
    put64(&build, 1795471757654321);
    put32(&build, 21);
    put32(&build, 22);
    put_padded(&build, data, 21);
    put_comment(&build, "old");
    block_end(&build, block);
    Collected all = collect_build(&build);
    assert_ended(&all);
    assert_bytes(packet_at(&all, 0)->data, packet_at(&all, 0)->captured, data, 21);
    g_assert_cmpint(packet_at(&all, 0)->time, ==, 1795471757654321000);
    g_assert_cmpuint(packet_at(&all, 0)->length, ==, 22);
    assert_bytes(note_at(&all, 0)->data, note_at(&all, 0)->length, "old", 3);
    collected_free(&all);
    build_free(&build);
}

/* tshark 4.0.17: each of the first six is a record of its own in the packet list, the others are not */
static void test_blocks_that_take_a_packet_number(void)
{
    static const struct {
        uint32_t type;
        bool counts;
    } cases[] = {
        {0xbad, true},  {0x40000bad, true}, {9, true},      {0x204, true},       {0x216, true},  {0x221, true},
        {4, false},     {7, false},         {8, false},     {0x101, false},      {0x201, false}, {0x208, false},
        {0x209, false}, {0x217, false},     {0x999, false}, {0x80000001, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Build build = build_new(false);
        put_section(&build);
        put_interface(&build, 1, 0);
        put_packet(&build, 0, 1, data, 4);
        put_block(&build, cases[i].type, data, 40);
        put_packet(&build, 0, 2, data, 4);
        Collected all = collect_build(&build);
        assert_ended(&all);
        g_assert_cmpuint(all.packets->len, ==, 2);
        g_assert_cmpuint(packet_at(&all, 1)->number, ==, cases[i].counts ? 3 : 2);
        collected_free(&all);
        build_free(&build);
    }
}

static void put_commented_section(Build *build)
{
    guint block = block_begin(build, 0x0a0d0d0a);
    put32(build, 0x1a2b3c4d);
    put16(build, 1);
    put16(build, 0);
    put64(build, UINT64_MAX);
    put_comment(build, "section");
    put_option(build, 2, "hardware", 8);
    put32(build, 0);
    block_end(build, block);
    put_interface(build, 1, 0);
    block = block_begin(build, 1);
    put_interface_fields(build, 1, 0);
    put_comment(build, "interface");
    block_end(build, block);
}

static void assert_comment(const WslNote *note, const char *text, uint32_t interface, WslPacketNo packet)
{
    g_assert_cmpint(note->type, ==, WSL_NOTE_COMMENT);
    assert_bytes(note->data, note->length, text, strlen(text));
    g_assert_cmpuint(note->interface, ==, interface);
    g_assert_cmpuint(note->packet, ==, packet);
}

static void test_comments_belong_to_packets_sections_and_interfaces(void)
{
    Build build = build_new(true);
    put_commented_section(&build);
    put_packet(&build, 0, 1, data, 4);
    guint block = block_begin(&build, 6);
    put_packet_fields(&build, 1, 1, data, 5, 5);
    put_comment(&build, "first");
    put_option(&build, 2, data, 4); /* epb_flags */
    put_comment(&build, "second");
    put32(&build, 0);
    put_comment(&build, "after the end of options");
    block_end(&build, block);
    Collected all = collect_build(&build);
    assert_ended(&all);
    g_assert_cmpuint(all.notes->len, ==, 4);
    assert_comment(note_at(&all, 0), "section", UINT32_MAX, 0);
    assert_comment(note_at(&all, 1), "interface", 1, 0);
    assert_comment(note_at(&all, 2), "first", 1, 2);
    assert_comment(note_at(&all, 3), "second", 1, 2);
    collected_free(&all);
    build_free(&build);
}

static void test_secrets_and_statistics_are_noted(void)
{
    Build build = build_new(true);
    put_section(&build);
    guint block = block_begin(&build, 10);
    put32(&build, 0x544c534b);
    put32(&build, 21);
    put_padded(&build, data, 21);
    block_end(&build, block);
    put_interface(&build, 1, 0);
    put_interface(&build, 1, 0);
    block = block_begin(&build, 5);
    put32(&build, 1);
    put64(&build, 0);
    put_option64(&build, 4, 1000);
    put_option64(&build, 5, 7);
    put_option64(&build, 6, 99); /* isb_filteraccept */
    put_option64(&build, 7, UINT64_C(0x123456789abc));
    block_end(&build, block);
    Collected all = collect_build(&build);
    assert_ended(&all);
    g_assert_cmpuint(all.notes->len, ==, 4);
    g_assert_cmpint(note_at(&all, 0)->type, ==, WSL_NOTE_SECRETS);
    g_assert_cmpuint(note_at(&all, 0)->kind, ==, 0x544c534b);
    assert_bytes(note_at(&all, 0)->data, note_at(&all, 0)->length, data, 21);
    g_assert_cmpint(note_at(&all, 1)->type, ==, WSL_NOTE_RECEIVED);
    g_assert_cmpuint(note_at(&all, 1)->value, ==, 1000);
    g_assert_cmpuint(note_at(&all, 1)->interface, ==, 1);
    g_assert_cmpint(note_at(&all, 2)->type, ==, WSL_NOTE_DROPPED);
    g_assert_cmpuint(note_at(&all, 2)->value, ==, 7);
    g_assert_cmpuint(note_at(&all, 3)->value, ==, UINT64_C(0x123456789abc));
    collected_free(&all);
    build_free(&build);
}

static void test_more_notes_than_a_batch_holds(void)
{
    Build build = build_new(false);
    put_section(&build);
    put_interface(&build, 1, 0);
    guint block = block_begin(&build, 6);
    put_packet_fields(&build, 0, 1, data, 4, 4);
    for (int i = 0; i < 40; i++)
        put_comment(&build, "x");
    block_end(&build, block);
    put_packet(&build, 0, 2, data, 4);
    Collected all = collect_build(&build);
    assert_ended(&all);
    g_assert_cmpuint(all.notes->len, ==, 40);
    g_assert_cmpuint(all.packets->len, ==, 2);
    for (guint i = 0; i < 40; i++)
        assert_comment(note_at(&all, i), "x", 0, 1);
    collected_free(&all);
    build_free(&build);
}

static void put_raw_block(Build *build, uint32_t type, uint32_t length, uint32_t trailer, size_t body)
{
    put32(build, type);
    put32(build, length);
    put_padded(build, data, body);
    put32(build, trailer);
}

static void put_bad_packet(Build *build, uint32_t interface, uint32_t captured)
{
    guint block = block_begin(build, 6);
    put32(build, interface);
    put64(build, 0);
    put32(build, captured);
    put32(build, captured);
    put_bytes(build, data, 8);
    block_end(build, block);
}

/* Each stands behind a section (28 bytes), an interface (20) and a packet (36). */
static void put_corruption(Build *build, int which)
{
    static const uint32_t lengths[] = {8, 14, 0, 0x1000004, 12};
    if (which < 5)
        put_raw_block(build, 0x999, lengths[which], which == 4 ? 16 : lengths[which], 0);
    else if (which == 5)
        put_bad_packet(build, 1, 8);
    else if (which == 6)
        put_bad_packet(build, 0, 9);
    else if (which == 7)
        put_raw_block(build, 6, 16, 16, 4);
    else if (which == 8)
        put_raw_block(build, 0x0a0d0d0a, 28, 28, 16);
}

static void test_contradictions_are_corrupt_after_the_packets_before(void)
{
    for (int which = 0; which <= 8; which++) {
        g_test_message("corruption %d", which);
        Build build = build_new(false);
        put_section(&build);
        put_interface(&build, 1, 0);
        put_packet(&build, 0, 1, data, 4);
        g_assert_cmpuint(build.bytes->len, ==, 84);
        put_corruption(&build, which);
        Collected all = collect_build(&build);
        assert_error(&all, WSL_SOURCE_ERROR_CORRUPT);
        g_assert_true(g_str_has_prefix(all.error->message, "memory: corrupt at byte 84: "));
        g_assert_cmpuint(all.packets->len, ==, 1);
        collected_free(&all);
        build_free(&build);
    }
}

static void test_cut_at_every_byte_keeps_whole_packets(void)
{
    Build build = build_new(false);
    put_commented_section(&build);
    size_t ends[3];
    GHashTable *clean = g_hash_table_new(NULL, NULL);
    for (size_t at = 0; at < build.bytes->len;) { /* block ends of the header */
        at += build.bytes->data[at + 4];
        g_hash_table_add(clean, GSIZE_TO_POINTER(at));
    }
    for (uint32_t i = 0; i < 3; i++) {
        put_packet(&build, 0, i, data, i * 5);
        ends[i] = build.bytes->len;
        g_hash_table_add(clean, GSIZE_TO_POINTER(ends[i]));
    }
    for (size_t length = 0; length <= build.bytes->len; length++) {
        uint8_t *exact = g_memdup2(build.bytes->data, length);
        Collected all = collect_memory(exact, length, 1);
        guint whole = 0;
        for (size_t i = 0; i < 3; i++)
            whole += length >= ends[i];
        g_assert_cmpuint(all.packets->len, ==, whole);
        if (g_hash_table_contains(clean, GSIZE_TO_POINTER(length)))
            assert_ended(&all);
        else
            assert_error(&all, length == 0 ? WSL_SOURCE_ERROR_FORMAT : WSL_SOURCE_ERROR_CUT);
        collected_free(&all);
        g_free(exact);
    }
    g_hash_table_destroy(clean);
    build_free(&build);
}

static void test_interfaces_have_a_limit(void)
{
    Build build = build_new(false);
    put_section(&build);
    for (int i = 0; i < 65535; i++) {
        if (i == 40000)
            put_section(&build);
        put_interface(&build, 1, 0);
    }
    put_packet(&build, 65535 - 40000 - 1, 1, data, 4);
    put_interface(&build, 1, 0);
    Collected all = collect_build(&build);
    assert_error(&all, WSL_SOURCE_ERROR_CORRUPT);
    g_assert_cmpuint(packet_at(&all, 0)->interface, ==, 65534);
    collected_free(&all);
    build_free(&build);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/capture/pcapng/packet-of-either-byte-order", test_packet_of_either_byte_order);
    g_test_add_func("/capture/pcapng/interfaces-are-numbered-over-sections",
                    test_interfaces_are_numbered_over_sections);
    g_test_add_func("/capture/pcapng/time-resolutions-and-offsets", test_time_resolutions_and_offsets);
    g_test_add_func("/capture/pcapng/simple-packets", test_simple_packets_obey_the_snaplen_and_have_no_time);
    g_test_add_func("/capture/pcapng/obsolete-packet-block", test_obsolete_packet_block);
    g_test_add_func("/capture/pcapng/blocks-that-take-a-packet-number", test_blocks_that_take_a_packet_number);
    g_test_add_func("/capture/pcapng/comments", test_comments_belong_to_packets_sections_and_interfaces);
    g_test_add_func("/capture/pcapng/secrets-and-statistics", test_secrets_and_statistics_are_noted);
    g_test_add_func("/capture/pcapng/more-notes-than-a-batch-holds", test_more_notes_than_a_batch_holds);
    g_test_add_func("/capture/pcapng/contradictions-are-corrupt",
                    test_contradictions_are_corrupt_after_the_packets_before);
    g_test_add_func("/capture/pcapng/cut-at-every-byte", test_cut_at_every_byte_keeps_whole_packets);
    g_test_add_func("/capture/pcapng/interfaces-have-a-limit", test_interfaces_have_a_limit);
    return g_test_run();
}

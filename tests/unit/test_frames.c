/*
 * Tests of reading frames: RFC 6455's examples, every length form, any segmentation, packets, counting.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tests/unit/frame_build.h"

#define HELLO_PLAIN  "8105 48656c6c6f"
#define HELLO_MASKED "8185 37fa213d 7f9f4d5158"

static void test_rfc_single_text_frames(void)
{
    g_autoptr(GByteArray) plain = unhex(HELLO_PLAIN), masked = unhex(HELLO_MASKED);
    Feed *server = fed_every_way(&from_server, plain), *client = fed_every_way(&from_client, masked);

    for (int i = 0; i < 2; i++) {
        const Feed *feed = i ? client : server;
        const WslFrame *frame = &feed->frames[0];
        g_assert_cmpuint(feed->count, ==, 1);
        g_assert_true(frame->fin && frame->finished && frame->whole && frame->message && !frame->compressed);
        g_assert_cmpuint(frame->opcode, ==, WSL_OP_TEXT);
        g_assert_cmpuint(frame->rsv, ==, 0);
        g_assert_cmpuint(frame->length, ==, 5);
        g_assert_cmpint(frame->masked, ==, i);
        g_assert_cmpuint(frame->header_length, ==, i ? 6 : 2);
        assert_bytes(frame->key, 4, i ? example_key : (const uint8_t *)"\0\0\0\0", 4);
        g_assert_cmpuint(frame->begin, ==, 0);
        g_assert_cmpuint(frame->end, ==, i ? 11 : 7);
        g_assert_cmphex(frame->violations, ==, 0);
        g_assert_cmpint(frame->close_code, ==, -1);
        g_assert_cmpuint(frame->message_opcode, ==, WSL_OP_TEXT);
        g_assert_cmpuint(frame->message_length, ==, 5);
        g_assert_cmpuint(frame->message_frames, ==, 1);
        g_assert_true(frame->message_whole && frame->message_readable && frame->message_counts);
    }
    g_assert_cmphex(server->frames[0].fingerprint[0], ==, client->frames[0].fingerprint[0]);
    feed_free(server);
    feed_free(client);
}

static void test_rfc_fragmented_text_message(void)
{
    g_autoptr(GByteArray) bytes = unhex("0103 48656c 8002 6c6f");
    Feed *feed = fed_every_way(&from_server, bytes);
    WslFrame whole = only_frame(&from_server, HELLO_PLAIN);

    g_assert_cmpuint(feed->count, ==, 2);
    g_assert_false(feed->frames[0].message || feed->frames[0].fin);
    g_assert_true(feed->frames[1].message && feed->frames[1].fin);
    g_assert_cmpuint(feed->frames[1].opcode, ==, WSL_OP_CONTINUATION);
    g_assert_cmpuint(feed->frames[1].begin, ==, 5);
    g_assert_cmpuint(feed->frames[1].end, ==, 9);
    g_assert_cmpuint(feed->frames[1].message_opcode, ==, WSL_OP_TEXT);
    g_assert_cmpuint(feed->frames[1].message_length, ==, 5);
    g_assert_cmpuint(feed->frames[1].message_frames, ==, 2);
    g_assert_cmphex(feed->frames[0].violations | feed->frames[1].violations, ==, 0);
    g_assert_cmphex(feed->frames[1].fingerprint[0], ==, whole.fingerprint[0]);
    feed_free(feed);
}

static void test_rfc_ping_and_its_masked_pong(void)
{
    g_autoptr(GByteArray) ping_bytes = unhex("8905 48656c6c6f"), pong_bytes = unhex("8a85 37fa213d 7f9f4d5158");
    Feed *ping = fed_every_way(&from_server, ping_bytes), *pong = fed_every_way(&from_client, pong_bytes);

    g_assert_cmpuint(ping->frames[0].opcode, ==, WSL_OP_PING);
    g_assert_cmpuint(pong->frames[0].opcode, ==, WSL_OP_PONG);
    g_assert_cmphex(ping->frames[0].violations | pong->frames[0].violations, ==, 0);
    g_assert_false(ping->frames[0].message || pong->frames[0].message);
    g_assert_cmphex(ping->frames[0].payload_hash, ==, pong->frames[0].payload_hash);
    WslFrame other = only_frame(&from_server, "8a05 48656c6c70"), swapped = only_frame(&from_server, "8a05 65486c6c6f");
    g_assert_cmphex(other.payload_hash, !=, ping->frames[0].payload_hash);
    g_assert_cmphex(swapped.payload_hash, !=, ping->frames[0].payload_hash);
    feed_free(ping);
    feed_free(pong);
}

static void test_rfc_binary_256_bytes(void)
{
    g_autoptr(GByteArray) bytes = unhex("827e 0100");

    for (unsigned i = 0; i < 256; i++)
        g_byte_array_append(bytes, &(uint8_t){(uint8_t)i}, 1);
    Feed *feed = fed_every_way(&from_server, bytes);
    g_assert_cmpuint(feed->count, ==, 1);
    g_assert_cmpuint(feed->frames[0].opcode, ==, WSL_OP_BINARY);
    g_assert_cmpuint(feed->frames[0].length, ==, 256);
    g_assert_cmpuint(feed->frames[0].header_length, ==, 4);
    g_assert_cmphex(feed->frames[0].violations, ==, 0);
    feed_free(feed);
}

static void test_rfc_binary_64_kib(void)
{
    g_autoptr(GByteArray) bytes = unhex("827f 0000000000010000");
    g_autofree uint8_t *payload = g_malloc0(65536);

    g_byte_array_append(bytes, payload, 65536);
    Feed *whole = fed(&from_server, bytes), *single = feed_new(&from_server);
    for (guint i = 0; i < bytes->len; i++)
        feed_piece(single, bytes->data + i, 1, 1);
    assert_same_feed(whole, single);
    g_assert_cmpuint(whole->count, ==, 1);
    g_assert_cmpuint(whole->frames[0].length, ==, 65536);
    g_assert_cmpuint(whole->frames[0].header_length, ==, 10);
    g_assert_cmpuint(whole->frames[0].end, ==, 65546);
    g_assert_cmphex(whole->frames[0].violations, ==, 0);
    feed_free(whole);
    feed_free(single);
}

/* RFC 7692 §7.2.3.1 */
static void test_rfc_compressed_examples(void)
{
    WslFrameRules deflate = {.judge_bits = true, .deflate = true, .owned_bits = WSL_RSV1};
    g_autoptr(GByteArray) one = unhex("c107 f248cdc9c90700"), two = unhex("4103 f248cd 8004 c9c90700");
    Feed *whole = fed_every_way(&deflate, one), *parts = fed_every_way(&deflate, two);

    g_assert_true(whole->frames[0].compressed && whole->frames[0].message && !whole->frames[0].message_readable);
    g_assert_true(whole->frames[0].message_whole);
    g_assert_cmpuint(parts->count, ==, 2);
    g_assert_true(parts->frames[0].compressed && parts->frames[1].compressed && parts->frames[1].message);
    g_assert_cmpuint(parts->frames[1].message_length, ==, 7);
    for (unsigned i = 0; i < 2; i++)
        g_assert_cmphex(parts->frames[i].violations | whole->frames[0].violations, ==, 0);
    feed_free(whole);
    feed_free(parts);
}

static void assert_length(uint64_t length, unsigned form, bool masked, unsigned header_length, uint32_t violations)
{
    g_autoptr(GByteArray) header = g_byte_array_new();

    add_header(header, 0x82, form, length, masked ? example_key : NULL);
    Feed *feed = feed_new(masked ? &from_client : &from_server);
    feed_piece(feed, header->data, header->len, 1);
    if (length)
        feed_hole(feed, length, 2);
    feed_hex(feed, masked ? "8980 00000000" : "8900", 3);
    g_assert_cmpuint(feed->count, ==, 2);
    g_assert_cmpuint(feed->lost, ==, 0);
    g_assert_cmpuint(feed->frames[0].header_length, ==, header_length);
    g_assert_cmpuint(feed->frames[0].length, ==, length);
    g_assert_cmpuint(feed->frames[0].message_length, ==, length);
    g_assert_cmpint(feed->frames[0].whole, ==, length == 0);
    g_assert_cmpint(feed->frames[0].message_whole, ==, length == 0);
    g_assert_cmpuint(feed->frames[0].end, ==, header_length + length);
    g_assert_cmphex(feed->frames[0].violations, ==, violations);
    g_assert_cmpuint(feed->frames[1].opcode, ==, WSL_OP_PING);
    g_assert_cmpuint(feed->frames[1].begin, ==, header_length + length);
    feed_free(feed);
}

/* RFC 6455 §5.2: the minimal number of bytes must be used to encode the length. */
static void test_length_forms(void)
{
    static const struct {
        uint64_t length;
        unsigned least_form;
    } lengths[] = {
        {0, 0},       {1, 0},       {124, 0},     {125, 0},     {126, 126},        {127, 126},        {128, 126},
        {65534, 126}, {65535, 126}, {65536, 127}, {65537, 127}, {1ULL << 32, 127}, {1ULL << 40, 127}, {INT64_MAX, 127}};
    static const unsigned forms[] = {0, 126, 127}, most[] = {125, 65535};

    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++)
        for (unsigned form = 0; form < 3; form++) {
            if (form < 2 && lengths[i].length > most[form])
                continue;
            uint32_t expected = forms[form] > lengths[i].least_form ? V(LENGTH_NOT_MINIMAL) : 0;
            unsigned bytes = form == 0 ? 2 : form == 1 ? 4 : 10;
            assert_length(lengths[i].length, forms[form], false, bytes, expected);
            assert_length(lengths[i].length, forms[form], true, bytes + 4, expected);
        }
}

static void test_the_largest_legal_length_and_the_first_illegal(void)
{
    Feed *legal = fed_hex(&from_server, "827f 7fffffffffffffff"),
         *illegal = fed_hex(&from_server, "827f 8000000000000000");

    g_assert_cmpuint(legal->lost, ==, 0);
    g_assert_cmpuint(legal->count, ==, 0);
    WslFrame frame;
    g_assert_false(wsl_frames_unfinished(&legal->reader, &frame));
    g_assert_cmpuint(illegal->lost, ==, 1);
    g_assert_cmpuint(illegal->count, ==, 0);
    g_assert_cmphex(illegal->lost_for.violations, ==, V(LENGTH_TOO_LARGE));
    g_assert_cmpuint(illegal->lost_for.length, ==, 1ULL << 63);
    g_assert_false(illegal->lost_for.finished);
    g_assert_cmpuint(illegal->lost_for.packet, ==, 1);
    feed_hex(illegal, HELLO_PLAIN, 2);
    g_assert_cmpuint(illegal->count, ==, 0);
    feed_free(legal);
    feed_free(illegal);
}

static void test_every_opcode_is_told(void)
{
    for (unsigned opcode = 0; opcode < 16; opcode++) {
        g_autofree char *hex = g_strdup_printf("8%x00", opcode);
        g_assert_cmpuint(only_frame(&from_server, hex).opcode, ==, opcode);
    }
}

/* All kinds in one stream, with payloads longer than a word and a vector, and more than a fingerprint. */
static GByteArray *mixed_stream(const uint8_t *key)
{
    GByteArray *bytes = g_byte_array_new();
    uint8_t long_text[300];

    for (unsigned i = 0; i < sizeof long_text; i += 3)
        memcpy(long_text + i, "\xe2\x82\xac", 3); /* U+20AC */
    add_frame(bytes, 0x81, key, "Hello", 5);
    add_frame(bytes, 0x01, key, long_text, 100);
    add_frame(bytes, 0x89, key, "ping", 4);
    add_frame(bytes, 0x00, key, long_text + 100, 0);
    add_frame(bytes, 0x8a, key, "", 0);
    add_frame(bytes, 0x80, key, long_text + 100, 200);
    add_frame(bytes, 0x82, key, "\xff\xfe\x00", 3);
    add_frame(bytes, 0x81, key, "\xce\xba\xe1", 3);
    add_frame(bytes, 0x83, key, "reserved", 8);
    add_frame(bytes, 0x88, key, "\x03\xe8\xc3\xa4 bye", 8);
    add_frame(bytes, 0x89, key, "after", 5);
    add_frame(bytes, 0x81, key, "late", 4);
    return bytes;
}

static void test_segmentation_does_not_matter(void)
{
    for (int masked = 0; masked < 2; masked++) {
        const WslFrameRules *rules = masked ? &from_client : &from_server;
        g_autoptr(GByteArray) bytes = mixed_stream(masked ? example_key : NULL);
        Feed *whole = fed_every_way(rules, bytes);
        static const uint32_t violations[] = {
            0, 0, 0, 0, 0, 0, 0, V(TEXT_INVALID_UTF8), V(RESERVED_OPCODE), 0, 0, V(DATA_AFTER_CLOSE)};
        g_assert_cmpuint(whole->count, ==, G_N_ELEMENTS(violations));
        for (unsigned i = 0; i < whole->count; i++)
            g_assert_cmphex(whole->frames[i].violations, ==, violations[i]);
        for (unsigned round = 0; round < 200; round++) {
            Feed *feed = feed_new(rules);
            for (guint at = 0, length; at < bytes->len; at += length) {
                length = (guint)g_test_rand_int_range(1, (gint32)MIN(90, bytes->len - at + 1));
                feed_piece(feed, bytes->data + at, length, at + 1);
            }
            assert_same_feed(whole, feed);
            feed_free(feed);
        }
        feed_free(whole);
    }
}

static void test_messages_are_counted_and_measured(void)
{
    g_autoptr(GByteArray) bytes = mixed_stream(NULL);
    Feed *feed = fed(&from_server, bytes);
    static const struct {
        unsigned frame, opcode;
        uint64_t length;
        unsigned frames;
        bool counts;
    } messages[] = {
        {0, 1, 5, 1, true}, {5, 1, 300, 3, true}, {6, 2, 3, 1, true}, {7, 1, 3, 1, true}, {11, 1, 4, 1, false}};
    unsigned seen = 0;

    for (unsigned i = 0; i < feed->count; i++) {
        if (!feed->frames[i].message)
            continue;
        g_assert_cmpuint(seen, <, G_N_ELEMENTS(messages));
        g_assert_cmpuint(i, ==, messages[seen].frame);
        g_assert_cmpuint(feed->frames[i].message_opcode, ==, messages[seen].opcode);
        g_assert_cmpuint(feed->frames[i].message_length, ==, messages[seen].length);
        g_assert_cmpuint(feed->frames[i].message_frames, ==, messages[seen].frames);
        g_assert_cmpint(feed->frames[i].message_counts, ==, messages[seen].counts);
        seen++;
    }
    g_assert_cmpuint(seen, ==, G_N_ELEMENTS(messages));
    feed_free(feed);
}

/* Two hashes: of the first 64 bytes and of the next 64. */
static void test_fingerprint_covers_128_bytes_in_two_halves(void)
{
    uint8_t payload[200], key[4];
    static const struct {
        unsigned changed;
        bool first, second;
    } cases[] = {{0, true, false},   {63, true, false},   {64, false, true},
                 {127, false, true}, {128, false, false}, {199, false, false}};

    for (unsigned i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)(i * 7);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases) * 2; i++) {
        g_autoptr(GByteArray) plain = g_byte_array_new(), changed = g_byte_array_new();
        add_frame(plain, 0x82, NULL, payload, sizeof payload);
        payload[cases[i / 2].changed] ^= 1;
        for (unsigned k = 0; k < 4; k++)
            key[k] = (uint8_t)g_test_rand_int_range(0, 256);
        add_frame(changed, 0x82, i & 1 ? key : NULL, payload, sizeof payload);
        payload[cases[i / 2].changed] ^= 1;
        Feed *before = fed(&from_server, plain), *after = fed(i & 1 ? &from_client : &from_server, changed);
        const uint32_t *a = before->frames[0].fingerprint, *b = after->frames[0].fingerprint;
        g_assert_cmpint(a[0] != b[0], ==, cases[i / 2].first);
        g_assert_cmpint(a[1] != b[1], ==, cases[i / 2].second);
        feed_free(before);
        feed_free(after);
    }
}

static void test_fingerprint_ignores_how_a_message_is_fragmented(void)
{
    uint8_t payload[150];

    for (unsigned i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)(i * 11 + 3);
    g_autoptr(GByteArray) one = g_byte_array_new();
    add_frame(one, 0x82, NULL, payload, sizeof payload);
    Feed *whole = fed(&from_server, one);
    for (unsigned split = 0; split <= sizeof payload; split++) {
        g_autoptr(GByteArray) two = g_byte_array_new();
        add_frame(two, 0x02, example_key, payload, split);
        add_frame(two, 0x80, example_key, payload + split, sizeof payload - split);
        Feed *parts = fed(&from_client, two);
        g_assert_cmpuint(parts->count, ==, 2);
        assert_bytes(parts->frames[1].fingerprint, 8, whole->frames[0].fingerprint, 8);
        g_assert_cmpuint(parts->frames[1].message_length, ==, sizeof payload);
        feed_free(parts);
    }
    feed_free(whole);
}

static void test_a_frame_names_the_packets_that_carry_it(void)
{
    Feed *feed = feed_new(&from_client);

    feed_hex(feed, "81", 10);
    feed_hex(feed, "85 37fa", 11);
    feed_hex(feed, "213d", 12);
    feed_hex(feed, "7f9f", 13);
    feed_hex(feed, "4d5158 81", 14);
    feed_hex(feed, "80 00000000 8980 01020304", 15);
    g_assert_cmpuint(feed->count, ==, 3);
    static const WslPacketNo packets[][3] = {{10, 12, 14}, {14, 15, 15}, {15, 15, 15}};
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmpuint(feed->frames[i].begun_in, ==, packets[i][0]);
        g_assert_cmpuint(feed->frames[i].header_packet, ==, packets[i][1]);
        g_assert_cmpuint(feed->frames[i].packet, ==, packets[i][2]);
        g_assert_cmpint(feed->frames[i].begun, ==, (WslTime)packets[i][0] * WSL_SECOND);
        g_assert_cmpint(feed->frames[i].header_time, ==, (WslTime)packets[i][1] * WSL_SECOND);
        g_assert_cmpint(feed->frames[i].completed, ==, (WslTime)packets[i][2] * WSL_SECOND);
    }
    feed_free(feed);
}

/* Bytes that were captured early wait for those before them: the last packet is not that of the last byte. */
static void test_the_latest_packet_counts_wherever_it_stands_in_the_frame(void)
{
    static const struct {
        const char *first, *middle, *last;
    } splits[] = {{"8185 37fa213d 7f", "9f4d", "5158"},
                  {"8185 37", "fa213d 7f", "9f4d5158"},
                  {"81", "85 37", "fa213d 7f9f4d5158"}};

    for (size_t i = 0; i < G_N_ELEMENTS(splits); i++) {
        Feed *feed = feed_new(&from_client);
        feed_hex(feed, splits[i].first, 3);
        feed_hex(feed, splits[i].middle, 9);
        feed_hex(feed, splits[i].last, 5);
        g_assert_cmpuint(feed->count, ==, 1);
        g_assert_cmpuint(feed->frames[0].begun_in, ==, 3);
        g_assert_cmpuint(feed->frames[0].packet, ==, 9);
        g_assert_cmpint(feed->frames[0].completed, ==, 9 * WSL_SECOND);
        feed_free(feed);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/frames/rfc/single-text", test_rfc_single_text_frames);
    g_test_add_func("/frames/rfc/fragmented-text", test_rfc_fragmented_text_message);
    g_test_add_func("/frames/rfc/ping-pong", test_rfc_ping_and_its_masked_pong);
    g_test_add_func("/frames/rfc/binary-256", test_rfc_binary_256_bytes);
    g_test_add_func("/frames/rfc/binary-64k", test_rfc_binary_64_kib);
    g_test_add_func("/frames/rfc/compressed", test_rfc_compressed_examples);
    g_test_add_func("/frames/length-forms", test_length_forms);
    g_test_add_func("/frames/length-limit", test_the_largest_legal_length_and_the_first_illegal);
    g_test_add_func("/frames/every-opcode-is-told", test_every_opcode_is_told);
    g_test_add_func("/frames/segmentation", test_segmentation_does_not_matter);
    g_test_add_func("/frames/messages", test_messages_are_counted_and_measured);
    g_test_add_func("/frames/fingerprint/halves", test_fingerprint_covers_128_bytes_in_two_halves);
    g_test_add_func("/frames/fingerprint/fragments", test_fingerprint_ignores_how_a_message_is_fragmented);
    g_test_add_func("/frames/packets", test_a_frame_names_the_packets_that_carry_it);
    g_test_add_func("/frames/packets/out-of-order", test_the_latest_packet_counts_wherever_it_stands_in_the_frame);
    return g_test_run();
}

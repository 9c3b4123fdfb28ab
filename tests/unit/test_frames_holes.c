/*
 * Tests of reading frames over holes: what is counted, what is not judged, and when the place is lost.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tests/unit/frame_build.h"

static void test_a_hole_inside_a_payload_keeps_count(void)
{
    for (unsigned from = 0; from < 10; from++)
        for (unsigned to = from + 1; to <= 10; to++) {
            Feed *feed = feed_new(&from_server);
            feed_hex(feed, "810a", 1);
            if (from)
                feed_piece(feed, (const uint8_t *)"0123456789", from, 1);
            feed_hole(feed, to - from, 2);
            if (to < 10)
                feed_piece(feed, (const uint8_t *)"0123456789" + to, 10 - to, 3);
            feed_hex(feed, "8101 41", 4);
            g_assert_cmpuint(feed->count, ==, 2);
            g_assert_cmpuint(feed->lost, ==, 0);
            g_assert_cmphex(feed->frames[0].violations, ==, 0);
            g_assert_false(feed->frames[0].whole || feed->frames[0].message_whole || feed->frames[0].message_readable);
            g_assert_true(feed->frames[0].message && feed->frames[0].message_counts);
            g_assert_cmpuint(feed->frames[0].message_length, ==, 10);
            g_assert_cmpuint(feed->frames[0].packet, ==, to < 10 ? 3 : 2);
            g_assert_true(feed->frames[1].whole && feed->frames[1].message_whole && feed->frames[1].message_readable);
            g_assert_cmpuint(feed->frames[1].begin, ==, 12);
            feed_free(feed);
        }
}

static void test_a_hole_suspends_utf8_to_the_end_of_the_message(void)
{
    Feed *feed = feed_new(&from_server);

    feed_hex(feed, "0103 41", 1);
    feed_hole(feed, 2, 1);
    feed_hex(feed, "8001 ff 8101 fe", 2);
    g_assert_cmpuint(feed->count, ==, 3);
    g_assert_cmphex(feed->frames[0].violations | feed->frames[1].violations, ==, 0);
    g_assert_true(feed->frames[1].whole);
    g_assert_false(feed->frames[1].message_whole);
    g_assert_cmphex(feed->frames[2].violations, ==, V(TEXT_INVALID_UTF8));
    feed_free(feed);
}

static void test_a_hole_does_not_excuse_what_came_before(void)
{
    Feed *feed = feed_new(&from_server);

    feed_hex(feed, "8103 ff", 1);
    feed_hole(feed, 2, 1);
    g_assert_cmpuint(feed->count, ==, 1);
    g_assert_cmphex(feed->frames[0].violations, ==, V(TEXT_INVALID_UTF8));
    feed_free(feed);
}

static void test_the_mask_keeps_its_phase_over_a_hole(void)
{
    for (unsigned hole = 1; hole < 8; hole++) {
        g_autoptr(GByteArray) plain = g_byte_array_new(), masked = g_byte_array_new();
        add_frame(plain, 0x82, NULL, "abcdefghijklmnop", 16);
        add_frame(masked, 0x82, example_key, "abcdefghijklmnop", 16);
        Feed *server = feed_new(&from_server), *client = feed_new(&from_client);
        feed_piece(server, plain->data, 4, 1);
        feed_hole(server, hole, 1);
        feed_piece(server, plain->data + 4 + hole, 14 - hole, 1);
        feed_piece(client, masked->data, 8, 1);
        feed_hole(client, hole, 1);
        feed_piece(client, masked->data + 8 + hole, 14 - hole, 1);
        assert_bytes(server->frames[0].fingerprint, 8, client->frames[0].fingerprint, 8);
        feed_free(server);
        feed_free(client);
    }
}

/* A hole anywhere in a header, or where one should begin, loses the place; it is told once. */
static void test_a_hole_in_a_header_loses_the_place(void)
{
    g_autoptr(GByteArray) bytes = unhex("82fe 0080 37fa213d");

    for (guint known = 0; known < bytes->len; known++) {
        Feed *feed = feed_new(&from_client);
        feed_hex(feed, "8185 37fa213d 7f9f4d5158", 1);
        if (known)
            feed_piece(feed, bytes->data, known, 2);
        feed_hole(feed, 1, 3);
        g_assert_cmpuint(feed->lost, ==, 1);
        g_assert_cmphex(feed->lost_for.violations, ==, 0);
        feed_hex(feed, "8185 37fa213d 7f9f4d5158", 4);
        feed_hole(feed, 100, 5);
        g_assert_cmpuint(feed->lost, ==, 1);
        g_assert_cmpuint(feed->count, ==, 1);
        WslFrame frame;
        g_assert_false(wsl_frames_unfinished(&feed->reader, &frame));
        feed_free(feed);
    }
}

static void test_a_hole_as_long_as_the_rest_keeps_the_place_and_one_byte_more_loses_it(void)
{
    for (unsigned more = 0; more < 2; more++) {
        Feed *feed = feed_new(&from_server);
        feed_hex(feed, "8264 0102", 1);
        feed_hole(feed, 98 + more, 2);
        g_assert_cmpuint(feed->count, ==, 1);
        g_assert_cmpuint(feed->frames[0].length, ==, 100);
        g_assert_cmpuint(feed->frames[0].message_length, ==, 100);
        g_assert_cmpuint(feed->lost, ==, more);
        feed_hex(feed, "8900", 3);
        g_assert_cmpuint(feed->count, ==, more ? 1 : 2);
        feed_free(feed);
    }
}

static void test_a_hole_in_a_control_frame_spares_the_message(void)
{
    Feed *feed = feed_new(&from_server);

    feed_hex(feed, "0101 41 8904 50", 1);
    feed_hole(feed, 3, 1);
    feed_hex(feed, "8001 42 0101 43 8302 00", 2);
    feed_hole(feed, 1, 2);
    feed_hex(feed, "8001 ff", 3);
    g_assert_cmpuint(feed->count, ==, 6);
    g_assert_false(feed->frames[1].whole);
    g_assert_true(feed->frames[2].message_whole && feed->frames[2].message_readable);
    g_assert_cmpuint(feed->frames[2].message_length, ==, 2);
    g_assert_cmphex(feed->frames[5].violations, ==, V(TEXT_INVALID_UTF8));
    feed_free(feed);
}

/* Nothing is made of bytes of a Close that were not seen: not its code, not the reason behind the gap. */
static void test_holes_in_a_close_frame(void)
{
    static const struct {
        unsigned from, to; /**< of the payload 03 e9 "abcdef" */
        int code;
        const char *reason;
    } cases[] = {{0, 1, -1, ""},   {1, 2, -1, ""},   {0, 8, -1, ""},     {0, 4, -1, ""},       {1, 8, -1, ""},
                 {2, 8, 1001, ""}, {2, 4, 1001, ""}, {4, 6, 1001, "ab"}, {7, 8, 1001, "abcde"}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Feed *feed = feed_new(&from_server);
        const uint8_t payload[] = "\x03\xe9"
                                  "abcdef";
        feed_hex(feed, "8808", 1);
        if (cases[i].from)
            feed_piece(feed, payload, cases[i].from, 1);
        feed_hole(feed, cases[i].to - cases[i].from, 2);
        if (cases[i].to < 8)
            feed_piece(feed, payload + cases[i].to, 8 - cases[i].to, 3);
        g_assert_cmpuint(feed->count, ==, 1);
        g_assert_cmpint(feed->frames[0].close_code, ==, cases[i].code);
        assert_bytes(feed->frames[0].reason, feed->frames[0].reason_length, cases[i].reason, strlen(cases[i].reason));
        g_assert_cmphex(feed->frames[0].violations, ==, 0);
        feed_hex(feed, "8101 41", 4);
        g_assert_cmphex(feed->frames[1].violations, ==, V(DATA_AFTER_CLOSE));
        feed_free(feed);
    }
}

static void test_a_cut_close_reason_is_not_judged(void)
{
    Feed *feed = feed_new(&from_server);

    feed_hex(feed, "8805 03e8 c3", 1);
    feed_hole(feed, 2, 1);
    g_assert_cmpint(feed->frames[0].close_code, ==, 1000);
    g_assert_cmphex(feed->frames[0].violations, ==, 0);
    feed_free(feed);
}

/* An endless payload that no memory could hold: only counted. */
static void test_a_petabyte_of_hole_is_counted(void)
{
    Feed *feed = feed_new(&from_server);

    feed_hex(feed, "027f 0003ffffffffffff", 1);
    feed_hole(feed, 0x0003ffffffffffffULL, 2);
    feed_hex(feed, "807f 0003ffffffffffff", 3);
    feed_hole(feed, 0x0003fffffffffffeULL, 4);
    feed_hex(feed, "00", 5);
    g_assert_cmpuint(feed->count, ==, 2);
    g_assert_cmpuint(feed->frames[1].message_length, ==, 0x0007fffffffffffeULL);
    feed_free(feed);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/holes/payload", test_a_hole_inside_a_payload_keeps_count);
    g_test_add_func("/holes/utf8-suspended", test_a_hole_suspends_utf8_to_the_end_of_the_message);
    g_test_add_func("/holes/utf8-before", test_a_hole_does_not_excuse_what_came_before);
    g_test_add_func("/holes/mask-phase", test_the_mask_keeps_its_phase_over_a_hole);
    g_test_add_func("/holes/header", test_a_hole_in_a_header_loses_the_place);
    g_test_add_func("/holes/exact", test_a_hole_as_long_as_the_rest_keeps_the_place_and_one_byte_more_loses_it);
    g_test_add_func("/holes/control", test_a_hole_in_a_control_frame_spares_the_message);
    g_test_add_func("/holes/close", test_holes_in_a_close_frame);
    g_test_add_func("/holes/close-reason", test_a_cut_close_reason_is_not_judged);
    g_test_add_func("/holes/petabyte", test_a_petabyte_of_hole_is_counted);
    return g_test_run();
}

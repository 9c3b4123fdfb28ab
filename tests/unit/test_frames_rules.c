/*
 * Tests of the rules for headers and their order: for each offence the bytes that commit it and the legal ones beside them.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tests/unit/frame_build.h"

/* permessage-deflate owns RSV1 of a message's first frame (RFC 7692 §6). */
static const WslFrameRules deflate = {.judge_bits = true, .deflate = true, .owned_bits = WSL_RSV1};
/* x-webkit-deflate-frame owns RSV1 of each frame. */
static const WslFrameRules frame_deflate = {.judge_bits = true, .owned_bits = WSL_RSV1};
/* Of an extension that nobody knows, nothing is known. */
static const WslFrameRules unknown_extension = {.judge_bits = true, .owned_bits = 7, .opaque_bits = true};
/* No handshake was seen. */
static const WslFrameRules no_handshake = {.owned_bits = 7, .opaque_bits = true};

typedef struct {
    const WslFrameRules *rules;
    const char *hex;
    uint32_t violations[6]; /**< frame by frame */
} Case;

static void assert_cases(const Case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_autoptr(GByteArray) bytes = unhex(cases[i].hex);
        Feed *feed = fed_every_way(cases[i].rules, bytes);
        g_assert_cmpuint(feed->lost, ==, 0);
        g_assert_cmpuint(feed->count, <=, 6);
        for (unsigned frame = 0; frame < 6; frame++) {
            uint32_t found = frame < feed->count ? feed->frames[frame].violations : 0;
            if (found != cases[i].violations[frame])
                g_error("%s: frame %u: 0x%x instead of 0x%x", cases[i].hex, frame, found, cases[i].violations[frame]);
        }
        g_assert_cmpuint(feed->offset, ==, feed->frames[feed->count - 1].end);
        feed_free(feed);
    }
}

/* §5.1 */
static void test_masks(void)
{
    static const Case cases[] = {
        {&from_client, "8185 37fa213d 7f9f4d5158", {0}},
        {&from_client, "8105 48656c6c6f", {V(MASK_MISSING)}},
        {&from_server, "8105 48656c6c6f", {0}},
        {&from_server, "8185 37fa213d 7f9f4d5158", {V(MASK_UNEXPECTED)}},
        {&from_client, "8180 00000000", {0}},
        {&from_client, "8100", {V(MASK_MISSING)}},
        {&from_server, "8180 00000000", {V(MASK_UNEXPECTED)}},
        {&from_client, "8900 8980 01020304 8800", {V(MASK_MISSING), 0, V(MASK_MISSING)}},
        {&from_server, "8900 8980 01020304 8800", {0, V(MASK_UNEXPECTED), 0}},
    };

    assert_cases(cases, G_N_ELEMENTS(cases));
}

/* §5.2 */
static void test_reserved_bits_without_an_extension(void)
{
    static const unsigned opcodes[] = {1, 2, 8, 9, 10};

    for (size_t i = 0; i < G_N_ELEMENTS(opcodes); i++)
        for (unsigned bits = 0; bits < 8; bits++) {
            g_autofree char *hex = g_strdup_printf("%02x00", 0x80 | bits << 4 | opcodes[i]);
            WslFrame frame = only_frame(&from_server, hex), unjudged = only_frame(&no_handshake, hex);
            g_assert_cmpuint(frame.rsv, ==, bits);
            g_assert_cmphex(frame.violations, ==, bits ? V(RESERVED_BITS) : 0);
            g_assert_cmphex(unjudged.violations, ==, 0);
        }
}

static void test_reserved_bits_with_extensions(void)
{
    static const Case cases[] = {
        {&deflate, "c100", {0}},
        {&deflate, "c200", {0}},
        {&deflate, "8100", {0}},
        {&deflate, "a100", {V(RESERVED_BITS)}},
        {&deflate, "9100", {V(RESERVED_BITS)}},
        {&deflate, "e100", {V(RESERVED_BITS)}},
        {&deflate, "4100 8000", {0, 0}},
        {&deflate, "4100 c000", {0, V(RESERVED_BITS)}},
        {&deflate, "0100 c000", {0, V(RESERVED_BITS)}},
        {&deflate, "c900", {V(RESERVED_BITS)}},
        {&deflate, "ca00", {V(RESERVED_BITS)}},
        {&deflate, "c800", {V(RESERVED_BITS)}},
        {&deflate, "4100 8900 8000", {0, 0, 0}},
        {&frame_deflate, "c100", {0}},
        {&frame_deflate, "4100 c000", {0, 0}},
        {&frame_deflate, "a100", {V(RESERVED_BITS)}},
        {&frame_deflate, "9100", {V(RESERVED_BITS)}},
        {&unknown_extension, "f100 7100 f000 f900 f800", {0, 0, 0, 0, 0}},
    };

    assert_cases(cases, G_N_ELEMENTS(cases));
}

static void test_reserved_opcodes(void)
{
    for (unsigned opcode = 0; opcode < 16; opcode++) {
        g_autofree char *hex = g_strdup_printf("8%x00", opcode);
        bool reserved = (opcode > 2 && opcode < 8) || opcode > 10;
        uint32_t found = only_frame(&from_server, hex).violations;
        g_assert_cmphex(found, ==, reserved ? V(RESERVED_OPCODE) : opcode == 0 ? V(CONTINUATION_UNEXPECTED) : 0);
    }
}

/* A frame whose opcode means nothing is no part of any message, and its length is still good. */
static void test_reserved_opcodes_leave_the_message_alone(void)
{
    static const Case cases[] = {
        {&from_server, "0102 c3a4 8302 ffff 8001 41", {0, V(RESERVED_OPCODE), 0}},
        {&from_server, "0101 c3 8b01 ff 8001 a4", {0, V(RESERVED_OPCODE), 0}},
        {&from_server, "0302 ffff 8101 41", {V(RESERVED_OPCODE), 0}},
    };

    assert_cases(cases, G_N_ELEMENTS(cases));
}

/* §5.5 */
static void test_control_frames_are_not_fragmented(void)
{
    static const Case cases[] = {
        {&from_server, "8900 8a00 8800", {0, 0, 0}},
        {&from_server, "0900", {V(CONTROL_FRAGMENTED)}},
        {&from_server, "0a00", {V(CONTROL_FRAGMENTED)}},
        {&from_server, "0800", {V(CONTROL_FRAGMENTED)}},
        /* What follows is judged as if it had ended. */
        {&from_server, "0900 8000", {V(CONTROL_FRAGMENTED), V(CONTINUATION_UNEXPECTED)}},
        {&from_server, "0900 8101 41", {V(CONTROL_FRAGMENTED), 0}},
        {&from_server, "0101 41 0900 8001 42", {0, V(CONTROL_FRAGMENTED), 0}},
    };

    assert_cases(cases, G_N_ELEMENTS(cases));
}

static void test_control_frames_hold_125_bytes_at_most(void)
{
    static const uint8_t firsts[] = {0x88, 0x89, 0x8a};
    uint8_t payload[127] = {0x03, 0xe8};

    for (size_t i = 0; i < G_N_ELEMENTS(firsts); i++)
        for (size_t length = 124; length <= 127; length++) {
            g_autoptr(GByteArray) bytes = g_byte_array_new();
            add_frame(bytes, firsts[i], NULL, payload, length);
            add_frame(bytes, 0x89, NULL, "", 0);
            Feed *feed = fed_every_way(&from_server, bytes);
            g_assert_cmpuint(feed->count, ==, 2);
            g_assert_cmphex(feed->frames[0].violations, ==, length > 125 ? V(CONTROL_TOO_LONG) : 0);
            g_assert_cmphex(feed->frames[1].violations, ==, 0);
            feed_free(feed);
        }
}

/* The length's value is one rule, its form another. */
static void test_control_length_and_form_are_told_apart(void)
{
    uint8_t payload[126] = {0};
    static const struct {
        unsigned form;
        uint64_t length;
        uint32_t violations;
    } cases[] = {{0, 5, 0},
                 {126, 5, V(LENGTH_NOT_MINIMAL)},
                 {127, 5, V(LENGTH_NOT_MINIMAL)},
                 {126, 126, V(CONTROL_TOO_LONG)},
                 {127, 126, V(LENGTH_NOT_MINIMAL) | V(CONTROL_TOO_LONG)}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        add_header(bytes, 0x89, cases[i].form, cases[i].length, NULL);
        g_byte_array_append(bytes, payload, (guint)cases[i].length);
        Feed *feed = fed_every_way(&from_server, bytes);
        g_assert_cmpuint(feed->count, ==, 1);
        g_assert_cmphex(feed->frames[0].violations, ==, cases[i].violations);
        feed_free(feed);
    }
}

/* §5.4 */
static void test_continuation_rules(void)
{
    static const Case cases[] = {
        {&from_server, "0101 41 8001 42", {0, 0}},
        {&from_server, "0201 41 0001 42 0000 8001 43", {0, 0, 0, 0}},
        {&from_server, "0100 0000 8000", {0, 0, 0}},
        {&from_server, "8001 41", {V(CONTINUATION_UNEXPECTED)}},
        {&from_server, "0001 41", {V(CONTINUATION_UNEXPECTED)}},
        /* A continuation with nothing to continue opens no message. */
        {&from_server, "0001 41 8001 42", {V(CONTINUATION_UNEXPECTED), V(CONTINUATION_UNEXPECTED)}},
        {&from_server, "0001 41 8101 42", {V(CONTINUATION_UNEXPECTED), 0}},
        {&from_server, "8101 41 8001 42", {0, V(CONTINUATION_UNEXPECTED)}},
        {&from_server, "0101 41 8001 42 8001 43", {0, 0, V(CONTINUATION_UNEXPECTED)}},
        {&from_server, "0101 41 8101 42", {0, V(CONTINUATION_MISSING)}},
        {&from_server, "0101 41 8201 42 8101 43", {0, V(CONTINUATION_MISSING), 0}},
        {&from_server, "0101 41 0101 42 8001 43", {0, V(CONTINUATION_MISSING), 0}},
        {&from_server, "0101 41 8901 50 8001 42", {0, 0, 0}},
        {&from_server, "0101 41 8900 0001 42 8a00 8001 43", {0, 0, 0, 0, 0}},
        {&from_server, "8101 41 8900 8001 42", {0, 0, V(CONTINUATION_UNEXPECTED)}},
        {&from_server, "0101 41 8900 8101 42", {0, 0, V(CONTINUATION_MISSING)}},
    };

    assert_cases(cases, G_N_ELEMENTS(cases));
}

/* §5.5.1: no more data frames after a Close. */
static void test_after_close(void)
{
    static const Case cases[] = {
        {&from_server, "8101 41 8800", {0, 0}},
        {&from_server, "8800 8101 41", {0, V(DATA_AFTER_CLOSE)}},
        {&from_server, "8800 8201 41", {0, V(DATA_AFTER_CLOSE)}},
        {&from_server, "8800 8100", {0, V(DATA_AFTER_CLOSE)}},
        {&from_server, "8800 8900 8a00 8800", {0, 0, 0, 0}},
        {&from_server, "8802 03e8 8802 03e9", {0, 0}},
        {&from_server, "0101 41 8800 8001 42", {0, 0, V(DATA_AFTER_CLOSE)}},
        {&from_server, "8800 8001 42", {0, V(DATA_AFTER_CLOSE) | V(CONTINUATION_UNEXPECTED)}},
        {&from_server, "8900 8a00 8101 41", {0, 0, 0}},
    };

    assert_cases(cases, G_N_ELEMENTS(cases));
}

/* §7.4 and IANA's registry of close codes */
static void test_close_codes(void)
{
    static const struct {
        unsigned from, to;
        bool allowed;
    } ranges[] = {{0, 999, false},     {1000, 1003, true}, {1004, 1006, false}, {1007, 1014, true},
                  {1015, 2999, false}, {3000, 4999, true}, {5000, 65535, false}};

    for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++)
        for (unsigned code = ranges[i].from; code <= ranges[i].to; code++) {
            g_assert_cmpint(wsl_close_code_allowed((int)code), ==, ranges[i].allowed);
            if (code > ranges[i].from + 1 && code + 1 < ranges[i].to)
                continue;
            g_autofree char *hex = g_strdup_printf("8802%04x", code);
            WslFrame frame = only_frame(&from_server, hex);
            g_assert_cmpint(frame.close_code, ==, (int)code);
            g_assert_cmphex(frame.violations, ==, ranges[i].allowed ? 0 : V(CLOSE_INVALID_CODE));
        }
    g_assert_false(wsl_close_code_allowed(-1));
}

static void test_close_payloads(void)
{
    static const Case cases[] = {
        {&from_server, "8800", {0}},
        {&from_server, "8801 03", {V(CLOSE_MALFORMED)}},
        {&from_server, "8802 03e8", {0}},
        {&from_server, "8803 03e8 41", {0}},
        {&from_server, "8803 0000 41", {V(CLOSE_INVALID_CODE)}},
        {&from_client, "8882 37fa213d 3412", {0}},
    };

    assert_cases(cases, G_N_ELEMENTS(cases));
    g_assert_cmpint(only_frame(&from_server, "8800").close_code, ==, -1);
    g_assert_cmpint(only_frame(&from_server, "8801 03").close_code, ==, -1);
    /* 34 12 under the mask 37 fa is 03 e8. */
    g_assert_cmpint(only_frame(&from_client, "8882 37fa213d 3412").close_code, ==, 1000);
}

static void test_close_reason_is_unmasked(void)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    const char reason[] = "going away; see you";

    add_frame(bytes, 0x88, example_key, "\x03\xe9going away; see you", 2 + strlen(reason));
    Feed *feed = fed_every_way(&from_client, bytes);
    g_assert_cmpint(feed->frames[0].close_code, ==, 1001);
    assert_bytes(feed->frames[0].reason, feed->frames[0].reason_length, reason, strlen(reason));
    feed_free(feed);
}

static void test_offences_add_up(void)
{
    static const Case cases[] = {
        {&from_client, "f97e 0001 00", {V(MASK_MISSING) | V(RESERVED_BITS) | V(LENGTH_NOT_MINIMAL)}},
        {&from_server, "5300", {V(RESERVED_BITS) | V(RESERVED_OPCODE)}},
        {&from_server, "0803 03ec ff", {V(CONTROL_FRAGMENTED) | V(CLOSE_INVALID_CODE) | V(TEXT_INVALID_UTF8)}},
    };

    assert_cases(cases, G_N_ELEMENTS(cases));
}

/* The end of the direction inside a frame tells an offence in its header, and nothing else. */
static void test_unfinished_frames(void)
{
    static const struct {
        const char *hex;
        uint32_t violations; /**< 0: nothing is told */
    } cases[] = {{"", 0},
                 {"81", 0},
                 {"8185 37fa213d 7f", V(MASK_UNEXPECTED)},
                 {"8105 48", 0},
                 {"9105 48", V(RESERVED_BITS)},
                 {"9105", V(RESERVED_BITS)},
                 {"91", 0},
                 {"8105 48656c6c6f", 0}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Feed *feed = fed_hex(&from_server, cases[i].hex);
        WslFrame frame = {0};
        g_assert_cmpint(wsl_frames_unfinished(&feed->reader, &frame), ==, cases[i].violations != 0);
        if (cases[i].violations) {
            g_assert_cmphex(frame.violations, ==, cases[i].violations);
            g_assert_false(frame.finished);
            g_assert_cmpuint(frame.length, ==, 5);
            g_assert_false(wsl_frames_unfinished(&feed->reader, &frame));
        }
        feed_free(feed);
    }
}

/* A frame outside of any message belongs to no compressed one, whatever came before. */
static void test_stray_frames_are_not_compressed(void)
{
    Feed *feed = fed_hex(&deflate, "c107 f248cdc9c90700 8001 41 8900 8101 41");

    g_assert_cmpuint(feed->count, ==, 4);
    g_assert_true(feed->frames[0].compressed);
    g_assert_cmphex(feed->frames[1].violations, ==, V(CONTINUATION_UNEXPECTED));
    for (unsigned i = 1; i < 4; i++)
        g_assert_false(feed->frames[i].compressed);
    feed_free(feed);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rules/masks", test_masks);
    g_test_add_func("/rules/reserved-bits", test_reserved_bits_without_an_extension);
    g_test_add_func("/rules/reserved-bits/extensions", test_reserved_bits_with_extensions);
    g_test_add_func("/rules/reserved-opcodes", test_reserved_opcodes);
    g_test_add_func("/rules/reserved-opcodes/message", test_reserved_opcodes_leave_the_message_alone);
    g_test_add_func("/rules/control-fragmented", test_control_frames_are_not_fragmented);
    g_test_add_func("/rules/control-too-long", test_control_frames_hold_125_bytes_at_most);
    g_test_add_func("/rules/control-length-form", test_control_length_and_form_are_told_apart);
    g_test_add_func("/rules/continuation", test_continuation_rules);
    g_test_add_func("/rules/after-close", test_after_close);
    g_test_add_func("/rules/close-codes", test_close_codes);
    g_test_add_func("/rules/close-payloads", test_close_payloads);
    g_test_add_func("/rules/close-reason", test_close_reason_is_unmasked);
    g_test_add_func("/rules/several", test_offences_add_up);
    g_test_add_func("/rules/unfinished", test_unfinished_frames);
    g_test_add_func("/rules/stray-not-compressed", test_stray_frames_are_not_compressed);
    return g_test_run();
}

/*
 * Tests of text in frames: what is UTF-8 and what is not, however it is cut (RFC 6455 §8.1, §5.5.1; RFC 3629).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tests/unit/frame_build.h"

#define KOSME "cebae1bdb9cf83cebcceb5"

/* The classes of the Autobahn test suite's chapter 6. */
static const char *const valid[] = {"", "41", "48656c6c6f2dc2b540c39fc3b6c3a4c3bcc3a0c3a12d5554462d382121", KOSME,
                                    "ceba", "cebae1bdb9", "cebae1bdb9cf83", "cebae1bdb9cf83cebc",
                                    /* first and last of each length */
                                    "00", "c280", "e0a080", "f0908080", "7f", "dfbf", "efbfbf", "f48fbfbf",
                                    /* beside the surrogates and the end of the planes */
                                    "ed9fbf", "ee8080", "efbfbd", "f48fbfbf",
                                    /* noncharacters are characters to UTF-8 */
                                    "efbfbe", "f09fbfbe", "f09fbfbf", "f0afbfbe", "f0bfbfbf", "f18fbfbe", "f1bfbfbf",
                                    "f2afbfbf", "f3bfbfbe", "f48fbfbe", "efb790", "efb7af", "efbfb9", "efbfba",
                                    "efbfbb", "efbfbc", "efbbbf"};

static const char *const invalid[] = {
    /* cut at the end */
    "ce", "cebae1", "cebae1bd", "cebae1bdb9cf", "c3", "e282", "f09f92",
    /* five and six bytes, and beyond U+10FFFF */
    "f888808080", "fc8480808080", "f7bfbfbf", "fbbfbfbfbf", "fdbfbfbfbfbf", "f4908080", "f5808080",
    /* continuation bytes alone */
    "80", "bf", "80bf", "80bf80", "80bf80bf80bf", "4180",
    /* lead bytes alone */
    "c020c120c220", "e020e120", "f020f120", "f820f920", "fc20fd20",
    /* the last continuation byte missing */
    "c0", "e080", "f08080", "f8808080", "fc80808080", "df", "efbf", "f7bfbf", "fbbfbfbf", "fdbfbfbfbf", "efbf41", "fe",
    "ff", "fefeffff",
    /* longer than need be */
    "c0af", "e080af", "f08080af", "f8808080af", "fc80808080af", "c1bf", "e09fbf", "f08fbfbf", "f887bfbfbf",
    "fc83bfbfbfbf", "c080", "e08080", "f0808080", "f880808080", "fc8080808080",
    /* surrogates, alone and in pairs */
    "eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf", "eda080edb080", "edafbfedbfbf",
    KOSME "eda080656469746564", KOSME "f4908080656469746564"};

static uint32_t all_violations(const Feed *feed)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < feed->count; i++)
        sum |= feed->frames[i].violations;
    return sum;
}

static unsigned times_told(const Feed *feed)
{
    unsigned count = 0;

    for (unsigned i = 0; i < feed->count; i++)
        count += (feed->frames[i].violations & V(TEXT_INVALID_UTF8)) != 0;
    return count;
}

static void assert_judged(const WslFrameRules *rules, const GByteArray *bytes, bool good)
{
    Feed *feed = fed_every_way(rules, bytes);

    g_assert_cmphex(all_violations(feed), ==, good ? 0 : V(TEXT_INVALID_UTF8));
    g_assert_cmpuint(times_told(feed), ==, !good);
    feed_free(feed);
}

/* One message in one frame, in two at each point with a Ping between, and a frame for each byte. */
static void assert_text(const GByteArray *text, const uint8_t *key, bool good)
{
    const WslFrameRules *rules = key ? &from_client : &from_server;
    g_autoptr(GByteArray) one = g_byte_array_new(), bytewise = g_byte_array_new();

    add_frame(one, 0x81, key, text->data, text->len);
    assert_judged(rules, one, good);
    add_frame(bytewise, 0x01, key, "", 0);
    for (guint i = 0; i < text->len; i++)
        add_frame(bytewise, 0x00, key, text->data + i, 1);
    add_frame(bytewise, 0x80, key, "", 0);
    assert_judged(rules, bytewise, good);
    for (guint split = 0; split <= text->len; split++) {
        g_autoptr(GByteArray) two = g_byte_array_new();
        add_frame(two, 0x01, key, text->data, split);
        add_frame(two, 0x89, key, "\xff\xfe", 2);
        add_frame(two, 0x80, key, text->data + split, text->len - split);
        assert_judged(rules, two, good);
    }
}

static void assert_reason(const GByteArray *text, const uint8_t *key, bool good)
{
    g_autoptr(GByteArray) payload = unhex("03e8"), frame = g_byte_array_new();

    g_byte_array_append(payload, text->data, text->len);
    add_frame(frame, 0x88, key, payload->data, payload->len);
    Feed *feed = fed_every_way(key ? &from_client : &from_server, frame);
    g_assert_cmphex(feed->frames[0].violations, ==, good ? 0 : V(TEXT_INVALID_UTF8));
    g_assert_cmpint(feed->frames[0].close_code, ==, 1000);
    assert_bytes(feed->frames[0].reason, feed->frames[0].reason_length, text->data, text->len);
    feed_free(feed);
}

static void test_sequences(gconstpointer data)
{
    bool good = data != NULL;
    const char *const *list = good ? valid : invalid;
    size_t count = good ? G_N_ELEMENTS(valid) : G_N_ELEMENTS(invalid);

    for (size_t i = 0; i < count; i++) {
        g_autoptr(GByteArray) text = unhex(list[i]);
        assert_text(text, NULL, good);
        assert_text(text, example_key, good);
        assert_reason(text, NULL, good);
        assert_reason(text, example_key, good);
    }
}

static void test_binary_may_be_anything(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(invalid); i++) {
        g_autoptr(GByteArray) payload = unhex(invalid[i]), bytes = g_byte_array_new();
        add_frame(bytes, 0x82, NULL, payload->data, payload->len);
        add_frame(bytes, 0x02, NULL, payload->data, payload->len);
        add_frame(bytes, 0x80, NULL, payload->data, payload->len);
        add_frame(bytes, 0x89, NULL, payload->data, payload->len);
        Feed *feed = fed(&from_server, bytes);
        g_assert_cmphex(all_violations(feed), ==, 0);
        feed_free(feed);
    }
}

static void test_a_message_begins_with_a_clean_slate(void)
{
    Feed *feed = fed_hex(&from_server, "8101 c3 8101 41 8102 c3a4 8101 ff 8101 42 0101 c3 8201 ff 8101 43");
    static const uint32_t expected[] = {V(TEXT_INVALID_UTF8),    0, 0, V(TEXT_INVALID_UTF8), 0, 0,
                                        V(CONTINUATION_MISSING), 0};

    g_assert_cmpuint(feed->count, ==, G_N_ELEMENTS(expected));
    for (unsigned i = 0; i < feed->count; i++)
        g_assert_cmphex(feed->frames[i].violations, ==, expected[i]);
    feed_free(feed);
}

/* The frame that holds the first bad byte is the one that is told, and it is told once. */
static void test_the_offending_frame_is_told_once(void)
{
    Feed *feed = fed_hex(&from_server, "0101 41 0002 ed a0 0001 ff 8001 ff");

    g_assert_cmpuint(feed->count, ==, 4);
    g_assert_cmphex(feed->frames[0].violations, ==, 0);
    g_assert_cmphex(feed->frames[1].violations, ==, V(TEXT_INVALID_UTF8));
    g_assert_cmphex(feed->frames[2].violations | feed->frames[3].violations, ==, 0);
    feed_free(feed);
}

static void test_what_cannot_be_read_is_not_judged(void)
{
    static const WslFrameRules deflate = {.judge_bits = true, .deflate = true, .owned_bits = WSL_RSV1},
                               frame_deflate = {.judge_bits = true, .owned_bits = WSL_RSV1},
                               unknown = {.judge_bits = true, .owned_bits = 7, .opaque_bits = true};
    static const struct {
        const WslFrameRules *rules;
        const char *hex;
        uint32_t expected;
    } cases[] = {
        {&deflate, "c101 ff", 0},
        {&deflate, "4101 ff 8001 fe", 0},
        {&deflate, "8101 ff", V(TEXT_INVALID_UTF8)},
        {&frame_deflate, "c101 ff", 0},
        {&frame_deflate, "8101 ff", V(TEXT_INVALID_UTF8)},
        /* The bit belongs to the frame: the second may be compressed when the first is not. */
        {&frame_deflate, "0101 41 c001 ff", 0},
        {&unknown, "9101 ff", 0},
        {&unknown, "0101 41 9001 ff", 0},
        {&unknown, "8101 ff", V(TEXT_INVALID_UTF8)},
        {&unknown, "9803 03e8 ff", 0},
        {&unknown, "8803 03e8 ff", V(TEXT_INVALID_UTF8)},
        {&from_server, "9101 ff", V(RESERVED_BITS)},
        {&from_server, "9803 03e8 ff", V(RESERVED_BITS)},
        {&from_server, "0101 41 9001 ff", V(RESERVED_BITS)},
        {&from_server, "8301 ff", V(RESERVED_OPCODE)},
        {&from_server, "8001 ff", V(CONTINUATION_UNEXPECTED)},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Feed *feed = fed_hex(cases[i].rules, cases[i].hex);
        if (all_violations(feed) != cases[i].expected)
            g_error("%s: 0x%x instead of 0x%x", cases[i].hex, all_violations(feed), cases[i].expected);
        feed_free(feed);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/text/valid", "valid", test_sequences);
    g_test_add_data_func("/text/invalid", NULL, test_sequences);
    g_test_add_func("/text/binary-may-be-anything", test_binary_may_be_anything);
    g_test_add_func("/text/clean-slate", test_a_message_begins_with_a_clean_slate);
    g_test_add_func("/text/told-once", test_the_offending_frame_is_told_once);
    g_test_add_func("/text/unreadable", test_what_cannot_be_read_is_not_judged);
    return g_test_run();
}

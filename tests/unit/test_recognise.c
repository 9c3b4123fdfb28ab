/*
 * Tests of recognising frames without a handshake: real frames are, the protocols that look like them are not.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/websocket/recognise.h"
#include "tests/unit/frame_build.h"

#define BITS_NEEDED           30.0 /* when both directions speak */
#define BITS_NEEDED_ONE_SIDED 45.0

static WslEvidenceOfFrames evidence(const GByteArray *bytes)
{
    g_autofree uint8_t *copy = g_memdup2(bytes->data, bytes->len);

    return wsl_frames_recognise(copy, bytes->len);
}

/* DETECTORS' rule: nothing impossible, one side masks and the other does not, something substantial, and 30 bits. */
static bool are_frames(const GByteArray *a, const GByteArray *b)
{
    WslEvidenceOfFrames one = evidence(a), two = evidence(b);

    return !one.impossible && !two.impossible && one.headers && two.headers && one.masked != two.masked &&
           (one.substantial || two.substantial) && one.bits + two.bits >= BITS_NEEDED;
}

static bool is_frames(const GByteArray *bytes)
{
    WslEvidenceOfFrames one = evidence(bytes);

    return !one.impossible && one.substantial && one.bits >= BITS_NEEDED_ONE_SIDED;
}

static void test_a_short_conversation(void)
{
    g_autoptr(GByteArray) client = g_byte_array_new(), server = g_byte_array_new();

    add_frame(client, 0x81, example_key, "{\"op\":\"hello\"}", 14);
    add_frame(server, 0x81, NULL, "{\"ok\":true}", 11);
    g_assert_true(are_frames(client, server));
    WslEvidenceOfFrames found = evidence(client);
    g_assert_true(found.masked && found.substantial && !found.impossible);
    g_assert_cmpuint(found.headers, ==, 1);
    found = evidence(server);
    g_assert_true(!found.masked && found.substantial && !found.impossible);
    g_assert_cmpuint(found.headers, ==, 1);
}

static void test_pings_pongs_and_binary(void)
{
    g_autoptr(GByteArray) client = g_byte_array_new(), server = g_byte_array_new();

    add_frame(server, 0x89, NULL, "1", 1);
    add_frame(server, 0x82, NULL, "\x00\x01\x02\x03\xff", 5);
    add_frame(server, 0x89, NULL, "12", 2);
    add_frame(client, 0x8a, example_key, "1", 1);
    add_frame(client, 0x82, example_key, "\xff\xfe\xfd", 3);
    add_frame(client, 0x8a, example_key, "12", 2);
    g_assert_true(are_frames(client, server));
}

static void test_fragments_and_every_length_form(void)
{
    g_autoptr(GByteArray) client = g_byte_array_new(), server = g_byte_array_new();
    g_autofree char *text = g_strnfill(70000, 'x');

    add_frame(server, 0x01, NULL, text, 200);
    add_frame(server, 0x89, NULL, "", 0);
    add_frame(server, 0x00, NULL, text, 0);
    add_frame(server, 0x80, NULL, text, 70000);
    add_frame(server, 0x81, NULL, text, 125);
    add_frame(client, 0x82, example_key, text, 126);
    add_frame(client, 0x88, example_key, "\x03\xe8", 2);
    g_assert_true(are_frames(client, server));
    g_assert_cmpuint(evidence(server).headers, ==, 5);
    g_assert_cmpuint(evidence(client).headers, ==, 2);
}

static void test_one_direction_alone(void)
{
    g_autoptr(GByteArray) one = g_byte_array_new(), many = g_byte_array_new();

    add_frame(one, 0x82, example_key, "abc", 3);
    g_assert_false(is_frames(one));
    for (uint8_t i = 1; i < 12; i++) {
        const uint8_t key[] = {i, 2, 3, 4};
        add_frame(many, 0x81, key, "a message of text", i);
    }
    g_assert_true(is_frames(many));
}

/* The captured bytes may end anywhere: nothing that a frame may be is called impossible. */
static void test_the_start_of_frames_is_never_impossible(void)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autofree char *text = g_strnfill(66000, 'x');

    add_frame(bytes, 0x81, NULL, "\xe2\x82\xac", 3);
    add_frame(bytes, 0x02, NULL, text, 300);
    add_frame(bytes, 0x8a, NULL, text, 125);
    add_frame(bytes, 0x80, NULL, text, 66000);
    for (gsize length = 0; length <= 700; length++)
        g_assert_false(wsl_frames_recognise(bytes->data, length).impossible);
    g_assert_false(wsl_frames_recognise(bytes->data, bytes->len).impossible);
}

static void test_rules_that_bytes_break(void)
{
    static const char *const broken[] = {
        "c105 48656c6c6f",          /* RSV1 */
        "8305 48656c6c6f",          /* opcode 3 */
        "8b00",                     /* opcode 11 */
        "0900",                     /* a control frame without FIN */
        "897e 007e",                /* a control frame of 126 bytes */
        "8001 41",                  /* a continuation of nothing */
        "0101 41 8101 42",          /* a start inside a message */
        "827e 007d",                /* 125 in 16 bits */
        "827f 000000000000ffff",    /* 65535 in 64 bits */
        "827f 8000000000000000",    /* the most significant bit */
        "8101 ff",                  /* not UTF-8 */
        "8100",                     /* an empty message */
        "8101 41 8181 00000000 41", /* masked behind unmasked */
    };
    static const char *const legal[] = {"8105 48656c6c6f",
                                        "8205 48656c6c6f",
                                        "8a00",
                                        "8900",
                                        "897d",
                                        "0101 41 8001 42",
                                        "827e 007e",
                                        "827f 0000000000010000",
                                        "827f 7fffffffffffffff",
                                        "8102 c3a4",
                                        "8101 41 8101 41"};

    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_autoptr(GByteArray) bytes = unhex(broken[i]);
        if (!evidence(bytes).impossible)
            g_error("%s is possible", broken[i]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(legal); i++) {
        g_autoptr(GByteArray) bytes = unhex(legal[i]);
        if (evidence(bytes).impossible)
            g_error("%s is impossible", legal[i]);
    }
}

typedef struct {
    const char *what, *from_client, *from_server; /**< hexadecimal */
} Lookalike;

static const Lookalike lookalikes[] = {
    {"zeros", "0000000000000000000000000000000000000000000000000000000000000000",
     "0000000000000000000000000000000000000000000000000000000000000000"},
    {"DNS over TCP", "001d 1234 0100 0001 0000 0000 0000 076578616d706c6503636f6d0000010001",
     "002d 1234 8180 0001 0001 0000 0000 076578616d706c6503636f6d0000010001 c00c 00010001 00000e10 0004 5db8d822"},
    {"messages behind two-byte lengths", "0004 deadbeef 0003 010203 0002 0a0b 0005 0102030405",
     "0003 000102 0003 000103 0003 000104 0003 000105"},
    {"messages of 257 and more bytes behind two-byte lengths", "0105 08011204 74657374 1a0568656c6c6f",
     "0209 0a0b0c0d 0e0f1011 12131415 16171819"},
    {"PostgreSQL's SSLRequest", "00000008 04d2162f", "4e"},
    {"PostgreSQL's start", "00000026 00030000 7573657200 6a6f6500 646174616261736500 6d796462 0000 0000",
     "52 00000008 00000000 53 00000016 6170706c69636174696f6e5f6e616d65 0000 5a 00000005 49"},
    {"PostgreSQL's queries", "51 0000000d 53454c4543542031 00", "54 00000021 0001 3f636f6c756d6e3f00 000000000000"},
    {"MQTT's CONNECT", "10 0c 0004 4d515454 04 02 003c 0000", "20 02 00 00"},
    {"MQTT's PUBLISH", "30 0a 0003 612f62 68656c6c6f", "30 0a 0003 612f62 776f726c64"},
    /* 82 LL, and LL is right: as good as an unmasked binary frame */
    {"MQTT's SUBSCRIBE", "82 08 0001 0003 612f62 00 82 09 0002 0004 612f6263 01 82 0a 0003 0005 612f626364 01",
     "90 03 0001 00 90 03 0002 01 90 03 0003 01"},
    {"MQTT's PINGREQ", "c0 00 c0 00 c0 00", "d0 00 d0 00 d0 00"},
    {"TLS", "16 0301 0005 01 000001 00", "16 0303 0004 02 000000"},
    {"TLS's application data", "17 0303 0005 0102030405", "17 0303 0005 a1a2a3a4a5"},
    {"SSH", "5353482d322e302d4f70656e5353485f392e320d0a 0000 05dc 0714 0102", "5353482d322e302d64726f70626561720d0a"},
    {"HTTP's bodies", "7b226e616d65223a2276616c7565227d", "3c21444f43545950452068746d6c3e"},
    {"HTTP/2", "505249202a20485454502f322e300d0a0d0a534d0d0a0d0a", "000006 04 00 00000000 0003 00000064"},
    {"SMTP", "45484c4f206578616d706c652e636f6d0d0a", "323230206d61696c2e6578616d706c652e636f6d0d0a"},
    {"Redis", "2a310d0a24340d0a50494e470d0a", "2b504f4e470d0a"},
    {"MySQL", "20000001 85a6ff01", "4a000000 0a 382e302e33"},
    {"RDP", "0300 0013 0ee0 0000 0000 00", "0300 0013 0ed0 0000 1234 00"},
};

static void test_other_protocols_are_not_frames(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(lookalikes); i++) {
        g_autoptr(GByteArray) client = unhex(lookalikes[i].from_client), server = unhex(lookalikes[i].from_server);
        if (are_frames(client, server) || is_frames(client) || is_frames(server))
            g_error("%s is taken for WebSocket", lookalikes[i].what);
    }
}

/* A stream of equal records is one record many times. */
static void test_repetition_is_no_evidence(void)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    for (unsigned i = 0; i < 100; i++)
        add_frame(bytes, 0x82, NULL, "abcd", 4);
    g_assert_false(is_frames(bytes));
}

static void test_runs_of_one_byte_are_not_frames(void)
{
    for (unsigned value = 0; value < 256; value++)
        for (unsigned other = 0; other < 256; other++) {
            uint8_t bytes[2][64];
            memset(bytes[0], (int)value, 64);
            memset(bytes[1], (int)other, 64);
            WslEvidenceOfFrames one = wsl_frames_recognise(bytes[0], 64), two = wsl_frames_recognise(bytes[1], 64);
            bool taken = !one.impossible && !two.impossible && one.headers && two.headers && one.masked != two.masked &&
                         (one.substantial || two.substantial) && one.bits + two.bits >= BITS_NEEDED;
            g_assert_false(taken);
        }
}

static void test_random_bytes_are_not_frames(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    unsigned taken = 0;

    for (unsigned round = 0; round < 100000; round++) {
        g_autoptr(GByteArray) one = g_byte_array_new(), two = g_byte_array_new();
        GByteArray *const sides[] = {one, two};
        for (unsigned side = 0; side < 2; side++) {
            g_byte_array_set_size(sides[side], (guint)g_rand_int_range(random, 1, 120));
            for (guint i = 0; i < sides[side]->len; i++)
                sides[side]->data[i] = (uint8_t)g_rand_int(random);
        }
        taken += are_frames(one, two) || is_frames(one) || is_frames(two);
    }
    g_assert_cmpuint(taken, ==, 0);
}

static void test_lone_close(void)
{
    static const struct {
        const char *hex;
        bool masked;
        int other;
        bool is;
    } cases[] = {
        {"8802 03e8", false, -1, true},
        {"8802 03e9", false, -1, true},
        {"8802 03ea", false, -1, false},
        {"8802 03ea", false, 1002, true},
        {"8882 00000000 03e8", true, -1, true},
        {"8882 37fa213d 3412", true, -1, true}, /* 03e8 under 37fa */
        {"8882 37fa213d 3412", false, -1, false},
        {"8802 03e8", true, -1, false},
        {"8806 03e8 62796521", false, -1, true},
        {"8806 03e8 627965", false, -1, false},
        {"8802 03e8 00", false, -1, false},
        {"8800", false, -1, false},
        {"8801 03", false, -1, false},
        {"8902 03e8", false, -1, false},
        {"0802 03e8", false, -1, false},
        {"c802 03e8", false, -1, false},
        {"88", false, -1, false},
        {"", false, -1, false},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) bytes = unhex(cases[i].hex);
        g_autofree uint8_t *copy = g_memdup2(bytes->data, bytes->len);
        if (wsl_frames_is_lone_close(copy, bytes->len, cases[i].masked, cases[i].other) != cases[i].is)
            g_error("case %zu: %s", i, cases[i].hex);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/recognise/conversation", test_a_short_conversation);
    g_test_add_func("/recognise/control-and-binary", test_pings_pongs_and_binary);
    g_test_add_func("/recognise/fragments", test_fragments_and_every_length_form);
    g_test_add_func("/recognise/one-direction", test_one_direction_alone);
    g_test_add_func("/recognise/cut-anywhere", test_the_start_of_frames_is_never_impossible);
    g_test_add_func("/recognise/broken-rules", test_rules_that_bytes_break);
    g_test_add_func("/recognise/other-protocols", test_other_protocols_are_not_frames);
    g_test_add_func("/recognise/repetition", test_repetition_is_no_evidence);
    g_test_add_func("/recognise/runs", test_runs_of_one_byte_are_not_frames);
    g_test_add_func("/recognise/random", test_random_bytes_are_not_frames);
    g_test_add_func("/recognise/lone-close", test_lone_close);
    return g_test_run();
}

/*
 * Segments that overlap with other bytes, or show what another cut: of each byte, what the capture shows first stays.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "tests/support/tcp_play.h"

/* A segment of one side whose first byte has stream offset `at`; all begin with the byte at offset 0. */
typedef struct {
    uint32_t at;
    const char *text;
    uint32_t lacking;
} Part;

enum { PARTS = 4 };

static void check(const Part parts[PARTS], const char *expected)
{
    WslTcpLimits limits = test_limits();
    TestPlay *play = test_play_new(&limits);
    TestSegment segment = {.source = 1,
                           .target = 2,
                           .source_port = 1,
                           .target_port = 2,
                           .seq = UINT32_MAX - 3,
                           .flags = WSL_TCP_SYN,
                           .time = WSL_SECOND};
    WslTcp *tcp = test_play(play, &segment);

    for (unsigned i = 0; i < PARTS && parts[i].text; i++) {
        segment.flags = WSL_TCP_ACK;
        segment.seq = UINT32_MAX - 3 + 1 + parts[i].at;
        segment.payload = parts[i].text;
        segment.length = (uint32_t)strlen(parts[i].text);
        segment.lacking = parts[i].lacking;
        segment.time += WSL_MILLISECOND;
        segment.ip_id++;
        test_play(play, &segment);
    }
    test_play_over(play, tcp);
    g_assert_cmpstr(test_said(play, tcp, 0), ==, expected);
    test_play_free(play);
}

static void test_bytes_already_taken_stay(void)
{
    check((Part[PARTS]){{0, "abcdef", 0}, {2, "CDEFGH", 0}}, "abcdefGH");
    check((Part[PARTS]){{0, "abcdef", 0}, {0, "ABCDEF", 0}}, "abcdef");
}

static void test_bytes_that_wait_stay(void)
{
    check((Part[PARTS]){{4, "efgh", 0}, {2, "CDEFGHIJ", 0}, {0, "ab", 0}}, "abCDefghIJ");
    check((Part[PARTS]){{4, "efgh", 0}, {0, "ABCDEFGHIJ", 0}}, "ABCDefghIJ");
    check((Part[PARTS]){{2, "cd", 0}, {6, "gh", 0}, {0, "ABCDEFGHIJ", 0}}, "ABcdEFghIJ");
    check((Part[PARTS]){{6, "gh", 0}, {2, "cdefGH", 0}, {1, "BCDEFGH", 0}, {0, "A", 0}}, "ABcdefgh");
}

static void test_what_waits_whole_is_not_cut_by_a_cut_packet(void)
{
    check((Part[PARTS]){{4, "efgh", 0}, {0, "ABCDEFGH", 6}}, "AB##efgh");
}

static void test_what_was_cut_first_stays_cut(void)
{
    check((Part[PARTS]){{0, "abcdef", 4}, {0, "ABCDEF", 0}}, "ab####");
    check((Part[PARTS]){{2, "cdef", 3}, {0, "ABCDEFGH", 0}}, "ABc###GH");
}

static void test_a_gap_between_parts_is_lost(void)
{
    check((Part[PARTS]){{0, "ab", 0}, {4, "ef", 1}, {8, "ij", 0}}, "ab??e#??ij");
}

#define ADD(name) g_test_add_func("/tcp/overlaps/" #name, test_##name)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(bytes_already_taken_stay);
    ADD(bytes_that_wait_stay);
    ADD(what_waits_whole_is_not_cut_by_a_cut_packet);
    ADD(what_was_cut_first_stays_cut);
    ADD(a_gap_between_parts_is_lost);
    return g_test_run();
}

/*
 * What the TCP table may keep: bytes that wait, streams, connections that are over; and that it finds a million flows again.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "core/tcp/table.h"
#include "tests/support/tcp_play.h"

static TestSegment segment_of(uint32_t source, uint16_t port, uint8_t flags, uint32_t seq, WslTime time)
{
    return (TestSegment){.source = source,
                         .target = 0x0a000002,
                         .source_port = port,
                         .target_port = 80,
                         .seq = seq,
                         .flags = flags,
                         .window = 1000,
                         .time = time};
}

static TestSegment reply_to(TestSegment segment, uint8_t flags, uint32_t seq, WslTime time)
{
    TestSegment reply = segment_of(segment.target, segment.target_port, flags, seq, time);

    reply.target = segment.source;
    reply.target_port = segment.source_port;
    return reply;
}

static void check_held(const TestPlay *play, const WslTcpLimits *limits, const WslTcp *tcp)
{
    uint64_t sum = 0;

    g_assert_cmpuint(play->table->held_bytes, <=, limits->held_in_all);
    for (unsigned side = 0; tcp->trouble && side < 2; side++) {
        for (const WslHeld *held = tcp->trouble->side[side].held; held; held = held->next)
            sum += held->length;
        g_assert_cmpuint(tcp->trouble->side[side].held_bytes, <=, limits->held_per_side);
        g_assert_cmpuint(tcp->trouble->side[side].held_bytes, ==, sum);
        sum = 0;
    }
}

/* Segments with a gap before each, of 8 connections at once. */
static void test_bytes_that_wait_never_exceed_their_limits(void)
{
    WslTcpLimits limits = {1000, 3000, 100, WSL_SECOND};
    TestPlay *play = test_play_new(&limits);
    TestRandom random = {7};
    WslTime now = WSL_SECOND;
    uint32_t sent[8] = {0};
    char text[200];

    memset(text, 'x', sizeof text);
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t which = test_below(&random, 8);
        TestSegment segment = segment_of(1 + which, 1000, WSL_TCP_ACK, 1 + sent[which], now += 10000);
        segment.length = 1 + test_below(&random, sizeof text);
        segment.payload = text;
        segment.ip_id = (uint16_t)(i % 60000 + 1);
        if (!test_once_in(&random, 3))
            test_play(play, &segment);
        sent[which] += segment.length;
        if (play->place.tcp)
            check_held(play, &limits, play->place.tcp);
    }
    g_assert_cmpuint(wsl_tcp_counts(play->table)->overflowed, >, 0);
    for (WslTcp *tcp; (tcp = wsl_tcp_next_open(play->table)); wsl_tcp_release(play->table, tcp)) {
        test_play_over(play, tcp);
        g_assert_cmpuint(strspn(test_said(play, tcp, 0), "x?"), ==, strlen(test_said(play, tcp, 0)));
    }
    g_assert_cmpuint(play->table->held_bytes, ==, 0);
    test_play_free(play);
}

static WslTcp *play_and_end(TestPlay *play, const TestSegment *syn, WslTime now)
{
    TestSegment answer = reply_to(*syn, WSL_TCP_SYN | WSL_TCP_ACK, 500, now), rst = answer;

    answer.ack = syn->seq + 1;
    test_play(play, syn);
    test_play(play, &answer);
    rst.flags = WSL_TCP_RST;
    rst.seq = 501;
    return test_play(play, &rst);
}

static void test_an_ended_connection_lingers_for_its_late_packets(void)
{
    WslTcpLimits limits = test_limits();
    limits.linger = 2 * WSL_SECOND;
    TestPlay *play = test_play_new(&limits);
    TestSegment syn = segment_of(1, 1000, WSL_TCP_SYN, 100, WSL_SECOND), other = segment_of(9, 9, WSL_TCP_SYN, 1, 0);
    TestSegment late = segment_of(1, 1000, WSL_TCP_ACK, 101, 0);
    WslTcp *tcp = play_and_end(play, &syn, WSL_SECOND);

    g_assert_true(tcp && tcp->flags & WSL_TCP_ENDED);
    other.time = WSL_SECOND + limits.linger;
    test_play(play, &other);
    g_assert_null(wsl_tcp_next_over(play->table));
    other.time += 1;
    other.ip_id = 2;
    test_play(play, &other);
    g_assert_true(wsl_tcp_next_over(play->table) == tcp);
    wsl_tcp_release(play->table, tcp);
    g_assert_null(wsl_tcp_next_over(play->table));
    late.time = other.time;
    g_assert_null(test_play(play, &late));
    g_assert_true(play->place.what & WSL_ARRIVAL_LATE);
    g_assert_cmpuint(play->place.stream, ==, 0);
    test_play_free(play);
}

static void test_beyond_the_limit_on_streams_nothing_new_is_followed(void)
{
    WslTcpLimits limits = test_limits();
    limits.streams = 10;
    TestPlay *play = test_play_new(&limits);

    for (uint16_t i = 0; i < 15; i++) {
        TestSegment syn = segment_of(1, (uint16_t)(1000 + i), WSL_TCP_SYN, 1, WSL_SECOND + i);
        g_assert_true((test_play(play, &syn) != NULL) == (i < 10));
    }
    TestSegment known = segment_of(1, 1003, WSL_TCP_ACK, 2, WSL_SECOND + 20);
    g_assert_nonnull(test_play(play, &known));
    g_assert_cmpuint(play->place.stream, ==, 3);
    const WslTcpCounts *counts = wsl_tcp_counts(play->table);
    g_assert_cmpuint(counts->streams, ==, 10);
    g_assert_cmpuint(counts->untracked, ==, 5);
    g_assert_cmpuint(counts->limited_at, ==, 11);
    test_play_free(play);
}

static void place(WslTcpTable *table, uint32_t number, uint8_t flags, WslPlace *place)
{
    uint8_t source[4], target[4] = {10, 0, 0, 2}, tcp[20] = {0};
    uint32_t address = GUINT32_TO_BE(0x0b000000 + number / 40000);
    WslArrival arrival = {.time = (WslTime)number * 1000, .packet = number + 1};

    memcpy(source, &address, 4);
    arrival.segment = (WslSegment){.source = source,
                                   .target = target,
                                   .tcp = tcp,
                                   .payload = tcp + 20,
                                   .seq = number,
                                   .view = 1,
                                   .source_port = (uint16_t)(1024 + number % 40000),
                                   .target_port = 443,
                                   .flags = flags};
    wsl_tcp_prepare(table, &arrival);
    wsl_tcp_look_up(table, &arrival);
    wsl_tcp_prefetch(&arrival);
    g_assert_null(wsl_tcp_superseded(table, &arrival));
    wsl_tcp_place(table, &arrival, place);
}

static void test_a_million_flows_are_found_again(void)
{
    enum { FLOWS = 1000000 };
    WslTcpLimits limits = test_limits();
    limits.linger = 0;
    WslTcpTable *table = wsl_tcp_new(&limits);
    WslPlace found;

    for (uint32_t i = 0; i < FLOWS; i++) {
        place(table, i, WSL_TCP_SYN, &found);
        g_assert_true(found.tcp && found.stream == i && found.what & WSL_ARRIVAL_NEW_STREAM);
        wsl_tcp_ignore(table, found.tcp);
        while (wsl_tcp_next_over(table))
            ;
        if (i % 1000 == 0) { /* while the table grows, too */
            place(table, i / 3, WSL_TCP_ACK, &found);
            g_assert_true(!found.tcp && found.stream == i / 3);
        }
    }
    for (uint32_t i = 0; i < FLOWS; i++) {
        place(table, i, WSL_TCP_ACK, &found);
        g_assert_true(!found.tcp && found.stream == i && !(found.what & WSL_ARRIVAL_NEW_STREAM));
    }
    g_assert_cmpuint(wsl_tcp_counts(table)->streams, ==, FLOWS);
    wsl_tcp_free(table);
}

#define ADD(name) g_test_add_func("/tcp/limits/" #name, test_##name)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(bytes_that_wait_never_exceed_their_limits);
    ADD(an_ended_connection_lingers_for_its_late_packets);
    ADD(beyond_the_limit_on_streams_nothing_new_is_followed);
    ADD(a_million_flows_are_found_again);
    return g_test_run();
}

/*
 * Plays built segments to the TCP table (tcp_play.h).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tests/support/tcp_play.h"

#include <string.h>

WslTcpLimits test_limits(void)
{
    return (WslTcpLimits){1 << 20, 1 << 24, UINT32_MAX, 10 * WSL_SECOND};
}

static void said_free(gpointer data)
{
    TestSaid *said = data;

    g_string_free(said[0].text, TRUE);
    g_string_free(said[1].text, TRUE);
    g_free(said);
}

TestPlay *test_play_new(const WslTcpLimits *limits)
{
    TestPlay *play = g_new0(TestPlay, 1);

    play->table = wsl_tcp_new(limits);
    play->said = g_hash_table_new_full(NULL, NULL, NULL, said_free);
    return play;
}

void test_play_free(TestPlay *play)
{
    wsl_tcp_free(play->table);
    g_hash_table_destroy(play->said);
    g_free(play);
}

static GString *said_by(TestPlay *play, const WslTcp *tcp, unsigned side)
{
    TestSaid *said = g_hash_table_lookup(play->said, tcp);

    if (!said) {
        said = g_new0(TestSaid, 2);
        said[0].text = g_string_new(NULL);
        said[1].text = g_string_new(NULL);
        g_hash_table_insert(play->said, (gpointer)tcp, said);
    }
    return said[side].text;
}

static void pull(TestPlay *play, WslTcp *tcp, unsigned side)
{
    GString *text = said_by(play, tcp, side);
    WslPiece piece;

    while (wsl_tcp_piece(play->table, tcp, side, &piece)) {
        g_assert_cmpuint(piece.length, >, 0);
        g_assert_cmpuint(piece.length, <, 1 << 20);
        g_assert_cmpuint(piece.offset, ==, text->len);
        for (uint64_t i = 0; !piece.data && i < piece.length; i++)
            g_string_append_c(text, piece.hole == WSL_HOLE_CUT ? '#' : '?');
        if (piece.data)
            g_string_append_len(text, (const char *)piece.data, (gssize)piece.length);
        wsl_tcp_consume(play->table, tcp, side, piece.length);
    }
}

void test_play_over(TestPlay *play, WslTcp *tcp)
{
    wsl_tcp_give_up(play->table, tcp);
    pull(play, tcp, 0);
    pull(play, tcp, 1);
}

const WslPlace *test_play_begin(TestPlay *play, const TestSegment *segment)
{
    WslPacket packet;

    test_build(segment, play->bytes, &packet);
    play->number = packet.number ? packet.number : play->number + 1;
    play->arrival = (WslArrival){.time = packet.time, .packet = play->number};
    g_assert_cmpint(wsl_segment_decode(&packet, &play->arrival.segment), ==, WSL_DECODED);
    wsl_tcp_prepare(play->table, &play->arrival);
    wsl_tcp_look_up(play->table, &play->arrival);
    wsl_tcp_prefetch(&play->arrival);
    WslTcp *old = wsl_tcp_superseded(play->table, &play->arrival);
    if (old) {
        test_play_over(play, old);
        wsl_tcp_release(play->table, old);
        g_hash_table_remove(play->said, old); /* the next connection may lie where this one lay */
    }
    wsl_tcp_place(play->table, &play->arrival, &play->place);
    if (play->place.tcp)
        wsl_tcp_advance(play->table, &play->arrival, &play->place);
    return &play->place;
}

WslTcp *test_play(TestPlay *play, const TestSegment *segment)
{
    WslTcp *tcp = test_play_begin(play, segment)->tcp;

    if (!tcp || play->place.what & WSL_ARRIVAL_DUPLICATE)
        return tcp;
    pull(play, tcp, 0);
    pull(play, tcp, 1);
    wsl_tcp_settle(play->table, tcp);
    return tcp;
}

const char *test_said(const TestPlay *play, const WslTcp *tcp, unsigned side)
{
    const TestSaid *said = g_hash_table_lookup(play->said, tcp);

    return said ? said[side].text->str : "";
}

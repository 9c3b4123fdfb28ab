/*
 * Tests of the HTTP conversation over holes: heads that the snaplen cut, bodies and answers that the capture lacks.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tests/unit/exchange_build.h"

static void test_a_cut_head_ends_with_its_packet(void)
{
    Talk *talk = talk_new();

    say(talk, CLIENT, "GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConn");
    hole(talk, CLIENT, 100, WSL_HOLE_CUT);
    g_assert_true(wsl_exchange_waits(talk->exchange));
    say(talk, SERVER, "HTTP/1.1 101 Switching Protocols\r\nUpgr");
    hole(talk, SERVER, 80, WSL_HOLE_CUT);
    assert_story(talk, "GET /chat!~, 101!~");
    talk_free(talk);
}

static void test_a_head_cut_before_its_upgrade_may_be_one(void)
{
    Talk *talk = talk_new();

    say(talk, CLIENT, "GET /chat HTTP/1.1\r\nHost: h\r\n");
    hole(talk, CLIENT, 100, WSL_HOLE_CUT);
    say(talk, SERVER, UPGRADE_RESPONSE);
    assert_story(talk, "GET /chat?~, 101?");
    talk_free(talk);
}

/* Without its start line a head says nothing, and what was kept of it does not spoil the next. */
static void test_a_start_line_that_was_cut_says_nothing(void)
{
    static const char *const starts[] = {"G", "GET /ch", "GET /chat HTTP/1.1"};

    for (size_t i = 0; i < G_N_ELEMENTS(starts); i++) {
        Talk *talk = talk_new();
        say(talk, CLIENT, starts[i]);
        hole(talk, CLIENT, 100, WSL_HOLE_CUT);
        say(talk, CLIENT, UPGRADE_REQUEST);
        say(talk, SERVER, UPGRADE_RESPONSE);
        assert_story(talk, "GET /chat!, 101!");
        talk_free(talk);
    }
}

/* A long head in two packets, each of which the snaplen cut: the rest of it is no head. */
static void test_the_rest_of_a_cut_head_is_stepped_over(void)
{
    Talk *talk = talk_new();

    say(talk, CLIENT, "GET /a HTTP/1.1\r\nCookie: abc");
    hole(talk, CLIENT, 1000, WSL_HOLE_CUT);
    say(talk, SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    say(talk, CLIENT, "the cookie's end\r\nAccept: */*\r\n\r\n");
    say(talk, CLIENT, UPGRADE_REQUEST);
    say(talk, SERVER, UPGRADE_RESPONSE);
    assert_story(talk, "GET /a?~, 200?, GET /chat!, 101!");
    talk_free(talk);
}

/* How long the body of a cut answer is cannot be known: the next head is looked for. */
static void test_an_answer_cut_before_its_length(void)
{
    Talk *talk = talk_new();

    say(talk, CLIENT, "GET /a HTTP/1.1\r\n\r\n");
    say(talk, SERVER, "HTTP/1.1 200 OK\r\nServer: x");
    hole(talk, SERVER, 500, WSL_HOLE_CUT);
    say(talk, SERVER, "more of a page");
    hole(talk, SERVER, 500, WSL_HOLE_CUT);
    say(talk, CLIENT, UPGRADE_REQUEST);
    say(talk, SERVER, UPGRADE_RESPONSE);
    assert_story(talk, "GET /a, 200~, GET /chat!, 101!");
    talk_free(talk);
}

static void test_holes_in_bodies(void)
{
    static const struct {
        const char *before;
        uint64_t length;
        const char *after;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab", 98, ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab", 90, "12345678"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", 100, ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nab", 98, "\r\n0\r\n\r\n"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nab", 100, "0\r\n\r\n"},
        /* inside a chunk's size, and in the trailer: the next head at a packet's start is the next head */
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6", 50, ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrai", 50, ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nab", 500, "more"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        for (WslHole kind = WSL_HOLE_CUT; kind <= WSL_HOLE_LOST; kind++) {
            Talk *talk = talk_new();
            say(talk, CLIENT, "GET /a HTTP/1.1\r\n\r\n");
            say(talk, SERVER, cases[i].before);
            hole(talk, SERVER, cases[i].length, kind);
            say(talk, SERVER, cases[i].after);
            say(talk, CLIENT, UPGRADE_REQUEST);
            say(talk, SERVER, UPGRADE_RESPONSE);
            assert_story(talk, "GET /a, 200, GET /chat!, 101!");
            talk_free(talk);
        }
}

static void test_holes_in_request_bodies(void)
{
    Talk *talk = talk_new();

    say(talk, CLIENT, "POST /a HTTP/1.1\r\nContent-Length: 1000\r\n\r\nGET / HTTP/1.1\r\n\r\n");
    hole(talk, CLIENT, 982, WSL_HOLE_LOST);
    say(talk, SERVER, "HTTP/1.1 204 x\r\n\r\n");
    say(talk, CLIENT, UPGRADE_REQUEST);
    assert_story(talk, "POST /a, 204, GET /chat!");
    talk_free(talk);
}

static void test_a_lost_request_leaves_its_answer_in_doubt(void)
{
    Talk *talk = talk_new();

    hole(talk, CLIENT, 300, WSL_HOLE_LOST);
    say(talk, SERVER, UPGRADE_RESPONSE);
    assert_story(talk, "101?");
    talk_free(talk);
}

/* 101 answers a request to upgrade, never the one before it whose answer the capture lacks. */
static void test_a_lost_answer_does_not_shift_the_101(void)
{
    Talk *talk = talk_new();

    say(talk, CLIENT, "GET /a HTTP/1.1\r\n\r\n");
    hole(talk, SERVER, 300, WSL_HOLE_LOST);
    say(talk, CLIENT, UPGRADE_REQUEST);
    say(talk, SERVER, UPGRADE_RESPONSE);
    assert_story(talk, "GET /a, GET /chat!, 101!");
    talk_free(talk);
}

static void test_a_lost_piece_at_a_head_is_followed_by_the_next_head(void)
{
    Talk *talk = talk_new();

    hole(talk, CLIENT, 10, WSL_HOLE_LOST);
    say(talk, CLIENT, "the middle of something\r\n\r\n");
    say(talk, CLIENT, UPGRADE_REQUEST);
    say(talk, SERVER, UPGRADE_RESPONSE);
    assert_story(talk, "GET /chat!, 101!");
    talk_free(talk);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/exchange/cut/head", test_a_cut_head_ends_with_its_packet);
    g_test_add_func("/exchange/cut/before-upgrade", test_a_head_cut_before_its_upgrade_may_be_one);
    g_test_add_func("/exchange/cut/start-line", test_a_start_line_that_was_cut_says_nothing);
    g_test_add_func("/exchange/cut/rest", test_the_rest_of_a_cut_head_is_stepped_over);
    g_test_add_func("/exchange/cut/answer", test_an_answer_cut_before_its_length);
    g_test_add_func("/exchange/holes/bodies", test_holes_in_bodies);
    g_test_add_func("/exchange/holes/request-bodies", test_holes_in_request_bodies);
    g_test_add_func("/exchange/lost/request", test_a_lost_request_leaves_its_answer_in_doubt);
    g_test_add_func("/exchange/lost/answer", test_a_lost_answer_does_not_shift_the_101);
    g_test_add_func("/exchange/lost/next-head", test_a_lost_piece_at_a_head_is_followed_by_the_next_head);
    return g_test_run();
}

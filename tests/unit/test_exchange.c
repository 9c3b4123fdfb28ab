/*
 * Tests of the HTTP conversation: which answer belongs to which request, what is stepped over, what waits.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tests/unit/exchange_build.h"

static void test_upgrade(void)
{
    Talk *talk = talk_new();

    g_assert_false(wsl_exchange_waits(talk->exchange));
    say(talk, CLIENT, UPGRADE_REQUEST);
    g_assert_true(wsl_exchange_waits(talk->exchange));
    say(talk, SERVER, UPGRADE_RESPONSE);
    g_assert_false(wsl_exchange_waits(talk->exchange));
    assert_story(talk, "GET /chat!, 101!");
    talk_free(talk);
}

static void test_frames_behind_the_heads_are_left_to_others(void)
{
    Talk *talk = talk_new();
    static const char request[] = UPGRADE_REQUEST "\x81\x85", response[] = UPGRADE_RESPONSE "\x81\x05Hello";
    WslPiece piece = {.data = (const uint8_t *)response, .length = sizeof response - 1, .packet = 2};
    WslNews news;

    /* The client does not wait for the answer. */
    g_assert_cmpuint(offer(talk, CLIENT, request, sizeof request - 1, WSL_HOLE_NONE), ==, strlen(UPGRADE_REQUEST));
    g_assert_cmpuint(wsl_exchange_take(talk->exchange, SERVER, &piece, false, &news), ==, strlen(UPGRADE_RESPONSE));
    g_assert_cmpint(news.type, ==, WSL_NEWS_RESPONSE);
    assert_story(talk, "GET /chat!");
    talk_free(talk);
}

static void assert_same_story_when_cut(const char *request, const char *response, const char *expected)
{
    for (size_t split = 0; split <= strlen(request) + strlen(response); split++) {
        Talk *talk = talk_new();
        size_t first = MIN(split, strlen(request)), second = split - first;
        offer(talk, CLIENT, request, first, WSL_HOLE_NONE);
        offer(talk, CLIENT, request + first, strlen(request) - first, WSL_HOLE_NONE);
        offer(talk, SERVER, response, second, WSL_HOLE_NONE);
        offer(talk, SERVER, response + second, strlen(response) - second, WSL_HOLE_NONE);
        assert_story(talk, expected);
        talk_free(talk);
    }
    Talk *talk = talk_new();
    for (size_t i = 0; i < strlen(request); i++)
        offer(talk, CLIENT, request + i, 1, WSL_HOLE_NONE);
    for (size_t i = 0; i < strlen(response); i++)
        offer(talk, SERVER, response + i, 1, WSL_HOLE_NONE);
    assert_story(talk, expected);
    talk_free(talk);
}

static void test_segmentation_does_not_matter(void)
{
    assert_same_story_when_cut(UPGRADE_REQUEST, UPGRADE_RESPONSE, "GET /chat!, 101!");
    assert_same_story_when_cut("\r\n\r\nGET /chat HTTP/1.1\nUpgrade:\n websocket\n\n",
                               "HTTP/1.1 101 x\nUpgrade: WebSocket\n\n", "GET /chat!, 101!");
    assert_same_story_when_cut("POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nGET /" UPGRADE_REQUEST,
                               "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "5;x=y\r\nHTTP/\r\nA\r\n1.1 200 OK\r\n0\r\nTrailer: x\r\n\r\n" UPGRADE_RESPONSE,
                               "POST /a, GET /chat!, 200, 101!");
}

static void test_a_head_names_its_first_and_last_packet(void)
{
    Talk *talk = talk_new();

    say(talk, CLIENT, "GET /chat HTTP/1.1\r\n");
    say(talk, CLIENT, "Upgrade: websocket\r\n");
    say(talk, CLIENT, "\r\n");
    say(talk, SERVER, UPGRADE_RESPONSE);
    assert_story(talk, "GET /chat!, 101!");
    g_assert_cmpuint(talk->told[0].begun_in, ==, 1);
    g_assert_cmpuint(talk->told[0].complete_in, ==, 3);
    g_assert_cmpint(talk->told[0].begun, ==, 1 * WSL_SECOND);
    g_assert_cmpint(talk->told[0].complete, ==, 3 * WSL_SECOND);
    g_assert_cmpuint(talk->told[1].begun_in, ==, 4);
    g_assert_cmpuint(talk->told[1].complete_in, ==, 4);
    talk_free(talk);
}

/* Requests before the upgrade, and answers with every kind of body: RFC 9112 §6.3 */
static void test_bodies_are_stepped_over(void)
{
    static const struct {
        const char *request, *response, *expected;
    } cases[] = {
        {"GET /a HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nHTTP/1.1 404", "GET /a, 200"},
        {"GET /a HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "GET /a, 200"},
        {"GET /a HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
         "GET /a, 200"},
        {"GET /a HTTP/1.1\r\n\r\n",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n00a;ext=\"x\"\r\n0123456789\r\n000\r\n\r\n",
         "GET /a, 200"},
        {"GET /a HTTP/1.1\r\n\r\n",
         "HTTP/1.1 200 OK\r\nContent-Length: 999\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
         "GET /a, 200"},
        {"HEAD /a HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n", "HEAD /a, 200"},
        {"GET /a HTTP/1.1\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n", "GET /a, 204"},
        {"GET /a HTTP/1.1\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n", "GET /a, 304"},
        {"PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nGET \r\n0\r\n\r\n",
         "HTTP/1.1 204 No Content\r\n\r\n", "PUT /a, 204"},
        {"POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nGET ",
         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
         "POST /a, 204"},
        {UPGRADE_REQUEST, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno", "GET /chat!, 401!"},
        {UPGRADE_REQUEST, "HTTP/1.1 503 x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
         "GET /chat!, 503!"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Talk *talk = talk_new();
        g_autofree char *expected = g_strdup_printf("%s, GET /chat!, 101!", cases[i].expected);
        say(talk, CLIENT, cases[i].request);
        say(talk, SERVER, cases[i].response);
        say(talk, CLIENT, UPGRADE_REQUEST);
        say(talk, SERVER, UPGRADE_RESPONSE);
        assert_story(talk, expected);
        talk_free(talk);
    }
}

static void test_a_body_without_length_lasts_to_the_end(void)
{
    Talk *talk = talk_new();

    say(talk, CLIENT, "GET /a HTTP/1.0\r\n\r\n");
    say(talk, SERVER, "HTTP/1.0 200 OK\r\n\r\n" UPGRADE_RESPONSE);
    say(talk, SERVER, UPGRADE_RESPONSE);
    assert_story(talk, "GET /a, 200");
    talk_free(talk);
}

static void test_pipelined_answers_come_in_order(void)
{
    Talk *talk = talk_new();

    say(talk, CLIENT, "HEAD /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n" UPGRADE_REQUEST);
    say(talk, SERVER,
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: "
        "1\r\n\r\nx" UPGRADE_RESPONSE);
    assert_story(talk, "HEAD /1, GET /2, GET /chat!, 200, 404, 101!");
    talk_free(talk);
}

static void test_too_many_open_requests_are_foreign(void)
{
    Talk *talk = talk_new();

    for (unsigned i = 0; i < 64; i++)
        say(talk, CLIENT, "GET / HTTP/1.1\r\n\r\n");
    g_assert_cmpint(talk->told[63].type, ==, WSL_NEWS_REQUEST);
    offer(talk, CLIENT, "GET / HTTP/1.1\r\n\r\n", 18, WSL_HOLE_NONE);
    g_assert_cmpint(talk->told[64].type, ==, WSL_NEWS_FOREIGN);
    talk_free(talk);
}

static void test_connect_and_what_is_inside(void)
{
    Talk *talk = talk_new();

    say(talk, CLIENT, "CONNECT server.example.com:80 HTTP/1.1\r\nHost: server.example.com:80\r\n\r\n");
    g_assert_true(wsl_exchange_waits(talk->exchange));
    g_assert_cmpuint(offer(talk, CLIENT, UPGRADE_REQUEST, strlen(UPGRADE_REQUEST), WSL_HOLE_NONE), ==, 0);
    say(talk, SERVER, "HTTP/1.1 200 Connection established\r\n\r\n");
    say(talk, CLIENT, UPGRADE_REQUEST);
    say(talk, SERVER, UPGRADE_RESPONSE);
    assert_story(talk, "CONNECT server.example.com:80, 200, GET /chat!, 101!");
    talk_free(talk);
}

static void test_a_refused_connect_is_an_ordinary_answer(void)
{
    Talk *talk = talk_new();

    say(talk, CLIENT, "CONNECT a:80 HTTP/1.1\r\n\r\n");
    say(talk, SERVER, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 4\r\n\r\nHTTP");
    say(talk, CLIENT, "CONNECT a:80 HTTP/1.1\r\nProxy-Authorization: x\r\n\r\n");
    say(talk, SERVER, "HTTP/1.1 200 OK\r\n\r\n");
    say(talk, CLIENT, UPGRADE_REQUEST);
    assert_story(talk, "CONNECT a:80, 407, CONNECT a:80, 200, GET /chat!");
    talk_free(talk);
}

/* An answer that the capture has before its request. */
static void test_an_answer_waits_for_its_request(void)
{
    Talk *talk = talk_new();

    talk->request_may_come = true;
    g_assert_cmpuint(offer(talk, SERVER, UPGRADE_RESPONSE, strlen(UPGRADE_RESPONSE), WSL_HOLE_NONE), ==, 0);
    assert_story(talk, "");
    say(talk, CLIENT, UPGRADE_REQUEST);
    say(talk, SERVER, UPGRADE_RESPONSE);
    assert_story(talk, "GET /chat!, 101!");
    talk_free(talk);
}

static void test_an_answer_without_a_request_may_be_of_an_upgrade(void)
{
    Talk *talk = talk_new();

    say(talk, SERVER, UPGRADE_RESPONSE);
    assert_story(talk, "101?");
    talk_free(talk);
}

static void test_long_heads(void)
{
    for (unsigned more = 0; more < 2; more++) {
        Talk *talk = talk_new();
        g_autoptr(GString) text = g_string_new("GET /chat HTTP/1.1\r\nUpgrade: websocket\r\nX: ");
        while (text->len < HEAD_LIMIT - 4 + more * 200)
            g_string_append_c(text, 'x');
        g_string_append(text, "\r\n\r\n");
        uint64_t taken = 0;
        for (size_t i = 0; i < text->len && !talk->count; i++)
            taken += offer(talk, CLIENT, text->str + i, 1, WSL_HOLE_NONE);
        assert_story(talk, more ? "foreign" : "GET /chat!");
        if (!more)
            g_assert_cmpuint(taken, ==, HEAD_LIMIT);
        talk_free(talk);
    }
}

static void test_what_is_not_http_is_foreign(void)
{
    static const struct {
        bool client;
        const char *text;
    } cases[] = {{CLIENT, "\x16\x03\x01\x02"},
                 {CLIENT, "GET / HTTP/1.1\r\nnonsense\r\n\r\n"},
                 {CLIENT, UPGRADE_RESPONSE},
                 {SERVER, "SSH-2.0-OpenSSH\r\n"},
                 {SERVER, "GET / HTTP/1.1\r\n\r\n"}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Talk *talk = talk_new();
        offer(talk, cases[i].client, cases[i].text, strlen(cases[i].text), WSL_HOLE_NONE);
        assert_story(talk, "foreign");
        talk_free(talk);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/exchange/upgrade", test_upgrade);
    g_test_add_func("/exchange/frames-behind", test_frames_behind_the_heads_are_left_to_others);
    g_test_add_func("/exchange/segmentation", test_segmentation_does_not_matter);
    g_test_add_func("/exchange/packets", test_a_head_names_its_first_and_last_packet);
    g_test_add_func("/exchange/bodies", test_bodies_are_stepped_over);
    g_test_add_func("/exchange/body-to-the-end", test_a_body_without_length_lasts_to_the_end);
    g_test_add_func("/exchange/pipelining", test_pipelined_answers_come_in_order);
    g_test_add_func("/exchange/pipelining/limit", test_too_many_open_requests_are_foreign);
    g_test_add_func("/exchange/connect", test_connect_and_what_is_inside);
    g_test_add_func("/exchange/connect/refused", test_a_refused_connect_is_an_ordinary_answer);
    g_test_add_func("/exchange/answer-first", test_an_answer_waits_for_its_request);
    g_test_add_func("/exchange/answer-alone", test_an_answer_without_a_request_may_be_of_an_upgrade);
    g_test_add_func("/exchange/long-heads", test_long_heads);
    g_test_add_func("/exchange/foreign", test_what_is_not_http_is_foreign);
    return g_test_run();
}

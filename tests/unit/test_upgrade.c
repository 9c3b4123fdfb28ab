/*
 * Tests of the opening handshake (RFC 6455 §4): each fault and what is legal beside it, and the facts that are kept.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/http/upgrade.h"

#include <glib.h>
#include <string.h>

#define F(fault)   (1U << WSL_FAULT_##fault)
#define U(flag)    WSL_UPGRADE_##flag
#define GET        "GET /chat HTTP/1.1\r\n"
#define HOST       "Host: server.example.com\r\n"
#define UPGRADE    "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define KEY        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION    "Sec-WebSocket-Version: 13\r\n"
#define REQUEST    GET HOST UPGRADE CONNECTION KEY VERSION
#define SWITCHING  "HTTP/1.1 101 Switching Protocols\r\n"
#define ACCEPT     "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define RESPONSE   SWITCHING UPGRADE CONNECTION ACCEPT
#define PROTOCOL   "Sec-WebSocket-Protocol: "
#define EXTENSIONS "Sec-WebSocket-Extensions: "

typedef struct {
    WslUpgrade *upgrade;
    bool accepted;
} Judged;

/* `cut`: the head ends where the text ends, without an empty line. */
static WslHead *head_of(const char *fields, bool cut)
{
    char *text = g_strconcat(fields, cut ? "" : "\r\n", NULL);
    WslHead *head = g_new0(WslHead, 1);
    size_t used;

    g_test_queue_free(text);
    g_test_queue_free(head);
    g_assert_cmpint(wsl_head_parse(text, strlen(text), head, &used), ==, cut ? WSL_HEAD_INCOMPLETE : WSL_HEAD_COMPLETE);
    head->cut = cut;
    return head;
}

static Judged judge_cut(const char *request, bool request_cut, const char *response, bool response_cut)
{
    Judged judged = {.upgrade = wsl_upgrade_new(head_of(request, request_cut))};

    /* 30 s before the date in RFC 9110's examples */
    judged.upgrade->answered = (WslTime)(784111777 - 30) * WSL_SECOND;
    if (response)
        judged.accepted = wsl_upgrade_answer(judged.upgrade, head_of(response, response_cut));
    return judged;
}

static Judged judge(const char *request, const char *response)
{
    return judge_cut(request, false, response, false);
}

static void test_rfc_handshake(void)
{
    Judged judged =
        judge(GET HOST UPGRADE CONNECTION KEY "Origin: http://example.com\r\n" PROTOCOL "chat, superchat\r\n" VERSION,
              RESPONSE PROTOCOL "chat\r\n");
    const WslUpgrade *upgrade = judged.upgrade;

    g_assert_true(judged.accepted);
    g_assert_cmphex(upgrade->faults, ==, 0);
    g_assert_cmphex(upgrade->flags, ==, U(ANSWERED) | U(ACCEPT_KNOWN) | U(ACCEPT_VALID) | U(HAS_NONCE));
    g_assert_cmpuint(upgrade->status, ==, 101);
    g_assert_cmpstr(upgrade->host, ==, "server.example.com");
    g_assert_cmpstr(upgrade->path, ==, "/chat");
    g_assert_cmpstr(upgrade->origin, ==, "http://example.com");
    g_assert_cmpstr(upgrade->reason, ==, "Switching Protocols");
    g_assert_cmpstr(upgrade->offered_subprotocols, ==, "chat, superchat");
    g_assert_cmpstr(upgrade->subprotocol, ==, "chat");
    g_assert_null(upgrade->extensions);
    g_assert_null(upgrade->user_agent);
    g_assert_null(upgrade->client_named);
    g_assert_cmpint(upgrade->retry_after_s, ==, -1);
    wsl_upgrade_free(judged.upgrade);
}

/* §1.3; the second pair was computed with Python's hashlib and base64. */
static void test_accept_of_a_key(void)
{
    g_autofree char *rfc = wsl_upgrade_accept("dGhlIHNhbXBsZSBub25jZQ==", 24);
    g_autofree char *zeros = wsl_upgrade_accept("AAAAAAAAAAAAAAAAAAAAAA==", 24);

    g_assert_cmpstr(rfc, ==, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    g_assert_cmpstr(zeros, ==, "ICX+Yqv66kxgM0FcWaLWlFLwTAI=");
}

static void test_faults_of_requests(void)
{
    static const struct {
        const char *request;
        uint32_t faults;
    } cases[] = {
        {REQUEST, 0},
        {"POST /chat HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION, F(METHOD)},
        {"get /chat HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION, F(METHOD)},
        {"GET /chat HTTP/1.0\r\n" HOST UPGRADE CONNECTION KEY VERSION, F(REQUEST_VERSION)},
        {"GET /chat HTTP/1.2\r\n" HOST UPGRADE CONNECTION KEY VERSION, 0},
        {GET UPGRADE CONNECTION KEY VERSION, F(HOST)},
        {GET HOST CONNECTION KEY VERSION, F(REQUEST_UPGRADE)},
        {GET HOST "Upgrade: websockets\r\n" CONNECTION KEY VERSION, F(REQUEST_UPGRADE)},
        {GET HOST "UPGRADE: h2c, WebSocket\r\n" CONNECTION KEY VERSION, 0},
        {GET HOST UPGRADE KEY VERSION, F(REQUEST_CONNECTION)},
        {GET HOST UPGRADE "Connection: keep-alive\r\n" KEY VERSION, F(REQUEST_CONNECTION)},
        {GET HOST UPGRADE "Connection: keep-alive, upgrade\r\n" KEY VERSION, 0},
        {GET HOST UPGRADE "Connection: keep-alive\r\nconnection: UPGRADE\r\n" KEY VERSION, 0},
        {GET HOST UPGRADE CONNECTION VERSION, F(KEY_MISSING)},
        {GET HOST UPGRADE CONNECTION KEY KEY VERSION, F(KEY_REPEATED)},
        {GET HOST UPGRADE CONNECTION "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA\r\n" VERSION,
         F(KEY_INVALID)},                                                                           /* 15 bytes */
        {GET HOST UPGRADE CONNECTION "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" VERSION, 0}, /* 16 */
        {GET HOST UPGRADE CONNECTION "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=\r\n" VERSION,
         F(KEY_INVALID)}, /* 17 */
        {GET HOST UPGRADE CONNECTION "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAAA\r\n" VERSION,
         F(KEY_INVALID)}, /* 18 */
        {GET HOST UPGRADE CONNECTION "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA\r\n" VERSION, F(KEY_INVALID)},
        {GET HOST UPGRADE CONNECTION "Sec-WebSocket-Key: AAAAAAAAAAA*AAAAAAAAAA==\r\n" VERSION, F(KEY_INVALID)},
        {GET HOST UPGRADE CONNECTION "Sec-WebSocket-Key: ++++++++++/////////+/w==\r\n" VERSION, 0},
        {GET HOST UPGRADE CONNECTION "Sec-WebSocket-Key:\r\n" VERSION, F(KEY_INVALID)},
        {GET HOST UPGRADE CONNECTION "Sec-WebSocket-Key: \t dGhlIHNhbXBsZSBub25jZQ== \r\n" VERSION, 0},
        {GET HOST UPGRADE CONNECTION KEY, F(VERSION_MISSING)},
        {GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 8\r\n", F(VERSION_OTHER)},
        {GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 25\r\n", F(VERSION_OTHER)},
        {"POST /chat HTTP/1.0\r\n" UPGRADE,
         F(METHOD) | F(REQUEST_VERSION) | F(HOST) | F(REQUEST_CONNECTION) | F(KEY_MISSING) | F(VERSION_MISSING)},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Judged judged = judge(cases[i].request, NULL);
        if (judged.upgrade->faults != cases[i].faults)
            g_error("0x%x instead of 0x%x: %s", judged.upgrade->faults, cases[i].faults, cases[i].request);
        wsl_upgrade_free(judged.upgrade);
    }
}

static void test_faults_of_responses(void)
{
    static const struct {
        const char *response;
        uint32_t faults;
    } cases[] = {
        {RESPONSE, 0},
        {"HTTP/1.0 101 Switching Protocols\r\n" UPGRADE CONNECTION ACCEPT, F(RESPONSE_VERSION)},
        {SWITCHING CONNECTION ACCEPT, F(RESPONSE_UPGRADE)},
        {SWITCHING "upgrade: WebSocket\r\n" CONNECTION ACCEPT, 0},
        {SWITCHING UPGRADE ACCEPT, F(RESPONSE_CONNECTION)},
        {SWITCHING UPGRADE "Connection: close\r\n" ACCEPT, F(RESPONSE_CONNECTION)},
        {SWITCHING UPGRADE "Connection: x, UPGRADE\r\n" ACCEPT, 0},
        {SWITCHING UPGRADE CONNECTION, F(ACCEPT_MISSING)},
        {RESPONSE PROTOCOL "chat\r\n" PROTOCOL "chat\r\n", F(SUBPROTOCOL_REPEATED)},
        {RESPONSE PROTOCOL "chat\r\n", 0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Judged judged = judge(REQUEST PROTOCOL "chat\r\n", cases[i].response);
        g_assert_true(judged.accepted);
        if (judged.upgrade->faults != cases[i].faults)
            g_error("0x%x instead of 0x%x: %s", judged.upgrade->faults, cases[i].faults, cases[i].response);
        wsl_upgrade_free(judged.upgrade);
    }
}

static void test_every_fault_has_a_sentence_of_its_own(void)
{
    for (unsigned i = 0; i < WSL_FAULTS; i++) {
        const char *text = wsl_upgrade_fault_text(i);
        g_assert_true(g_str_has_prefix(text, "request: ") || g_str_has_prefix(text, "response: "));
        for (unsigned other = 0; other < i; other++)
            g_assert_cmpstr(text, !=, wsl_upgrade_fault_text(other));
    }
}

static void test_accept(void)
{
    static const struct {
        const char *response;
        bool known, valid;
    } cases[] = {
        {RESPONSE, true, true},
        {SWITCHING UPGRADE CONNECTION "SEC-WEBSOCKET-ACCEPT:   s3pPLMBiTxaQ9kYGzzhZRbK+xOo=  \r\n", true, true},
        {SWITCHING UPGRADE CONNECTION "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", true, false},
        {SWITCHING UPGRADE CONNECTION "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo\r\n", true, false},
        {SWITCHING UPGRADE CONNECTION "Sec-WebSocket-Accept:\r\n", true, false},
        {SWITCHING UPGRADE CONNECTION, false, false}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Judged judged = judge(REQUEST, cases[i].response);
        g_assert_cmpint((judged.upgrade->flags & U(ACCEPT_KNOWN)) != 0, ==, cases[i].known);
        g_assert_cmpint((judged.upgrade->flags & U(ACCEPT_VALID)) != 0, ==, cases[i].valid);
        wsl_upgrade_free(judged.upgrade);
    }
}

/* §4.1: a subprotocol or an extension that the client did not offer */
static void test_selected_and_offered(void)
{
    static const struct {
        const char *offer, *selection;
        uint32_t flags;
    } cases[] = {
        {"", "", 0},
        {PROTOCOL "a, b\r\n", PROTOCOL "b\r\n", 0},
        {PROTOCOL "a\r\n" PROTOCOL "b\r\n", PROTOCOL "b\r\n", 0},
        {PROTOCOL "a, b\r\n", "", 0},
        {PROTOCOL "a, b\r\n", PROTOCOL "c\r\n", U(SUBPROTOCOL_UNOFFERED)},
        {PROTOCOL "chat\r\n", PROTOCOL "Chat\r\n", U(SUBPROTOCOL_UNOFFERED)},
        {PROTOCOL "superchat\r\n", PROTOCOL "chat\r\n", U(SUBPROTOCOL_UNOFFERED)},
        {"", PROTOCOL "a\r\n", U(SUBPROTOCOL_UNOFFERED)},
        {EXTENSIONS "permessage-deflate; client_max_window_bits\r\n", EXTENSIONS "permessage-deflate\r\n", U(DEFLATE)},
        {EXTENSIONS "permessage-deflate\r\n", EXTENSIONS "permessage-deflate; server_no_context_takeover\r\n",
         U(DEFLATE)},
        {EXTENSIONS "permessage-deflate\r\n", "", 0},
        {"", EXTENSIONS "permessage-deflate\r\n", U(DEFLATE) | U(EXTENSION_UNOFFERED)},
        {EXTENSIONS "permessage-deflat\r\n", EXTENSIONS "permessage-deflate\r\n", U(DEFLATE) | U(EXTENSION_UNOFFERED)},
        {EXTENSIONS "x-webkit-deflate-frame\r\n", EXTENSIONS "x-webkit-deflate-frame\r\n", U(FRAME_DEFLATE)},
        {EXTENSIONS "foo; a=\"1, permessage-deflate\", bar\r\n", EXTENSIONS "bar\r\n", U(OTHER_EXTENSION)},
        {EXTENSIONS "foo; a=\"1, permessage-deflate\", bar\r\n", EXTENSIONS "permessage-deflate\r\n",
         U(DEFLATE) | U(EXTENSION_UNOFFERED)},
        {EXTENSIONS "foo; a=\"x\\\", bar\", baz\r\n", EXTENSIONS "baz\r\n", U(OTHER_EXTENSION)},
        {EXTENSIONS "foo; a=\"x\\\", bar\", baz\r\n", EXTENSIONS "bar\r\n",
         U(OTHER_EXTENSION) | U(EXTENSION_UNOFFERED)},
        {EXTENSIONS "foo\r\n" EXTENSIONS "permessage-deflate\r\n", EXTENSIONS "permessage-deflate,\r\n foo;x\r\n",
         U(DEFLATE) | U(OTHER_EXTENSION)},
        {EXTENSIONS "Permessage-Deflate\r\n", EXTENSIONS "Permessage-Deflate\r\n", U(DEFLATE)},
    };
    const uint32_t judged_flags = U(SUBPROTOCOL_UNOFFERED) | U(EXTENSION_UNOFFERED) | U(DEFLATE) | U(OTHER_EXTENSION) |
                                  U(FRAME_DEFLATE) | U(EXTENSIONS_UNKNOWN);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *request = g_strconcat(REQUEST, cases[i].offer, NULL);
        g_autofree char *response = g_strconcat(RESPONSE, cases[i].selection, NULL);
        Judged judged = judge(request, response);
        if ((judged.upgrade->flags & judged_flags) != cases[i].flags || judged.upgrade->faults)
            g_error("0x%x instead of 0x%x: %s%s", judged.upgrade->flags & judged_flags, cases[i].flags, cases[i].offer,
                    cases[i].selection);
        wsl_upgrade_free(judged.upgrade);
    }
}

static void test_lists_are_kept_as_if_they_had_come_once(void)
{
    Judged judged =
        judge(REQUEST PROTOCOL "a\r\n" PROTOCOL " b ,c\r\n" EXTENSIONS "x; y=\"1,2\"\r\n" EXTENSIONS "z\r\n",
              RESPONSE EXTENSIONS "x\r\n" EXTENSIONS "z\r\n");

    g_assert_cmpstr(judged.upgrade->offered_subprotocols, ==, "a, b, c");
    g_assert_cmpstr(judged.upgrade->offered_extensions, ==, "x; y=\"1,2\", z");
    g_assert_cmpstr(judged.upgrade->extensions, ==, "x, z");
    wsl_upgrade_free(judged.upgrade);
}

/* RFC 9112 §3.2.2 */
static void test_targets(void)
{
    static const struct {
        const char *target, *host, *path;
    } cases[] = {{"/", "server.example.com", "/"},
                 {"/a?b=c", "server.example.com", "/a?b=c"},
                 {"http://other.example:81/a?b", "other.example:81", "/a?b"},
                 {"ws://other.example/a", "other.example", "/a"},
                 {"http://other.example", "other.example", "/"},
                 {"/jump?to=http://evil.example/", "server.example.com", "/jump?to=http://evil.example/"}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *request =
            g_strdup_printf("GET %s HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION, cases[i].target);
        Judged judged = judge(request, NULL);
        g_assert_cmpstr(judged.upgrade->host, ==, cases[i].host);
        g_assert_cmpstr(judged.upgrade->path, ==, cases[i].path);
        wsl_upgrade_free(judged.upgrade);
    }
}

/* RFC 9110 §10.2.3 and §5.6.7; the answer came 30 s before Sun, 06 Nov 1994 08:49:37 GMT. */
static void test_retry_after(void)
{
    static const struct {
        const char *value;
        int64_t seconds;
    } cases[] = {{"120", 120},
                 {"0", 0},
                 {"Sun, 06 Nov 1994 08:49:37 GMT", 30},
                 {"Sun, 06 Nov 1994 08:48:37 GMT", 0},
                 {"Mon, 07 Nov 1994 08:49:37 GMT", 86430},
                 {"-5", -1},
                 {"soon", -1},
                 {"1.5", -1},
                 {"", -1},
                 {"Sun, 06 Foo 1994 08:49:37 GMT", -1},
                 {"Sun, 31 Feb 1994 08:49:37 GMT", -1},
                 {"99999999999999999999999999", -1}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *response =
            g_strdup_printf("HTTP/1.1 503 Service Unavailable\r\nRetry-After: %s\r\n", cases[i].value);
        Judged judged = judge(REQUEST, response);
        g_assert_false(judged.accepted);
        g_assert_cmpuint(judged.upgrade->status, ==, 503);
        g_assert_cmpint(judged.upgrade->retry_after_s, ==, cases[i].seconds);
        wsl_upgrade_free(judged.upgrade);
    }
}

/* §4.4: a server that speaks other versions says 426 and which. */
static void test_version_negotiation(void)
{
    Judged judged = judge(GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 25\r\n",
                          "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13, 8, 7\r\n");

    g_assert_false(judged.accepted);
    g_assert_cmpuint(judged.upgrade->status, ==, 426);
    g_assert_cmpstr(judged.upgrade->reason, ==, "Upgrade Required");
    g_assert_cmphex(judged.upgrade->faults, ==, F(VERSION_OTHER));
    g_assert_cmphex(judged.upgrade->flags & (U(ACCEPT_KNOWN) | U(EXTENSIONS_UNKNOWN)), ==, 0);
    wsl_upgrade_free(judged.upgrade);
}

static void test_a_101_to_another_protocol_is_no_websocket(void)
{
    Judged judged = judge(REQUEST, SWITCHING "Upgrade: tcp\r\n" CONNECTION);

    g_assert_false(judged.accepted);
    g_assert_cmphex(judged.upgrade->faults, ==, 0);
    wsl_upgrade_free(judged.upgrade);
}

static void test_what_is_an_upgrade_request(void)
{
    g_assert_true(wsl_upgrade_is_request(head_of(REQUEST, false)));
    g_assert_true(wsl_upgrade_is_request(head_of(GET HOST "upgrade: WEBSOCKET\r\n", false)));
    g_assert_true(wsl_upgrade_is_request(head_of(GET HOST KEY, false))); /* a proxy ate the rest */
    g_assert_false(wsl_upgrade_is_request(head_of(GET HOST "Upgrade: h2c\r\n" CONNECTION, false)));
    g_assert_false(wsl_upgrade_is_request(head_of(GET HOST, false)));
}

static void test_a_stripped_request_says_what_it_lacks(void)
{
    Judged judged = judge("GET /chat HTTP/1.0\r\n" HOST "Connection: close\r\n" KEY VERSION, NULL);

    g_assert_cmphex(judged.upgrade->flags, ==, U(LACKS_UPGRADE) | U(LACKS_CONNECTION) | U(HAS_NONCE));
    wsl_upgrade_free(judged.upgrade);
}

/* Of a cut head only what is there can be at fault. */
static void test_cut_heads(void)
{
    Judged judged = judge_cut("POST /chat HTTP/1.0\r\n" HOST UPGRADE "Conn", true, SWITCHING UPGRADE, true);

    g_assert_true(judged.accepted);
    g_assert_cmphex(judged.upgrade->faults, ==, F(METHOD) | F(REQUEST_VERSION));
    g_assert_cmphex(judged.upgrade->flags, ==, U(REQUEST_CUT) | U(RESPONSE_CUT) | U(ANSWERED) | U(EXTENSIONS_UNKNOWN));
    wsl_upgrade_free(judged.upgrade);
    judged = judge_cut(REQUEST, true, RESPONSE PROTOCOL "chat\r\n" EXTENSIONS "permessage-deflate\r\n", false);
    g_assert_cmphex(judged.upgrade->faults, ==, 0);
    g_assert_cmphex(judged.upgrade->flags & (U(SUBPROTOCOL_UNOFFERED) | U(EXTENSION_UNOFFERED)), ==, 0);
    g_assert_true(judged.upgrade->flags & U(DEFLATE) && judged.upgrade->flags & U(ACCEPT_VALID));
    wsl_upgrade_free(judged.upgrade);
}

static void test_who_the_client_is_said_to_be(void)
{
    Judged judged = judge(REQUEST "X-Forwarded-For: 203.0.113.7, 10.0.0.1\r\nUser-Agent: test/1\r\n", NULL);

    g_assert_cmpstr(judged.upgrade->client_named, ==, "203.0.113.7");
    g_assert_cmpstr(judged.upgrade->user_agent, ==, "test/1");
    wsl_upgrade_name_client(judged.upgrade, "192.0.2.1:5");
    g_assert_cmpstr(judged.upgrade->client_named, ==, "192.0.2.1:5");
    wsl_upgrade_free(judged.upgrade);
    wsl_upgrade_free(NULL);
}

static void test_nonces_are_told_apart(void)
{
    Judged one = judge(REQUEST, NULL), same = judge(REQUEST VERSION, NULL);
    Judged other = judge(GET HOST UPGRADE CONNECTION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZA==\r\n" VERSION, NULL);

    g_assert_cmphex(one.upgrade->nonce, ==, same.upgrade->nonce);
    g_assert_cmphex(one.upgrade->nonce, !=, other.upgrade->nonce);
    wsl_upgrade_free(one.upgrade);
    wsl_upgrade_free(same.upgrade);
    wsl_upgrade_free(other.upgrade);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/upgrade/rfc", test_rfc_handshake);
    g_test_add_func("/upgrade/accept/of-key", test_accept_of_a_key);
    g_test_add_func("/upgrade/faults/request", test_faults_of_requests);
    g_test_add_func("/upgrade/faults/response", test_faults_of_responses);
    g_test_add_func("/upgrade/faults/text", test_every_fault_has_a_sentence_of_its_own);
    g_test_add_func("/upgrade/accept", test_accept);
    g_test_add_func("/upgrade/selected", test_selected_and_offered);
    g_test_add_func("/upgrade/lists", test_lists_are_kept_as_if_they_had_come_once);
    g_test_add_func("/upgrade/targets", test_targets);
    g_test_add_func("/upgrade/retry-after", test_retry_after);
    g_test_add_func("/upgrade/version", test_version_negotiation);
    g_test_add_func("/upgrade/elsewhere", test_a_101_to_another_protocol_is_no_websocket);
    g_test_add_func("/upgrade/is-request", test_what_is_an_upgrade_request);
    g_test_add_func("/upgrade/stripped", test_a_stripped_request_says_what_it_lacks);
    g_test_add_func("/upgrade/cut", test_cut_heads);
    g_test_add_func("/upgrade/client", test_who_the_client_is_said_to_be);
    g_test_add_func("/upgrade/nonce", test_nonces_are_told_apart);
    return g_test_run();
}

/*
 * Tests of HTTP/1.x heads (RFC 9112 §2 to §5) and of the lists in their fields (RFC 9110 §5.6).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/http/head.h"

#include <glib.h>
#include <string.h>

#define assert_span(span, text)                                                                                        \
    do {                                                                                                               \
        g_autofree char *found_ = g_strndup((span).bytes ? (span).bytes : "(none)", (span).bytes ? (span).length : 6); \
        g_assert_cmpstr(found_, ==, text);                                                                             \
    } while (0)

/* RFC 6455 §1.2 */
static const char rfc_request[] = "GET /chat HTTP/1.1\r\n"
                                  "Host: server.example.com\r\n"
                                  "Upgrade: websocket\r\n"
                                  "Connection: Upgrade\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                  "Origin: http://example.com\r\n"
                                  "Sec-WebSocket-Protocol: chat, superchat\r\n"
                                  "Sec-WebSocket-Version: 13\r\n\r\n";
static const char rfc_response[] = "HTTP/1.1 101 Switching Protocols\r\n"
                                   "Upgrade: websocket\r\n"
                                   "Connection: Upgrade\r\n"
                                   "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                                   "Sec-WebSocket-Protocol: chat\r\n\r\n";

/* The texts that spans lead into must outlive the head: the copy is freed with the test. */
static WslHeadResult parse(const char *text, size_t length, WslHead *head, size_t *used)
{
    char *copy = g_memdup2(text, length ? length : 1);

    g_test_queue_free(copy);
    *used = 0;
    return wsl_head_parse(copy, length, head, used);
}

static WslHead parsed(const char *text)
{
    WslHead head;
    size_t used;

    g_assert_cmpint(parse(text, strlen(text), &head, &used), ==, WSL_HEAD_COMPLETE);
    g_assert_cmpuint(used, ==, strlen(text));
    return head;
}

static void test_rfc_request(void)
{
    WslHead head = parsed(rfc_request);

    g_assert_true(head.request && !head.cut);
    assert_span(head.method, "GET");
    assert_span(head.target, "/chat");
    g_assert_cmpuint(head.minor, ==, 1);
    g_assert_cmpuint(head.field_count, ==, 7);
    assert_span(wsl_head_field(&head, "Host"), "server.example.com");
    assert_span(wsl_head_field(&head, "sec-websocket-KEY"), "dGhlIHNhbXBsZSBub25jZQ==");
    g_assert_null(wsl_head_field(&head, "Sec-WebSocket-Extensions").bytes);
    g_assert_true(wsl_list_holds(&head, "Sec-WebSocket-Protocol", "superchat"));
    g_assert_true(wsl_list_holds(&head, "connection", "upgrade"));
    g_assert_false(wsl_list_holds(&head, "Sec-WebSocket-Protocol", "super"));
}

static void test_rfc_response(void)
{
    WslHead head = parsed(rfc_response);

    g_assert_false(head.request);
    g_assert_cmpuint(head.status, ==, 101);
    g_assert_cmpuint(head.minor, ==, 1);
    assert_span(head.reason, "Switching Protocols");
    assert_span(wsl_head_field(&head, "Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void test_every_shorter_head_is_incomplete(void)
{
    static const char *const heads[] = {rfc_request, rfc_response};
    WslHead head;
    size_t used;

    for (size_t i = 0; i < G_N_ELEMENTS(heads); i++)
        for (size_t length = 0; length < strlen(heads[i]); length++)
            g_assert_cmpint(parse(heads[i], length, &head, &used), ==, WSL_HEAD_INCOMPLETE);
}

static void test_an_incomplete_head_holds_what_was_there(void)
{
    static const char text[] = "GET /a HTTP/1.1\r\nHost: one\r\nUpgrade: web";
    WslHead head;
    size_t used;

    g_assert_cmpint(parse(text, strlen(text), &head, &used), ==, WSL_HEAD_INCOMPLETE);
    g_assert_true(head.request);
    assert_span(head.target, "/a");
    assert_span(wsl_head_field(&head, "Host"), "one");
}

static void test_what_follows_a_head_is_not_its_part(void)
{
    static const char text[] = "HTTP/1.1 200 OK\r\n\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n";
    WslHead head;
    size_t used;

    g_assert_cmpint(parse(text, strlen(text), &head, &used), ==, WSL_HEAD_COMPLETE);
    g_assert_cmpuint(used, ==, 19);
    g_assert_cmpuint(head.status, ==, 200);
}

/* RFC 9112 §2.2: LF alone may end a line, empty lines before a request are to be ignored. */
static void test_bare_lf_and_leading_empty_lines(void)
{
    static const char *const heads[] = {"GET /x HTTP/1.1\nHost: h\nA: b\n\n",
                                        "\r\nGET /x HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n",
                                        "\r\n\r\n\nGET /x HTTP/1.1\r\nHost: h\nA: b\r\n\n"};

    for (size_t i = 0; i < G_N_ELEMENTS(heads); i++) {
        WslHead head = parsed(heads[i]);
        assert_span(head.target, "/x");
        assert_span(wsl_head_field(&head, "Host"), "h");
        assert_span(wsl_head_field(&head, "A"), "b");
    }
}

static void test_start_lines(void)
{
    static const struct {
        const char *line;
        bool good;
        unsigned minor, status;
        const char *target;
    } cases[] = {
        {"GET / HTTP/1.1", true, 1, 0, "/"},
        {"GET / HTTP/1.0", true, 0, 0, "/"},
        {"OPTIONS * HTTP/1.1", true, 1, 0, "*"},
        {"CONNECT example.com:443 HTTP/1.1", true, 1, 0, "example.com:443"},
        {"GET http://example.com:8080/a?b HTTP/1.1", true, 1, 0, "http://example.com:8080/a?b"},
        {"VERSION-CONTROL / HTTP/1.1", true, 1, 0, "/"},
        {"HTTP/1.1 200 OK", true, 1, 200, NULL},
        {"HTTP/1.0 503 Service Unavailable", true, 0, 503, NULL},
        {"HTTP/1.1 200 ", true, 1, 200, NULL},
        {"HTTP/1.1 200", true, 1, 200, NULL},
        {"HTTP/1.1 100 Continue", true, 1, 100, NULL},
        {"HTTP/1.1 999 x", true, 1, 999, NULL},
        {"HTTP/1.1 099 x", false, 0, 0, NULL},
        {"HTTP/1.1 20 OK", false, 0, 0, NULL},
        {"HTTP/1.1 2000 OK", false, 0, 0, NULL},
        {"HTTP/1.1 OK", false, 0, 0, NULL},
        {"HTTP/1.1", false, 0, 0, NULL},
        {"HTTP/1x1 200 OK", false, 0, 0, NULL},
        {"GET /", false, 0, 0, NULL},
        {"GET HTTP/1.1", false, 0, 0, NULL},
        {"GET / HTTP/1", false, 0, 0, NULL},
        {"GET / FTP/1.1", false, 0, 0, NULL},
        {" GET / HTTP/1.1", false, 0, 0, NULL},
        {"G(T / HTTP/1.1", false, 0, 0, NULL},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup_printf("%s\r\n\r\n", cases[i].line);
        WslHead head;
        size_t used;
        WslHeadResult result = parse(text, strlen(text), &head, &used);
        if (result != (cases[i].good ? WSL_HEAD_COMPLETE : WSL_HEAD_INVALID))
            g_error("\"%s\": %d", cases[i].line, result);
        if (!cases[i].good)
            continue;
        g_assert_cmpuint(head.minor, ==, cases[i].minor);
        g_assert_cmpuint(head.status, ==, cases[i].status);
        g_assert_cmpint(head.request, ==, cases[i].status == 0);
        if (cases[i].target)
            assert_span(head.target, cases[i].target);
    }
}

static void test_lines_without_a_colon_or_a_name_are_invalid(void)
{
    static const char *const fields[] = {"nonsense", ": value"};
    WslHead head;
    size_t used;

    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        g_autofree char *text = g_strdup_printf("GET / HTTP/1.1\r\n%s\r\n\r\n", fields[i]);
        g_assert_cmpint(parse(text, strlen(text), &head, &used), ==, WSL_HEAD_INVALID);
    }
    static const char binary[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    g_assert_cmpint(parse(binary, sizeof binary - 1, &head, &used), ==, WSL_HEAD_INVALID);
}

static void test_values_lose_the_white_space_around_them(void)
{
    WslHead head = parsed("GET / HTTP/1.1\r\nA:b\r\nB: \t c d \t\r\nC:\r\nD:   \r\nE: a:b\r\n\r\n");

    assert_span(wsl_head_field(&head, "A"), "b");
    assert_span(wsl_head_field(&head, "B"), "c d");
    assert_span(wsl_head_field(&head, "C"), "");
    assert_span(wsl_head_field(&head, "D"), "");
    assert_span(wsl_head_field(&head, "E"), "a:b");
}

/* RFC 9112 §5.2 */
static void test_folded_fields(void)
{
    WslHead head = parsed(
        "GET / HTTP/1.1\r\nUpgrade:\r\n websocket\r\nConnection: keep-alive,\r\n\tUpgrade\r\n"
        "Sec-WebSocket-Extensions: a; x=1,\r\n  permessage-deflate;\r\n client_max_window_bits\r\nHost: h\r\n\r\n");

    g_assert_cmpuint(head.field_count, ==, 4);
    assert_span(wsl_head_field(&head, "Upgrade"), "websocket");
    g_assert_true(wsl_list_holds(&head, "Upgrade", "WebSocket"));
    g_assert_true(wsl_list_holds(&head, "Connection", "upgrade"));
    assert_span(wsl_head_field(&head, "Host"), "h");
    WslListWalk walk = wsl_list_begin(&head, "Sec-WebSocket-Extensions");
    WslSpan element;
    g_assert_true(wsl_list_next(&walk, &element));
    assert_span(element, "a; x=1");
    g_assert_true(wsl_list_next(&walk, &element));
    g_assert_true(g_str_has_prefix(element.bytes, "permessage-deflate;"));
    g_assert_false(wsl_list_next(&walk, &element));
}

/* RFC 9110 §5.3, §5.6.1, §5.6.4 */
static void test_lists(void)
{
    WslHead head = parsed("GET / HTTP/1.1\r\nL: a, b,,c ,\r\nOther: x\r\nl: \r\nL: q; v=\"1, \\\"2\"; w,d\r\n\r\n");
    static const char *const expected[] = {"a", "b", "c", "q; v=\"1, \\\"2\"; w", "d"};
    WslListWalk walk = wsl_list_begin(&head, "L");
    WslSpan element;

    g_assert_cmpuint(wsl_head_count(&head, "L"), ==, 3);
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_assert_true(wsl_list_next(&walk, &element));
        assert_span(element, expected[i]);
    }
    g_assert_false(wsl_list_next(&walk, &element));
    g_assert_true(wsl_list_holds(&head, "L", "D"));
    g_assert_false(wsl_list_holds(&head, "L", "2"));
    g_assert_false(wsl_list_holds(&head, "M", "a"));
}

static void test_fields_are_walked_by_name(void)
{
    WslHead head = parsed("GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\na: 3\r\n\r\n");
    WslSpan value;
    size_t at = 0;

    g_assert_true(wsl_head_next(&head, "A", &at, &value));
    assert_span(value, "1");
    g_assert_true(wsl_head_next(&head, "A", &at, &value));
    assert_span(value, "3");
    g_assert_false(wsl_head_next(&head, "A", &at, &value));
    g_assert_cmpuint(wsl_head_count(&head, "A"), ==, 2);
    g_assert_cmpuint(wsl_head_count(&head, "C"), ==, 0);
}

static void test_fields_beyond_the_limit_are_skipped(void)
{
    g_autoptr(GString) text = g_string_new("GET / HTTP/1.1\r\n");

    for (unsigned i = 0; i < WSL_HEAD_FIELDS + 5; i++)
        g_string_append_printf(text, "F%u: %u\r\n", i, i);
    g_string_append(text, "\r\n");
    WslHead head = parsed(text->str);
    g_assert_cmpuint(head.field_count, ==, WSL_HEAD_FIELDS);
    assert_span(wsl_head_field(&head, "F127"), "127");
    g_assert_null(wsl_head_field(&head, "F128").bytes);
}

static void test_what_may_be_a_head(void)
{
    static const struct {
        const char *text;
        bool request, response;
    } cases[] = {{"G", true, false},
                 {"GET", true, false},
                 {"GET ", true, false},
                 {"GET /", true, false},
                 {"VERSION-CONTROL ", true, false},
                 {"H", true, true},
                 {"HTTP", true, true},
                 {"HTTP/", false, true},
                 {"HTTP/1.", false, true},
                 {"HTTP/1.1 101", false, true},
                 {"HTTP/2", false, false},
                 {"get ", false, false},
                 {"\x16\x03", false, false},
                 {"\x81\x05", false, false},
                 {"GET\t", false, false},
                 {"", false, false},
                 {" ", false, false}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const uint8_t *bytes = (const uint8_t *)cases[i].text;
        size_t length = strlen(cases[i].text);
        g_assert_cmpint(wsl_head_may_be_request(bytes, length), ==, cases[i].request);
        g_assert_cmpint(wsl_head_may_be_response(bytes, length), ==, cases[i].response);
    }
}

static void test_spans(void)
{
    WslSpan abc = {"ABC", 3}, empty = {"", 0}, none = {NULL, 0};

    g_assert_true(wsl_span_is(abc, "ABC") && !wsl_span_is(abc, "abc") && !wsl_span_is(abc, "AB"));
    g_assert_true(wsl_span_is_nocase(abc, "abc") && !wsl_span_is_nocase(abc, "abcd"));
    g_assert_true(wsl_span_is(empty, "") && !wsl_span_is(none, ""));
    g_assert_true(wsl_span_equal(abc, abc) && !wsl_span_equal(abc, empty) && !wsl_span_equal(none, none));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/head/rfc/request", test_rfc_request);
    g_test_add_func("/head/rfc/response", test_rfc_response);
    g_test_add_func("/head/incomplete", test_every_shorter_head_is_incomplete);
    g_test_add_func("/head/incomplete/holds", test_an_incomplete_head_holds_what_was_there);
    g_test_add_func("/head/what-follows", test_what_follows_a_head_is_not_its_part);
    g_test_add_func("/head/line-ends", test_bare_lf_and_leading_empty_lines);
    g_test_add_func("/head/start-lines", test_start_lines);
    g_test_add_func("/head/invalid-fields", test_lines_without_a_colon_or_a_name_are_invalid);
    g_test_add_func("/head/white-space", test_values_lose_the_white_space_around_them);
    g_test_add_func("/head/folded", test_folded_fields);
    g_test_add_func("/head/lists", test_lists);
    g_test_add_func("/head/by-name", test_fields_are_walked_by_name);
    g_test_add_func("/head/field-limit", test_fields_beyond_the_limit_are_skipped);
    g_test_add_func("/head/may-be", test_what_may_be_a_head);
    g_test_add_func("/head/spans", test_spans);
    return g_test_run();
}

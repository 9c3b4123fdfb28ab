/*
 * Tests of what is shown of text from the wire: no byte steers a terminal, no credential is readable, all else is.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <string.h>

#include "core/report/safetext.h"

enum { SALT = 42 };

#define B62 "Xk29dmWq81LzP0aY73Qn" /* 20 characters, drawn at random */
#define JWT "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"

typedef struct {
    const char *text;
    const char *expected; /**< with # for each mark */
} RedactCase;

static char *safe(const char *bytes, size_t length)
{
    GString *out = g_string_new(NULL);

    wsl_safe_append(out, bytes, length);
    return g_string_free(out, FALSE);
}

/** `text` redacted, each mark in it replaced by #. */
static char *shown(const char *text)
{
    char *redacted = wsl_redact(text, strlen(text), SALT);
    GRegex *mark = g_regex_new("…[0-9a-f]{4}", G_REGEX_RAW, 0, NULL);
    char *result = g_regex_replace_literal(mark, redacted, -1, 0, "#", 0, NULL);

    g_regex_unref(mark);
    g_free(redacted);
    return result;
}

static void assert_redacted(const RedactCase *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *text = shown(cases[i].text);

        g_assert_cmpstr(text, ==, cases[i].expected);
        g_free(text);
    }
}

static void assert_kept(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *text = wsl_redact(texts[i], strlen(texts[i]), SALT);

        g_assert_cmpstr(text, ==, texts[i]);
        g_free(text);
    }
}

static void test_what_steers_a_terminal_is_shown_as_hex(void)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *expected;
    } cases[] = {
        {"a\\b\"c", 5, "a\\b\"c"},
        {"\x1b[2J\r\n\0\x7f", 8, "\\x1b[2J\\x0d\\x0a\\x00\\x7f"},
        {"\xc2\x85\xc2\x9b\xc2\xa0", 6, "\\xc2\\x85\\xc2\\x9b\xc2\xa0"},
        {"\xd8\x9c\xe2\x80\x8e\xe2\x80\xae\xe2\x81\xa9", 11, "\\xd8\\x9c\\xe2\\x80\\x8e\\xe2\\x80\\xae\\xe2\\x81\\xa9"},
        {"\xe2\x80\xa8\xe2\x80\xa9", 6, "\\xe2\\x80\\xa8\\xe2\\x80\\xa9"},
        {"\xe2\x80\x8d\xe2\x80\xa7\xe2\x80\xaf", 9, "\xe2\x80\x8d\xe2\x80\xa7\xe2\x80\xaf"},
        {"\xff\xc0\xaf\xed\xa0\x80\xf0\x9f\x98", 9, "\\xff\\xc0\\xaf\\xed\\xa0\\x80\\xf0\\x9f\\x98"},
        {"stra\xc3\x9f"
         "e \xf0\x9f\x98\x80",
         12,
         "stra\xc3\x9f"
         "e \xf0\x9f\x98\x80"},
        {"", 0, ""},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *text = safe(cases[i].bytes, cases[i].length);

        g_assert_cmpstr(text, ==, cases[i].expected);
        g_free(text);
    }
}

static void test_values_of_telling_names_are_masked(void)
{
    static const RedactCase cases[] = {
        {"/ws?token=abc&page=12", "/ws?token=#&page=12"},
        {"ToKeN=a;x", "ToKeN=#;x"},
        {"access_token=a&token_type=Bearer", "access_token=#&token_type=Bearer"},
        {"apikey=1 api_key=2 access-key: 3 apiKey=4 key=5", "apikey=# api_key=# access-key: # apiKey=# key=#"},
        {"sig=a&X-Amz-Signature=b&auth=c", "sig=#&X-Amz-Signature=#&auth=#"},
        {"JSESSIONID=a; PHPSESSID=b; connect.sid=c; sid=d", "JSESSIONID=#; PHPSESSID=#; connect.sid=#; sid=#"},
        {"jwt=a password=b passwd=c pwd=d secret=e", "jwt=# password=# passwd=# pwd=# secret=#"},
        {"credential=a,ticket=b,cookie=c,pass=d", "credential=#,ticket=#,cookie=#,pass=#"},
        {"/cb#access_token=abc", "/cb#access_token=#"},
        {"/a;jsessionid=AB1", "/a;jsessionid=#"},
        {"user[password]=a&token[]=b", "user[password]=#&token[]=#"},
        {"auth:hunter2", "auth:#"},
        {"token = abc, x", "token = #, x"},
        {"code=SplxlOBeZQQYbYS6WxSbIA&state=xyz", "code=#&state=xyz"}, /* RFC 6749 §4.1.2 */
        {"/socket.io/?EIO=4&transport=websocket&sid=lv_VI97HAXpY6yYWAAAC",
         "/socket.io/?EIO=4&transport=websocket&sid=#"},
        {"Cookie: a=b; c=d\r\nHost: x", "Cookie: #\r\nHost: x"},
        {"Authorization: Digest username=\"Mufasa\", nc=1", "Authorization: Digest #"},
        {"login:bob\npasscode:hunter2\n", "login:bob\npasscode:#\n"},
    };

    assert_redacted(cases, G_N_ELEMENTS(cases));
}

static void test_encodings_hide_nothing(void)
{
    static const RedactCase cases[] = {
        {"%74oken=abc", "%74oken=#"},
        {"a=1&%2574%256Fken=abc", "a=1&%2574%256Fken=#"},
        {"token%3Dabc%26x=1", "token%3D#%26x=1"},
        {"token=ab%26cd%20ef&x=1", "token=#&x=1"},
        {"next=https%3A%2F%2Fx.org%2F%3Ftoken%3Dabc%26a%3Db&c=d",
         "next=https%3A%2F%2Fx.org%2F%3Ftoken%3D#%26a%3Db&c=d"},
        {"q=%7B%22token%22%3A%22a%26b%22%2C%22n%22%3A1%7D", "q=%7B%22token%22%3A%22#%22%2C%22n%22%3A1%7D"},
        {"{\"u\":\"\\u0022token\\u0022:\\u0022abc\\u0022\"}", "{\"u\":\"\\u0022token\\u0022:\\u0022#\\u0022\"}"},
        {"{\"url\":\"wss:\\/\\/u:p@h\\/x\"}", "{\"url\":\"wss:\\/\\/#@h\\/x\"}"},
        {"?v=" B62 "%2F%2B" B62 "%3D", "?v=#"},
    };

    assert_redacted(cases, G_N_ELEMENTS(cases));
}

static void test_json_strings_are_masked_to_their_end(void)
{
    static const RedactCase cases[] = {
        {"{\"token\":\"abc\",\"user\":\"bob\"}", "{\"token\":\"#\",\"user\":\"bob\"}"},
        {"{\"password\": \"correct horse\", \"n\": 1}", "{\"password\": \"#\", \"n\": 1}"},
        {"{\"token\":\"a\\\"b\\\\\",\"n\":1}", "{\"token\":\"#\",\"n\":1}"},
        {"\"{\\\"token\\\":\\\"a\\\\\\\"b\\\",\\\"n\\\":1}\"", "\"{\\\"token\\\":\\\"#\\\",\\\"n\\\":1}\""},
        {"{\"pin\":1234}", "{\"pin\":#}"},
        {"{\"tokens\": [\"a\", \"b\"], \"n\": [\"c\"]}", "{\"tokens\": [\"#\", \"#\"], \"n\": [\"c\"]}"},
        {"{\"auth\":{\"user\":\"bob\",\"pass\":\"x\"}}", "{\"auth\":{\"user\":\"bob\",\"pass\":\"#\"}}"},
        {"{:password=>\"a b\", :x=>1}", "{:password=>\"#\", :x=>1}"},
        {"{\"token\":\"cut off", "{\"token\":\"#"},
    };

    assert_redacted(cases, G_N_ELEMENTS(cases));
}

static void test_schemes_and_user_info_are_masked(void)
{
    static const RedactCase cases[] = {
        {"Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Authorization: Basic #"}, /* RFC 7617 §2 */
        {"x BEARER mF_9.B5f-4.1JqM, y", "x BEARER #, y"},                                /* RFC 6750 §2.1 */
        {"got 'basic abc123' back", "got 'basic #' back"},
        {"token=Bearer abc&x=1", "token=Bearer #&x=1"},
        {"a=Bearer%20abc&x=1", "a=Bearer%20#&x=1"},
        {"bearer, a1b2c3d4e5f6g7", "bearer, #"},
        {"wss://user:p%40s&s@host.org:8443/x?y=1", "wss://#@host.org:8443/x?y=1"},
        {"https://abc@host, wss%3A%2F%2Fu:p%40h", "https://#@host, wss%3A%2F%2F#%40h"},
        {"http://a:b@c@host/", "http://#@host/"},
    };

    assert_redacted(cases, G_N_ELEMENTS(cases));
}

static void test_random_runs_are_masked_wherever_they_stand(void)
{
    static const RedactCase cases[] = {
        {"/s/0f8fad5b-d9cd-469f-a165-70867728950e/messages", "/s/#/messages"},
        {"/user-0f8fad5b-d9cd-469f-a165-70867728950e", "/user-#"},
        {"/" B62 "/x?v=" B62 "&w=1", "/#/x?v=#&w=1"},
        {"see d41d8cd98f00b204e9800998ecf8427e.", "see #."}, /* RFC 1321's MD5 of nothing */
        {"x " JWT " y", "x # y"},
        {"(" JWT ").", "(#)."},
        {"base64url.bearer.authorization.k8s.io.ZXlKaGJHY2lPaUpJVXpJMU5pSjk, v4.channel.k8s.io",
         "base64url.bearer.authorization.k8s.io.#, v4.channel.k8s.io"},
        {"xoxb-123456789012-AbCdEfGhIj", "#"},
        {"id AKIAIOSFODNN7EXAMPLE/20231104/us-east-1", "id #/20231104/us-east-1"}, /* the key of AWS's documentation */
        {"key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "key #"},                 /* and its secret */
        {"dGhlIHNhbXBsZSBub25jZQ==", "#"},                                         /* RFC 6455 §1.3 */
    };

    assert_redacted(cases, G_N_ELEMENTS(cases));
}

static void test_names_that_only_look_telling_keep_their_values(void)
{
    static const char *const texts[] = {
        "keyboard=de",
        "monkey=1",
        "page=12",
        "author=smith&authority=x",
        "a design=5, signal=9, inside=3, sidecar=2, passive=1",
        "status_code=503 code=1006 zipcode=12345",
        "token=undefined&auth=null",
        "Unauthorized: no access",
        "Bearer realm=\"x\", error=\"invalid_token\"",
        "Bearer token required",
        "Basic auth failed",
        "auth.example.com:8443",
        "wss://session-gateway:8080/path",
        "Host: token.svc.cluster.local:80",
        "max-age=31536000; includeSubDomains",
        "someone@example.org wrote",
        "https://medium.com/@someone/an-article",
    };

    assert_kept(texts, G_N_ELEMENTS(texts));
}

static void test_ordinary_text_is_left_alone(void)
{
    static const char *const texts[] = {
        "",
        "Going away",
        "/socket.io/?EIO=4&transport=websocket&t=1700000000000",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.109 Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2_1 like Mac OS X) AppleWebKit/605.1.15 Version/17.2 Mobile/15E148",
        "Dalvik/2.1.0 (Linux; U; Android 11; SM-G991B Build/RP1A.200720.012)",
        "python-websockets/11.0.3 CPython/3.11.4",
        "permessage-deflate; server_no_context_takeover; client_max_window_bits=15",
        "10.0.0.1:443 [2001:db8:85a3:8d3:1319:8a2e:370:7348]:443",
        "2023-11-04T12:33:00.123456Z 20231104T123300Z",
        "ec2-52-23-191-33.compute-1.amazonaws.com",
        "websocket-gateway-7d9f8b6c5d-x2k4p.prod.svc.cluster.local",
        "/static/js/main.8f3b2a1c.chunk.js",
        "/api/v2/organizations/acme-corp/internationalization-service/subscriptions",
        "/stream?streams=btcusdt@aggTrade/ethusdt@bookTicker/order-book-l2-BTC-USDT-PERP@100ms",
        "/v1/realtime?model=gpt-4o-realtime-preview-2024-12-17",
        "/wiki/%E4%BD%A0%E5%A5%BD%E4%B8%96%E7%95%8C",
        "graphql-transport-ws, v12.stomp, mqttv3.1",
        "getUserPreferencesByIdAndTimestamp com.example.service.NotificationDispatcher",
        "SERVER_SHUTDOWN_IN_PROGRESS_RETRY_LATER",
        "x=3.141592653589793238",
        "\xff\xc3\x9f%zz%4",
    };

    assert_kept(texts, G_N_ELEMENTS(texts));
}

static void test_equal_credentials_get_equal_marks(void)
{
    char *pair = wsl_redact("token=hunter2", 13, SALT);
    char *again = wsl_redact("Bearer hunter2", 14, SALT);
    char *other = wsl_redact("token=hunter3", 13, SALT);
    char *salted = wsl_redact("token=hunter2", 13, SALT + 1);

    g_assert_cmpuint(strlen(pair), ==, strlen("token=…0000"));
    g_assert_cmpstr(pair + strlen("token="), ==, again + strlen("Bearer "));
    g_assert_cmpstr(pair, !=, other);
    g_assert_cmpstr(pair, !=, salted);
    g_free(pair);
    g_free(again);
    g_free(other);
    g_free(salted);
}

/* Of n values in 65 536 places, n²/131 072 pairs meet: 30 of 2 000, more than 70 practically never. */
static void test_marks_are_spread_evenly(void)
{
    enum { VALUES = 2000, MEET_MAX = 70 };
    GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (unsigned i = 0; i < VALUES; i++) {
        char *text = g_strdup_printf("token=%u", i);

        g_hash_table_add(seen, wsl_redact(text, strlen(text), SALT));
        g_free(text);
    }
    g_assert_cmpuint(g_hash_table_size(seen), >=, VALUES - MEET_MAX);
    g_hash_table_unref(seen);
}

static void test_redacting_twice_changes_nothing_more(void)
{
    static const char text[] = "/s/" B62 "?token=abc&v=" JWT " wss://u:p@h/ Bearer x1";
    char *once = wsl_redact(text, strlen(text), SALT);
    char *twice = wsl_redact(once, strlen(once), SALT);

    g_assert_cmpstr(twice, ==, once);
    g_free(once);
    g_free(twice);
}

static void test_nothing_is_read_beyond_the_length(void)
{
    static const char text[] =
        "a=%74 \\u0074 wss://u@h bearer x {\"token\":[\"a\",\"b\\\\\"]} cookie: a=\"b xoxb-1234567890";

    for (size_t length = 0; length < sizeof text; length++) {
        char *exact = g_memdup2(text, length); /* for the address sanitizer and valgrind */
        char *redacted = wsl_redact(exact, length, SALT);

        g_assert_cmpuint(strlen(redacted), <=, length + 8 * strlen("…0000"));
        g_free(redacted);
        g_free(exact);
    }
}

static void test_what_follows_a_nul_is_not_lost(void)
{
    char *redacted = wsl_redact("a\0b", 3, SALT);

    g_assert_cmpstr(redacted, ==, "a\\x00b");
    g_free(redacted);
}

/* Quadratic time would take seconds for a megabyte; the limit leaves room for sanitizers and busy machines. */
static void test_the_time_is_linear(void)
{
    static const char *const patterns[] = {
        "token=",  "://x@", "bearer+is.", "bearer,\"x", "sk-",  "eyJ-",     "monkey=1&", "{\"token\":\"\\\\\\\"",
        "a.b-",    "=a:b",  "aB3d-",      "%2525",      "%FF",  "basic   ", "[\"",       "token:[\"a\",",
        "author_", "f",     "\\",         "code=\"a",   "://&", "xoxb-",    "' = ",      "cookie:\"a=\"",
    };
    enum { SIZE = 1 << 20, SECONDS_MAX = 2 };
    char *text = g_malloc(SIZE);

    for (size_t i = 0; i < G_N_ELEMENTS(patterns); i++) {
        size_t length = strlen(patterns[i]);
        gint64 start;

        for (size_t k = 0; k < SIZE; k++)
            text[k] = patterns[i][k % length];
        start = g_get_monotonic_time();
        g_free(wsl_redact(text, SIZE, SALT));
        g_assert_cmpint(g_get_monotonic_time() - start, <, SECONDS_MAX * G_USEC_PER_SEC);
    }
    g_free(text);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/safetext/append", test_what_steers_a_terminal_is_shown_as_hex);
    g_test_add_func("/redact/names", test_values_of_telling_names_are_masked);
    g_test_add_func("/redact/encodings", test_encodings_hide_nothing);
    g_test_add_func("/redact/json", test_json_strings_are_masked_to_their_end);
    g_test_add_func("/redact/schemes", test_schemes_and_user_info_are_masked);
    g_test_add_func("/redact/random", test_random_runs_are_masked_wherever_they_stand);
    g_test_add_func("/redact/innocent-names", test_names_that_only_look_telling_keep_their_values);
    g_test_add_func("/redact/ordinary", test_ordinary_text_is_left_alone);
    g_test_add_func("/redact/equal", test_equal_credentials_get_equal_marks);
    g_test_add_func("/redact/spread", test_marks_are_spread_evenly);
    g_test_add_func("/redact/twice", test_redacting_twice_changes_nothing_more);
    g_test_add_func("/redact/length", test_nothing_is_read_beyond_the_length);
    g_test_add_func("/redact/nul", test_what_follows_a_nul_is_not_lost);
    g_test_add_func("/redact/time", test_the_time_is_linear);
    return g_test_run();
}

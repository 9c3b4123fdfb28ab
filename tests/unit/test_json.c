/*
 * Tests of the JSON writer: its output is read by json-glib, or compared with what RFC 8259 and the Unicode Standard say.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <float.h>
#include <json-glib/json-glib.h>
#include <locale.h>
#include <math.h>

#include "core/report/json.h"

#define FFFD "\xef\xbf\xbd"

typedef struct {
    const char *bytes;
    size_t length;
    const char *expected;
} TextCase;

#define TEXT(bytes, expected)                                                                                          \
    {                                                                                                                  \
        bytes, sizeof(bytes) - 1, expected                                                                             \
    }

/** What the writer makes of one string, without its quotes. */
static char *written_text(const char *bytes, size_t length)
{
    GString *out = g_string_new(NULL);
    WslJson json;

    wsl_json_init(&json, out, 0);
    wsl_json_text(&json, bytes, length);
    g_assert_cmpuint(out->len, >=, 2);
    g_assert_cmpint(out->str[0], ==, '"');
    g_assert_cmpint(out->str[out->len - 1], ==, '"');
    g_string_truncate(out, out->len - 1);
    g_string_erase(out, 0, 1);
    return g_string_free(out, FALSE);
}

static void assert_texts(const TextCase *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *text = written_text(cases[i].bytes, cases[i].length);

        g_assert_cmpstr(text, ==, cases[i].expected);
        g_free(text);
    }
}

/* Unicode 15.0 §3.9: tables 3-8 to 3-11 and the example before them. */
static void test_ill_formed_parts_are_replaced_as_unicode_says(void)
{
    static const TextCase cases[] = {
        TEXT("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A"),
        TEXT("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A"),
        TEXT("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", FFFD FFFD FFFD FFFD FFFD "A" FFFD FFFD "B"),
        TEXT("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", FFFD FFFD FFFD FFFD "A"),
        TEXT("\x61\xf1\x80\x80\xe1\x80\xc2\x62\x80\x63\x80\xbf\x64", "a" FFFD FFFD FFFD "b" FFFD "c" FFFD FFFD "d"),
        TEXT("\xf0\x9f\x98", FFFD),
        TEXT("\xf5\x80", FFFD FFFD),
    };

    assert_texts(cases, G_N_ELEMENTS(cases));
}

static void test_what_steers_is_escaped(void)
{
    static const TextCase cases[] = {
        TEXT("\"\\/", "\\\"\\\\/"),
        TEXT("\0\x1f\n\x7f", "\\u0000\\u001f\\u000a\\u007f"),
        TEXT("\xc2\x80\xc2\x9f\xc2\xa0", "\\u0080\\u009f\xc2\xa0"),
        TEXT("\xd8\x9c\xe2\x80\x8d\xe2\x80\x8e\xe2\x80\x8f", "\\u061c\xe2\x80\x8d\\u200e\\u200f"),
        TEXT("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xae\xe2\x80\xaf",
             "\xe2\x80\xa7\\u2028\\u2029\\u202e\xe2\x80\xaf"),
        TEXT("\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa", "\\u2066\\u2069\xe2\x81\xaa"),
        TEXT("", ""),
    };

    assert_texts(cases, G_N_ELEMENTS(cases));
}

static void test_every_code_point_comes_back(void)
{
    for (gunichar code = 0; code <= 0x10ffff; code++) {
        char bytes[8];
        int length;
        char *text;

        if (!g_unichar_validate(code) || code == '"' || code == '\\')
            continue;
        length = g_unichar_to_utf8(code, bytes);
        bytes[length] = '\0';
        text = written_text(bytes, (size_t)length);
        if (text[0] == '\\') {
            g_assert_cmpuint(strtoul(text + 2, NULL, 16), ==, code);
            g_assert_cmpuint(strlen(text), ==, strlen("\\uNNNN"));
        } else {
            g_assert_cmpstr(text, ==, bytes);
        }
        g_free(text);
    }
}

static void write_sample(WslJson *json)
{
    wsl_json_object(json);
    wsl_json_put_string(json, "a\"b", "x");
    wsl_json_put_uint(json, "n", UINT64_MAX);
    wsl_json_put_bool(json, "yes", true);
    wsl_json_put_seconds(json, "t", 1500000000);
    wsl_json_key(json, "list");
    wsl_json_array(json);
    wsl_json_int(json, -1);
    wsl_json_array(json);
    wsl_json_array_end(json);
    wsl_json_object(json);
    wsl_json_object_end(json);
    wsl_json_bool(json, false);
    wsl_json_array_end(json);
    wsl_json_object_end(json);
}

static void assert_sample(const char *expected, unsigned indent)
{
    GString *out = g_string_new("before ");
    WslJson json;

    wsl_json_init(&json, out, indent);
    write_sample(&json);
    g_assert_cmpstr(out->str + strlen("before "), ==, expected);
    g_string_free(out, TRUE);
}

/* The forms are those of CONTRACT.md's ndjson and of `python3 -m json.tool --indent 2`. */
static void test_both_forms_look_as_usual(void)
{
    assert_sample("{\"a\\\"b\": \"x\", \"n\": 18446744073709551615, \"yes\": true, \"t\": 1.5, "
                  "\"list\": [-1, [], {}, false]}",
                  0);
    assert_sample("{\n  \"a\\\"b\": \"x\",\n  \"n\": 18446744073709551615,\n  \"yes\": true,\n  \"t\": 1.5,\n"
                  "  \"list\": [\n    -1,\n    [],\n    {},\n    false\n  ]\n}",
                  2);
}

static void test_a_parser_reads_what_was_written(void)
{
    static const char text[] = "q\"b\\s/\t\xe2\x80\xa8\xf0\x9f\x98\x80";
    GString *out = g_string_new(NULL);
    JsonParser *parser = json_parser_new();
    JsonObject *object;
    WslJson json;

    wsl_json_init(&json, out, 2);
    wsl_json_object(&json);
    wsl_json_put_string(&json, text, text);
    wsl_json_key(&json, "min");
    wsl_json_int(&json, INT64_MIN);
    wsl_json_key(&json, "small");
    wsl_json_number(&json, -1.25e-7);
    wsl_json_put_bool(&json, "no", false);
    wsl_json_object_end(&json);
    g_assert_true(json_parser_load_from_data(parser, out->str, (gssize)out->len, NULL));
    object = json_node_get_object(json_parser_get_root(parser));
    g_assert_cmpuint(json_object_get_size(object), ==, 4);
    g_assert_cmpstr(json_object_get_string_member(object, text), ==, text);
    g_assert_cmpint(json_object_get_int_member(object, "min"), ==, INT64_MIN);
    g_assert_cmpfloat(json_object_get_double_member(object, "small"), ==, -1.25e-7);
    g_assert_false(json_object_get_boolean_member(object, "no"));
    g_object_unref(parser);
    g_string_free(out, TRUE);
}

static void test_the_caller_may_flush_between_calls(void)
{
    GString *out = g_string_new(NULL);
    GString *flushed = g_string_new(NULL);
    WslJson json;

    wsl_json_init(&json, out, 0);
    wsl_json_array(&json);
    for (unsigned i = 0; i < 3; i++) {
        g_string_append(flushed, out->str);
        g_string_truncate(out, 0);
        wsl_json_uint(&json, i);
    }
    wsl_json_array_end(&json);
    g_string_append(flushed, out->str);
    g_assert_cmpstr(flushed->str, ==, "[0, 1, 2]");
    g_string_free(out, TRUE);
    g_string_free(flushed, TRUE);
}

static void test_the_deepest_nesting_works(void)
{
    GString *out = g_string_new(NULL);
    JsonParser *parser = json_parser_new();
    WslJson json;

    wsl_json_init(&json, out, 1);
    for (unsigned i = 0; i < WSL_JSON_DEPTH_MAX; i++)
        wsl_json_array(&json);
    for (unsigned i = 0; i < WSL_JSON_DEPTH_MAX; i++)
        wsl_json_array_end(&json);
    g_assert_true(json_parser_load_from_data(parser, out->str, (gssize)out->len, NULL));
    g_object_unref(parser);
    g_string_free(out, TRUE);
}

static void test_seconds_keep_their_nanoseconds(void)
{
    static const struct {
        int64_t nanoseconds;
        const char *expected;
    } cases[] = {
        {0, "0.0"},
        {1, "0.000000001"},
        {-1, "-0.000000001"},
        {-1500000000, "-1.5"},
        {1000000000, "1.0"},
        {10, "0.00000001"},
        {1795471757123456789, "1795471757.123456789"},
        {INT64_MAX, "9223372036.854775807"},
        {INT64_MIN, "-9223372036.854775808"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GString *out = g_string_new(NULL);
        WslJson json;

        wsl_json_init(&json, out, 0);
        wsl_json_seconds(&json, cases[i].nanoseconds);
        g_assert_cmpstr(out->str, ==, cases[i].expected);
        g_string_free(out, TRUE);
    }
}

static void assert_number(double value, const char *expected)
{
    GString *out = g_string_new(NULL);
    WslJson json;

    wsl_json_init(&json, out, 0);
    wsl_json_number(&json, value);
    g_assert_cmpstr(out->str, ==, expected);
    g_string_free(out, TRUE);
}

static void test_numbers_have_six_digits_and_no_more(void)
{
    assert_number(0, "0");
    assert_number(-0.0, "0");
    assert_number(1, "1");
    assert_number(-3, "-3");
    assert_number(0.1, "0.1");
    assert_number(-2.5, "-2.5");
    assert_number(0.25, "0.25");
    assert_number(1.0 / 3, "0.333333");
    assert_number(200.0 / 3, "66.6667");
    assert_number(0.0001, "0.0001");
    assert_number(0.000125, "0.000125");
    assert_number(0.00001, "1e-5");
    assert_number(0.99999999, "1");
    assert_number(999999, "999999");
    assert_number(999999.5, "1000000");
    assert_number(1234567, "1234570");
    assert_number(-1234567.89, "-1234570");
    assert_number(1e6, "1000000");
    assert_number(1e15, "1000000000000000");
    assert_number(1e16, "1e16");
    assert_number(-1.5e300, "-1.5e300");
    assert_number(DBL_MAX, "1.79769e308");
    assert_number(DBL_TRUE_MIN, "4.94066e-324");
    assert_number(INFINITY, "0");
    assert_number(-INFINITY, "0");
    assert_number(NAN, "0");
}

/* %.6g of the C library is the reference for the value that is written. */
static void test_numbers_equal_those_of_printf(void)
{
    for (unsigned i = 0; i < 100000; i++) {
        double value = ldexp(g_test_rand_double_range(-1, 1), g_test_rand_int_range(-100, 100));
        char text[64];
        GString *out = g_string_new(NULL);
        WslJson json;

        wsl_json_init(&json, out, 0);
        wsl_json_number(&json, value);
        g_ascii_formatd(text, sizeof text, "%.6g", value);
        g_assert_cmpfloat(g_ascii_strtod(out->str, NULL), ==, g_ascii_strtod(text, NULL));
        g_string_free(out, TRUE);
    }
}

static void test_a_locale_with_commas_changes_nothing(void)
{
    static const char *const locales[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    bool found = false;

    for (size_t i = 0; i < G_N_ELEMENTS(locales) && !found; i++)
        found = setlocale(LC_ALL, locales[i]) != NULL;
    if (!found) {
        g_test_skip("no locale with a decimal comma is installed");
        return;
    }
    assert_number(1.5, "1.5");
    assert_number(1234567, "1234570");
    setlocale(LC_ALL, "C");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/ill-formed", test_ill_formed_parts_are_replaced_as_unicode_says);
    g_test_add_func("/json/escapes", test_what_steers_is_escaped);
    g_test_add_func("/json/code-points", test_every_code_point_comes_back);
    g_test_add_func("/json/forms", test_both_forms_look_as_usual);
    g_test_add_func("/json/parser", test_a_parser_reads_what_was_written);
    g_test_add_func("/json/flush", test_the_caller_may_flush_between_calls);
    g_test_add_func("/json/depth", test_the_deepest_nesting_works);
    g_test_add_func("/json/seconds", test_seconds_keep_their_nanoseconds);
    g_test_add_func("/json/numbers", test_numbers_have_six_digits_and_no_more);
    g_test_add_func("/json/numbers-printf", test_numbers_equal_those_of_printf);
    g_test_add_func("/json/locale", test_a_locale_with_commas_changes_nothing);
    return g_test_run();
}

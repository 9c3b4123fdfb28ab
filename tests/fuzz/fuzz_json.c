/*
 * Fuzzes the JSON writer: the bytes are a program of calls; whatever they are, json-glib must read the result.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <json-glib/json-glib.h>
#include <stdlib.h>
#include <string.h>

#include "core/report/json.h"

enum { DEPTH_MAX = 8, TEXT_MAX = 31 };

typedef struct {
    WslJson json;
    bool in_object[DEPTH_MAX + 1];
    unsigned depth;
    const uint8_t *data;
    size_t size;
    size_t values; /**< of the root */
} Program;

static void require(bool holds)
{
    if (!holds)
        abort();
}

static uint64_t take_number(Program *p)
{
    uint64_t number = 0;
    size_t size = MIN(p->size, sizeof number);

    memcpy(&number, p->data, size);
    p->data += size;
    p->size -= size;
    return number;
}

/** A copy of the next bytes, for the caller to free; their number is the first of them. */
static char *take_text(Program *p, size_t *length)
{
    char *text;

    *length = p->size == 0 ? 0 : MIN(*p->data & TEXT_MAX, p->size - 1);
    text = g_malloc(*length + 1);
    if (p->size > 0) {
        memcpy(text, p->data + 1, *length);
        p->data += *length + 1;
        p->size -= *length + 1;
    }
    text[*length] = '\0';
    return text;
}

static void write_key(Program *p)
{
    size_t length;
    char *key = take_text(p, &length);

    wsl_json_key(&p->json, key);
    g_free(key);
}

static void open_nest(Program *p, bool object)
{
    if (p->depth == DEPTH_MAX)
        wsl_json_bool(&p->json, true);
    else if (object)
        wsl_json_object(&p->json);
    else
        wsl_json_array(&p->json);
    if (p->depth < DEPTH_MAX)
        p->in_object[++p->depth] = object;
}

static void close_nest(Program *p)
{
    if (p->in_object[p->depth])
        wsl_json_object_end(&p->json);
    else
        wsl_json_array_end(&p->json);
    p->depth--;
}

static void write_text(Program *p)
{
    size_t length;
    char *text = take_text(p, &length);
    char *exact = g_memdup2(text, length);

    wsl_json_text(&p->json, exact, length);
    g_free(exact);
    g_free(text);
}

static void write_double(Program *p)
{
    uint64_t bits = take_number(p);
    double value;

    memcpy(&value, &bits, sizeof value);
    wsl_json_number(&p->json, value);
}

static void step(Program *p)
{
    enum { END, OBJECT, ARRAY, TEXT, UNSIGNED, SIGNED, SECONDS, DOUBLE, STEPS };
    unsigned what = *p->data++ % STEPS;

    p->size--;
    if (what == END && p->depth > 1)
        close_nest(p);
    if (what == END)
        return;
    if (p->in_object[p->depth])
        write_key(p);
    p->values += p->depth == 1 ? 1 : 0;
    if (what == OBJECT || what == ARRAY)
        open_nest(p, what == OBJECT);
    else if (what == TEXT)
        write_text(p);
    else if (what == UNSIGNED)
        wsl_json_uint(&p->json, take_number(p) >> 1); /* json-glib has no more bits */
    else if (what == SIGNED)
        wsl_json_int(&p->json, (int64_t)take_number(p));
    else if (what == SECONDS)
        wsl_json_seconds(&p->json, (int64_t)take_number(p));
    else
        write_double(p);
}

static void check(const GString *out, size_t values)
{
    JsonParser *parser = json_parser_new();

    require(g_utf8_validate_len(out->str, out->len, NULL));
    for (size_t i = 0; i < out->len; i++)
        require((uint8_t)out->str[i] >= 0x20 && out->str[i] != 0x7f);
    require(json_parser_load_from_data(parser, out->str, (gssize)out->len, NULL));
    require(json_array_get_length(json_node_get_array(json_parser_get_root(parser))) == values);
    g_object_unref(parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GString *out = g_string_new(NULL);
    Program p = {.data = data, .size = size};

    wsl_json_init(&p.json, out, 0);
    open_nest(&p, false);
    while (p.size > 0)
        step(&p);
    while (p.depth > 0)
        close_nest(&p);
    check(out, p.values);
    g_string_free(out, TRUE);
    return 0;
}

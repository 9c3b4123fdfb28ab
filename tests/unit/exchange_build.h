/*
 * An HTTP conversation written as text, for the tests of core/http/exchange.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_TEST_EXCHANGE_BUILD_H
#define WSL_TEST_EXCHANGE_BUILD_H

#include <glib.h>
#include <string.h>

#include "core/http/exchange.h"

enum { NEWS_MAX = 200, HEAD_LIMIT = 1000 };

#define UPGRADE_REQUEST                                                                                                \
    "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                  \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
#define UPGRADE_RESPONSE                                                                                               \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                                \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

/** News that was told; texts are copied out of the head. */
typedef struct {
    WslNewsType type;
    bool upgrade, maybe, cut;
    unsigned status;
    char method[16], target[64];
    WslPacketNo begun_in, complete_in;
    WslTime begun, complete;
} Told;

typedef struct {
    WslHead scratch;
    WslExchange *exchange;
    Told told[NEWS_MAX];
    unsigned count;
    WslPacketNo packet; /**< of the next piece */
    bool request_may_come;
} Talk;

static inline Talk *talk_new(void)
{
    Talk *talk = g_new0(Talk, 1);

    talk->exchange = wsl_exchange_new(&talk->scratch, HEAD_LIMIT);
    talk->packet = 1;
    return talk;
}

static inline void talk_free(Talk *talk)
{
    wsl_exchange_free(talk->exchange);
    g_free(talk);
}

static inline void copy_span(char *out, size_t size, WslSpan span)
{
    if (span.bytes)
        g_strlcpy(out, span.bytes, MIN(size, span.length + 1));
}

static inline void note(Talk *talk, const WslNews *news)
{
    g_assert_cmpuint(talk->count, <, NEWS_MAX);
    Told *told = &talk->told[talk->count++];
    *told = (Told){.type = news->type, .upgrade = news->upgrade, .maybe = news->maybe_upgrade};
    if (news->type == WSL_NEWS_FOREIGN)
        return;
    told->cut = news->head->cut;
    told->status = news->head->status;
    told->begun_in = news->begun_in;
    told->complete_in = news->complete_in;
    told->begun = news->begun;
    told->complete = news->complete;
    copy_span(told->method, sizeof told->method, news->head->method);
    copy_span(told->target, sizeof told->target, news->head->target);
}

/** Offers a piece until all of it is taken, or it must wait, or it turned out not to be HTTP. Returns what was taken. */
static inline uint64_t offer(Talk *talk, bool client, const char *bytes, uint64_t length, WslHole hole)
{
    g_autofree uint8_t *copy = bytes ? g_memdup2(bytes, (gsize)length) : NULL;
    WslPiece piece = {.packet = talk->packet, .time = (WslTime)talk->packet * WSL_SECOND, .hole = hole};
    uint64_t at = 0;

    talk->packet++;
    while (at < length) {
        WslNews news;
        piece.data = copy ? copy + at : NULL;
        piece.length = length - at;
        uint64_t taken = wsl_exchange_take(talk->exchange, client, &piece, talk->request_may_come, &news);
        g_assert_cmpuint(taken, <=, piece.length);
        at += taken;
        if (news.type != WSL_NEWS_NONE)
            note(talk, &news);
        if (news.type == WSL_NEWS_FOREIGN || (!taken && news.type == WSL_NEWS_NONE))
            break;
    }
    return at;
}

/** All of it must be taken. */
static inline void say(Talk *talk, bool client, const char *text)
{
    g_assert_cmpuint(offer(talk, client, text, strlen(text), WSL_HOLE_NONE), ==, strlen(text));
}

static inline void hole(Talk *talk, bool client, uint64_t length, WslHole kind)
{
    g_assert_cmpuint(offer(talk, client, NULL, length, kind), ==, length);
}

#define CLIENT true
#define SERVER false

/** "request GET /a, response 200 …": what was told, for comparing. An upgrade has a "!", a possible one a "?", a cut head a "~". */
static inline char *story(const Talk *talk)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < talk->count; i++) {
        const Told *told = &talk->told[i];
        if (i)
            g_string_append(text, ", ");
        if (told->type == WSL_NEWS_REQUEST)
            g_string_append_printf(text, "%s %s", told->method, told->target);
        else if (told->type == WSL_NEWS_RESPONSE)
            g_string_append_printf(text, "%u", told->status);
        else
            g_string_append(text, "foreign");
        g_string_append_printf(text, "%s%s%s", told->upgrade ? "!" : "", told->maybe ? "?" : "", told->cut ? "~" : "");
    }
    return g_string_free(text, FALSE);
}

#define assert_story(talk, expected)                                                                                   \
    do {                                                                                                               \
        g_autofree char *story_ = story(talk);                                                                         \
        g_assert_cmpstr(story_, ==, expected);                                                                         \
    } while (0)

#endif

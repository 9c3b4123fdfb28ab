/*
 * Fuzz target: HTTP heads, alone and as the conversation of an upgrade, in chunks and with holes.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/http/exchange.h"
#include "core/http/proxy_line.h"
#include "core/http/upgrade.h"
#include "tests/support/build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition) ((condition) ? (void)0 : abort())

enum { HEAD_LIMIT = 4096 };

static void check_span(WslSpan span, const char *bytes, size_t length)
{
    if (span.bytes && span.length)
        CHECK(span.bytes >= bytes && span.bytes + span.length <= bytes + length);
}

static void walk(const WslHead *head)
{
    static const char *const names[] = {"Connection", "Upgrade", "Sec-WebSocket-Extensions", "X-Forwarded-For"};
    WslSpan element;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        WslListWalk list = wsl_list_begin(head, names[i]);
        while (wsl_list_next(&list, &element))
            CHECK(element.length > 0);
        CHECK(wsl_head_count(head, names[i]) <= head->field_count);
    }
}

static void parse_alone(const char *bytes, size_t length)
{
    WslHead head;
    size_t used = 0;
    WslHeadResult result = wsl_head_parse(bytes, length, &head, &used);

    if (result == WSL_HEAD_INVALID)
        return;
    CHECK(head.field_count <= WSL_HEAD_FIELDS);
    check_span(head.method, bytes, length);
    check_span(head.target, bytes, length);
    check_span(head.reason, bytes, length);
    for (size_t i = 0; i < head.field_count; i++) {
        check_span(head.fields[i].name, bytes, length);
        check_span(head.fields[i].value, bytes, length);
    }
    walk(&head);
    if (result == WSL_HEAD_COMPLETE)
        CHECK(used > 0 && used <= length);
}

static void take_news(const WslNews *news, WslUpgrade **upgrade)
{
    if (news->type == WSL_NEWS_REQUEST && (news->upgrade || news->maybe_upgrade)) {
        wsl_upgrade_free(*upgrade);
        *upgrade = wsl_upgrade_new(news->head);
    } else if (news->type == WSL_NEWS_RESPONSE && *upgrade && !((*upgrade)->flags & WSL_UPGRADE_ANSWERED)) {
        wsl_upgrade_answer(*upgrade, news->head);
        for (unsigned fault = 0; fault < WSL_FAULTS; fault++)
            if ((*upgrade)->faults >> fault & 1)
                CHECK(wsl_upgrade_fault_text((WslFault)fault) != NULL);
    }
}

/* Each chunk begins with a byte: side, hole, length. */
static void converse(const uint8_t *data, size_t size)
{
    static WslHead scratch;
    WslExchange *exchange = wsl_exchange_new(&scratch, HEAD_LIMIT);
    WslUpgrade *upgrade = NULL;
    WslNews news = {.type = WSL_NEWS_NONE};
    uint64_t offsets[2] = {0};
    WslPacketNo number = 0;

    while (size && news.type != WSL_NEWS_FOREIGN) {
        bool client = data[0] & 1, hole = (data[0] & 6) == 6;
        size_t length = MIN((size_t)(data[0] >> 3) * 8 + 1, size - 1);
        data++, size--;
        WslPiece piece = {hole ? NULL : data,
                          hole ? length * 50 : length,
                          offsets[client],
                          ++number,
                          0,
                          hole ? WSL_HOLE_LOST : WSL_HOLE_NONE};
        data += length, size -= length;
        while (piece.length && news.type != WSL_NEWS_FOREIGN) {
            uint64_t taken = wsl_exchange_take(exchange, client, &piece, number % 3 == 0, &news);
            CHECK(taken <= piece.length);
            take_news(&news, &upgrade);
            if (!taken && news.type == WSL_NEWS_NONE)
                break;
            piece.length -= taken;
            piece.offset += taken;
            piece.data = piece.data ? piece.data + taken : NULL;
        }
        offsets[client] = piece.offset;
    }
    wsl_upgrade_free(upgrade);
    wsl_exchange_free(exchange);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree uint8_t *exact = test_exact(data, size); /* so that ASan sees the end */
    char *client = NULL;

    parse_alone((const char *)exact, size);
    wsl_proxy_line(exact, size, &client);
    g_free(client);
    converse(exact, size);
    return 0;
}

/*
 * The opening handshake (upgrade.h).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/http/upgrade.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "core/texts.h"

static const char GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
enum { TEXT_MAX = 4096, NONCE_BYTES = 16, NONCE_BASE64 = 24 };

static const char *const fault_texts[WSL_FAULTS] = {
    [WSL_FAULT_METHOD] = "request: the method is not GET",
    [WSL_FAULT_REQUEST_VERSION] = "request: the HTTP version is below 1.1",
    [WSL_FAULT_HOST] = "request: the Host header is missing",
    [WSL_FAULT_REQUEST_UPGRADE] = "request: the Upgrade header does not name websocket",
    [WSL_FAULT_REQUEST_CONNECTION] = "request: the Connection header does not name Upgrade",
    [WSL_FAULT_KEY_MISSING] = "request: Sec-WebSocket-Key is missing",
    [WSL_FAULT_KEY_REPEATED] = "request: Sec-WebSocket-Key appears more than once",
    [WSL_FAULT_KEY_INVALID] = "request: Sec-WebSocket-Key does not decode to 16 bytes",
    [WSL_FAULT_VERSION_MISSING] = "request: Sec-WebSocket-Version is missing",
    [WSL_FAULT_VERSION_OTHER] = "request: Sec-WebSocket-Version is not 13",
    [WSL_FAULT_RESPONSE_VERSION] = "response: the HTTP version is below 1.1",
    [WSL_FAULT_RESPONSE_UPGRADE] = "response: the Upgrade header is missing or does not name websocket",
    [WSL_FAULT_RESPONSE_CONNECTION] = "response: the Connection header does not name Upgrade",
    [WSL_FAULT_ACCEPT_MISSING] = "response: Sec-WebSocket-Accept is missing",
    [WSL_FAULT_SUBPROTOCOL_REPEATED] = "response: Sec-WebSocket-Protocol appears more than once",
};

const char *wsl_upgrade_fault_text(WslFault fault)
{
    return fault_texts[fault];
}

static const char *keep(WslSpan span)
{
    return span.bytes ? wsl_text_keep(span.bytes, MIN(span.length, TEXT_MAX)) : NULL;
}

static char *copy(WslSpan span)
{
    return span.bytes ? g_strndup(span.bytes, MIN(span.length, TEXT_MAX)) : NULL;
}

static void drop(const char **text)
{
    wsl_text_drop(*text);
    *text = NULL;
}

/* All lists of that name in one line, as if the field had come once (RFC 9110 §5.3). */
static const char *keep_list(const WslHead *head, const char *name)
{
    WslListWalk walk = wsl_list_begin(head, name);
    WslSpan element;

    if (!wsl_head_count(head, name))
        return NULL;
    g_autoptr(GString) joined = g_string_new(NULL);
    while (wsl_list_next(&walk, &element) && joined->len < TEXT_MAX)
        g_string_append_printf(joined, "%s%.*s", joined->len ? ", " : "", (int)MIN(element.length, TEXT_MAX),
                               element.bytes);
    return wsl_text_keep(joined->str, joined->len);
}

bool wsl_upgrade_is_request(const WslHead *head)
{
    return wsl_list_holds(head, "Upgrade", "websocket") || wsl_head_field(head, "Sec-WebSocket-Key").bytes;
}

/*
 * The key must be base64 of exactly 16 bytes (§4.1): 22 characters and "==". The four bits that the last one carries beyond
 * them should be zero; decoders need not look at them (RFC 4648 §3.5), so neither does this.
 */
static bool is_nonce(WslSpan key)
{
    if (key.length != NONCE_BASE64 || memcmp(key.bytes + 22, "==", 2) != 0)
        return false;
    for (size_t i = 0; i < 22; i++)
        if (!g_ascii_isalnum(key.bytes[i]) && key.bytes[i] != '+' && key.bytes[i] != '/')
            return false;
    return true;
}

static void blame(WslUpgrade *upgrade, WslFault fault, bool really)
{
    if (really)
        upgrade->faults |= 1U << fault;
}

static void judge_request(WslUpgrade *upgrade, const WslHead *head)
{
    size_t keys = wsl_head_count(head, "Sec-WebSocket-Key");
    WslSpan key = wsl_head_field(head, "Sec-WebSocket-Key"), version = wsl_head_field(head, "Sec-WebSocket-Version");
    bool names = wsl_list_holds(head, "Upgrade", "websocket"), connects = wsl_list_holds(head, "Connection", "Upgrade");

    blame(upgrade, WSL_FAULT_METHOD, !wsl_span_is(head->method, "GET"));
    blame(upgrade, WSL_FAULT_REQUEST_VERSION, head->minor < 1);
    blame(upgrade, WSL_FAULT_KEY_REPEATED, keys > 1);
    blame(upgrade, WSL_FAULT_KEY_INVALID, keys == 1 && !head->cut && !is_nonce(key));
    blame(upgrade, WSL_FAULT_VERSION_OTHER, version.bytes && !wsl_span_is(version, "13") && !head->cut);
    if (head->cut)
        return;
    blame(upgrade, WSL_FAULT_HOST, !wsl_head_count(head, "Host"));
    blame(upgrade, WSL_FAULT_REQUEST_UPGRADE, !names);
    blame(upgrade, WSL_FAULT_REQUEST_CONNECTION, !connects);
    blame(upgrade, WSL_FAULT_KEY_MISSING, !keys);
    blame(upgrade, WSL_FAULT_VERSION_MISSING, !version.bytes);
    if (!names)
        upgrade->flags |= WSL_UPGRADE_LACKS_UPGRADE;
    if (!connects)
        upgrade->flags |= WSL_UPGRADE_LACKS_CONNECTION;
}

static uint64_t hash_of(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325U; /* FNV-1a */

    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3U;
    return hash;
}

/* An absolute target names the host too (RFC 9112 §3.2.2). */
static void take_target(WslUpgrade *upgrade, const WslHead *head)
{
    WslSpan target = head->target, host = wsl_head_field(head, "Host");
    const char *scheme = target.bytes ? g_strstr_len(target.bytes, (gssize)target.length, "://") : NULL;

    if (scheme && target.bytes[0] != '/') {
        const char *begin = scheme + 3, *end = target.bytes + target.length;
        const char *slash = begin;
        while (slash < end && !strchr("/?#", *slash))
            slash++;
        if (slash == end)
            slash = NULL;
        host = (WslSpan){begin, (size_t)((slash ? slash : end) - begin)};
        target = slash ? (WslSpan){slash, (size_t)(end - slash)} : (WslSpan){"/", 1};
    }
    upgrade->host = keep(host);
    upgrade->path = keep(target);
}

static void take_forwarded(WslUpgrade *upgrade, const WslHead *head)
{
    WslListWalk walk = wsl_list_begin(head, "X-Forwarded-For");
    WslSpan first;

    if (wsl_list_next(&walk, &first))
        upgrade->client_named = keep(first);
}

WslUpgrade *wsl_upgrade_new(const WslHead *request)
{
    WslUpgrade *upgrade = g_new0(WslUpgrade, 1);

    upgrade->retry_after_s = -1;
    if (request->cut)
        upgrade->flags |= WSL_UPGRADE_REQUEST_CUT;
    take_target(upgrade, request);
    take_forwarded(upgrade, request);
    upgrade->origin = keep(wsl_head_field(request, "Origin"));
    upgrade->user_agent = keep(wsl_head_field(request, "User-Agent"));
    upgrade->offered_subprotocols = keep_list(request, "Sec-WebSocket-Protocol");
    upgrade->offered_extensions = keep_list(request, "Sec-WebSocket-Extensions");
    upgrade->key = copy(wsl_head_field(request, "Sec-WebSocket-Key"));
    if (upgrade->key && *upgrade->key) {
        upgrade->nonce = hash_of(upgrade->key);
        upgrade->flags |= WSL_UPGRADE_HAS_NONCE;
    }
    judge_request(upgrade, request);
    return upgrade;
}

void wsl_upgrade_name_client(WslUpgrade *upgrade, const char *name)
{
    drop(&upgrade->client_named);
    upgrade->client_named = wsl_text_keep(name, strlen(name));
}

void wsl_upgrade_free(WslUpgrade *upgrade)
{
    if (!upgrade)
        return;
    const char **texts[] = {&upgrade->host,
                            &upgrade->path,
                            &upgrade->origin,
                            &upgrade->user_agent,
                            &upgrade->reason,
                            &upgrade->offered_subprotocols,
                            &upgrade->offered_extensions,
                            &upgrade->subprotocol,
                            &upgrade->extensions,
                            &upgrade->client_named};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        drop(texts[i]);
    g_free(upgrade->key);
    g_free(upgrade->accept);
    g_free(upgrade);
}

char *wsl_upgrade_accept(const char *key, size_t length)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
    guint8 digest[20];
    gsize size = sizeof digest;

    g_checksum_update(sum, (const guchar *)key, (gssize)length);
    g_checksum_update(sum, (const guchar *)GUID, sizeof GUID - 1);
    g_checksum_get_digest(sum, digest, &size);
    return g_base64_encode(digest, size);
}

static void judge_accept(WslUpgrade *upgrade, const WslHead *response)
{
    WslSpan accept = wsl_head_field(response, "Sec-WebSocket-Accept");

    blame(upgrade, WSL_FAULT_ACCEPT_MISSING, !accept.bytes && !response->cut);
    if (!accept.bytes || !upgrade->key ||
        (upgrade->flags & WSL_UPGRADE_REQUEST_CUT && strlen(upgrade->key) < NONCE_BASE64))
        return;
    g_autofree char *expected = wsl_upgrade_accept(upgrade->key, strlen(upgrade->key));
    if (response->cut && accept.length < strlen(expected))
        return;
    upgrade->flags |= WSL_UPGRADE_ACCEPT_KNOWN;
    if (!wsl_span_is(accept, expected)) {
        upgrade->accept = copy(accept);
        return;
    }
    upgrade->flags |= WSL_UPGRADE_ACCEPT_VALID;
    g_clear_pointer(&upgrade->key, g_free);
}

/* The name of an extension: what stands before its parameters. */
static WslSpan extension_name(WslSpan extension)
{
    size_t length = 0;

    while (length < extension.length && extension.bytes[length] != ';' && !g_ascii_isspace(extension.bytes[length]))
        length++;
    return (WslSpan){extension.bytes, length};
}

static bool offered(const char *list, WslSpan name, bool with_parameters)
{
    WslHead head = {.field_count = 1};

    if (!list)
        return false;
    head.fields[0] = (WslField){{"x", 1}, {list, strlen(list)}};
    head.marks[0] = wsl_field_mark("x", 1);
    WslListWalk walk = wsl_list_begin(&head, "x");
    for (WslSpan element; wsl_list_next(&walk, &element);) {
        WslSpan own = with_parameters ? extension_name(element) : element;
        if (with_parameters ? own.length == name.length && !g_ascii_strncasecmp(own.bytes, name.bytes, name.length)
                            : wsl_span_equal(own, name))
            return true;
    }
    return false;
}

static void judge_extensions(WslUpgrade *upgrade, const WslHead *response)
{
    WslListWalk walk = wsl_list_begin(response, "Sec-WebSocket-Extensions");

    upgrade->extensions = keep_list(response, "Sec-WebSocket-Extensions");
    for (WslSpan element; wsl_list_next(&walk, &element);) {
        WslSpan name = extension_name(element);
        if (!(upgrade->flags & WSL_UPGRADE_REQUEST_CUT) && !offered(upgrade->offered_extensions, name, true))
            upgrade->flags |= WSL_UPGRADE_EXTENSION_UNOFFERED;
        if (wsl_span_is_nocase(name, "permessage-deflate"))
            upgrade->flags |= WSL_UPGRADE_DEFLATE;
        else if (wsl_span_is_nocase(name, "x-webkit-deflate-frame") || wsl_span_is_nocase(name, "deflate-frame") ||
                 wsl_span_is_nocase(name, "perframe-deflate"))
            upgrade->flags |= WSL_UPGRADE_FRAME_DEFLATE;
        else
            upgrade->flags |= WSL_UPGRADE_OTHER_EXTENSION;
    }
}

static void judge_subprotocol(WslUpgrade *upgrade, const WslHead *response)
{
    WslSpan selected = wsl_head_field(response, "Sec-WebSocket-Protocol");

    blame(upgrade, WSL_FAULT_SUBPROTOCOL_REPEATED, wsl_head_count(response, "Sec-WebSocket-Protocol") > 1);
    if (!selected.length)
        return;
    upgrade->subprotocol = keep(selected);
    if (!(upgrade->flags & WSL_UPGRADE_REQUEST_CUT) && !response->cut &&
        !offered(upgrade->offered_subprotocols, selected, false))
        upgrade->flags |= WSL_UPGRADE_SUBPROTOCOL_UNOFFERED;
}

static int64_t retry_after(WslSpan value, WslTime now)
{
    if (!value.length || value.length > 40)
        return -1;
    g_autofree char *text = g_strndup(value.bytes, value.length);
    if (strspn(text, "0123456789") == value.length)
        return value.length <= 9 ? g_ascii_strtoll(text, NULL, 10) : -1;
    /* RFC 9110 §5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT" */
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char month[4] = "";
    int day, year, hour, minute, second;
    if (sscanf(text, "%*3s, %2d %3s %4d %2d:%2d:%2d GMT", &day, month, &year, &hour, &minute, &second) != 6)
        return -1;
    const char *found = strstr(months, month);
    if (!found || strlen(month) != 3 || year < 1970 || year > 9999)
        return -1;
    g_autoptr(GDateTime) date = g_date_time_new_utc(year, (int)(found - months) / 3 + 1, day, hour, minute, second);
    return date ? MAX(g_date_time_to_unix(date) - now / WSL_SECOND, 0) : -1;
}

/* A 101 to a protocol that is not WebSocket (Docker's tcp, h2c) is nobody's fault. */
static bool goes_elsewhere(const WslHead *response)
{
    return wsl_head_count(response, "Upgrade") && !wsl_list_holds(response, "Upgrade", "websocket") &&
           wsl_head_field(response, "Upgrade").length > 0;
}

bool wsl_upgrade_answer(WslUpgrade *upgrade, const WslHead *response)
{
    upgrade->flags |= WSL_UPGRADE_ANSWERED | (response->cut ? WSL_UPGRADE_RESPONSE_CUT : 0);
    upgrade->status = response->status;
    upgrade->reason = keep(response->reason);
    if (response->status != 101) {
        upgrade->retry_after_s = retry_after(wsl_head_field(response, "Retry-After"), upgrade->answered);
        return false;
    }
    if (goes_elsewhere(response))
        return false;
    blame(upgrade, WSL_FAULT_RESPONSE_VERSION, response->minor < 1);
    if (!response->cut) {
        blame(upgrade, WSL_FAULT_RESPONSE_UPGRADE, !wsl_list_holds(response, "Upgrade", "websocket"));
        blame(upgrade, WSL_FAULT_RESPONSE_CONNECTION, !wsl_list_holds(response, "Connection", "Upgrade"));
    } else {
        upgrade->flags |= WSL_UPGRADE_EXTENSIONS_UNKNOWN;
    }
    judge_accept(upgrade, response);
    judge_extensions(upgrade, response);
    judge_subprotocol(upgrade, response);
    return true;
}

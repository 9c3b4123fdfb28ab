/*
 * HTTP/1.x heads (head.h).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/http/head.h"

#include <glib.h>
#include <string.h>

enum { METHOD_MAX = 32 };

bool wsl_span_is(WslSpan span, const char *text)
{
    return span.bytes && span.length == strlen(text) && memcmp(span.bytes, text, span.length) == 0;
}

bool wsl_span_is_nocase(WslSpan span, const char *text)
{
    return span.bytes && span.length == strlen(text) && g_ascii_strncasecmp(span.bytes, text, span.length) == 0;
}

bool wsl_span_equal(WslSpan a, WslSpan b)
{
    return a.bytes && b.bytes && a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
}

/* tchar of RFC 9110 §5.6.2 */
static bool is_token_char(char c)
{
    return g_ascii_isalnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static WslSpan trim(const char *begin, const char *end)
{
    while (begin < end && is_space(*begin))
        begin++;
    while (end > begin && is_space(end[-1]))
        end--;
    return (WslSpan){begin, (size_t)(end - begin)};
}

bool wsl_head_may_be_request(const uint8_t *bytes, size_t length)
{
    size_t i = 0;

    while (i < length && i <= METHOD_MAX && g_ascii_isupper((char)bytes[i]))
        i++;
    if (i == 0 || i > METHOD_MAX)
        return false;
    return i == length || bytes[i] == ' ' || ((bytes[i] == '-' || bytes[i] == '_') && i > 2);
}

bool wsl_head_may_be_response(const uint8_t *bytes, size_t length)
{
    return length > 0 && memcmp(bytes, "HTTP/1.1", MIN(length, 7)) == 0;
}

/* The line that begins at `at`: its end without CR, and where the next begins. NULL if its LF is not here. */
static const char *line_end(const char *at, const char *end, const char **next)
{
    const char *lf = memchr(at, '\n', (size_t)(end - at));

    if (!lf)
        return NULL;
    *next = lf + 1;
    return lf > at && lf[-1] == '\r' ? lf - 1 : lf;
}

static bool parse_version(const char *at, const char *end, uint8_t *minor)
{
    if (end - at < 8 || memcmp(at, "HTTP/", 5) != 0 || !g_ascii_isdigit(at[5]) || at[6] != '.' ||
        !g_ascii_isdigit(at[7]))
        return false;
    *minor = at[5] == '1' ? (uint8_t)(at[7] - '0') : 9;
    return true;
}

static bool parse_status_line(const char *at, const char *end, WslHead *head)
{
    if (!parse_version(at, end, &head->minor) || end - at < 12 || at[8] != ' ')
        return false;
    for (int i = 9; i < 12; i++) {
        if (!g_ascii_isdigit(at[i]))
            return false;
        head->status = (uint16_t)(head->status * 10 + (at[i] - '0'));
    }
    if (end - at > 12 && at[12] != ' ')
        return false;
    head->reason = trim(at + 12, end);
    return head->status >= 100;
}

static bool parse_request_line(const char *at, const char *end, WslHead *head)
{
    const char *blank = memchr(at, ' ', (size_t)(end - at)), *last = end;

    head->request = true;
    if (!blank || blank == at || blank - at > METHOD_MAX)
        return false;
    for (const char *c = at; c < blank; c++)
        if (!is_token_char(*c))
            return false;
    while (last > blank && last[-1] != ' ')
        last--;
    if (last - 1 <= blank || !parse_version(last, end, &head->minor))
        return false;
    head->method = (WslSpan){at, (size_t)(blank - at)};
    head->target = trim(blank, last);
    return true;
}

static bool parse_field(const char *at, const char *end, WslHead *head)
{
    const char *colon = memchr(at, ':', (size_t)(end - at));

    if (!colon)
        return false;
    WslSpan name = trim(at, colon);
    if (name.length == 0 || head->field_count == WSL_HEAD_FIELDS)
        return name.length != 0;
    head->marks[head->field_count] = wsl_field_mark(name.bytes, name.length);
    head->fields[head->field_count++] = (WslField){name, trim(colon + 1, end)};
    return true;
}

/* §5.2: a line that begins with white space goes on with the value before it. */
static void extend_last(WslHead *head, const char *end)
{
    if (head->field_count && head->field_count < WSL_HEAD_FIELDS) { /* behind the last one a skipped field may go on */
        WslSpan *value = &head->fields[head->field_count - 1].value;
        *value = trim(value->bytes, end);
    }
}

static WslHeadResult parse_fields(const char *at, const char *end, WslHead *head, const char **after)
{
    const char *next;

    for (const char *stop; (stop = line_end(at, end, &next)); at = next) {
        if (stop == at) {
            *after = next;
            return WSL_HEAD_COMPLETE;
        }
        if (*at == ' ' || *at == '\t')
            extend_last(head, stop);
        else if (!parse_field(at, stop, head))
            return WSL_HEAD_INVALID;
    }
    return WSL_HEAD_INCOMPLETE;
}

WslHeadResult wsl_head_parse(const char *bytes, size_t length, WslHead *head, size_t *used)
{
    const char *end = bytes + length, *next, *start = bytes, *after;

    head->request = head->cut = false;
    head->field_count = 0;
    head->status = 0;
    head->method = head->target = head->reason = (WslSpan){NULL, 0};
    /* RFC 9112 §2.2: empty lines before a start line are to be ignored. */
    while (start < end && (*start == '\r' || *start == '\n'))
        start++;
    const char *stop = line_end(start, end, &next);
    if (!stop) {
        if (end - start >= 12 && memcmp(start, "HTTP/", 5) == 0)
            parse_status_line(start, end, head); /* a line that is cut still tells its status */
        bool may = wsl_head_may_be_request((const uint8_t *)start, (size_t)(end - start)) ||
                   wsl_head_may_be_response((const uint8_t *)start, (size_t)(end - start));
        return may || start == end ? WSL_HEAD_INCOMPLETE : WSL_HEAD_INVALID;
    }
    bool response = stop - start >= 5 && memcmp(start, "HTTP/", 5) == 0;
    if (!(response ? parse_status_line(start, stop, head) : parse_request_line(start, stop, head)))
        return WSL_HEAD_INVALID;
    WslHeadResult result = parse_fields(next, end, head, &after);
    if (result == WSL_HEAD_COMPLETE)
        *used = (size_t)(after - bytes);
    return result;
}

bool wsl_head_next(const WslHead *head, const char *name, size_t *at, WslSpan *value)
{
    size_t length = strlen(name);
    uint32_t mark = wsl_field_mark(name, length);

    for (; *at < head->field_count; ++*at) {
        const WslSpan *own = &head->fields[*at].name;
        if (head->marks[*at] != mark || own->length != length || g_ascii_strncasecmp(own->bytes, name, length) != 0)
            continue;
        *value = head->fields[(*at)++].value;
        return true;
    }
    return false;
}

WslSpan wsl_head_field(const WslHead *head, const char *name)
{
    size_t at = 0;
    WslSpan value = {NULL, 0};

    wsl_head_next(head, name, &at, &value);
    return value;
}

size_t wsl_head_count(const WslHead *head, const char *name)
{
    size_t at = 0, count = 0;
    WslSpan value;

    while (wsl_head_next(head, name, &at, &value))
        count++;
    return count;
}

WslListWalk wsl_list_begin(const WslHead *head, const char *name)
{
    return (WslListWalk){head, name, 0, {NULL, 0}};
}

/* The end of the element at the start of `list`: a comma outside of quotes (RFC 9110 §5.6.4). */
static size_t element_length(WslSpan list)
{
    bool quoted = false;

    for (size_t i = 0; i < list.length; i++) {
        if (list.bytes[i] == '\\' && quoted)
            i++;
        else if (list.bytes[i] == '"')
            quoted = !quoted;
        else if (list.bytes[i] == ',' && !quoted)
            return i;
    }
    return list.length;
}

bool wsl_list_next(WslListWalk *walk, WslSpan *element)
{
    for (;;) {
        if (!walk->rest.length && !wsl_head_next(walk->head, walk->name, &walk->at, &walk->rest))
            return false;
        size_t length = element_length(walk->rest), step = MIN(length + 1, walk->rest.length);
        *element = trim(walk->rest.bytes, walk->rest.bytes + length);
        walk->rest.bytes += step;
        walk->rest.length -= step;
        if (element->length)
            return true;
    }
}

bool wsl_list_holds(const WslHead *head, const char *name, const char *token)
{
    WslListWalk walk = wsl_list_begin(head, name);
    WslSpan element;

    while (wsl_list_next(&walk, &element))
        if (wsl_span_is_nocase(element, token))
            return true;
    return false;
}

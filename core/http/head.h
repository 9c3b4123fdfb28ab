/*
 * HTTP/1.x request and response heads (RFC 9112 §2 to §5), parsed where they lie.
 *
 *   in:   bytes that begin with a start line
 *   out:  a head whose spans lead into those bytes; how long it is, or that it is not complete, or not a head
 *   owns: nothing
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_HTTP_HEAD_H
#define WSL_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WSL_HEAD_FIELDS = 128 };

/** Bytes of somebody else's buffer. `bytes` NULL: not there (an empty value has a pointer). */
typedef struct {
    const char *bytes;
    size_t length;
} WslSpan;

typedef struct {
    WslSpan name;
    WslSpan value; /**< without surrounding white space; a folded value still holds its line ends (§5.2) */
} WslField;

typedef struct {
    bool request;
    bool cut;        /**< the capture lacks its end: a field that is not here may have been */
    uint8_t minor;   /**< HTTP/1.minor; 9 for another major version */
    uint16_t status; /**< of a response */
    WslSpan method;  /**< of a request */
    WslSpan target;
    WslSpan reason;
    size_t field_count; /**< fields beyond WSL_HEAD_FIELDS are skipped */
    WslField fields[WSL_HEAD_FIELDS];
    uint32_t marks[WSL_HEAD_FIELDS]; /**< of the fields' names: equal names have equal ones (wsl_field_mark()) */
} WslHead;

typedef enum {
    WSL_HEAD_COMPLETE,
    WSL_HEAD_INCOMPLETE, /**< more bytes are needed; `head` holds what was there */
    WSL_HEAD_INVALID,    /**< not an HTTP/1.x head */
} WslHeadResult;

/** Parses one head at the start of `bytes`. `*used` is its length with the empty line, when complete. */
WslHeadResult wsl_head_parse(const char *bytes, size_t length, WslHead *head, size_t *used);

/** True if `bytes` may be the start of a request (method, blank) or of a response ("HTTP/"), however short. */
bool wsl_head_may_be_request(const uint8_t *bytes, size_t length);
bool wsl_head_may_be_response(const uint8_t *bytes, size_t length);

/** What tells most names apart without comparing them: length, first, middle and last character, letter case ignored. */
static inline uint32_t wsl_field_mark(const char *name, size_t length)
{
    if (!length)
        return 0;
    return ((uint32_t)length & 0xff) << 24 | ((uint32_t)(uint8_t)name[0] | 0x20) << 16 |
           ((uint32_t)(uint8_t)name[length / 2] | 0x20) << 8 | ((uint32_t)(uint8_t)name[length - 1] | 0x20);
}

/** The value of the first field of that name from index `*at` on (letter case ignored), which then stands behind it. */
bool wsl_head_next(const WslHead *head, const char *name, size_t *at, WslSpan *value);
/** The first one's value, or one with `bytes` NULL. */
WslSpan wsl_head_field(const WslHead *head, const char *name);
/** Number of fields of that name. */
size_t wsl_head_count(const WslHead *head, const char *name);

/** Walks the elements of all comma-separated lists of that name (RFC 9110 §5.6.1); empty elements are skipped. */
typedef struct {
    const WslHead *head;
    const char *name;
    size_t at;
    WslSpan rest;
} WslListWalk;
WslListWalk wsl_list_begin(const WslHead *head, const char *name);
bool wsl_list_next(WslListWalk *walk, WslSpan *element);
/** True if the lists of that name hold `token` (letter case ignored). */
bool wsl_list_holds(const WslHead *head, const char *name, const char *token);

bool wsl_span_is(WslSpan span, const char *text);        /**< exactly */
bool wsl_span_is_nocase(WslSpan span, const char *text); /**< letter case of ASCII ignored */
bool wsl_span_equal(WslSpan a, WslSpan b);

#endif

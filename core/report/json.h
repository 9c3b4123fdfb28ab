/*
 * A streaming JSON writer (RFC 8259): nothing is kept but the nesting. Output is UTF-8.
 *
 * Strings may hold anything: what is not valid UTF-8 becomes U+FFFD (one for each maximal ill-formed part, as the Unicode
 * Standard §3.9 recommends), control characters (C0, DEL, C1), U+2028/2029 and bidirectional controls are escaped as \uNNNN.
 * Times keep their nanoseconds: they are written as decimals, never through a double.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_REPORT_JSON_H
#define WSL_REPORT_JSON_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/packet.h"

enum { WSL_JSON_DEPTH_MAX = 32 };

/** The fields are the writer's own. `indent` 0 writes everything on one line. */
typedef struct {
    GString *out; /**< the caller's */
    unsigned indent;
    unsigned depth;
    bool first[WSL_JSON_DEPTH_MAX];
    bool after_key;
} WslJson;

/** Starts writing at the end of `out`, which the caller keeps and may flush and truncate between any two calls. */
void wsl_json_init(WslJson *json, GString *out, unsigned indent);

void wsl_json_object(WslJson *json);
void wsl_json_object_end(WslJson *json);
void wsl_json_array(WslJson *json);
void wsl_json_array_end(WslJson *json);

/** The name of the next value. Must stand in an object. `key` is a literal or as untrusted as any string. */
void wsl_json_key(WslJson *json, const char *key);

void wsl_json_text(WslJson *json, const char *bytes, size_t length);
void wsl_json_string(WslJson *json, const char *string);
void wsl_json_uint(WslJson *json, uint64_t value);
void wsl_json_int(WslJson *json, int64_t value);
void wsl_json_bool(WslJson *json, bool value);

/** A time or a duration in ns, as seconds with nine digits after the point, trailing zeros left out but one ("0.0", "-1.5"). */
void wsl_json_seconds(WslJson *json, int64_t nanoseconds);

/** A finite number with at most six significant digits, shortest form, never with a locale's comma; others are written as 0. */
void wsl_json_number(WslJson *json, double value);

/** key and value in one call */
void wsl_json_put_string(WslJson *json, const char *key, const char *value);
void wsl_json_put_uint(WslJson *json, const char *key, uint64_t value);
void wsl_json_put_bool(WslJson *json, const char *key, bool value);
void wsl_json_put_seconds(WslJson *json, const char *key, int64_t nanoseconds);

#endif

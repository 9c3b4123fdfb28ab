/*
 * Server endpoints: what begins and ends there, and the figures of those that speak WebSocket.
 *
 * Whether an endpoint speaks WebSocket is often known only after its storm. So a log is kept for each, 16 bytes an entry,
 * from the first packet on, and read when all is known. Endpoints and entries are limited; those that never spoke
 * WebSocket go first.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_ENDPOINT_H
#define WSL_ENDPOINT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/packet.h"

typedef enum {
    WSL_LOG_ATTEMPT,         /**< a client's SYN with a new ISN */
    WSL_LOG_REFUSED,         /**< RST in answer to it */
    WSL_LOG_OPENED,          /**< an upgrade succeeded, or frames without one began */
    WSL_LOG_UPGRADE_REFUSED, /**< `detail`: the status */
    WSL_LOG_OVER,            /**< a WebSocket connection ended; `detail`: WslHow */
} WslLogKind;

typedef struct {
    int64_t time; /**< ns */
    uint32_t who; /**< stream number */
    uint16_t detail;
    uint8_t kind; /**< WslLogKind */
    uint8_t reserved;
} WslLogEntry;
_Static_assert(sizeof(WslLogEntry) == 16, "ten million clients must fit");

enum { WSL_DURATIONS_EXACT = 16 };

/** Durations: exact while there are few, then with 3 % resolution, from 1 µs to days. Zeros are an empty one. */
typedef struct {
    int64_t few[WSL_DURATIONS_EXACT];
    uint32_t *bins; /**< NULL while there are few: most endpoints see no more */
    int64_t most;
    uint64_t count;
} WslDurations;

void wsl_durations_add(WslDurations *durations, int64_t nanoseconds);
/** The lower median, 0 if there is none. */
int64_t wsl_durations_median(const WslDurations *durations);
void wsl_durations_clear(WslDurations *durations);

typedef struct {
    uint32_t address;
    uint16_t port;
    bool ipv6;
    bool speaks;       /**< WebSocket: an upgrade or frames were seen */
    GArray *log;       /**< WslLogEntry; NULL if none */
    GHashTable *hosts; /**< interned text -> count; these are made when it first speaks */
    GHashTable *paths;
    GHashTable *statuses; /**< number -> count */
    GHashTable *close_codes;
    WslDurations upgrades, pings;
    uint64_t connections;
    uint64_t messages[2]; /**< by WslDirection */
    double open_seconds;  /**< summed over connections */
    uint64_t payload_bytes, retransmitted;
} WslEndpoint;

typedef struct WslEndpoints WslEndpoints;

WslEndpoints *wsl_endpoints_new(size_t limit, size_t log_limit);
void wsl_endpoints_free(WslEndpoints *endpoints);

/**
 * The endpoint, made if it is new. NULL beyond the limit. One that neither speaks WebSocket nor has `connections` may be gone
 * at the next call.
 */
WslEndpoint *wsl_endpoint(WslEndpoints *endpoints, uint32_t address, uint16_t port, bool ipv6);
/** From now on it is known to speak WebSocket. */
void wsl_endpoint_speaks(WslEndpoint *endpoint);
void wsl_endpoint_log(WslEndpoints *endpoints, WslEndpoint *endpoint, WslLogKind kind, WslTime time, uint32_t who,
                      unsigned detail);
/** Those that speak WebSocket, in no order. The caller frees the array. */
GPtrArray *wsl_endpoints_speaking(const WslEndpoints *endpoints);
/** True if a limit was reached. */
bool wsl_endpoints_limited(const WslEndpoints *endpoints);

/** Most connections open at once, and most opened in any sliding second, from the log. */
void wsl_endpoint_peaks(const WslEndpoint *endpoint, uint64_t *open_at_most, uint64_t *opened_per_s);

/** Counts one more `key` in a table of direct numbers. */
void wsl_count_number(GHashTable *table, uint64_t key);
/** … of interned texts; new ones only while the table holds fewer than `limit`. */
void wsl_count_text(GHashTable *table, const char *key, size_t limit);

#endif

/*
 * Server endpoints and their logs (endpoint.h).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/endpoint.h"

#include <stdlib.h>
#include <string.h>

struct WslEndpoints {
    GHashTable *table; /* WslEndpoint as its own key */
    size_t limit, log_limit, log_entries;
    WslEndpoint *last; /* that was asked for */
    bool limited;
    bool swept_in_vain;
};

static guint hash(gconstpointer data)
{
    const WslEndpoint *endpoint = data;
    uint64_t mixed =
        ((uint64_t)endpoint->address << 17 ^ endpoint->port ^ (uint64_t)endpoint->ipv6 << 60) * 0x9e3779b97f4a7c15U;

    return (guint)(mixed >> 32);
}

static gboolean equal(gconstpointer a, gconstpointer b)
{
    const WslEndpoint *x = a, *y = b;

    return x->address == y->address && x->port == y->port && x->ipv6 == y->ipv6;
}

static void endpoint_free(gpointer data)
{
    WslEndpoint *endpoint = data;

    if (endpoint->log)
        g_array_free(endpoint->log, TRUE);
    if (endpoint->speaks) {
        g_hash_table_destroy(endpoint->hosts);
        g_hash_table_destroy(endpoint->paths);
        g_hash_table_destroy(endpoint->statuses);
        g_hash_table_destroy(endpoint->close_codes);
    }
    wsl_durations_clear(&endpoint->upgrades);
    wsl_durations_clear(&endpoint->pings);
    g_free(endpoint);
}

WslEndpoints *wsl_endpoints_new(size_t limit, size_t log_limit)
{
    WslEndpoints *endpoints = g_new0(WslEndpoints, 1);

    endpoints->table = g_hash_table_new_full(hash, equal, endpoint_free, NULL);
    endpoints->limit = limit;
    endpoints->log_limit = log_limit;
    return endpoints;
}

void wsl_endpoints_free(WslEndpoints *endpoints)
{
    g_hash_table_destroy(endpoints->table);
    g_free(endpoints);
}

/* A port scan must not push out a server: when there are too many, all that only ever saw attempts are forgotten. */
static gboolean never_spoke(gpointer key, gpointer value, gpointer user)
{
    const WslEndpoint *endpoint = key;
    WslEndpoints *endpoints = user;

    (void)value;
    if (endpoint->speaks || endpoint->connections)
        return FALSE;
    if (endpoint->log)
        endpoints->log_entries -= endpoint->log->len;
    return TRUE;
}

static bool has_room(WslEndpoints *endpoints)
{
    if (g_hash_table_size(endpoints->table) < endpoints->limit)
        return true;
    endpoints->limited = true;
    if (endpoints->swept_in_vain)
        return false;
    endpoints->last = NULL;
    guint removed = g_hash_table_foreach_remove(endpoints->table, never_spoke, endpoints);
    endpoints->swept_in_vain = removed <= endpoints->limit / 16;
    return g_hash_table_size(endpoints->table) < endpoints->limit;
}

WslEndpoint *wsl_endpoint(WslEndpoints *endpoints, uint32_t address, uint16_t port, bool ipv6)
{
    WslEndpoint *endpoint = endpoints->last;

    /* In a storm one server is asked for a million times in a row. */
    if (endpoint && endpoint->address == address && endpoint->port == port && endpoint->ipv6 == ipv6)
        return endpoint;
    WslEndpoint wanted = {.address = address, .port = port, .ipv6 = ipv6};
    endpoints->last = endpoint = g_hash_table_lookup(endpoints->table, &wanted);
    if (endpoint)
        return endpoint;
    if (!has_room(endpoints))
        return NULL;
    endpoint = g_new0(WslEndpoint, 1);
    *endpoint = wanted;
    g_hash_table_add(endpoints->table, endpoint);
    endpoints->last = endpoint;
    return endpoint;
}

void wsl_endpoint_speaks(WslEndpoint *endpoint)
{
    if (endpoint->speaks)
        return;
    endpoint->speaks = true;
    endpoint->hosts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    endpoint->paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    endpoint->statuses = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    endpoint->close_codes = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
}

void wsl_endpoint_log(WslEndpoints *endpoints, WslEndpoint *endpoint, WslLogKind kind, WslTime time, uint32_t who,
                      unsigned detail)
{
    WslLogEntry entry = {time, who, (uint16_t)MIN(detail, UINT16_MAX), (uint8_t)kind, 0};

    if (!endpoint)
        return;
    if (endpoints->log_entries >= endpoints->log_limit) {
        endpoints->limited = true;
        return;
    }
    if (!endpoint->log)
        endpoint->log = g_array_new(FALSE, FALSE, sizeof entry);
    g_array_append_val(endpoint->log, entry);
    endpoints->log_entries++;
}

GPtrArray *wsl_endpoints_speaking(const WslEndpoints *endpoints)
{
    GPtrArray *speaking = g_ptr_array_new();
    GHashTableIter iter;
    gpointer endpoint;

    g_hash_table_iter_init(&iter, endpoints->table);
    while (g_hash_table_iter_next(&iter, &endpoint, NULL))
        if (((WslEndpoint *)endpoint)->speaks)
            g_ptr_array_add(speaking, endpoint);
    return speaking;
}

bool wsl_endpoints_limited(const WslEndpoints *endpoints)
{
    return endpoints->limited;
}

static gint by_number(gconstpointer a, gconstpointer b)
{
    const int64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* Times of one kind of entry in order; mostly they are already. */
static GArray *times_of(const WslEndpoint *endpoint, WslLogKind kind)
{
    GArray *times = g_array_new(FALSE, FALSE, sizeof(int64_t));
    bool in_order = true;

    for (guint i = 0; endpoint->log && i < endpoint->log->len; i++) {
        const WslLogEntry *entry = &g_array_index(endpoint->log, WslLogEntry, i);
        if (entry->kind != kind)
            continue;
        in_order &= !times->len || g_array_index(times, int64_t, times->len - 1) <= entry->time;
        g_array_append_val(times, entry->time);
    }
    if (!in_order)
        g_array_sort(times, by_number);
    return times;
}

void wsl_endpoint_peaks(const WslEndpoint *endpoint, uint64_t *open_at_most, uint64_t *opened_per_s)
{
    g_autoptr(GArray) opened = times_of(endpoint, WSL_LOG_OPENED);
    g_autoptr(GArray) over = times_of(endpoint, WSL_LOG_OVER);
    guint ended = 0, behind = 0;

    *open_at_most = *opened_per_s = 0;
    for (guint i = 0; i < opened->len; i++) {
        int64_t now = g_array_index(opened, int64_t, i);
        /* At the same instant the one that ends goes before the one that takes its place. */
        while (ended < over->len && ended < i && g_array_index(over, int64_t, ended) <= now)
            ended++;
        while (now - g_array_index(opened, int64_t, behind) >= WSL_SECOND)
            behind++;
        *open_at_most = MAX(*open_at_most, (uint64_t)(i + 1 - ended));
        *opened_per_s = MAX(*opened_per_s, (uint64_t)(i + 1 - behind));
    }
}

void wsl_count_number(GHashTable *table, uint64_t key)
{
    uint64_t *count = g_hash_table_lookup(table, &key);

    if (!count) {
        count = g_new0(uint64_t, 1);
        g_hash_table_insert(table, g_memdup2(&key, sizeof key), count);
    }
    ++*count;
}

void wsl_count_text(GHashTable *table, const char *key, size_t limit)
{
    uint64_t *count = g_hash_table_lookup(table, key);

    if (!count) {
        if (g_hash_table_size(table) >= limit)
            return;
        count = g_new0(uint64_t, 1);
        g_hash_table_insert(table, g_strdup(key), count);
    }
    ++*count;
}

enum { MANTISSA_BITS = 4, MANTISSA = 1 << MANTISSA_BITS, BINS = 1024 };

static unsigned bin_of(int64_t nanoseconds)
{
    uint64_t us = nanoseconds > 0 ? (uint64_t)nanoseconds / 1000 : 0;

    if (us < MANTISSA)
        return (unsigned)us;
    unsigned exponent = 63U - (unsigned)__builtin_clzll(us) - MANTISSA_BITS;
    return MIN((exponent + 1) * MANTISSA + (unsigned)(us >> exponent & (MANTISSA - 1)), BINS - 1);
}

void wsl_durations_add(WslDurations *durations, int64_t nanoseconds)
{
    int64_t duration = MAX(nanoseconds, 0);

    durations->most = MAX(durations->most, duration);
    if (durations->count < WSL_DURATIONS_EXACT) {
        durations->few[durations->count++] = duration;
        return;
    }
    if (!durations->bins) {
        durations->bins = g_new0(uint32_t, BINS);
        for (unsigned i = 0; i < WSL_DURATIONS_EXACT; i++)
            durations->bins[bin_of(durations->few[i])]++;
    }
    durations->bins[bin_of(duration)]++;
    durations->count++;
}

static int64_t middle_of_bin(unsigned bin)
{
    if (bin < MANTISSA)
        return (int64_t)bin * 1000 + 500;
    unsigned exponent = bin / MANTISSA - 1;
    uint64_t low = (uint64_t)(MANTISSA + bin % MANTISSA) << exponent, width = (uint64_t)1 << exponent;
    uint64_t middle = low + width / 2;
    return middle > INT64_MAX / 1000 ? INT64_MAX : (int64_t)middle * 1000;
}

int64_t wsl_durations_median(const WslDurations *durations)
{
    uint64_t passed = 0;
    unsigned bin = 0;

    if (!durations->count)
        return 0;
    if (!durations->bins) {
        g_autoptr(GArray) sorted = g_array_new(FALSE, FALSE, sizeof(int64_t));
        g_array_append_vals(sorted, durations->few, (guint)durations->count);
        g_array_sort(sorted, by_number);
        return g_array_index(sorted, int64_t, (sorted->len - 1) / 2);
    }
    while ((passed += durations->bins[bin]) * 2 < durations->count)
        bin++;
    return MIN(middle_of_bin(bin), durations->most);
}

void wsl_durations_clear(WslDurations *durations)
{
    g_clear_pointer(&durations->bins, g_free);
}

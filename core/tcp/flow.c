/*
 * The flow table (flow.h).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/tcp/flow.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

/* A slab is a huge page: where the kernel gives one, it saves 512 faults. */
enum { HUGE_PAGE = 2 << 20, SLAB = HUGE_PAGE / 64, FIRST_SLOTS = 1024, MOVED_AT_ONCE = 16 };

typedef struct {
    uint32_t hash;
    uint32_t index; /* + 1; 0 is an empty slot */
} Slot;

typedef struct {
    Slot *slots;
    uint32_t mask;
} Slots;

struct WslFlowTable {
    Slots now;
    Slots before; /* while growing: slots from `moved` on are still here */
    uint32_t moved;
    WslFlow **slabs;
    uint32_t count;
    uint64_t seed;
};

static Slots slots_new(uint32_t size)
{
    return (Slots){g_new0(Slot, size), size - 1};
}

WslFlowTable *wsl_flow_table_new(void)
{
    WslFlowTable *table = g_new0(WslFlowTable, 1);

    table->now = slots_new(FIRST_SLOTS);
    /* A capture made to collide in this table cannot know the seed; no result depends on it. */
    if (getrandom(&table->seed, sizeof table->seed, GRND_NONBLOCK) != sizeof table->seed)
        table->seed = (uint64_t)g_get_monotonic_time();
    return table;
}

void wsl_flow_table_free(WslFlowTable *table)
{
    for (uint32_t i = 0; i < table->count; i += SLAB)
        free(table->slabs[i / SLAB]);
    g_free(table->slabs);
    g_free(table->now.slots);
    g_free(table->before.slots);
    g_free(table);
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint32_t wsl_flow_hash(const WslFlowTable *table, const WslFlowKey *key)
{
    uint64_t addresses = (uint64_t)key->address[0] << 32 | key->address[1];
    uint64_t ports = (uint64_t)key->port[0] << 32 | (uint64_t)key->port[1] << 8 | key->ipv6;
    uint64_t half = mix(addresses ^ table->seed, 0x9e3779b97f4a7c15U ^ ports);

    return (uint32_t)mix(half ^ table->seed, 0xd6e8feb86659fd93U ^ ports);
}

void wsl_flow_prefetch_slot(const WslFlowTable *table, uint32_t hash)
{
    __builtin_prefetch(&table->now.slots[hash & table->now.mask]);
}

WslFlow *wsl_flow_at(const WslFlowTable *table, uint32_t index)
{
    return &table->slabs[index / SLAB][index % SLAB];
}

size_t wsl_flow_count(const WslFlowTable *table)
{
    return table->count;
}

WslFlow *wsl_flow_guess(const WslFlowTable *table, uint32_t hash)
{
    const Slots *slots = &table->now;

    for (uint32_t i = hash & slots->mask; slots->slots[i].index; i = (i + 1) & slots->mask) {
        if (slots->slots[i].hash != hash)
            continue;
        WslFlow *flow = wsl_flow_at(table, slots->slots[i].index - 1);
        __builtin_prefetch(flow, 1);
        return flow;
    }
    return NULL;
}

bool wsl_flow_is(const WslFlow *flow, const WslFlowKey *key)
{
    return flow->address[0] == key->address[0] && flow->address[1] == key->address[1] &&
           flow->port[0] == key->port[0] && flow->port[1] == key->port[1] &&
           (flow->flags & WSL_FLOW_IPV6) == (key->ipv6 ? WSL_FLOW_IPV6 : 0) && !(flow->flags & WSL_FLOW_TENANT);
}

static WslFlow *find_in(const WslFlowTable *table, const Slots *slots, const WslFlowKey *key, uint32_t hash)
{
    for (uint32_t i = hash & slots->mask; slots->slots[i].index; i = (i + 1) & slots->mask) {
        if (slots->slots[i].hash != hash)
            continue;
        WslFlow *flow = wsl_flow_at(table, slots->slots[i].index - 1);
        if (wsl_flow_is(flow, key))
            return flow;
    }
    return NULL;
}

WslFlow *wsl_flow_find(const WslFlowTable *table, const WslFlowKey *key, uint32_t hash)
{
    WslFlow *flow = find_in(table, &table->now, key, hash);

    if (!flow && table->before.slots)
        flow = find_in(table, &table->before, key, hash);
    return flow;
}

static void put(Slots *slots, Slot slot)
{
    uint32_t i = slot.hash & slots->mask;

    while (slots->slots[i].index)
        i = (i + 1) & slots->mask;
    slots->slots[i] = slot;
}

/* Old slots stay readable while their copies move: nothing is ever deleted, so a slot found twice is the same flow. */
static void move_some(WslFlowTable *table)
{
    if (!table->before.slots)
        return;
    for (unsigned n = 0; n < MOVED_AT_ONCE && table->moved <= table->before.mask; n++, table->moved++)
        if (table->before.slots[table->moved].index)
            put(&table->now, table->before.slots[table->moved]);
    if (table->moved <= table->before.mask)
        return;
    g_free(table->before.slots);
    table->before = (Slots){0};
}

static void grow_if_full(WslFlowTable *table)
{
    if (table->count < (table->now.mask + 1) / 2 || table->before.slots || table->now.mask >= UINT32_MAX / 2)
        return;
    table->before = table->now;
    table->moved = 0;
    table->now = slots_new((table->now.mask + 1) * 2);
}

static WslFlow *new_record(WslFlowTable *table)
{
    uint32_t index = table->count;

    if (index == UINT32_MAX / 2)
        return NULL;
    if (index % SLAB == 0) {
        table->slabs = g_renew(WslFlow *, table->slabs, index / SLAB + 1);
        table->slabs[index / SLAB] = aligned_alloc(HUGE_PAGE, HUGE_PAGE);
        if (!table->slabs[index / SLAB])
            g_error("out of memory for %u flows", index);
        if (index) /* a small capture needs only a few pages of its first slab */
            madvise(table->slabs[index / SLAB], HUGE_PAGE, MADV_HUGEPAGE);
    }
    table->count++;
    WslFlow *flow = wsl_flow_at(table, index);
    memset(flow, 0, sizeof *flow);
    return flow;
}

WslFlow *wsl_flow_insert(WslFlowTable *table, const WslFlowKey *key, uint32_t hash)
{
    grow_if_full(table);
    move_some(table);
    WslFlow *flow = new_record(table);
    if (!flow)
        return NULL;
    flow->address[0] = key->address[0];
    flow->address[1] = key->address[1];
    flow->port[0] = key->port[0];
    flow->port[1] = key->port[1];
    flow->flags = key->ipv6 ? WSL_FLOW_IPV6 : 0;
    put(&table->now, (Slot){hash, table->count});
    return flow;
}

WslFlow *wsl_flow_add_sibling(WslFlowTable *table, WslFlow *head)
{
    WslFlow *flow = new_record(table);

    if (!flow)
        return NULL;
    memcpy(flow->address, head->address, sizeof flow->address);
    memcpy(flow->port, head->port, sizeof flow->port);
    flow->flags = (uint16_t)((head->flags & WSL_FLOW_IPV6) | WSL_FLOW_TENANT);
    flow->sibling = head->sibling;
    head->sibling = table->count;
    return flow;
}

WslFlow *wsl_flow_sibling(const WslFlowTable *table, const WslFlow *flow)
{
    return flow->sibling ? wsl_flow_at(table, flow->sibling - 1) : NULL;
}

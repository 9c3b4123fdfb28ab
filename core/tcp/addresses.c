/*
 * Numbers for IPv6 addresses (addresses.h).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/tcp/addresses.h"

#include <glib.h>
#include <string.h>
#include <sys/random.h>

struct WslAddresses {
    uint8_t (*bytes)[16];
    uint32_t *slots; /* number + 1 */
    uint32_t count, mask;
    uint64_t seed;
};

WslAddresses *wsl_addresses_new(void)
{
    WslAddresses *addresses = g_new0(WslAddresses, 1);

    addresses->mask = 255;
    addresses->slots = g_new0(uint32_t, 256);
    addresses->bytes = g_malloc(128 * sizeof *addresses->bytes);
    /* As for flows: the seed keeps a capture from choosing collisions and changes no result. */
    if (getrandom(&addresses->seed, sizeof addresses->seed, GRND_NONBLOCK) != sizeof addresses->seed)
        addresses->seed = (uint64_t)g_get_monotonic_time();
    return addresses;
}

void wsl_addresses_free(WslAddresses *addresses)
{
    g_free(addresses->bytes);
    g_free(addresses->slots);
    g_free(addresses);
}

static uint32_t hash(const WslAddresses *addresses, const uint8_t *bytes)
{
    uint64_t half[2];

    memcpy(half, bytes, 16);
    __uint128_t product = (__uint128_t)(half[0] ^ addresses->seed) * (half[1] ^ 0x9e3779b97f4a7c15U);
    uint64_t folded = (uint64_t)product ^ (uint64_t)(product >> 64);
    return (uint32_t)(folded ^ folded >> 32);
}

static uint32_t *slot_of(const WslAddresses *addresses, const uint8_t *bytes)
{
    uint32_t i = hash(addresses, bytes) & addresses->mask;

    while (addresses->slots[i] && memcmp(addresses->bytes[addresses->slots[i] - 1], bytes, 16) != 0)
        i = (i + 1) & addresses->mask;
    return &addresses->slots[i];
}

static void grow(WslAddresses *addresses)
{
    uint32_t size = (addresses->mask + 1) * 2;

    g_free(addresses->slots);
    addresses->mask = size - 1;
    addresses->slots = g_new0(uint32_t, size);
    addresses->bytes = g_realloc(addresses->bytes, size / 2 * sizeof *addresses->bytes);
    for (uint32_t i = 0; i < addresses->count; i++)
        *slot_of(addresses, addresses->bytes[i]) = i + 1;
}

uint32_t wsl_addresses_number(WslAddresses *addresses, const uint8_t *bytes)
{
    uint32_t *slot = slot_of(addresses, bytes);

    if (*slot)
        return *slot - 1;
    if (addresses->count == (addresses->mask + 1) / 2) {
        grow(addresses);
        slot = slot_of(addresses, bytes);
    }
    memcpy(addresses->bytes[addresses->count], bytes, 16);
    *slot = ++addresses->count;
    return *slot - 1;
}

const uint8_t *wsl_addresses_bytes(const WslAddresses *addresses, uint32_t number)
{
    return addresses->bytes[number];
}

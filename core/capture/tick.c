/*
 * Time resolutions of pcapng: powers of ten and of two (if_tsresol).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/capture/tick.h"

enum {
    POWER_OF_TWO = 0x80,
    NANO = 9,           /* 10^-9 s */
    POWERS_OF_TEN = 20, /* that fit 64 bits */
    FRACTION_BITS = 34, /* as many as can be multiplied by 10^9 < 2^30 */
};

static uint64_t power_of_ten(unsigned exponent)
{
    uint64_t power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

void wsl_tick_prepare(WslPcapngInterface *interface, int64_t offset_seconds)
{
    const int64_t seconds_max = WSL_TICK_LIMIT / WSL_SECOND;
    interface->offset = CLAMP(offset_seconds, -seconds_max, seconds_max) * WSL_SECOND;
    interface->ticks_max = 0;
    interface->multiplier = 0;
    if (interface->resolution <= NANO) {
        interface->multiplier = power_of_ten((unsigned)NANO - interface->resolution);
        interface->ticks_max = (uint64_t)WSL_TICK_LIMIT / interface->multiplier;
    }
}

static WslTime from_power_of_ten(unsigned exponent, uint64_t ticks)
{
    if (exponent <= NANO)
        return WSL_TICK_LIMIT;
    unsigned surplus = exponent - NANO;
    return surplus < POWERS_OF_TEN ? (WslTime)(ticks / power_of_ten(surplus)) : 0;
}

static WslTime from_power_of_two(unsigned exponent, uint64_t ticks)
{
    uint64_t seconds = exponent < 64 ? ticks >> exponent : 0;
    uint64_t fraction = exponent < 64 ? ticks - (seconds << exponent) : ticks;
    if (seconds >= (uint64_t)(WSL_TICK_LIMIT / WSL_SECOND))
        return WSL_TICK_LIMIT;
    if (exponent > FRACTION_BITS) {
        unsigned surplus = exponent - FRACTION_BITS;
        fraction = surplus < 64 ? fraction >> surplus : 0;
        exponent = FRACTION_BITS;
    }
    return (WslTime)(seconds * (uint64_t)WSL_SECOND + (fraction * (uint64_t)WSL_SECOND >> exponent));
}

WslTime wsl_tick_nanoseconds(const WslPcapngInterface *interface, uint64_t ticks)
{
    unsigned exponent = interface->resolution & ~(unsigned)POWER_OF_TWO;
    if (interface->resolution & POWER_OF_TWO)
        return from_power_of_two(exponent, ticks);
    return from_power_of_ten(exponent, ticks);
}

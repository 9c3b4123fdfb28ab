/*
 * From the time stamps of a pcapng interface to nanoseconds.
 *
 *   in:   if_tsresol and if_tsoffset; ticks
 *   out:  times, clamped so that the difference of any two fits WslTime
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_CAPTURE_TICK_H
#define WSL_CAPTURE_TICK_H

#include "core/capture/file.h"

/** The latest time that is told, in ns (the year 2116; pcap's 32 bits end in 2106); the earliest is its negative. */
#define WSL_TICK_LIMIT ((WslTime)G_GUINT64_CONSTANT(0x3fffffffffffffff))

/** Computes the interface's factors from its `resolution` and its if_tsoffset, in seconds. */
void wsl_tick_prepare(WslPcapngInterface *interface, int64_t offset_seconds);

/** For resolutions and times that a multiplication does not do. Ticks to ns, before the offset is added. */
WslTime wsl_tick_nanoseconds(const WslPcapngInterface *interface, uint64_t ticks);

static inline WslTime wsl_tick_time(const WslPcapngInterface *interface, uint64_t ticks)
{
    WslTime since = G_LIKELY(ticks <= interface->ticks_max) ? (WslTime)(ticks * interface->multiplier)
                                                            : wsl_tick_nanoseconds(interface, ticks);
    return CLAMP(since + interface->offset, -WSL_TICK_LIMIT, WSL_TICK_LIMIT);
}

#endif

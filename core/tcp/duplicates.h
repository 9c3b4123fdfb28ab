/*
 * Packets that a capture shows twice: a mirror of both ports, `-i any` on a container host. Internal to core/tcp/.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_TCP_DUPLICATES_H
#define WSL_TCP_DUPLICATES_H

#include <stdbool.h>

#include "core/tcp/tcp.h"

typedef struct WslDuplicates WslDuplicates;

WslDuplicates *wsl_duplicates_new(void);
void wsl_duplicates_free(WslDuplicates *duplicates);

/**
 * True if the segment repeats one that was seen at most 5 ms ago: in the same view the same packet (equal sequence number,
 * acknowledgement, flags, length and IP id, TTL equal or one less; without a usable IP id: with payload, SYN or FIN, equal
 * header and payload ends, within 1 ms), in another view of the connection the same bytes or the same acknowledgement.
 * Remembers the segment otherwise.
 */
bool wsl_duplicates_check(WslDuplicates *duplicates, const WslArrival *arrival, const WslTcp *tcp);

#endif

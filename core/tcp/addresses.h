/*
 * Numbers for IPv6 addresses, so that a flow's key is as short as IPv4's. Internal to core/tcp/.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_TCP_ADDRESSES_H
#define WSL_TCP_ADDRESSES_H

#include <stdint.h>

typedef struct WslAddresses WslAddresses;

WslAddresses *wsl_addresses_new(void);
void wsl_addresses_free(WslAddresses *addresses);
/** The number of 16 bytes, the same for the same bytes; from 0 in order of appearance. */
uint32_t wsl_addresses_number(WslAddresses *addresses, const uint8_t *bytes);
/** The 16 bytes of a number that was handed out; valid until the next new number. */
const uint8_t *wsl_addresses_bytes(const WslAddresses *addresses, uint32_t number);

#endif

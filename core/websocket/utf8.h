/*
 * UTF-8, judged as it streams past (RFC 3629), and payload masks (RFC 6455 §5.3). Internal to core/websocket/.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_WEBSOCKET_UTF8_H
#define WSL_WEBSOCKET_UTF8_H

#include <stddef.h>
#include <stdint.h>

enum { WSL_UTF8_ACCEPT = 0, WSL_UTF8_REJECT = 1 };

/** Goes on from `state` (WSL_UTF8_ACCEPT at the start). Anything but ACCEPT at the end of a text is a character cut short. */
uint8_t wsl_utf8_check(uint8_t state, const uint8_t *bytes, size_t length);

/** Writes bytes XOR key, the key turned so that `phase` (0 to 3) is the first byte's. `out` may be `bytes`. */
void wsl_unmask(uint8_t *out, const uint8_t *bytes, size_t length, const uint8_t key[4], unsigned phase);

/** As wsl_utf8_check() over the unmasked bytes, without writing them anywhere. A `key` of zeros is no mask. */
uint8_t wsl_utf8_check_masked(uint8_t state, const uint8_t *bytes, size_t length, const uint8_t key[4], unsigned phase);

#endif

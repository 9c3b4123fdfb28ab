/*
 * Loads of numbers in network byte order. The caller has checked that the bytes are there.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_PACKET_BYTES_H
#define WSL_PACKET_BYTES_H

#include <glib.h>
#include <stdint.h>
#include <string.h>

/** The two bytes at `at`, which may be unaligned. */
static inline uint16_t wsl_be16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return GUINT16_FROM_BE(value);
}

/** The four bytes at `at`, which may be unaligned. */
static inline uint32_t wsl_be32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return GUINT32_FROM_BE(value);
}

#endif

/*
 * Numbers as capture files store them: in the byte order of the machine that wrote the file.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_CAPTURE_BYTES_H
#define WSL_CAPTURE_BYTES_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/** Reads an unaligned number; `swapped`: the file's byte order is not this machine's. */
static inline uint16_t wsl_load16(const uint8_t *at, bool swapped)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return swapped ? GUINT16_SWAP_LE_BE(value) : value;
}

static inline uint32_t wsl_load32(const uint8_t *at, bool swapped)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return swapped ? GUINT32_SWAP_LE_BE(value) : value;
}

static inline uint64_t wsl_load64(const uint8_t *at, bool swapped)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return swapped ? GUINT64_SWAP_LE_BE(value) : value;
}

#endif

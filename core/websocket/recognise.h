/*
 * Are these bytes WebSocket frames? Asked where no handshake says so.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_WEBSOCKET_RECOGNISE_H
#define WSL_WEBSOCKET_RECOGNISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    bool impossible;  /**< the bytes break a rule that frames obey */
    bool substantial; /**< a non-empty FIN data frame, or a masked control frame, is among them */
    bool masked;      /**< if any header was complete */
    unsigned headers; /**< complete ones */
    double bits;      /**< evidence: how much luck random bytes would need */
} WslEvidenceOfFrames;

/** Judges the first bytes of one direction, a frame's first byte first. The end of the bytes counts as a packet's end. */
WslEvidenceOfFrames wsl_frames_recognise(const uint8_t *bytes, size_t length);

/**
 * True if the bytes are exactly one Close frame, whole in its packet, that says 1000, 1001 or `other_code` (-1: none): 31 bits.
 */
bool wsl_frames_is_lone_close(const uint8_t *bytes, size_t length, bool masked, int other_code);

#endif

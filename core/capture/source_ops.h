/*
 * What a kind of source must be able to do. Inside core/capture/ only.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_CAPTURE_SOURCE_OPS_H
#define WSL_CAPTURE_SOURCE_OPS_H

#include <stdatomic.h>

#include "core/capture/source.h"

typedef struct {
    /** `batch` comes empty, `limit` is in range; is not called again once it returned anything but WSL_SOURCE_BATCH. */
    WslSourceStatus (*next)(WslSource *source, WslBatch *batch, size_t limit, GError **error);
    void (*progress)(const WslSource *source, uint64_t *read, uint64_t *size);
    void (*free)(WslSource *source);
    /** Hands on what is left (live: the statistics) after an interruption; otherwise the source ends at once. */
    bool drains;
} WslSourceOps;

/** The first member of every source. */
struct WslSource {
    const WslSourceOps *ops;
    atomic_bool interrupted; /**< set by signal handlers and other threads */
    bool over;
};

#endif

/*
 * The calls of source.h that every kind of source shares.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/capture/source_ops.h"

G_DEFINE_QUARK(wsl - source - error - quark, wsl_source_error)

_Static_assert(ATOMIC_BOOL_LOCK_FREE == 2, "wsl_source_interrupt() must be async-signal-safe");

WslSourceStatus wsl_source_next(WslSource *source, WslBatch *batch, size_t limit, GError **error)
{
    batch->count = 0;
    batch->note_count = 0;
    if (source->over || (!source->ops->drains && atomic_load_explicit(&source->interrupted, memory_order_relaxed))) {
        source->over = true;
        return WSL_SOURCE_END;
    }
    limit = CLAMP(limit, 1, (size_t)WSL_BATCH_MAX);
    WslSourceStatus status = source->ops->next(source, batch, limit, error);
    source->over = status != WSL_SOURCE_BATCH;
    return status;
}

void wsl_source_interrupt(WslSource *source)
{
    atomic_store(&source->interrupted, true);
}

void wsl_source_progress(const WslSource *source, uint64_t *read, uint64_t *size)
{
    source->ops->progress(source, read, size);
}

void wsl_source_free(WslSource *source)
{
    if (source)
        source->ops->free(source);
}

/*
 * Records of one size (slab.h).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/slab.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Blocks double up to this size: there the kernel may back them with one huge page instead of 512 faults. */
enum { FIRST_BLOCK = 16 << 10, LARGEST_BLOCK = 2 << 20, ALIGNMENT = 16 };

typedef struct Free {
    struct Free *next;
} Free;

struct WslSlab {
    size_t size, block;
    Free *given;
    char *at, *end; /* of the newest block */
    GPtrArray *blocks;
};

WslSlab *wsl_slab_new(size_t size)
{
    WslSlab *slab = g_new0(WslSlab, 1);

    slab->size = (MAX(size, sizeof(Free)) + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    slab->block = FIRST_BLOCK;
    slab->blocks = g_ptr_array_new_with_free_func(free);
    return slab;
}

void wsl_slab_free(WslSlab *slab)
{
    g_ptr_array_free(slab->blocks, TRUE);
    g_free(slab);
}

static void add_block(WslSlab *slab)
{
    size_t bytes = MAX(slab->block, slab->size);

    slab->at = aligned_alloc(slab->block, (bytes + slab->block - 1) / slab->block * slab->block);
    if (!slab->at)
        g_error("out of memory for records of %zu bytes", slab->size);
    slab->end = slab->at + bytes;
    if (slab->block == LARGEST_BLOCK)
        madvise(slab->at, LARGEST_BLOCK, MADV_HUGEPAGE);
    g_ptr_array_add(slab->blocks, slab->at);
    slab->block = MIN(slab->block * 2, LARGEST_BLOCK);
}

void *wsl_slab_take(WslSlab *slab)
{
    void *record = slab->given;

    if (record) {
        slab->given = slab->given->next;
    } else {
        if ((size_t)(slab->end - slab->at) < slab->size)
            add_block(slab);
        record = slab->at;
        slab->at += slab->size;
    }
    return memset(record, 0, slab->size);
}

void wsl_slab_give(WslSlab *slab, void *record)
{
    Free *given = record;

    given->next = slab->given;
    slab->given = given;
}

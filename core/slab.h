/*
 * Records of one size by the hundred thousand: taken and given back without malloc()'s cost for each.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_SLAB_H
#define WSL_SLAB_H

#include <stddef.h>

typedef struct WslSlab WslSlab;

/** Records of `size` bytes, aligned to cache lines if `size` is a multiple of 64, else to 16 bytes. */
WslSlab *wsl_slab_new(size_t size);
/** Frees all records, given back or not. */
void wsl_slab_free(WslSlab *slab);
/** A record of zeros. */
void *wsl_slab_take(WslSlab *slab);
void wsl_slab_give(WslSlab *slab, void *record);

#endif

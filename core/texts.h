/*
 * Texts that thousands of connections share (hosts, paths, user agents): one copy of each, counted.
 *
 * One table for the whole process, as nothing here is used by two threads at once.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_TEXTS_H
#define WSL_TEXTS_H

#include <stddef.h>

/** The copy of these bytes, which ends with a zero byte. Equal bytes give the same pointer. Each call needs its wsl_text_drop(). */
const char *wsl_text_keep(const char *bytes, size_t length);
/** The last one that drops a text frees it. NULL is allowed. */
void wsl_text_drop(const char *text);

#endif

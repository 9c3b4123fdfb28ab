/*
 * Reading UTF-8 that may be wrong, one character at a time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_REPORT_UTF8TEXT_H
#define WSL_REPORT_UTF8TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** No code point: what stands for an ill-formed part. */
#define WSL_UTF8_INVALID UINT32_MAX

/**
 * Reads the character at `bytes` into `code` and returns how many bytes it takes: at least 1, at most `length`, which must
 * not be 0. What is ill-formed is read as WSL_UTF8_INVALID, a maximal subpart at a time (Unicode §3.9, U+FFFD
 * Substitution of Maximal Subparts).
 */
size_t wsl_utf8_next(const char *bytes, size_t length, uint32_t *code);

/**
 * Whether a terminal or a text field may obey the character instead of showing it: C0, DEL, C1, bidirectional controls
 * (UAX #9), line and paragraph separators.
 */
bool wsl_utf8_steers(uint32_t code);

#endif

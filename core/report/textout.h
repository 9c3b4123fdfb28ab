/*
 * Small things that text reports are made of: wrapped paragraphs, numbers and times as people write them.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_REPORT_TEXTOUT_H
#define WSL_REPORT_TEXTOUT_H

#include <glib.h>
#include <stdint.h>

#include "core/packet.h"

enum { WSL_TEXT_WIDTH = 100 };

/** Appends `text`, broken at blanks to WSL_TEXT_WIDTH columns; every line after the first begins with `indent` blanks. */
void wsl_text_wrap(GString *out, const char *text, unsigned indent);
/** As printf(), wrapped; the first line too begins with `indent` blanks; ends with a line end. */
void wsl_text_paragraph(GString *out, unsigned indent, const char *format, ...) G_GNUC_PRINTF(3, 4);

/** "4 212": digits in groups. */
void wsl_text_count(GString *out, uint64_t value);
/** "1.2 MB" */
void wsl_text_bytes(GString *out, uint64_t bytes);
/** "12.3 ms", "4.2 s", "3 min 20 s" */
void wsl_text_duration(GString *out, WslTime duration);
/** "2026-11-23 22:09:15.123 UTC", or without its date */
void wsl_text_time(GString *out, WslTime time, gboolean date);

#endif

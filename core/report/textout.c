/*
 * Parts of text reports (textout.h).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/report/textout.h"

#include <string.h>

static unsigned column_of(const GString *out)
{
    const char *line = g_strrstr_len(out->str, (gssize)out->len, "\n");

    line = line ? line + 1 : out->str;
    return (unsigned)g_utf8_strlen(line, (gssize)(out->str + out->len - line));
}

static void pad(GString *out, unsigned columns)
{
    while (columns--)
        g_string_append_c(out, ' ');
}

void wsl_text_wrap(GString *out, const char *text, unsigned indent)
{
    unsigned column = column_of(out);
    size_t blanks = 0;

    for (const char *word = text; *word;) {
        size_t length = strcspn(word, " ");
        unsigned width = (unsigned)g_utf8_strlen(word, (gssize)length);
        if (width > WSL_TEXT_WIDTH - indent) { /* longer than any line: it is broken where the line ends */
            width =
                column + blanks < WSL_TEXT_WIDTH ? WSL_TEXT_WIDTH - column - (unsigned)blanks : WSL_TEXT_WIDTH - indent;
            length = (size_t)(g_utf8_offset_to_pointer(word, width) - word);
        }
        if (word != text && column + blanks + width > WSL_TEXT_WIDTH) {
            g_string_append_c(out, '\n');
            pad(out, indent);
            column = indent;
        } else {
            pad(out, (unsigned)blanks);
            column += (unsigned)blanks;
        }
        g_string_append_len(out, word, (gssize)length);
        column += width;
        word += length;
        blanks = strspn(word, " ");
        word += blanks;
    }
}

void wsl_text_paragraph(GString *out, unsigned indent, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    pad(out, indent);
    wsl_text_wrap(out, text, indent);
    g_string_append_c(out, '\n');
}

void wsl_text_count(GString *out, uint64_t value)
{
    char digits[24];
    int length = g_snprintf(digits, sizeof digits, "%" G_GUINT64_FORMAT, value);

    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            g_string_append_c(out, ' ');
        g_string_append_c(out, digits[i]);
    }
}

void wsl_text_bytes(GString *out, uint64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes;
    unsigned unit = 0;

    for (; value >= 999.5 && unit + 1 < G_N_ELEMENTS(units); unit++)
        value /= 1000;
    g_string_append_printf(out, unit && value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

void wsl_text_duration(GString *out, WslTime duration)
{
    double seconds = (double)duration / (double)WSL_SECOND;

    if (seconds < 0.001)
        g_string_append_printf(out, "%.3g ms", seconds * 1000);
    else if (seconds < 1)
        g_string_append_printf(out, "%.*f ms", seconds < 0.01 ? 1 : 0, seconds * 1000);
    else if (seconds < 119.5)
        g_string_append_printf(out, "%.1f s", seconds);
    else if (seconds < 7200)
        g_string_append_printf(out, "%.0f min", seconds / 60);
    else
        g_string_append_printf(out, "%.1f h", seconds / 3600);
}

void wsl_text_time(GString *out, WslTime time, gboolean date)
{
    WslTime floor = time >= 0 ? time / WSL_SECOND : -((-time + WSL_SECOND - 1) / WSL_SECOND);
    g_autoptr(GDateTime) moment = g_date_time_new_from_unix_utc(floor);
    g_autofree char *text = moment ? g_date_time_format(moment, date ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S") : NULL;

    g_string_append_printf(out, "%s.%03d", text ? text : "?", (int)((time - floor * WSL_SECOND) / WSL_MILLISECOND));
    if (date)
        g_string_append(out, " UTC");
}

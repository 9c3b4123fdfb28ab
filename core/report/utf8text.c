/*
 * Reading UTF-8 that may be wrong, one character at a time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/report/utf8text.h"

/** A row of the Unicode Standard's Table 3-7: which second bytes follow these lead bytes. Later bytes are 80 … BF. */
typedef struct {
    uint8_t lead_first, lead_last;
    uint8_t second_first, second_last;
    uint8_t length;
    uint8_t lead_bits; /**< the bits of the lead byte that belong to the code point */
} WellFormed;

static const WellFormed well_formed[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2, 0x1f}, {0xe0, 0xe0, 0xa0, 0xbf, 3, 0x0f}, {0xe1, 0xec, 0x80, 0xbf, 3, 0x0f},
    {0xed, 0xed, 0x80, 0x9f, 3, 0x0f}, {0xee, 0xef, 0x80, 0xbf, 3, 0x0f}, {0xf0, 0xf0, 0x90, 0xbf, 4, 0x07},
    {0xf1, 0xf3, 0x80, 0xbf, 4, 0x07}, {0xf4, 0xf4, 0x80, 0x8f, 4, 0x07},
};

static const WellFormed *find_lead(uint8_t lead)
{
    for (size_t i = 0; i < sizeof well_formed / sizeof *well_formed; i++)
        if (lead >= well_formed[i].lead_first && lead <= well_formed[i].lead_last)
            return &well_formed[i];
    return NULL;
}

size_t wsl_utf8_next(const char *bytes, size_t length, uint32_t *code)
{
    uint8_t lead = (uint8_t)bytes[0];
    const WellFormed *row;
    uint32_t value;

    *code = lead;
    if (lead < 0x80)
        return 1;
    *code = WSL_UTF8_INVALID;
    row = find_lead(lead);
    if (row == NULL)
        return 1;
    value = lead & row->lead_bits;
    for (size_t i = 1; i < row->length; i++) {
        uint8_t first = i == 1 ? row->second_first : 0x80;
        uint8_t last = i == 1 ? row->second_last : 0xbf;
        uint8_t byte;

        if (i >= length)
            return i;
        byte = (uint8_t)bytes[i];
        if (byte < first || byte > last)
            return i;
        value = value << 6 | (byte & 0x3fU);
    }
    *code = value;
    return row->length;
}

bool wsl_utf8_steers(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0x00, 0x1f}, {0x7f, 0x9f}, {0x061c, 0x061c}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069}};

    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

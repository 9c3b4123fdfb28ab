/*
 * VLAN tags (IEEE 802.1Q), also nested.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/packet/bytes.h"
#include "core/packet/layer.h"

enum {
    TAG_BYTES = 4,
    TAGS_MAX = 4,
    ID_MASK = 0x0fff,
};

WslDecodeResult wsl_layer_vlan(WslCursor *cursor)
{
    if (cursor->vlan_tags == TAGS_MAX)
        return WSL_NOT_IP;
    if (cursor->captured < TAG_BYTES)
        return wsl_lacking(cursor, TAG_BYTES);
    cursor->vlan_tags++;
    uint16_t id = wsl_be16(cursor->at) & ID_MASK;
    uint16_t field = wsl_be16(cursor->at + 2);
    /* Id 0 names no VLAN (IEEE 802.1Q, Table 9-2): hosts that set a priority tag one direction of a connection only. */
    if (id != 0)
        cursor->view = wsl_view_add(cursor->view, WSL_VIEW_VLAN, id);
    wsl_skip(cursor, TAG_BYTES);
    return wsl_hand_on_type_or_length(cursor, field);
}

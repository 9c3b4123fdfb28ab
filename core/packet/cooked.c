/*
 * Linux cooked captures (`-i any`): LINUX_SLL and LINUX_SLL2, as libpcap's pcap/sll.h describes them.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>

#include "core/packet/bytes.h"
#include "core/packet/layer.h"

enum {
    SLL_BYTES = 16,
    SLL2_BYTES = 20,
    PROTOCOL_802_2 = 4, /* LLC follows; other numbers that small are not IP either */
};

/** Hardware types (ARPHRD_) of which the protocol field holds no Ethernet type. */
static bool has_ethertype(uint16_t hardware)
{
    static const uint16_t without[] = {
        770, /* frame relay */
        801, /* IEEE 802.11 */
        802, /* IEEE 802.11 with Prism header */
        803, /* IEEE 802.11 with radiotap header */
        824, /* netlink */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(without); i++) {
        if (without[i] == hardware)
            return false;
    }
    return true;
}

static WslDecodeResult hand_on(WslCursor *cursor, uint16_t hardware, uint16_t protocol)
{
    if (!has_ethertype(hardware))
        return WSL_NOT_IP;
    if (protocol == PROTOCOL_802_2)
        return wsl_hand_on(cursor, wsl_layer_llc);
    return wsl_hand_on_ethertype(cursor, protocol);
}

WslDecodeResult wsl_layer_sll(WslCursor *cursor)
{
    if (cursor->captured < SLL_BYTES)
        return wsl_lacking(cursor, SLL_BYTES);
    uint16_t hardware = wsl_be16(cursor->at + 2);
    uint16_t protocol = wsl_be16(cursor->at + 14);
    wsl_skip(cursor, SLL_BYTES);
    return hand_on(cursor, hardware, protocol);
}

WslDecodeResult wsl_layer_sll2(WslCursor *cursor)
{
    if (cursor->captured < SLL2_BYTES)
        return wsl_lacking(cursor, SLL2_BYTES);
    uint16_t protocol = wsl_be16(cursor->at);
    uint32_t interface = wsl_be32(cursor->at + 4);
    uint16_t hardware = wsl_be16(cursor->at + 8);
    cursor->view = wsl_view_add(cursor->view, WSL_VIEW_COOKED_INTERFACE, interface);
    wsl_skip(cursor, SLL2_BYTES);
    return hand_on(cursor, hardware, protocol);
}

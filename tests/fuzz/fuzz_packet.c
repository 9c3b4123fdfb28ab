/*
 * Fuzzes the decoding of packets: two bytes of link type, one that says how much was cut, then the packet.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stddef.h>
#include <stdlib.h>

#include "core/packet/segment.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { PREFIX = 3 };
    if (size < PREFIX)
        return 0;
    uint32_t captured = (uint32_t)(size - PREFIX);
    const uint8_t *bytes = data + PREFIX;
    const uint8_t *end = bytes + captured;
    WslPacket packet = {
        .data = bytes,
        .captured = captured,
        .length = captured + data[2],
        .link_type = (uint16_t)(data[0] << 8 | data[1]),
    };
    WslSegment segment;
    WslDecodeResult result = wsl_segment_decode(&packet, &segment);
    require(wsl_decode_result_name(result) != NULL && result < WSL_DECODE_RESULTS);
    require((result == WSL_UNKNOWN_LINK_TYPE) == (wsl_link_type_name(packet.link_type) == NULL));
    if (result != WSL_DECODED)
        return 0;
    ptrdiff_t address = segment.ipv6 ? 16 : 4;
    require(segment.source >= bytes && segment.target >= segment.source + address);
    require(segment.tcp >= segment.target + address && end - segment.tcp >= 20);
    require(segment.payload >= segment.tcp + 20 && segment.payload <= end);
    require(segment.captured <= segment.length && segment.captured <= end - segment.payload);
    require(segment.length <= packet.length - (size_t)(segment.tcp - bytes) - 20);
    require(!segment.quoted || segment.length == 0);
    require(segment.window_scale <= 14 || segment.window_scale == WSL_NO_SCALE);
    return 0;
}

/*
 * The TCP header (RFC 9293 §3.1) and those of its options that the analysis needs.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/packet/bytes.h"
#include "core/packet/layer.h"

enum {
    HEADER_MIN = 20,
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_MSS = 2,
    OPTION_WINDOW_SCALE = 3,
    OPTION_TIMESTAMPS = 8,
    TIMESTAMPS_BYTES = 10,
    WINDOW_SCALE_MAX = 14, /* RFC 7323 §2.3: greater ones count as 14 */
};

/** NOP, NOP, timestamps: what the header of nearly every segment ends with (RFC 7323, Appendix A). */
#define ALIGNED_TIMESTAMPS 0x0101080aU
enum { ALIGNED_TIMESTAMPS_HEADER = HEADER_MIN + 2 + TIMESTAMPS_BYTES };

static void take_option(WslSegment *out, const uint8_t *option)
{
    bool syn = (out->flags & WSL_TCP_SYN) != 0;
    if (option[0] == OPTION_TIMESTAMPS && option[1] == TIMESTAMPS_BYTES)
        out->timestamp = wsl_be32(option + 2);
    else if (option[0] == OPTION_MSS && option[1] == 4 && syn)
        out->mss = wsl_be16(option + 2);
    else if (option[0] == OPTION_WINDOW_SCALE && option[1] == 3 && syn)
        out->window_scale = option[2] < WINDOW_SCALE_MAX ? option[2] : WINDOW_SCALE_MAX;
}

/** Takes options up to the first that is malformed or cut. */
static void take_options(WslSegment *out, const uint8_t *options, uint32_t length)
{
    while (length > 0 && options[0] != OPTION_END) {
        uint32_t bytes = 1;
        if (options[0] != OPTION_NOP) {
            if (length < 2 || options[1] < 2 || options[1] > length)
                return;
            bytes = options[1];
            take_option(out, options);
        }
        options += bytes;
        length -= bytes;
    }
}

/** Options and payload, by a data offset that makes sense. */
static void take_rest(WslSegment *out, const WslCursor *cursor, uint32_t header)
{
    const uint8_t *tcp = cursor->at;
    out->options_cut = cursor->captured < header;
    uint32_t there = out->options_cut ? cursor->captured : header;
    if (there == ALIGNED_TIMESTAMPS_HEADER && wsl_be32(tcp + HEADER_MIN) == ALIGNED_TIMESTAMPS)
        out->timestamp = wsl_be32(tcp + HEADER_MIN + 4);
    else
        take_options(out, tcp + HEADER_MIN, there - HEADER_MIN);
    out->payload = tcp + there;
    if (!cursor->quoted && cursor->wire > header) {
        out->length = cursor->wire - header;
        out->captured = cursor->captured - there;
    }
}

WslDecodeResult wsl_layer_tcp(WslCursor *cursor)
{
    const uint8_t *tcp = cursor->at;
    if (cursor->captured < HEADER_MIN)
        return wsl_lacking(cursor, HEADER_MIN);
    uint32_t header = (tcp[12] >> 4) * 4U;
    *cursor->out = (WslSegment){
        .source = cursor->source,
        .target = cursor->target,
        .tcp = tcp,
        .payload = tcp + HEADER_MIN,
        .seq = wsl_be32(tcp + 4),
        .ack = wsl_be32(tcp + 8),
        .view = cursor->view,
        .source_port = wsl_be16(tcp),
        .target_port = wsl_be16(tcp + 2),
        .window = wsl_be16(tcp + 14),
        .ip_id = cursor->ip_id,
        .flags = tcp[13],
        .ttl = cursor->ttl,
        .window_scale = WSL_NO_SCALE,
        .ipv6 = cursor->ipv6,
        .quoted = cursor->quoted,
    };
    /* A header with a data offset too small still names its connection, but nobody knows where its payload begins. */
    if (header >= HEADER_MIN)
        take_rest(cursor->out, cursor, header);
    return WSL_DECODED;
}

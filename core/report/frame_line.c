/*
 * One line for each frame: `wsleuth frames`.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/report/report.h"

static const char *opcode_name(const WslFrame *frame, char number[4])
{
    static const char *const names[16] = {
        [WSL_OP_CONTINUATION] = "continuation",
        [WSL_OP_TEXT] = "text",
        [WSL_OP_BINARY] = "binary",
        [WSL_OP_CLOSE] = "close",
        [WSL_OP_PING] = "ping",
        [WSL_OP_PONG] = "pong",
    };

    if (names[frame->opcode])
        return names[frame->opcode];
    g_snprintf(number, 4, "%u", frame->opcode);
    return number;
}

static void append_key(GString *out, const WslFrame *frame)
{
    g_string_append_printf(out, "%02x%02x%02x%02x", frame->key[0], frame->key[1], frame->key[2], frame->key[3]);
}

/* Written without the JSON writer: nothing in it needs escaping, and a capture holds millions of frames. */
void wsl_frame_json(uint32_t stream, WslDirection direction, const WslFrame *frame, GString *out)
{
    char number[4];

    g_string_append_printf(out,
                           "{\"packet\": %" G_GUINT64_FORMAT ", \"stream\": %u, \"direction\": \"%s\", \"fin\": %s, "
                           "\"rsv\": %u, \"opcode\": \"%s\", \"masked\": %s",
                           frame->packet, stream, wsl_direction_name(direction), frame->fin ? "true" : "false",
                           frame->rsv, opcode_name(frame, number), frame->masked ? "true" : "false");
    if (frame->masked) {
        g_string_append(out, ", \"key\": \"");
        append_key(out, frame);
        g_string_append_c(out, '"');
    }
    g_string_append_printf(out, ", \"length\": %" G_GUINT64_FORMAT "}\n", frame->length);
}

void wsl_frame_text(uint32_t stream, WslDirection direction, const WslFrame *frame, GString *out)
{
    char number[4];

    g_string_append_printf(out, "%8" G_GUINT64_FORMAT "  stream %-5u %s  %-12s %s%s%s%s %10" G_GUINT64_FORMAT " bytes",
                           frame->packet, stream, direction == WSL_CLIENT_TO_SERVER ? "client ->" : "server ->",
                           opcode_name(frame, number), frame->fin ? "FIN " : "    ", frame->rsv & WSL_RSV1 ? "1" : "-",
                           frame->rsv & WSL_RSV2 ? "2" : "-", frame->rsv & WSL_RSV3 ? "3" : "-", frame->length);
    if (frame->masked) {
        g_string_append(out, "  key ");
        append_key(out, frame);
    }
    if (frame->opcode == WSL_OP_CLOSE && frame->close_code >= 0)
        g_string_append_printf(out, "  code %d", frame->close_code);
    g_string_append_c(out, '\n');
}

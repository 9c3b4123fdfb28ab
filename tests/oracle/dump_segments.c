/*
 * Prints what core/packet makes of each packet of a capture, a line each, for packet_vs_tshark.py.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <arpa/inet.h>
#include <stdio.h>

#include "core/capture/source.h"
#include "core/packet/segment.h"

static void dump_packet(const WslPacket *packet)
{
    WslSegment segment;
    WslDecodeResult result = wsl_segment_decode(packet, &segment);
    printf("%" G_GUINT64_FORMAT "\t%s", packet->number, wsl_decode_result_name(result));
    if (result == WSL_DECODED) {
        char source[INET6_ADDRSTRLEN];
        char target[INET6_ADDRSTRLEN];
        int family = segment.ipv6 ? AF_INET6 : AF_INET;
        inet_ntop(family, segment.source, source, sizeof source);
        inet_ntop(family, segment.target, target, sizeof target);
        printf("\t%s\t%s\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%d\t%d", source, target,
               segment.source_port, segment.target_port, segment.seq, segment.ack, segment.flags, segment.window,
               segment.length, segment.captured, segment.ttl, segment.ip_id, segment.timestamp, segment.mss,
               segment.window_scale, segment.options_cut, segment.quoted);
    }
    putchar('\n');
}

int main(int argc, char **argv)
{
    static WslBatch batch;
    GError *error = NULL;
    WslSource *source = argc == 2 ? wsl_source_open_file(argv[1], NULL, &error) : NULL;
    if (source == NULL) {
        fprintf(stderr, "%s\n", error != NULL ? error->message : "usage: dump_segments CAPTURE");
        return 2;
    }
    WslSourceStatus status;
    while ((status = wsl_source_next(source, &batch, WSL_BATCH_MAX, &error)) == WSL_SOURCE_BATCH) {
        for (size_t i = 0; i < batch.count; i++)
            dump_packet(&batch.packets[i]);
    }
    if (status == WSL_SOURCE_DAMAGED)
        fprintf(stderr, "%s\n", error->message);
    g_clear_error(&error);
    wsl_source_free(source);
    return status == WSL_SOURCE_END ? 0 : 3;
}

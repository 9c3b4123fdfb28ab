/*
 * The pcap file format (draft-ietf-opsawg-pcap), in both byte orders, with µs and ns.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/capture/bytes.h"
#include "core/capture/file.h"

enum {
    FILE_HEADER = 24,
    FILE_HEADER_NETWORK = 20,
    RECORD_HEADER = 16,
};

#define MAGIC_MICROSECONDS 0xa1b2c3d4u
#define MAGIC_NANOSECONDS  0xa1b23c4du

static bool pcap_begin(WslFile *file, GError **error)
{
    WslSourceStatus status = wsl_file_fill(file, FILE_HEADER, 0, "the file header", error);
    if (status != WSL_SOURCE_BATCH)
        return false;
    const uint8_t *header = file->reader.data + file->reader.position;
    uint32_t magic = wsl_load32(header, false);
    WslPcap *pcap = &file->state.pcap;
    pcap->swapped = magic != MAGIC_MICROSECONDS && magic != MAGIC_NANOSECONDS;
    pcap->fraction = wsl_load32(header, pcap->swapped) == MAGIC_NANOSECONDS ? 1 : 1000;
    /* The upper half holds the length of the frame check sequence, and flags. */
    pcap->link_type = (uint16_t)(wsl_load32(header + FILE_HEADER_NETWORK, pcap->swapped) & 0xffff);
    file->reader.position += FILE_HEADER;
    return true;
}

/* `at` leads to a record that is there whole. The sum cannot overflow: 2^32 s and 2^32 µs are less than 2^63 ns. */
static inline void parse_record(const WslPcap *pcap, const uint8_t *at, uint32_t captured, WslPacketNo number,
                                WslPacket *packet)
{
    uint32_t original = wsl_load32(at + 12, pcap->swapped);
    packet->data = at + RECORD_HEADER;
    packet->captured = captured;
    packet->length = original < captured ? captured : original;
    packet->time = (WslTime)wsl_load32(at, pcap->swapped) * WSL_SECOND +
                   (WslTime)wsl_load32(at + 4, pcap->swapped) * (WslTime)pcap->fraction;
    packet->number = number;
    packet->interface = 0;
    packet->link_type = pcap->link_type;
}

/*
 * Parses records as long as they are there whole. Returns how many bytes the next one needs, which is more than any may have
 * if its length is absurd; or 0 if the batch is full, or the filter failed.
 */
static size_t parse_records(WslFile *file, WslBatch *batch, size_t limit, GError **error)
{
    const WslPcap pcap = file->state.pcap;
    const uint8_t *at = file->reader.data + file->reader.position;
    const uint8_t *end = file->reader.data + file->reader.end;
    WslPacketNo number = file->number;
    size_t count = 0;
    size_t need = 0;
    while (count < limit) {
        size_t left = (size_t)(end - at);
        need = RECORD_HEADER;
        if (left < need)
            break;
        uint32_t captured = wsl_load32(at + 8, pcap.swapped);
        need += captured;
        if (captured > WSL_RECORD_MAX || left < need)
            break;
        WslPacket *packet = &batch->packets[count];
        parse_record(&pcap, at, captured, number + 1, packet);
        WslFilterVerdict verdict = WSL_FILTER_ACCEPTS;
        if (file->filter)
            verdict = wsl_filter_match(file->filter, packet, count == 0 ? error : NULL);
        if (verdict == WSL_FILTER_FAILED) {
            need = 0;
            break;
        }
        at += need;
        number++;
        count += verdict == WSL_FILTER_ACCEPTS;
        need = 0;
    }
    file->reader.position = (size_t)(at - file->reader.data);
    file->number = number;
    batch->count = count;
    return need;
}

static WslSourceStatus pcap_next(WslFile *file, WslBatch *batch, size_t limit, GError **error)
{
    for (;;) {
        size_t need = parse_records(file, batch, limit, error);
        if (batch->count > 0)
            return WSL_SOURCE_BATCH;
        if (need == 0)
            return WSL_SOURCE_DAMAGED;
        if (need > RECORD_HEADER + WSL_RECORD_MAX) {
            wsl_file_corrupt(file, wsl_reader_tell(&file->reader), error,
                             "packet %" G_GUINT64_FORMAT " claims to have %zu captured bytes", file->number + 1,
                             need - RECORD_HEADER);
            return WSL_SOURCE_DAMAGED;
        }
        bool in_header = need == RECORD_HEADER;
        char inside[64];
        g_snprintf(inside, sizeof inside, "%spacket %" G_GUINT64_FORMAT, in_header ? "the header of " : "",
                   file->number + 1);
        WslSourceStatus status = wsl_file_fill(file, need, in_header ? 0 : RECORD_HEADER, inside, error);
        if (status != WSL_SOURCE_BATCH)
            return status;
    }
}

static void pcap_end(WslFile *file)
{
    (void)file;
}

const WslFormat wsl_pcap_format = {pcap_begin, pcap_next, pcap_end};

/*
 * A capture file that is being read, and the formats that can read one. Inside core/capture/ only.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_CAPTURE_FILE_H
#define WSL_CAPTURE_FILE_H

#include "core/capture/filter.h"
#include "core/capture/reader.h"
#include "core/capture/source_ops.h"

typedef struct WslFile WslFile;

/** One file format. */
typedef struct {
    /** Reads the file's header. False and `error` if it cannot. */
    bool (*begin)(WslFile *file, GError **error);
    /** As wsl_source_next(): whatever goes wrong is told only when the batch is empty, so that packets before it come first. */
    WslSourceStatus (*next)(WslFile *file, WslBatch *batch, size_t limit, GError **error);
    void (*end)(WslFile *file);
} WslFormat;

/** State of the pcap format. */
typedef struct {
    bool swapped;
    uint32_t fraction; /**< ns that one unit of a time stamp's second half is worth */
    uint16_t link_type;
} WslPcap;

/** An interface of a pcapng section. */
typedef struct {
    uint64_t ticks_max;  /**< time stamps up to this one are multiplied by `multiplier` without overflow */
    uint64_t multiplier; /**< ns in a tick; 0 for resolutions finer than that, and those that are powers of two */
    WslTime offset;
    uint32_t snaplen; /**< 0: no limit */
    uint16_t link_type;
    uint8_t resolution; /**< if_tsresol */
} WslPcapngInterface;

/** State of the pcapng format. */
typedef struct {
    bool swapped; /**< in this section */
    WslPcapngInterface *interfaces;
    uint32_t interface_count; /**< of this section */
    uint32_t first_interface; /**< the number, over the whole capture, of this section's first */
    struct {
        const uint8_t *at, *end; /**< options not yet handed on; at == end: none */
        uint32_t block;          /**< the type of the block that they belong to */
        uint32_t interface;
        WslPacketNo packet;
    } options;
} WslPcapng;

struct WslFile {
    WslSource source;
    WslReader reader;
    WslFilter *filter;  /**< NULL: every packet is handed on */
    WslPacketNo number; /**< of the last packet that was read */
    const WslFormat *format;
    union {
        WslPcap pcap;
        WslPcapng pcapng;
    } state;
};

extern const WslFormat wsl_pcap_format;
extern const WslFormat wsl_pcapng_format;

/**
 * Reads on for a parser that found less than `need` bytes and whose batch is empty. BATCH: it can go on; END: at a clean end;
 * DAMAGED: the file is cut short inside what `inside` names, of whose bytes the first `header` are not worth counting.
 */
WslSourceStatus wsl_file_fill(WslFile *file, size_t need, size_t header, const char *inside, GError **error);

/** Sets WSL_SOURCE_ERROR_CORRUPT for what begins at file offset `at`. */
void wsl_file_corrupt(const WslFile *file, uint64_t at, GError **error, const char *format, ...) G_GNUC_PRINTF(4, 5);

#endif

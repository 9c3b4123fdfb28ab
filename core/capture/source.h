/*
 * Where packets come from: a file or pipe (file.c), a network interface (live.c). One interface for all of them.
 *
 *   in:   bytes of a capture file, or a live interface
 *   out:  batches of packets, and what the capture says besides them (notes)
 *   owns: the read buffer. Packets and notes of a batch are valid until the next call on the same source.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_CAPTURE_SOURCE_H
#define WSL_CAPTURE_SOURCE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/packet.h"

/** What a capture file holds besides packets. */
typedef enum {
    WSL_NOTE_SECRETS,  /**< pcapng Decryption Secrets Block: `kind` is its secrets type, `data` the secrets */
    WSL_NOTE_COMMENT,  /**< an opt_comment: `packet` is the packet that it belongs to, 0 for a section or interface */
    WSL_NOTE_RECEIVED, /**< Interface Statistics Block isb_ifrecv: `value` packets */
    WSL_NOTE_DROPPED,  /**< isb_ifdrop and isb_osdrop: `value` packets that the capture lost */
} WslNoteType;

typedef struct {
    WslNoteType type;
    uint32_t interface; /**< as in WslPacket; UINT32_MAX if none */
    uint32_t kind;
    uint64_t value;
    WslPacketNo packet;
    const uint8_t *data;
    size_t length;
} WslNote;

typedef struct {
    WslPacket packets[WSL_BATCH_MAX];
    size_t count;
    WslNote notes[16];
    size_t note_count;
} WslBatch;

typedef enum {
    WSL_SOURCE_BATCH, /**< the batch holds packets or notes (perhaps none: nothing came for a moment, live) */
    WSL_SOURCE_END,   /**< no more; the batch is empty */
    WSL_SOURCE_DAMAGED, /**< nothing more can be read: cut short, corrupt, I/O error. Earlier batches stand. `error` is set */
} WslSourceStatus;

/** Errors of opening and reading. Their messages name the file, the offset or packet, and what was wrong. */
#define WSL_SOURCE_ERROR wsl_source_error_quark()
GQuark wsl_source_error_quark(void);
typedef enum {
    WSL_SOURCE_ERROR_OPEN,    /**< cannot be opened or read: nothing of it was read */
    WSL_SOURCE_ERROR_FORMAT,  /**< not a capture (or one whose format another tool must convert), or empty */
    WSL_SOURCE_ERROR_CUT,     /**< ends inside a record or block */
    WSL_SOURCE_ERROR_CORRUPT, /**< absurd lengths, blocks that contradict each other */
    WSL_SOURCE_ERROR_FILTER,  /**< the capture filter does not compile */
} WslSourceErrorCode;

typedef struct WslSource WslSource;

/**
 * Opens a pcap or pcapng file (recognised by content); "-" is standard input, read as it comes.
 * `filter` is in libpcap's filter language, or NULL; packets it rejects keep their numbers but are not handed on.
 * Returns NULL and sets `error` when nothing can be read. A capture without packets is no error.
 */
WslSource *wsl_source_open_file(const char *path, const char *filter, GError **error);

/** Captures on a network interface by libpcap until wsl_source_interrupt(). `filter` as above. */
WslSource *wsl_source_open_live(const char *interface, const char *filter, GError **error);

/**
 * Reads the next batch: at most `limit` packets (1 … WSL_BATCH_MAX), fewer when a buffer ends or nothing more is there yet.
 * Never blocks once at least one packet of the batch was read.
 */
WslSourceStatus wsl_source_next(WslSource *source, WslBatch *batch, size_t limit, GError **error);

/** Makes a blocking wsl_source_next() return WSL_SOURCE_END soon. Async-signal-safe. */
void wsl_source_interrupt(WslSource *source);

/** Bytes of the file read so far, and its size in bytes (0: unknown, a pipe). For progress. */
void wsl_source_progress(const WslSource *source, uint64_t *read, uint64_t *size);

void wsl_source_free(WslSource *source);

/** As wsl_source_open_file(), over `length` bytes in memory that the caller keeps until the source is freed. For tests and fuzzing. */
WslSource *wsl_source_open_memory(const uint8_t *data, size_t length, GError **error);

#endif

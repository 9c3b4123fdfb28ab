/*
 * The bytes of a file, pipe or piece of memory, read in large steps and parsed where they lie.
 *
 *   in:   a file descriptor or memory
 *   out:  data[position .. end), the bytes that are there but not yet consumed
 *   owns: the buffer and the descriptor. Pointers into `data` are valid until the next wsl_reader_fill()
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_CAPTURE_READER_H
#define WSL_CAPTURE_READER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

typedef struct {
    const uint8_t *data;
    size_t position; /**< in `data`: the next byte to be parsed; the parser moves it */
    size_t end;
    uint64_t offset; /**< in the file, of data[0] */
    uint64_t size;   /**< of the file; 0: unknown */
    char *name;      /**< for messages */
    uint8_t *buffer; /**< NULL: `data` is the caller's memory, and all of it is there */
    size_t capacity;
    int fd;
    bool waits;                     /**< a read may block: a pipe, a terminal, a socket */
    const atomic_bool *interrupted; /**< NULL while the source is being opened */
} WslReader;

typedef enum {
    WSL_READER_READY, /**< as many bytes as asked for are there */
    WSL_READER_END,   /**< the file ends before that; what there is lies in `data` */
    WSL_READER_INTERRUPTED,
    WSL_READER_FAILED, /**< `error` is set */
} WslReaderStatus;

/** Opens a path, or standard input for "-". False and WSL_SOURCE_ERROR_OPEN if that fails. Close it in any case. */
bool wsl_reader_open(WslReader *reader, const char *path, GError **error);

/** Reads from memory that the caller keeps. */
void wsl_reader_open_memory(WslReader *reader, const uint8_t *data, size_t length);

/** Makes at least `bytes` bytes available from `position` on (which moves). May block; the buffer grows if it must. */
WslReaderStatus wsl_reader_fill(WslReader *reader, size_t bytes, GError **error);

void wsl_reader_close(WslReader *reader);

/** Bytes that are there and not yet consumed. */
static inline size_t wsl_reader_left(const WslReader *reader)
{
    return reader->end - reader->position;
}

/** The file offset of the next byte to be parsed. */
static inline uint64_t wsl_reader_tell(const WslReader *reader)
{
    return reader->offset + reader->position;
}

#endif

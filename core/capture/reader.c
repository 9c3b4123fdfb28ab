/*
 * The buffered reader under every capture file format.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/capture/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/capture/source.h"

enum {
    BUFFER_SIZE = 1024 * 1024,
    POLL_MILLISECONDS = 200, /* an interruption just before poll() begins is noticed after this time */
};

static bool fail_open(WslReader *reader, int reason, GError **error)
{
    g_set_error(error, WSL_SOURCE_ERROR, WSL_SOURCE_ERROR_OPEN, "%s: %s", reader->name, g_strerror(reason));
    return false;
}

bool wsl_reader_open(WslReader *reader, const char *path, GError **error)
{
    bool standard_input = strcmp(path, "-") == 0;
    *reader = (WslReader){.name = g_strdup(standard_input ? "standard input" : path), .fd = -1};
    reader->fd = standard_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (reader->fd < 0 || fstat(reader->fd, &status) < 0)
        return fail_open(reader, errno, error);
    if (S_ISDIR(status.st_mode))
        return fail_open(reader, EISDIR, error);
    if (S_ISREG(status.st_mode)) {
        reader->size = (uint64_t)status.st_size;
        (void)posix_fadvise(reader->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    reader->waits = !S_ISREG(status.st_mode);
    reader->capacity = BUFFER_SIZE;
    reader->buffer = g_malloc(reader->capacity);
    reader->data = reader->buffer;
    return true;
}

void wsl_reader_open_memory(WslReader *reader, const uint8_t *data, size_t length)
{
    *reader = (WslReader){.name = g_strdup("memory"), .fd = -1, .data = data, .end = length, .size = length};
}

static void make_room(WslReader *reader, size_t bytes)
{
    size_t left = wsl_reader_left(reader);
    if (left > 0)
        memmove(reader->buffer, reader->buffer + reader->position, left);
    reader->offset += reader->position;
    reader->position = 0;
    reader->end = left;
    if (bytes > reader->capacity) {
        reader->capacity = bytes;
        reader->buffer = g_realloc(reader->buffer, reader->capacity);
        reader->data = reader->buffer;
    }
}

static WslReaderStatus fail_read(WslReader *reader, int reason, GError **error)
{
    uint64_t at = reader->offset + reader->end;
    if (at == 0)
        fail_open(reader, reason, error);
    else
        g_set_error(error, WSL_SOURCE_ERROR, WSL_SOURCE_ERROR_CUT,
                    "%s: cannot be read beyond byte %" G_GUINT64_FORMAT ": %s", reader->name, at, g_strerror(reason));
    return WSL_READER_FAILED;
}

/* While the source is being opened nobody can interrupt it but by a signal, so there every signal does. */
static WslReaderStatus check_interruption(WslReader *reader, bool by_signal, GError **error)
{
    if (!reader->interrupted)
        return by_signal ? fail_read(reader, EINTR, error) : WSL_READER_READY;
    return atomic_load(reader->interrupted) ? WSL_READER_INTERRUPTED : WSL_READER_READY;
}

static WslReaderStatus wait_for_bytes(WslReader *reader, GError **error)
{
    for (;;) {
        struct pollfd ready = {.fd = reader->fd, .events = POLLIN};
        int count = poll(&ready, 1, POLL_MILLISECONDS);
        if (count < 0 && errno != EINTR)
            return fail_read(reader, errno, error);
        WslReaderStatus status = check_interruption(reader, count < 0, error);
        if (status != WSL_READER_READY || count > 0)
            return status;
    }
}

WslReaderStatus wsl_reader_fill(WslReader *reader, size_t bytes, GError **error)
{
    if (wsl_reader_left(reader) >= bytes)
        return WSL_READER_READY;
    if (!reader->buffer)
        return WSL_READER_END;
    make_room(reader, bytes);
    while (reader->end < bytes) {
        WslReaderStatus status =
            reader->waits ? wait_for_bytes(reader, error) : check_interruption(reader, false, error);
        if (status != WSL_READER_READY)
            return status;
        ssize_t got = read(reader->fd, reader->buffer + reader->end, reader->capacity - reader->end);
        if (got == 0)
            return WSL_READER_END;
        if (got > 0)
            reader->end += (size_t)got;
        else if (errno != EINTR && errno != EAGAIN)
            return fail_read(reader, errno, error);
    }
    return WSL_READER_READY;
}

void wsl_reader_close(WslReader *reader)
{
    if (reader->fd >= 0)
        close(reader->fd);
    g_free(reader->buffer);
    g_free(reader->name);
}

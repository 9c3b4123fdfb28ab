/*
 * Where a report goes: standard output, or a file that appears whole or not at all.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

struct Output {
    int descriptor;
    char *path;      /* NULL: standard output */
    char *temporary; /* NULL: written in place (a device, a pipe) */
    bool failed;
};

static bool is_in_place(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

Output *output_open(const char *path, GError **error)
{
    Output *output = g_new0(Output, 1);

    output->descriptor = STDOUT_FILENO;
    if (!path)
        return output;
    output->path = g_strdup(path);
    if (is_in_place(path)) {
        output->descriptor = g_open(path, O_WRONLY | O_CLOEXEC, 0);
    } else {
        output->temporary = g_strdup_printf("%s.XXXXXX", path);
        output->descriptor = g_mkstemp_full(output->temporary, O_WRONLY | O_CLOEXEC, 0666);
    }
    if (output->descriptor >= 0)
        return output;
    g_set_error(error, G_FILE_ERROR, 0, "%s: cannot be written: %s", path, g_strerror(errno));
    g_free(output->path);
    g_free(output->temporary);
    g_free(output);
    return NULL;
}

static void fail(Output *output, int reason)
{
    if (!output->failed)
        complain("%s: cannot be written: %s", output->path ? output->path : "standard output", g_strerror(reason));
    output->failed = true;
}

bool output_write(Output *output, const char *bytes, size_t length)
{
    while (length && !output->failed) {
        ssize_t written = write(output->descriptor, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            fail(output, errno);
            break;
        }
        bytes += written;
        length -= (size_t)written;
    }
    return !output->failed;
}

void output_abandon(Output *output)
{
    output->failed = true;
}

bool output_close(Output *output)
{
    /* A file on a full disk or a broken share may fail only now. */
    if (close(output->descriptor) != 0)
        fail(output, errno);
    if (output->temporary && !output->failed && g_rename(output->temporary, output->path) != 0)
        fail(output, errno);
    if (output->temporary && output->failed)
        g_unlink(output->temporary);
    bool good = !output->failed;
    g_free(output->path);
    g_free(output->temporary);
    g_free(output);
    return good;
}

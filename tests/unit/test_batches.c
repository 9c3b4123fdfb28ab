/*
 * The report does not depend on how a capture is read: batches of 1, 7 and 64 packets, a file, or a pipe that gives a few
 * bytes at a time.
 *
 * The captures in captures/ and, where they are, in ../shared/captures/ (skipped otherwise). Of files above 1 MB only the
 * batches of 1 and 64 are compared, to be quick.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/capture/source.h"
#include "core/report/report.h"

enum { LARGE = 1000000 };

static void keep(void *user, GString *out)
{
    (void)user;
    (void)out;
}

static GString *report_of(const char *path, size_t limit)
{
    static const char *const files[] = {"capture", NULL};
    WslShown shown = {.least = WSL_NOTE, .complete = true, .files = files};
    WslSink sink = {g_string_new(NULL), keep, NULL};
    WslOptions *options = wsl_options_new();
    WslAnalyzer *analyzer = wsl_analyzer_new(options, NULL);
    WslBatch *batch = g_new(WslBatch, 1);
    g_autoptr(GError) error = NULL;
    WslSource *source = wsl_source_open_file(path, NULL, &error);

    g_assert_no_error(error);
    while (wsl_source_next(source, batch, limit, &error) == WSL_SOURCE_BATCH) {
        g_assert_cmpuint(batch->count, <=, limit);
        wsl_analyzer_packets(analyzer, batch->packets, batch->count);
    }
    wsl_source_free(source);
    wsl_analyzer_finish(analyzer);
    wsl_report_json(analyzer, &shown, &sink);
    wsl_analyzer_free(analyzer);
    wsl_options_free(options);
    g_free(batch);
    return sink.out;
}

typedef struct {
    const char *path, *fifo;
} Feed;

/* Writes the file in chunks of odd and ever other lengths. */
static gpointer feed(gpointer data)
{
    static const size_t lengths[] = {1, 3, 23, 17, 1021, 5, 4099, 65521, 7};
    const Feed *it = data;
    g_autofree char *bytes = NULL;
    size_t length = 0, chunk;
    int out = open(it->fifo, O_WRONLY);

    g_assert_true(out >= 0 && g_file_get_contents(it->path, &bytes, &length, NULL));
    for (size_t at = 0, i = 0; at < length; at += chunk, i++) {
        chunk = MIN(lengths[i % G_N_ELEMENTS(lengths)], length - at);
        g_assert_cmpint(write(out, bytes + at, chunk), ==, (gssize)chunk);
    }
    close(out);
    return NULL;
}

static GString *report_through_pipe(const char *path)
{
    g_autofree char *folder = g_dir_make_tmp("wsleuth-XXXXXX", NULL);
    g_autofree char *fifo = g_build_filename(folder, "pipe", NULL);
    Feed it = {path, fifo};

    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    GThread *thread = g_thread_new("feed", feed, &it);
    GString *report = report_of(fifo, WSL_BATCH_MAX);
    g_thread_join(thread);
    remove(fifo);
    remove(folder);
    return report;
}

/* Takes `report`. */
static void compare(const GString *expected, GString *report, const char *path, const char *how)
{
    if (!g_string_equal(expected, report)) {
        size_t at = 0;
        while (at < expected->len && expected->str[at] == report->str[at])
            at++;
        at = at > 100 ? at - 100 : 0;
        g_error("%s: %s makes another report:\n%.200s\nnot\n%.200s", path, how, report->str + at, expected->str + at);
    }
    g_string_free(report, TRUE);
}

static void check_file(const char *path)
{
    struct stat status;
    GString *whole = report_of(path, 64);

    g_assert_cmpint(stat(path, &status), ==, 0);
    g_assert_cmpuint(whole->len, >, 100);
    compare(whole, report_of(path, 1), path, "a batch of 1");
    if (status.st_size <= LARGE) {
        compare(whole, report_of(path, 7), path, "a batch of 7");
        compare(whole, report_through_pipe(path), path, "a pipe");
    }
    g_string_free(whole, TRUE);
}

static void check_folder(gconstpointer data)
{
    const char *root = g_getenv("WSLEUTH_ROOT");
    g_autofree char *folder = g_build_filename(root ? root : ".", (const char *)data, NULL);
    GDir *dir = g_dir_open(folder, 0, NULL);
    unsigned files = 0;

    if (!dir) {
        g_test_skip("the folder is not there");
        return;
    }
    for (const char *name; (name = g_dir_read_name(dir));) {
        if (!g_str_has_suffix(name, ".pcap") && !g_str_has_suffix(name, ".pcapng"))
            continue;
        g_autofree char *path = g_build_filename(folder, name, NULL);
        check_file(path);
        files++;
    }
    g_dir_close(dir);
    g_assert_cmpuint(files, >, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/batches/captures", "captures", check_folder);
    g_test_add_data_func("/batches/public", "../shared/captures/public", check_folder);
    g_test_add_data_func("/batches/lab", "../shared/captures/lab", check_folder);
    return g_test_run();
}

/*
 * The source over a capture file: opening it, recognising its format by content, reading it.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/capture/file.h"

#include <stdarg.h>
#include <string.h>

#define CONVERT    "convert it first: editcap -F pcapng IN OUT"
#define DECOMPRESS "decompress it first"

enum { LONGEST_HEADER = 24 /* what must be seen to recognise a format, and pcap's header */ };

/* How captures begin, and files that people take for one. Without `format`, `name` and `advice` say what it is and what to do. */
static const struct {
    const char *magic;
    size_t length;
    const WslFormat *format;
    const char *name;
    const char *advice;
} magics[] = {
    {"\xa1\xb2\xc3\xd4", 4, &wsl_pcap_format, NULL, NULL},
    {"\xd4\xc3\xb2\xa1", 4, &wsl_pcap_format, NULL, NULL},
    {"\xa1\xb2\x3c\x4d", 4, &wsl_pcap_format, NULL, NULL},
    {"\x4d\x3c\xb2\xa1", 4, &wsl_pcap_format, NULL, NULL},
    {"\x0a\x0d\x0d\x0a", 4, &wsl_pcapng_format, NULL, NULL},
    {"\xa1\xb2\xcd\x34", 4, NULL, "a modified pcap (of a patched libpcap)", CONVERT},
    {"\x34\xcd\xb2\xa1", 4, NULL, "a modified pcap (of a patched libpcap)", CONVERT},
    {"\x1f\x8b", 2, NULL, "compressed with gzip", DECOMPRESS},
    {"\x28\xb5\x2f\xfd", 4, NULL, "compressed with zstd", DECOMPRESS},
    {"\x04\x22\x4d\x18", 4, NULL, "compressed with lz4", DECOMPRESS},
    {"\xfd"
     "7zXZ",
     5, NULL, "compressed with xz", DECOMPRESS},
    {"BZh", 3, NULL, "compressed with bzip2", DECOMPRESS},
    {"PK\x03\x04", 4, NULL, "a zip archive", "unpack it first"},
    {"snoop\0\0\0", 8, NULL, "a Solaris snoop capture", CONVERT},
    {"btsnoop\0", 8, NULL, "a Bluetooth snoop capture", CONVERT},
    {"iptrace ", 8, NULL, "an AIX iptrace capture", CONVERT},
    {"RTSS", 4, NULL, "a Microsoft Network Monitor 1 capture", CONVERT},
    {"GMBU", 4, NULL, "a Microsoft Network Monitor 2 capture", CONVERT},
    {"TRSNIFF data    \x1a", 17, NULL, "a Sniffer capture", CONVERT},
    {"XCP\0", 4, NULL, "a NetXRay or Windows Sniffer capture", CONVERT},
    {"\x7fver", 4, NULL, "an OmniPeek or EtherPeek capture", CONVERT},
    {"\x05VNF", 4, NULL, "a Visual Networks capture", CONVERT},
    {"\x00\x00\x02\x00\x12\x05\x00\x10", 8, NULL, "a Tektronix K12 capture", CONVERT},
};

static void set_format_error(const WslFile *file, GError **error, const char *text)
{
    g_set_error(error, WSL_SOURCE_ERROR, WSL_SOURCE_ERROR_FORMAT, "%s: %s", file->reader.name, text);
}

static void set_unknown(const WslFile *file, GError **error)
{
    const WslReader *reader = &file->reader;
    GString *text = g_string_new("not a capture file (begins with");
    for (size_t i = 0; i < MIN(wsl_reader_left(reader), 4); i++)
        g_string_append_printf(text, " %02x", reader->data[i]);
    g_string_append_c(text, ')');
    set_format_error(file, error, text->str);
    g_string_free(text, TRUE);
}

static void set_cut(const WslFile *file, size_t need, size_t header, const char *inside, GError **error)
{
    size_t left = wsl_reader_left(&file->reader);
    g_set_error(error, WSL_SOURCE_ERROR, WSL_SOURCE_ERROR_CUT,
                "%s: cut short at byte %" G_GUINT64_FORMAT ", inside %s: %zu of %zu bytes are there", file->reader.name,
                wsl_reader_tell(&file->reader) + left, inside, left - header, need - header);
}

/* Too short even for the magic that it begins with, if that is a capture's: cut short rather than something else. */
static bool recognise(WslFile *file, GError **error)
{
    const WslReader *reader = &file->reader;
    size_t left = wsl_reader_left(reader);
    if (left == 0) {
        set_format_error(file, error, "empty file");
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(magics); i++) {
        bool whole = left >= magics[i].length;
        if (memcmp(reader->data, magics[i].magic, MIN(left, magics[i].length)) != 0 || (!whole && !magics[i].format))
            continue;
        file->format = magics[i].format;
        if (!whole)
            set_cut(file, LONGEST_HEADER, 0, "the file header", error);
        else if (!file->format)
            g_set_error(error, WSL_SOURCE_ERROR, WSL_SOURCE_ERROR_FORMAT, "%s: %s; %s", reader->name, magics[i].name,
                        magics[i].advice);
        return whole && file->format;
    }
    set_unknown(file, error);
    return false;
}

WslSourceStatus wsl_file_fill(WslFile *file, size_t need, size_t header, const char *inside, GError **error)
{
    static const WslSourceStatus statuses[] = {
        [WSL_READER_READY] = WSL_SOURCE_BATCH,
        [WSL_READER_END] = WSL_SOURCE_END,
        [WSL_READER_INTERRUPTED] = WSL_SOURCE_END,
        [WSL_READER_FAILED] = WSL_SOURCE_DAMAGED,
    };
    WslReaderStatus status = wsl_reader_fill(&file->reader, need, error);
    if (status != WSL_READER_END || wsl_reader_left(&file->reader) == 0)
        return statuses[status];
    set_cut(file, need, MIN(header, wsl_reader_left(&file->reader)), inside, error);
    return WSL_SOURCE_DAMAGED;
}

void wsl_file_corrupt(const WslFile *file, uint64_t at, GError **error, const char *format, ...)
{
    if (!error)
        return;
    va_list arguments;
    va_start(arguments, format);
    char *what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, WSL_SOURCE_ERROR, WSL_SOURCE_ERROR_CORRUPT, "%s: corrupt at byte %" G_GUINT64_FORMAT ": %s",
                file->reader.name, at, what);
    g_free(what);
}

static WslSourceStatus file_next(WslSource *source, WslBatch *batch, size_t limit, GError **error)
{
    WslFile *file = (WslFile *)source;
    return file->format->next(file, batch, limit, error);
}

static void file_progress(const WslSource *source, uint64_t *read, uint64_t *size)
{
    const WslFile *file = (const WslFile *)source;
    *read = wsl_reader_tell(&file->reader);
    *size = file->reader.size;
}

static void file_free(WslSource *source)
{
    WslFile *file = (WslFile *)source;
    if (file->format)
        file->format->end(file);
    wsl_filter_free(file->filter);
    wsl_reader_close(&file->reader);
    g_free(file);
}

static const WslSourceOps file_ops = {.next = file_next, .progress = file_progress, .free = file_free};

static WslSource *begin(WslFile *file, bool opened, GError **error)
{
    bool ready = opened && wsl_reader_fill(&file->reader, LONGEST_HEADER, error) != WSL_READER_FAILED &&
                 recognise(file, error) && file->format->begin(file, error);
    if (!ready) {
        file_free(&file->source);
        return NULL;
    }
    file->reader.interrupted = &file->source.interrupted;
    return &file->source;
}

static WslFile *file_new(void)
{
    WslFile *file = g_new0(WslFile, 1);
    file->source.ops = &file_ops;
    return file;
}

WslSource *wsl_source_open_file(const char *path, const char *filter, GError **error)
{
    WslFile *file = file_new();
    bool opened = wsl_reader_open(&file->reader, path, error);
    if (opened && filter) {
        file->filter = wsl_filter_new(filter, error);
        opened = file->filter != NULL;
    }
    return begin(file, opened, error);
}

WslSource *wsl_source_open_memory(const uint8_t *data, size_t length, GError **error)
{
    WslFile *file = file_new();
    wsl_reader_open_memory(&file->reader, data, length);
    return begin(file, true, error);
}

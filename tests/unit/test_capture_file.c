/*
 * Reading captures from files and pipes: as they come, interrupted, filtered, with blocks larger than the buffer.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/unit/capture_build.h"

static const uint8_t data[64] = "the bytes of a packet";
static char *directory;

/* A FIFO whose writing end is open too, so that opening it does not block. */
typedef struct {
    char *path;
    int writer;
} Fifo;

static Fifo fifo_new(void)
{
    Fifo fifo = {.path = g_build_filename(directory, "fifo", NULL)};
    g_assert_cmpint(mkfifo(fifo.path, 0600), ==, 0);
    fifo.writer = g_open(fifo.path, O_RDWR | O_CLOEXEC, 0);
    g_assert_cmpint(fifo.writer, >=, 0);
    return fifo;
}

static void fifo_free(Fifo *fifo)
{
    if (fifo->writer >= 0)
        close(fifo->writer);
    g_unlink(fifo->path);
    g_free(fifo->path);
}

static void write_all(int descriptor, const Build *build, size_t length)
{
    g_assert_cmpint(write(descriptor, build->bytes->data, length), ==, (ssize_t)length);
}

static Build pcap_of(unsigned packets)
{
    Build build = build_new(false);
    put_pcap_header(&build, 0xa1b23c4d, 65535, 1);
    for (uint32_t i = 0; i < packets; i++)
        put_pcap_record(&build, i, i, data, i % 60, 60);
    return build;
}

static Build pcapng_of(unsigned packets)
{
    Build build = build_new(false);
    put_section(&build);
    put_interface(&build, 1, 0);
    for (uint32_t i = 0; i < packets; i++) {
        guint block = block_begin(&build, 6);
        put_packet_fields(&build, 0, i, data, i % 60, 60);
        if (i % 5 == 0)
            put_comment(&build, "five");
        block_end(&build, block);
    }
    return build;
}

static Collected collect_file(const char *path, const char *filter, size_t limit)
{
    GError *error = NULL;
    WslSource *source = wsl_source_open_file(path, filter, &error);
    return collect(source, error, limit);
}

static char *save(const Build *build, const char *name)
{
    char *path = g_build_filename(directory, name, NULL);
    g_assert_true(g_file_set_contents(path, (const char *)build->bytes->data, build->bytes->len, NULL));
    return path;
}

static void assert_same(const Collected *a, const Collected *b)
{
    g_assert_cmpuint(a->packets->len, ==, b->packets->len);
    for (guint i = 0; i < a->packets->len; i++) {
        const WslPacket *p = packet_at(a, i);
        const WslPacket *q = packet_at(b, i);
        assert_bytes(p->data, p->captured, q->data, q->captured);
        g_assert_true(p->length == q->length && p->time == q->time && p->number == q->number);
    }
    g_assert_cmpuint(a->notes->len, ==, b->notes->len);
    for (guint i = 0; i < a->notes->len; i++) {
        assert_bytes(note_at(a, i)->data, note_at(a, i)->length, note_at(b, i)->data, note_at(b, i)->length);
        g_assert_cmpuint(note_at(a, i)->packet, ==, note_at(b, i)->packet);
    }
}

typedef struct {
    const Build *build;
    const char *path;
} Dripping;

static gpointer drip(gpointer user)
{
    const Dripping *dripping = user;
    int writer = g_open(dripping->path, O_WRONLY | O_CLOEXEC, 0);
    for (guint i = 0; i < dripping->build->bytes->len; i++)
        g_assert_cmpint(write(writer, dripping->build->bytes->data + i, 1), ==, 1);
    close(writer);
    return NULL;
}

static void test_byte_by_byte_pipe_equals_the_file(void)
{
    Build builds[] = {pcap_of(200), pcapng_of(200)};
    for (size_t i = 0; i < G_N_ELEMENTS(builds); i++) {
        Fifo fifo = fifo_new();
        close(fifo.writer);
        fifo.writer = -1;
        Dripping dripping = {&builds[i], fifo.path};
        GThread *thread = g_thread_new("drip", drip, &dripping);
        Collected piped = collect_file(fifo.path, NULL, WSL_BATCH_MAX);
        g_thread_join(thread);
        assert_ended(&piped);
        Collected whole = collect_build(&builds[i]);
        g_assert_cmpuint(whole.packets->len, ==, 200);
        assert_same(&piped, &whole);
        collected_free(&whole);
        collected_free(&piped);
        fifo_free(&fifo);
        build_free(&builds[i]);
    }
}

static void test_file_larger_than_the_buffer_in_any_batch_size(void)
{
    static const size_t limits[] = {1, 7, 64};
    Build builds[] = {pcap_of(60000), pcapng_of(60000)};
    for (size_t i = 0; i < G_N_ELEMENTS(builds); i++) {
        g_assert_cmpuint(builds[i].bytes->len, >, 2 * 1024 * 1024);
        char *path = save(&builds[i], "large");
        Collected whole = collect_build(&builds[i]);
        for (size_t j = 0; j < G_N_ELEMENTS(limits); j++) {
            Collected read = collect_file(path, NULL, limits[j]);
            assert_ended(&read);
            assert_same(&read, &whole);
            collected_free(&read);
        }
        g_assert_cmpuint(packet_at(&whole, 59999)->number, ==, 60000);
        collected_free(&whole);
        g_free(path);
        build_free(&builds[i]);
    }
}

static void test_block_larger_than_the_buffer(void)
{
    Build build = build_new(false);
    uint8_t *large = g_malloc0(3 * 1024 * 1024);
    put_section(&build);
    put_interface(&build, 1, 0);
    put_packet(&build, 0, 1, data, 21);
    put_block(&build, 0x999, large, 3 * 1024 * 1024);
    large[1] = 0x10; /* as a secrets block: 0x2ffff0 bytes of type 0x1000 */
    large[4] = 0xf0;
    large[5] = 0xff;
    large[6] = 0x2f;
    put_block(&build, 10, large, 3 * 1024 * 1024);
    put_packet(&build, 0, 2, data, 21);
    char *path = save(&build, "block");
    Collected all = collect_file(path, NULL, WSL_BATCH_MAX);
    assert_ended(&all);
    g_assert_cmpuint(all.packets->len, ==, 2);
    g_assert_cmpuint(note_at(&all, 0)->length, ==, 0x2ffff0);
    collected_free(&all);
    g_free(path);
    g_free(large);
    build_free(&build);
}

/* Were it to block, the test would not end: nothing more is ever written. */
static void test_pipe_hands_on_what_is_there(void)
{
    Fifo fifo = fifo_new();
    Build build = pcap_of(3);
    write_all(fifo.writer, &build, build.bytes->len - 1);
    WslSource *source = wsl_source_open_file(fifo.path, NULL, NULL);
    g_assert_nonnull(source);
    WslBatch *batch = g_new(WslBatch, 1);
    g_assert_cmpint(wsl_source_next(source, batch, WSL_BATCH_MAX, NULL), ==, WSL_SOURCE_BATCH);
    g_assert_cmpuint(batch->count, ==, 2);
    uint64_t read, size;
    wsl_source_progress(source, &read, &size);
    g_assert_cmpuint(read, ==, 24 + 16 + 17);
    g_assert_cmpuint(size, ==, 0);
    g_free(batch);
    wsl_source_free(source);
    build_free(&build);
    fifo_free(&fifo);
}

static WslSource *waiting;

static void on_alarm(int signal_number)
{
    (void)signal_number;
    wsl_source_interrupt(waiting);
}

static void test_interruption_ends_a_blocking_read(void)
{
    Fifo fifo = fifo_new();
    Build build = pcap_of(0);
    write_all(fifo.writer, &build, build.bytes->len);
    waiting = wsl_source_open_file(fifo.path, NULL, NULL);
    g_assert_nonnull(waiting);
    signal(SIGALRM, on_alarm);
    struct itimerval soon = {.it_value.tv_usec = 50000};
    setitimer(ITIMER_REAL, &soon, NULL);
    WslBatch *batch = g_new(WslBatch, 1);
    gint64 begin = g_get_monotonic_time();
    g_assert_cmpint(wsl_source_next(waiting, batch, 1, NULL), ==, WSL_SOURCE_END);
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 5 * G_USEC_PER_SEC);
    g_assert_cmpint(wsl_source_next(waiting, batch, 1, NULL), ==, WSL_SOURCE_END);
    g_free(batch);
    wsl_source_free(waiting);
    build_free(&build);
    fifo_free(&fifo);
}

/* The bytes of IPv4 and TCP that `tcp port` looks at: version, protocol 6, source port (RFC 791, RFC 9293) */
static void put_tcp(uint8_t *ip, uint16_t port)
{
    memset(ip, 0, 40);
    ip[0] = 0x45;
    ip[9] = 6;
    ip[20] = (uint8_t)(port >> 8);
    ip[21] = (uint8_t)port;
}

static void test_filter_keeps_numbers_on_every_link_type(void)
{
    uint8_t frame[54] = {[12] = 0x08};
    Build build = build_new(false);
    put_section(&build);
    put_interface(&build, 1, 0);
    put_interface(&build, 101, 0); /* LINKTYPE_RAW, which is DLT 12 */
    for (uint32_t i = 0; i < 6; i++) {
        put_tcp(frame + 14, i % 3 == 0 ? 8300 : 80);
        guint block = block_begin(&build, 6);
        put_packet_fields(&build, i % 2, i, i % 2 ? frame + 14 : frame, i % 2 ? 40 : 54, 54);
        put_comment(&build, "comment");
        block_end(&build, block);
    }
    char *path = save(&build, "filtered");
    Collected all = collect_file(path, "tcp port 8300", WSL_BATCH_MAX);
    assert_ended(&all);
    g_assert_cmpuint(all.packets->len, ==, 2);
    g_assert_cmpuint(packet_at(&all, 0)->number, ==, 1);
    g_assert_cmpuint(packet_at(&all, 1)->number, ==, 4);
    g_assert_cmpuint(all.notes->len, ==, 2);
    g_assert_cmpuint(note_at(&all, 1)->packet, ==, 4);
    collected_free(&all);
    all = collect_file(path, "ether host 2:0:0:0:0:1 or ip", WSL_BATCH_MAX); /* RAW has no Ethernet addresses */
    assert_error(&all, WSL_SOURCE_ERROR_FILTER);
    g_assert_cmpuint(all.packets->len, ==, 1);
    collected_free(&all);
    all = collect_file(path, "tcp prot 8300", WSL_BATCH_MAX);
    assert_error(&all, WSL_SOURCE_ERROR_FILTER);
    g_assert_true(g_str_has_prefix(all.error->message, "capture filter \"tcp prot 8300\": "));
    collected_free(&all);
    g_free(path);
    build_free(&build);
}

static void test_filter_on_pcap(void)
{
    uint8_t ip[40];
    Build build = build_new(false);
    put_pcap_header(&build, 0xa1b2c3d4, 65535, 101);
    for (uint32_t i = 0; i < 200; i++) {
        put_tcp(ip, i == 150 ? 8300 : 80);
        put_pcap_record(&build, i, 0, ip, 40, 40);
    }
    char *path = save(&build, "filtered.pcap");
    Collected all = collect_file(path, "tcp port 8300", WSL_BATCH_MAX);
    assert_ended(&all);
    g_assert_cmpuint(all.packets->len, ==, 1);
    g_assert_cmpuint(packet_at(&all, 0)->number, ==, 151);
    collected_free(&all);
    all = collect_file(path, "ether multicast", WSL_BATCH_MAX);
    assert_error(&all, WSL_SOURCE_ERROR_FILTER);
    collected_free(&all);
    g_free(path);
    build_free(&build);
}

static void remove_directory(void)
{
    GDir *files = g_dir_open(directory, 0, NULL);
    for (const char *name; (name = g_dir_read_name(files)) != NULL;) {
        char *path = g_build_filename(directory, name, NULL);
        g_unlink(path);
        g_free(path);
    }
    g_dir_close(files);
    g_rmdir(directory);
    g_free(directory);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    directory = g_dir_make_tmp("wsl-XXXXXX", NULL);
    g_assert_nonnull(directory);
    g_test_add_func("/capture/file/byte-by-byte-pipe-equals-the-file", test_byte_by_byte_pipe_equals_the_file);
    g_test_add_func("/capture/file/larger-than-the-buffer", test_file_larger_than_the_buffer_in_any_batch_size);
    g_test_add_func("/capture/file/block-larger-than-the-buffer", test_block_larger_than_the_buffer);
    g_test_add_func("/capture/file/pipe-hands-on-what-is-there", test_pipe_hands_on_what_is_there);
    g_test_add_func("/capture/file/interruption-ends-a-blocking-read", test_interruption_ends_a_blocking_read);
    g_test_add_func("/capture/file/filter-keeps-numbers", test_filter_keeps_numbers_on_every_link_type);
    g_test_add_func("/capture/file/filter-on-pcap", test_filter_on_pcap);
    int result = g_test_run();
    remove_directory();
    return result;
}

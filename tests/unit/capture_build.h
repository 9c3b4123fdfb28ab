/*
 * Builds capture files in memory, byte by byte, and collects what a source reads. For the tests of core/capture/.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_TESTS_CAPTURE_BUILD_H
#define WSL_TESTS_CAPTURE_BUILD_H

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#include "core/capture/source.h"

/** A file under construction; `big`: numbers are written big-endian. */
typedef struct {
    GByteArray *bytes;
    bool big;
} Build;

static inline Build build_new(bool big)
{
    return (Build){.bytes = g_byte_array_new(), .big = big};
}

static inline void build_free(Build *build)
{
    g_byte_array_free(build->bytes, TRUE);
}

static inline void put_bytes(Build *build, const void *bytes, size_t length)
{
    if (length > 0)
        g_byte_array_append(build->bytes, bytes, (guint)length);
}

static inline void put_number(Build *build, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(value >> 8 * (build->big ? size - 1 - i : i));
        put_bytes(build, &byte, 1);
    }
}

static inline void put16(Build *build, uint16_t value)
{
    put_number(build, value, 2);
}

static inline void put32(Build *build, uint32_t value)
{
    put_number(build, value, 4);
}

static inline void put64(Build *build, uint64_t value)
{
    put_number(build, value, 8);
}

static inline void put_padded(Build *build, const void *bytes, size_t length)
{
    put_bytes(build, bytes, length);
    put_number(build, 0, (unsigned)(-length & 3));
}

/** draft-ietf-opsawg-pcap §4 */
static inline void put_pcap_header(Build *build, uint32_t magic, uint32_t snaplen, uint32_t network)
{
    put32(build, magic);
    put16(build, 2);
    put16(build, 4);
    put32(build, 0);
    put32(build, 0);
    put32(build, snaplen);
    put32(build, network);
}

/** draft-ietf-opsawg-pcap §5 */
static inline void put_pcap_record(Build *build, uint32_t seconds, uint32_t fraction, const void *data,
                                   uint32_t captured, uint32_t original)
{
    put32(build, seconds);
    put32(build, fraction);
    put32(build, captured);
    put32(build, original);
    put_bytes(build, data, captured);
}

/** Begins a block; its body follows. Returns what block_end() needs. draft-ietf-opsawg-pcapng §3.1 */
static inline guint block_begin(Build *build, uint32_t type)
{
    guint at = build->bytes->len;
    put32(build, type);
    put32(build, 0);
    return at;
}

static inline void block_end(Build *build, guint at)
{
    uint32_t length = build->bytes->len - at + 4;
    put32(build, length);
    memcpy(build->bytes->data + at + 4, build->bytes->data + build->bytes->len - 4, 4);
}

static inline void put_option(Build *build, uint16_t code, const void *value, uint16_t length)
{
    put16(build, code);
    put16(build, length);
    put_padded(build, value, length);
}

static inline void put_option64(Build *build, uint16_t code, uint64_t value)
{
    put16(build, code);
    put16(build, 8);
    put64(build, value);
}

static inline void put_comment(Build *build, const char *text)
{
    put_option(build, 1, text, (uint16_t)strlen(text));
}

static inline void put_section(Build *build)
{
    guint block = block_begin(build, 0x0a0d0d0a);
    put32(build, 0x1a2b3c4d);
    put16(build, 1);
    put16(build, 0);
    put64(build, UINT64_MAX);
    block_end(build, block);
}

static inline void put_interface_fields(Build *build, uint16_t link_type, uint32_t snaplen)
{
    put16(build, link_type);
    put16(build, 0);
    put32(build, snaplen);
}

static inline void put_interface(Build *build, uint16_t link_type, uint32_t snaplen)
{
    guint block = block_begin(build, 1);
    put_interface_fields(build, link_type, snaplen);
    block_end(build, block);
}

static inline void put_packet_fields(Build *build, uint32_t interface, uint64_t ticks, const void *data,
                                     uint32_t captured, uint32_t original)
{
    put32(build, interface);
    put32(build, (uint32_t)(ticks >> 32));
    put32(build, (uint32_t)ticks);
    put32(build, captured);
    put32(build, original);
    put_padded(build, data, captured);
}

static inline void put_packet(Build *build, uint32_t interface, uint64_t ticks, const void *data, uint32_t length)
{
    guint block = block_begin(build, 6);
    put_packet_fields(build, interface, ticks, data, length, length);
    block_end(build, block);
}

static inline void put_block(Build *build, uint32_t type, const void *body, size_t length)
{
    guint block = block_begin(build, type);
    put_padded(build, body, length);
    block_end(build, block);
}

/** All that a source gave. Packets' and notes' `data` are copies that live as long as this. */
typedef struct {
    GArray *packets; /**< of WslPacket */
    GArray *notes;   /**< of WslNote */
    GPtrArray *copies;
    WslSourceStatus status; /**< the last: END or DAMAGED; DAMAGED if it could not be opened */
    GError *error;
} Collected;

static inline const uint8_t *collected_copy(Collected *all, const uint8_t *data, size_t length)
{
    uint8_t *copy = g_malloc(length + 1);
    if (length > 0)
        memcpy(copy, data, length);
    copy[length] = 0;
    g_ptr_array_add(all->copies, copy);
    return copy;
}

static inline void collect_batch(Collected *all, const WslBatch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        WslPacket packet = batch->packets[i];
        packet.data = collected_copy(all, packet.data, packet.captured);
        g_array_append_val(all->packets, packet);
    }
    for (size_t i = 0; i < batch->note_count; i++) {
        WslNote note = batch->notes[i];
        note.data = collected_copy(all, note.data, note.length);
        g_array_append_val(all->notes, note);
    }
}

/** Reads `source` (NULL: `error` says why) to its end and frees it. */
static inline Collected collect(WslSource *source, GError *error, size_t limit)
{
    Collected all = {
        .packets = g_array_new(FALSE, FALSE, sizeof(WslPacket)),
        .notes = g_array_new(FALSE, FALSE, sizeof(WslNote)),
        .copies = g_ptr_array_new_with_free_func(g_free),
        .status = WSL_SOURCE_DAMAGED,
        .error = error,
    };
    if (!source)
        return all;
    WslBatch *batch = g_new(WslBatch, 1);
    while ((all.status = wsl_source_next(source, batch, limit, &all.error)) == WSL_SOURCE_BATCH) {
        g_assert_cmpuint(batch->count, <=, limit);
        collect_batch(&all, batch);
    }
    g_assert_cmpuint(batch->count, ==, 0);
    g_assert_true((all.status == WSL_SOURCE_DAMAGED) == (all.error != NULL));
    g_free(batch);
    wsl_source_free(source);
    return all;
}

static inline Collected collect_memory(const void *data, size_t length, size_t limit)
{
    GError *error = NULL;
    WslSource *source = wsl_source_open_memory(data, length, &error);
    return collect(source, error, limit);
}

static inline Collected collect_build(const Build *build)
{
    return collect_memory(build->bytes->data, build->bytes->len, WSL_BATCH_MAX);
}

static inline void collected_free(Collected *all)
{
    g_array_free(all->packets, TRUE);
    g_array_free(all->notes, TRUE);
    g_ptr_array_free(all->copies, TRUE);
    g_clear_error(&all->error);
}

static inline const WslPacket *packet_at(const Collected *all, guint i)
{
    g_assert_cmpuint(i, <, all->packets->len);
    return &g_array_index(all->packets, WslPacket, i);
}

static inline const WslNote *note_at(const Collected *all, guint i)
{
    g_assert_cmpuint(i, <, all->notes->len);
    return &g_array_index(all->notes, WslNote, i);
}

static inline void assert_bytes(const uint8_t *got, size_t got_length, const void *expected, size_t expected_length)
{
    g_assert_cmpuint(got_length, ==, expected_length);
    g_assert_true(memcmp(got, expected, expected_length) == 0);
}

static inline void assert_error(const Collected *all, WslSourceErrorCode code)
{
    g_assert_nonnull(all->error);
    g_assert_true(all->error->domain == WSL_SOURCE_ERROR);
    g_assert_cmpint(all->error->code, ==, (int)code);
}

static inline void assert_ended(const Collected *all)
{
    g_assert_no_error(all->error);
    g_assert_cmpint(all->status, ==, WSL_SOURCE_END);
}

#endif

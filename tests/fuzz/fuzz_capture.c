/*
 * Fuzz target: a capture file of any bytes, read in batches of 1, 7 and 64.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdint.h>
#include <stdlib.h>

#include "core/capture/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition) ((condition) ? (void)0 : abort())

/** What must not depend on the size of the batches. */
typedef struct {
    uint64_t packets;
    uint64_t notes;
    uint32_t sum; /**< over every byte and field */
    WslPacketNo last;
    WslSourceStatus status;
} Reading;

static void mix(Reading *reading, uint64_t value)
{
    reading->sum = (reading->sum ^ (uint32_t)value ^ (uint32_t)(value >> 32)) * UINT32_C(16777619);
}

static void mix_bytes(Reading *reading, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        mix(reading, bytes[i]);
}

static void take_packet(Reading *reading, const WslPacket *packet)
{
    CHECK(packet->number > reading->last);
    CHECK(packet->captured <= WSL_RECORD_MAX);
    CHECK(packet->length >= packet->captured);
    CHECK(packet->interface < 65535);
    reading->last = packet->number;
    reading->packets++;
    mix(reading, (uint64_t)packet->time);
    mix(reading, packet->link_type);
    mix(reading, packet->interface);
    mix_bytes(reading, packet->data, packet->captured);
}

static void take_batch(Reading *reading, const WslBatch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        take_packet(reading, &batch->packets[i]);
    reading->notes += batch->note_count;
}

/* Notes are summed apart: where they stand among the packets depends on where batches end. */
static uint32_t sum_notes(uint32_t before, const WslBatch *batch)
{
    Reading notes = {.sum = before};
    for (size_t i = 0; i < batch->note_count; i++) {
        const WslNote *note = &batch->notes[i];
        CHECK(note->interface == UINT32_MAX || note->interface < 65535);
        mix(&notes, note->type);
        mix(&notes, note->packet);
        mix(&notes, note->value);
        mix_bytes(&notes, note->data, note->length);
    }
    return notes.sum;
}

static Reading read_all(const uint8_t *data, size_t size, size_t limit, uint32_t *notes)
{
    static WslBatch batch;
    Reading reading = {.status = WSL_SOURCE_DAMAGED};
    GError *error = NULL;
    WslSource *source = wsl_source_open_memory(data, size, &error);
    while (source && (reading.status = wsl_source_next(source, &batch, limit, &error)) == WSL_SOURCE_BATCH) {
        CHECK(batch.count <= limit && batch.note_count <= 16);
        CHECK(batch.count + batch.note_count > 0);
        take_batch(&reading, &batch);
        *notes = sum_notes(*notes, &batch);
    }
    CHECK((reading.status == WSL_SOURCE_DAMAGED) == (error != NULL));
    g_clear_error(&error);
    wsl_source_free(source);
    return reading;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t limits[] = {1, 7, 64};
    Reading first = {0};
    uint32_t first_notes = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
        uint32_t notes = 0;
        Reading reading = read_all(data, size, limits[i], &notes);
        if (i == 0) {
            first = reading;
            first_notes = notes;
        }
        CHECK(reading.packets == first.packets && reading.notes == first.notes);
        CHECK(reading.sum == first.sum && notes == first_notes);
        CHECK(reading.status == first.status);
    }
    return 0;
}

/*
 * The pcapng file format (draft-ietf-opsawg-pcapng): sections, interfaces, packets, and what a capture says besides them.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/capture/bytes.h"
#include "core/capture/file.h"
#include "core/capture/tick.h"

enum {
    BLOCK_HEADER = 8,
    BLOCK_TRAILER = 4,
    BLOCK_MIN = BLOCK_HEADER + BLOCK_TRAILER,
    BLOCK_MAX = 16 * 1024 * 1024,
    INTERFACES_MAX = 65535,
};

enum {
    TYPE_INTERFACE = 1,
    TYPE_OLD_PACKET = 2,
    TYPE_SIMPLE_PACKET = 3,
    TYPE_STATISTICS = 5,
    TYPE_PACKET = 6,
    TYPE_JOURNAL = 9,
    TYPE_SECRETS = 10,
    TYPE_SYSDIG_EVENT = 0x204,
    TYPE_SYSDIG_EVENT_2 = 0x216,
    TYPE_SYSDIG_EVENT_2_LARGE = 0x221,
    TYPE_CUSTOM = 0xbad,
    TYPE_SECTION = 0x0a0d0d0a,
    TYPE_CUSTOM_NO_COPY = 0x40000bad,
};

enum { OPTION_END = 0, OPTION_COMMENT = 1, OPTION_TSRESOL = 9, OPTION_TSOFFSET = 14 };

#define BYTE_ORDER_MAGIC 0x1a2b3c4du

/** A block that is there whole; its type, lengths and trailer are checked. */
typedef struct {
    uint32_t type;
    const uint8_t *body; /**< between the block's length and its trailer */
    size_t length;       /**< of the body, a multiple of 4 */
    size_t total;        /**< of the block */
    uint64_t at;         /**< file offset of the block */
    bool swapped;
} Block;

typedef enum {
    STEP_DONE,
    STEP_MORE,   /* more bytes are needed */
    STEP_FAILED, /* `error` is set. Nothing has changed, so that the same step will fail again */
} Step;

static const WslPcapngInterface *find_interface(const WslFile *file, const Block *block, uint32_t id, GError **error)
{
    const WslPcapng *ng = &file->state.pcapng;
    if (id < ng->interface_count)
        return &ng->interfaces[id];
    wsl_file_corrupt(file, block->at, error, "packet %" G_GUINT64_FORMAT " names interface %u, but the section has %u",
                     file->number + 1, id, ng->interface_count);
    return NULL;
}

/* An option list; `value` is NULL after the last. What follows an option that claims more than there is, is ignored. */
typedef struct {
    const uint8_t *value;
    const uint8_t *next;
    uint16_t code;
    uint16_t length;
} Option;

static Option next_option(const uint8_t *at, const uint8_t *end, bool swapped)
{
    Option option = {.next = end};
    if (end - at < 4)
        return option;
    option.code = wsl_load16(at, swapped);
    option.length = wsl_load16(at + 2, swapped);
    if (option.code == OPTION_END || end - at - 4 < option.length)
        return option;
    option.value = at + 4;
    ptrdiff_t padded = (option.length + 3) & ~3;
    if (end - option.value > padded)
        option.next = option.value + padded;
    return option;
}

/* Options that are handed on as notes. Numbers are of 64 bits. */
static const struct {
    uint32_t block; /* 0: every block whose options are looked at */
    uint16_t code;
    WslNoteType type;
} noted_options[] = {
    {0, OPTION_COMMENT, WSL_NOTE_COMMENT},
    {TYPE_STATISTICS, 4 /* isb_ifrecv */, WSL_NOTE_RECEIVED},
    {TYPE_STATISTICS, 5 /* isb_ifdrop */, WSL_NOTE_DROPPED},
    {TYPE_STATISTICS, 7 /* isb_osdrop */, WSL_NOTE_DROPPED},
};

static void note_option(const WslPcapng *ng, const Option *option, WslBatch *batch)
{
    for (size_t i = 0; i < G_N_ELEMENTS(noted_options); i++) {
        if (noted_options[i].code != option->code ||
            (noted_options[i].block != 0 && noted_options[i].block != ng->options.block))
            continue;
        bool text = noted_options[i].type == WSL_NOTE_COMMENT;
        if (!text && option->length != 8)
            continue;
        batch->notes[batch->note_count++] = (WslNote){
            .type = noted_options[i].type,
            .interface = ng->options.interface,
            .kind = option->code,
            .packet = ng->options.packet,
            .value = text ? 0 : wsl_load64(option->value, ng->swapped),
            .data = option->value,
            .length = option->length,
        };
    }
}

/* Hands on as many of the waiting options as the batch has room for. True if none is left. */
static bool note_options(WslPcapng *ng, WslBatch *batch)
{
    while (ng->options.at != ng->options.end && batch->note_count < G_N_ELEMENTS(batch->notes)) {
        Option option = next_option(ng->options.at, ng->options.end, ng->swapped);
        if (option.value)
            note_option(ng, &option, batch);
        ng->options.at = option.next;
    }
    return ng->options.at == ng->options.end;
}

/* Everything from `skip` bytes into the body on is options, whose comments belong to `packet`. */
static void queue_options(WslFile *file, const Block *block, size_t skip, uint32_t interface, WslPacketNo packet)
{
    WslPcapng *ng = &file->state.pcapng;
    ng->options.at = block->body + skip;
    ng->options.end = block->body + block->length;
    ng->options.block = block->type;
    ng->options.interface = interface;
    ng->options.packet = packet;
}

/** Where a packet block has its data, and what it says of it. */
typedef struct {
    uint32_t interface;
    bool timed;
    uint64_t ticks;
    size_t header; /**< of the body, before the data */
    uint32_t captured;
    uint32_t length;
} Record;

static bool add_packet(WslFile *file, const Block *block, const Record *record, WslBatch *batch, GError **error)
{
    const WslPcapngInterface *interface = find_interface(file, block, record->interface, error);
    if (!interface)
        return false;
    if (record->captured > WSL_RECORD_MAX || record->captured > block->length - record->header) {
        wsl_file_corrupt(file, block->at, error,
                         "packet %" G_GUINT64_FORMAT " claims to have %u captured bytes in a block of %zu",
                         file->number + 1, record->captured, block->total);
        return false;
    }
    WslPacket *packet = &batch->packets[batch->count];
    packet->data = block->body + record->header;
    packet->captured = record->captured;
    packet->length = MAX(record->length, record->captured);
    packet->time = record->timed ? wsl_tick_time(interface, record->ticks) : 0;
    packet->number = file->number + 1;
    packet->interface = file->state.pcapng.first_interface + record->interface;
    packet->link_type = interface->link_type;
    WslFilterVerdict verdict = WSL_FILTER_ACCEPTS;
    if (file->filter)
        verdict = wsl_filter_match(file->filter, packet, error);
    if (verdict == WSL_FILTER_FAILED)
        return false;
    file->number++;
    if (verdict == WSL_FILTER_ACCEPTS) {
        batch->count++;
        size_t padded = (record->captured + 3u) & ~(size_t)3;
        if (block->length > record->header + padded)
            queue_options(file, block, record->header + padded, packet->interface, packet->number);
    }
    return true;
}

static bool packet_block(WslFile *file, const Block *block, WslBatch *batch, GError **error)
{
    const uint8_t *body = block->body;
    Record record = {
        .interface = wsl_load32(body, block->swapped),
        .timed = true,
        .ticks = (uint64_t)wsl_load32(body + 4, block->swapped) << 32 | wsl_load32(body + 8, block->swapped),
        .header = 20,
        .captured = wsl_load32(body + 12, block->swapped),
        .length = wsl_load32(body + 16, block->swapped),
    };
    /* The obsolete block has a drop count in the upper half; all else lies where the enhanced block has it. */
    if (block->type == TYPE_OLD_PACKET)
        record.interface = wsl_load16(body, block->swapped);
    return add_packet(file, block, &record, batch, error);
}

static bool simple_packet_block(WslFile *file, const Block *block, WslBatch *batch, GError **error)
{
    const WslPcapngInterface *interface = find_interface(file, block, 0, error);
    if (!interface)
        return false;
    Record record = {.header = 4, .length = wsl_load32(block->body, block->swapped)};
    uint32_t snaplen = interface->snaplen > 0 ? interface->snaplen : UINT32_MAX;
    record.captured = MIN(record.length, snaplen);
    record.captured = MIN(record.captured, (uint32_t)(block->length - record.header));
    Block bare = *block;
    bare.length = record.header + ((record.captured + 3u) & ~(size_t)3); /* it has no options */
    return add_packet(file, &bare, &record, batch, error);
}

static bool section_block(WslFile *file, const Block *block, WslBatch *batch, GError **error)
{
    (void)batch;
    WslPcapng *ng = &file->state.pcapng;
    uint16_t major = wsl_load16(block->body + 4, block->swapped);
    if (major != 1) {
        wsl_file_corrupt(file, block->at, error, "a section of pcapng version %u, which is not known", major);
        return false;
    }
    ng->swapped = block->swapped;
    ng->first_interface += ng->interface_count;
    ng->interface_count = 0;
    queue_options(file, block, 16, UINT32_MAX, 0);
    return true;
}

static bool interface_block(WslFile *file, const Block *block, WslBatch *batch, GError **error)
{
    (void)batch;
    WslPcapng *ng = &file->state.pcapng;
    if (ng->first_interface + ng->interface_count >= INTERFACES_MAX) {
        wsl_file_corrupt(file, block->at, error, "more than %d interfaces", INTERFACES_MAX);
        return false;
    }
    WslPcapngInterface interface = {
        .link_type = wsl_load16(block->body, block->swapped),
        .snaplen = wsl_load32(block->body + 4, block->swapped),
        .resolution = 6,
    };
    int64_t offset = 0;
    const uint8_t *end = block->body + block->length;
    for (const uint8_t *at = block->body + 8; at != end;) {
        Option option = next_option(at, end, block->swapped);
        if (option.value && option.code == OPTION_TSRESOL && option.length == 1)
            interface.resolution = option.value[0];
        if (option.value && option.code == OPTION_TSOFFSET && option.length == 8)
            offset = (int64_t)wsl_load64(option.value, block->swapped);
        at = option.next;
    }
    wsl_tick_prepare(&interface, offset);
    if ((ng->interface_count & (ng->interface_count - 1)) == 0) /* a power of two: the array is full */
        ng->interfaces = g_renew(WslPcapngInterface, ng->interfaces, MAX(1, 2 * ng->interface_count));
    queue_options(file, block, 8, ng->first_interface + ng->interface_count, 0);
    ng->interfaces[ng->interface_count++] = interface;
    return true;
}

/* Statistics of an interface that does not exist say nothing, and cost no packet: Wireshark ignores them too. */
static bool statistics_block(WslFile *file, const Block *block, WslBatch *batch, GError **error)
{
    (void)batch;
    (void)error;
    const WslPcapng *ng = &file->state.pcapng;
    uint32_t id = wsl_load32(block->body, block->swapped);
    if (id < ng->interface_count)
        queue_options(file, block, 12, ng->first_interface + id, 0);
    return true;
}

static bool secrets_block(WslFile *file, const Block *block, WslBatch *batch, GError **error)
{
    uint32_t length = wsl_load32(block->body + 4, block->swapped);
    if (length > block->length - 8) {
        wsl_file_corrupt(file, block->at, error, "%u bytes of secrets in a block of %zu", length, block->total);
        return false;
    }
    batch->notes[batch->note_count++] = (WslNote){
        .type = WSL_NOTE_SECRETS,
        .interface = UINT32_MAX,
        .kind = wsl_load32(block->body, block->swapped),
        .data = block->body + 8,
        .length = length,
    };
    return true;
}

/* Wireshark 4.0 shows these blocks as records of their own (tried), though they are no packets. */
static bool numbered_block(WslFile *file, const Block *block, WslBatch *batch, GError **error)
{
    (void)block;
    (void)batch;
    (void)error;
    file->number++;
    return true;
}

/* Blocks of other types are skipped. A handler that fails has changed nothing. */
static const struct {
    uint32_t type;
    size_t body_min;
    bool (*handle)(WslFile *file, const Block *block, WslBatch *batch, GError **error);
} handlers[] = {
    {TYPE_PACKET, 20, packet_block},
    {TYPE_SIMPLE_PACKET, 4, simple_packet_block},
    {TYPE_OLD_PACKET, 20, packet_block},
    {TYPE_SECTION, 16, section_block},
    {TYPE_INTERFACE, 8, interface_block},
    {TYPE_STATISTICS, 12, statistics_block},
    {TYPE_SECRETS, 8, secrets_block},
    {TYPE_CUSTOM, 4, numbered_block},
    {TYPE_CUSTOM_NO_COPY, 4, numbered_block},
    {TYPE_JOURNAL, 0, numbered_block},
    {TYPE_SYSDIG_EVENT, 0, numbered_block},
    {TYPE_SYSDIG_EVENT_2, 0, numbered_block},
    {TYPE_SYSDIG_EVENT_2_LARGE, 0, numbered_block},
};

static bool handle_block(WslFile *file, const Block *block, WslBatch *batch, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(handlers); i++) {
        if (handlers[i].type != block->type)
            continue;
        if (block->length >= handlers[i].body_min)
            return handlers[i].handle(file, block, batch, error);
        wsl_file_corrupt(file, block->at, error, "a block of type %u of only %zu bytes", block->type, block->total);
        return false;
    }
    return true;
}

/* A section header is the one block that says in which byte order it is; `at` leads to BLOCK_MIN bytes. */
static bool find_byte_order(const WslFile *file, const uint8_t *at, Block *block, GError **error)
{
    block->swapped = file->state.pcapng.swapped;
    if (wsl_load32(at, false) != TYPE_SECTION)
        return true;
    uint32_t magic = wsl_load32(at + BLOCK_HEADER, false);
    block->swapped = magic == GUINT32_SWAP_LE_BE(BYTE_ORDER_MAGIC);
    if (magic == BYTE_ORDER_MAGIC || block->swapped)
        return true;
    wsl_file_corrupt(file, block->at, error, "a section header without byte-order magic");
    return false;
}

static Step next_block(WslFile *file, WslBatch *batch, size_t *need, GError **error)
{
    WslReader *reader = &file->reader;
    const uint8_t *at = reader->data + reader->position;
    size_t left = wsl_reader_left(reader);
    *need = BLOCK_MIN;
    if (left < BLOCK_MIN)
        return STEP_MORE;
    Block block = {.at = wsl_reader_tell(reader), .body = at + BLOCK_HEADER};
    if (!find_byte_order(file, at, &block, error))
        return STEP_FAILED;
    block.type = wsl_load32(at, block.swapped);
    block.total = wsl_load32(at + 4, block.swapped);
    if (block.total < BLOCK_MIN || block.total > BLOCK_MAX || block.total % 4 != 0) {
        wsl_file_corrupt(file, block.at, error, "a block cannot be %zu bytes long", block.total);
        return STEP_FAILED;
    }
    *need = block.total;
    if (left < block.total)
        return STEP_MORE;
    block.length = block.total - BLOCK_MIN;
    uint32_t trailer = wsl_load32(block.body + block.length, block.swapped);
    if (trailer != block.total) {
        wsl_file_corrupt(file, block.at, error, "a block is %zu bytes long by its beginning, %u by its end",
                         block.total, trailer);
        return STEP_FAILED;
    }
    if (!handle_block(file, &block, batch, error))
        return STEP_FAILED;
    reader->position += block.total;
    return STEP_DONE;
}

static WslSourceStatus fill(WslFile *file, size_t need, GError **error)
{
    char inside[96];
    g_snprintf(inside, sizeof inside, "the block at byte %" G_GUINT64_FORMAT " (after packet %" G_GUINT64_FORMAT ")",
               wsl_reader_tell(&file->reader), file->number);
    return wsl_file_fill(file, need, 0, inside, error);
}

static bool pcapng_begin(WslFile *file, GError **error)
{
    WslBatch none = {0};
    for (;;) {
        size_t need;
        Step step = next_block(file, &none, &need, error);
        if (step == STEP_MORE && fill(file, need, error) == WSL_SOURCE_BATCH)
            continue;
        return step == STEP_DONE;
    }
}

static WslSourceStatus pcapng_next(WslFile *file, WslBatch *batch, size_t limit, GError **error)
{
    WslPcapng *ng = &file->state.pcapng;
    for (;;) {
        size_t need = 0;
        Step step = STEP_DONE;
        while (note_options(ng, batch) && step == STEP_DONE && batch->count < limit &&
               batch->note_count < G_N_ELEMENTS(batch->notes)) {
            bool first = batch->count == 0 && batch->note_count == 0;
            step = next_block(file, batch, &need, first ? error : NULL);
        }
        if (batch->count > 0 || batch->note_count > 0)
            return WSL_SOURCE_BATCH;
        if (step == STEP_FAILED)
            return WSL_SOURCE_DAMAGED;
        WslSourceStatus status = fill(file, need, error);
        if (status != WSL_SOURCE_BATCH)
            return status;
    }
}

static void pcapng_end(WslFile *file)
{
    g_free(file->state.pcapng.interfaces);
}

const WslFormat wsl_pcapng_format = {pcapng_begin, pcapng_next, pcapng_end};

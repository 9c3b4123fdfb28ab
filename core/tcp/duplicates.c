/*
 * Packets that a capture shows twice (duplicates.h).
 *
 * Segments of the last milliseconds are remembered in a small direct-mapped table that stays in the cache: what is pushed
 * out of it by a collision is at worst a duplicate that is not recognised.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/tcp/duplicates.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "core/tcp/flow.h"
#include "core/tcp/table.h"

enum { ENTRIES = 4096, VIEWED = 1024, ENDS = 32 };
#define SAME_VIEW_WITHIN  (5 * WSL_MILLISECOND)
#define WITHOUT_ID_WITHIN (1 * WSL_MILLISECOND)

typedef struct {
    int64_t time;
    uint32_t signature; /* of all that must be equal */
    uint8_t ttl;
    bool has_id;
} Entry;

/* What each connection showed lately, and in which view. */
typedef struct {
    const WslTcp *tcp;
    uint64_t from, to; /* stream offsets; equal: an acknowledgement */
    int64_t time;
    uint32_t view, ack;
    uint8_t side, flags;
} Viewed;

struct WslDuplicates {
    Entry entries[ENTRIES];
    Viewed viewed[VIEWED]; /* a ring */
    unsigned viewed_next;
};

WslDuplicates *wsl_duplicates_new(void)
{
    return g_new0(WslDuplicates, 1);
}

void wsl_duplicates_free(WslDuplicates *duplicates)
{
    g_free(duplicates);
}

static uint64_t stir(uint64_t state, uint64_t value)
{
    state = (state ^ value) * 0x9e3779b97f4a7c15U;
    return state ^ state >> 29;
}

static uint64_t stir_bytes(uint64_t state, const uint8_t *bytes, size_t length)
{
    uint64_t word;

    for (; length >= 8; bytes += 8, length -= 8) {
        memcpy(&word, bytes, 8);
        state = stir(state, word);
    }
    word = length;
    memcpy((uint8_t *)&word + 1, bytes, length);
    return stir(state, word);
}

/* Checksum and timestamps stand in the header, so its bytes and both ends of the payload tell a copy from a resend. */
static uint32_t content_of(const WslSegment *segment)
{
    size_t header = (size_t)(segment->payload - segment->tcp);
    size_t head = MIN(segment->captured, ENDS);
    uint64_t state = stir_bytes(1, segment->tcp, MIN(header, 60));

    state = stir_bytes(state, segment->payload, head);
    return (uint32_t)(stir_bytes(state, segment->payload + segment->captured - head, head) >> 32);
}

static uint64_t signature_of(const WslArrival *arrival, bool has_id)
{
    const WslSegment *segment = &arrival->segment;
    uint64_t mixed = stir(arrival->hash ^ (uint64_t)arrival->from << 40, (uint64_t)segment->seq << 32 | segment->ack);

    mixed = stir(mixed, (uint64_t)segment->view << 32 | segment->length << 8 | segment->flags);
    return stir(mixed, has_id ? segment->ip_id : content_of(segment));
}

static bool same_view(WslDuplicates *duplicates, const WslArrival *arrival)
{
    const WslSegment *segment = &arrival->segment;
    bool has_id = segment->ip_id != 0;

    /* Without an id an honest repetition of an empty segment cannot be told from a copy. */
    if (!has_id &&
        (segment->captured < segment->length || !(segment->length || segment->flags & (WSL_TCP_SYN | WSL_TCP_FIN))))
        return false;
    uint64_t signature = signature_of(arrival, has_id);
    Entry *entry = &duplicates->entries[signature % ENTRIES];
    int64_t apart = arrival->time - entry->time;
    if (entry->signature == (uint32_t)(signature >> 32) && entry->has_id == has_id && apart >= 0 &&
        apart <= (has_id ? SAME_VIEW_WITHIN : WITHOUT_ID_WITHIN) &&
        (entry->ttl == segment->ttl || entry->ttl == segment->ttl + 1))
        return true;
    *entry = (Entry){arrival->time, (uint32_t)(signature >> 32), segment->ttl, has_id};
    return false;
}

/* Offloading makes lengths differ: what one view shows in one packet the other may show in three, so pieces add up. */
static bool shown_elsewhere(const WslDuplicates *duplicates, const Viewed *now)
{
    uint64_t uncovered = now->to;

    for (unsigned i = 1; i <= VIEWED; i++) {
        const Viewed *then = &duplicates->viewed[(duplicates->viewed_next - i) % VIEWED];
        if (!then->tcp || llabs(now->time - then->time) > SAME_VIEW_WITHIN)
            break;
        if (then->tcp != now->tcp || then->side != now->side || then->view == now->view)
            continue;
        if (now->from == now->to) {
            if (then->ack == now->ack && then->flags == now->flags)
                return true;
            continue;
        }
        if (then->to >= uncovered && then->from < uncovered)
            uncovered = then->from;
        if (uncovered <= now->from)
            return true;
    }
    return false;
}

static bool other_view(WslDuplicates *duplicates, const WslArrival *arrival, const WslTcp *tcp)
{
    const WslSegment *segment = &arrival->segment;
    uint32_t length = segment->length + (segment->flags & (WSL_TCP_SYN | WSL_TCP_FIN) ? 1 : 0);
    const WslFlowSide *own = &tcp->flow->side[arrival->from];
    uint32_t next = own->flags & WSL_SIDE_SEEN ? own->next : segment->seq + (segment->flags & WSL_TCP_SYN ? 1 : 0);
    /* Far from 0, so that what was sent before the first byte seen has a place too. */
    uint64_t from =
        (uint64_t)((int64_t)tcp->side[arrival->from].offset + (INT64_C(1) << 40) + seq_diff(segment->seq, next));
    Viewed now = {tcp, from, from + length, arrival->time, segment->view, segment->ack, arrival->from, segment->flags};

    if (tcp->flags & WSL_TCP_TWO_VIEWS && shown_elsewhere(duplicates, &now))
        return true;
    /* Remembered for connections of one view too: the second view may show up any moment. */
    duplicates->viewed[duplicates->viewed_next % VIEWED] = now;
    duplicates->viewed_next++;
    return false;
}

bool wsl_duplicates_check(WslDuplicates *duplicates, const WslArrival *arrival, const WslTcp *tcp)
{
    return same_view(duplicates, arrival) || other_view(duplicates, arrival, tcp);
}

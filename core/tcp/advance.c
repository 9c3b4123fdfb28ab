/*
 * What a segment means for its connection: sequence numbers, acknowledgements, windows, round trips, losses, endings.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>

#include "core/tcp/table.h"

/* Taps and multi-queue cards record the acknowledgement before the data: so much patience before bytes count as missing. */
enum { HOLE_PACKETS = 3 };
#define HOLE_TIME (10 * WSL_MILLISECOND)
/* Where nothing is acknowledged (one direction only was captured), bytes behind a gap wait as long as a slow resend takes. */
#define GAP_PATIENCE (2 * WSL_SECOND)
/* What fills a gap sooner than this was only reordered on its way. */
#define REORDERED_WITHIN (3 * WSL_MILLISECOND)
/* A segment this far ahead or behind is not the connection's (RFC 7323 §2.3: no window is larger than 1 GiB). */
enum { OUTSIDE = 1 << 30 };
/* A reset outside the window is to be dropped (RFC 9293 §3.10.7.4); windows beyond this are not seen in practice. */
enum { RST_OUTSIDE = 1 << 25 };

WslTcpTrouble *wsl_tcp_trouble(WslTcp *tcp)
{
    if (!tcp->trouble)
        tcp->trouble = g_new0(WslTcpTrouble, 1);
    return tcp->trouble;
}

static void take_syn(WslTcp *tcp, unsigned side, const WslSegment *segment, WslPlace *place)
{
    WslFlowSide *own = &tcp->flow->side[side];
    bool answer = segment->flags & WSL_TCP_ACK;

    if (own->flags & WSL_SIDE_SYN)
        return;
    own->flags |= WSL_SIDE_SYN;
    own->scale = segment->options_cut ? WSL_NO_SCALE : segment->window_scale;
    tcp->side[side].mss = segment->mss;
    if (answer)
        tcp->flags |= WSL_TCP_SAW_ANSWER;
    else if (tcp->client == (int8_t)side)
        tcp->flags |= WSL_TCP_SAW_SYN;
    place->what |= answer ? WSL_ARRIVAL_ANSWER : WSL_ARRIVAL_ATTEMPT;
}

static void watch(WslTcpTable *table, WslTcp *tcp, unsigned side, uint32_t acked)
{
    WslTcpTrouble *trouble = wsl_tcp_trouble(tcp);

    trouble->side[side].watching = true;
    trouble->side[side].watched = acked;
    trouble->side[side].watch_packets = 0;
    trouble->side[side].watch_time = table->clock;
}

/* Bytes were acknowledged that are not here: late in this capture, or missing from it. */
static void judge_acknowledged(WslTcpTable *table, WslTcp *tcp, unsigned side, uint32_t acked)
{
    const WslFlowSide *own = &tcp->flow->side[side];

    acked = wsl_tcp_acked_bytes(tcp, side, acked);
    if (!(own->flags & WSL_SIDE_SEEN) || seq_diff(acked, own->next) <= 0)
        return;
    int32_t unseen = seq_diff(acked, wsl_tcp_contiguous(tcp, side));
    /* One number beyond the bytes may be a FIN's. */
    bool may_be_fin = !(own->flags & WSL_SIDE_FIN) && !(tcp->trouble && tcp->trouble->side[side].held);
    if (unseen <= 0 || (unseen == 1 && may_be_fin))
        return;
    if (!tcp->trouble || !tcp->trouble->side[side].watching)
        watch(table, tcp, side, acked);
}

static void begin_side(WslTcpTable *table, WslTcp *tcp, unsigned side, const WslSegment *segment)
{
    WslFlowSide *own = &tcp->flow->side[side];

    own->flags |= WSL_SIDE_SEEN;
    own->next = segment->flags & WSL_TCP_SYN ? segment->seq + 1 : segment->seq;
    tcp->side[side].sent = tcp->side[side].first_seq = own->next;
    tcp->side[side].view = segment->view;
    tcp->side[side].ttl = segment->ttl;
    if (own->flags & WSL_SIDE_ACKED) /* by a packet that the capture shows before */
        judge_acknowledged(table, tcp, side, own->acked);
}

static void take_ack(WslTcpTable *table, WslTcp *tcp, unsigned from, const WslSegment *segment, WslPlace *place)
{
    unsigned to = !from;
    WslFlowSide *acked = &tcp->flow->side[to];
    WslTcpSide *timed = &tcp->side[to];

    if (acked->flags & WSL_SIDE_ACKED && seq_diff(segment->ack, acked->acked) <= 0)
        return;
    if (acked->flags & WSL_SIDE_SEEN && ABS((int64_t)seq_diff(segment->ack, acked->next)) > OUTSIDE)
        return;
    acked->acked = segment->ack;
    acked->flags |= WSL_SIDE_ACKED;
    place->what |= WSL_ARRIVAL_ACKNOWLEDGES;
    if (timed->timing && seq_diff(segment->ack, timed->timed_end) >= 0) {
        timed->timing = false;
        wsl_round_trips_add(&tcp->round_trips[from], table->clock - timed->timed_at);
    }
    judge_acknowledged(table, tcp, to, segment->ack);
}

static void take_window(WslTcp *tcp, unsigned side, const WslSegment *segment)
{
    WslFlowSide *own = &tcp->flow->side[side];

    own->window = segment->window;
    int64_t window = wsl_tcp_window(tcp, side);
    if (window > (int64_t)tcp->side[side].window_most)
        tcp->side[side].window_most = (uint32_t)window;
}

static void time_segment(WslTcpTable *table, WslTcp *tcp, unsigned side, uint32_t end)
{
    WslTcpSide *own = &tcp->side[side];

    if (own->timing)
        return;
    own->timing = true;
    own->timed_at = table->clock;
    own->timed_end = end;
}

static void sent_again(WslTcpTable *table, WslTcp *tcp, unsigned side, uint32_t bytes, WslPlace *place)
{
    WslTcpTrouble *trouble = wsl_tcp_trouble(tcp);

    trouble->side[side].retransmitted += bytes;
    trouble->side[side].resends++;
    if (!trouble->side[side].unanswered_since) {
        trouble->side[side].unanswered_since = tcp->side[side].timing ? tcp->side[side].timed_at : table->clock;
        trouble->side[side].unanswered_in = table->packet;
    }
    tcp->side[side].timing = false; /* Karn's rule, RFC 6298 §3 */
    place->what |= WSL_ARRIVAL_SENT_AGAIN;
}

static bool fills_a_gap_late(const WslTcpTable *table, const WslTcp *tcp, unsigned side, uint32_t end)
{
    return tcp->trouble && tcp->trouble->side[side].held && seq_diff(end, tcp->side[side].sent) <= 0 &&
           table->clock - tcp->trouble->side[side].gap_time > REORDERED_WITHIN;
}

static void take_payload(WslTcpTable *table, WslTcp *tcp, const WslArrival *arrival, WslPlace *place)
{
    const WslSegment *segment = &arrival->segment;
    unsigned side = arrival->from;
    WslFlowSide *own = &tcp->flow->side[side];
    uint32_t start = segment->flags & WSL_TCP_SYN ? segment->seq + 1 : segment->seq, end = start + segment->length;
    int32_t ahead = seq_diff(start, own->next), beyond = seq_diff(end, own->next);

    if (segment->length == 1 && seq_diff(start, tcp->side[side].sent) == -1 &&
        seq_diff(end, wsl_tcp_contiguous(tcp, side)) <= 0) {
        place->what |= WSL_ARRIVAL_KEEP_ALIVE;
        return;
    }
    tcp->flags |= WSL_TCP_PAYLOAD;
    if (ahead < 0)
        sent_again(table, tcp, side, beyond <= 0 ? segment->length : (uint32_t)-ahead, place);
    else if (fills_a_gap_late(table, tcp, side, end))
        sent_again(table, tcp, side, segment->length, place);
    if (seq_diff(end, tcp->side[side].sent) > 0) {
        if (ahead >= 0)
            time_segment(table, tcp, side, end);
        tcp->side[side].sent = end;
    }
    if (beyond <= 0)
        return;
    place->what |= WSL_ARRIVAL_NEW_DATA;
    table->current = (WslCurrent){tcp,
                                  side,
                                  segment->payload,
                                  (uint64_t)((int64_t)tcp->side[side].offset + ahead),
                                  segment->length,
                                  segment->captured,
                                  arrival->time,
                                  arrival->packet};
    if (ahead < 0) { /* the part that is new */
        uint32_t old = (uint32_t)-ahead, shown = MIN(old, segment->captured);
        table->current.data += shown;
        table->current.captured -= shown;
        table->current.length -= old;
        table->current.offset += old;
    }
}

static void end_side(WslTcpTable *table, WslTcp *tcp, unsigned side, uint8_t flag, WslPlace *place)
{
    WslFlowSide *own = &tcp->flow->side[side], *other = &tcp->flow->side[!side];

    if (own->flags & flag)
        return;
    own->flags |= flag;
    place->what |= flag == WSL_SIDE_FIN ? WSL_ARRIVAL_FIN : WSL_ARRIVAL_RST;
    if (tcp->first_end < 0) {
        tcp->first_end = (int8_t)side;
        if (flag == WSL_SIDE_RST)
            tcp->flags |= WSL_TCP_RST_FIRST;
    }
    if (flag == WSL_SIDE_RST || other->flags & WSL_SIDE_FIN) {
        tcp->flags |= WSL_TCP_ENDED;
        wsl_tcp_enqueue(table, tcp);
    }
}

/* Where the FIN stands, everything was sent, seen or not. */
static void take_fin(WslTcpTable *table, WslTcp *tcp, unsigned side, const WslSegment *segment, WslPlace *place)
{
    uint32_t end = segment->seq + segment->length + (segment->flags & WSL_TCP_SYN ? 1 : 0);

    if (seq_diff(end, tcp->side[side].sent) > 0)
        tcp->side[side].sent = end;
    end_side(table, tcp, side, WSL_SIDE_FIN, place);
}

static uint32_t first_waiting(const WslTcp *tcp, unsigned side, uint32_t otherwise)
{
    const WslHeld *held = tcp->trouble->side[side].held;

    if (!held || held->offset <= tcp->side[side].offset)
        return otherwise;
    return tcp->flow->side[side].next + (uint32_t)(held->offset - tcp->side[side].offset);
}

static void judge_gap(WslTcpTable *table, WslTcp *tcp, unsigned side)
{
    uint32_t next = tcp->flow->side[side].next;

    if (tcp->trouble->side[side].watching) {
        if (seq_diff(next, tcp->trouble->side[side].watched) >= 0) {
            tcp->trouble->side[side].watching = false;
            judge_acknowledged(table, tcp, side, tcp->flow->side[side].acked);
        } else if (++tcp->trouble->side[side].watch_packets >= HOLE_PACKETS &&
                   table->clock - tcp->trouble->side[side].watch_time >= HOLE_TIME) {
            uint32_t until = tcp->trouble->side[side].watched, waiting = first_waiting(tcp, side, until);
            tcp->trouble->side[side].watching = false;
            tcp->trouble->side[side].hole = true;
            tcp->trouble->side[side].hole_until = seq_diff(waiting, until) < 0 ? waiting : until;
            /* More may have been acknowledged meanwhile. */
            judge_acknowledged(table, tcp, side, tcp->flow->side[side].acked);
        }
        return;
    }
    bool acknowledges = tcp->flow->side[side].flags & WSL_SIDE_ACKED;
    if (!acknowledges && first_waiting(tcp, side, next) != next &&
        table->clock - tcp->trouble->side[side].gap_time > GAP_PATIENCE) {
        tcp->trouble->side[side].hole = true;
        tcp->trouble->side[side].hole_until = first_waiting(tcp, side, next);
    }
}

static bool is_outside(const WslTcp *tcp, const WslArrival *arrival)
{
    const WslFlowSide *own = &tcp->flow->side[arrival->from];

    int64_t most = arrival->segment.flags & WSL_TCP_RST ? RST_OUTSIDE : OUTSIDE;

    return own->flags & WSL_SIDE_SEEN && ABS((int64_t)seq_diff(arrival->segment.seq, own->next)) > most;
}

void wsl_tcp_advance(WslTcpTable *table, const WslArrival *arrival, WslPlace *place)
{
    const WslSegment *segment = &arrival->segment;
    WslTcp *tcp = place->tcp;
    unsigned side = arrival->from;
    bool answers_syn = !(tcp->flow->side[side].flags & WSL_SIDE_SEEN) && tcp->flow->side[!side].flags & WSL_SIDE_SYN;

    if (wsl_duplicates_check(table->duplicates, arrival, tcp)) {
        table->counts.duplicates++;
        place->what |= WSL_ARRIVAL_DUPLICATE;
        return;
    }
    tcp->last_time = arrival->time;
    tcp->last_packet = arrival->packet;
    if (is_outside(tcp, arrival)) {
        table->counts.outside++;
        place->what |= WSL_ARRIVAL_OUTSIDE;
        return;
    }
    if (tcp->trouble) {
        tcp->trouble->side[!side].unanswered_since = 0;
        tcp->trouble->side[!side].resends = 0;
    }
    if (segment->flags & WSL_TCP_RST && answers_syn)
        place->what |= WSL_ARRIVAL_REFUSED;
    if (!(tcp->flow->side[side].flags & WSL_SIDE_SEEN))
        begin_side(table, tcp, side, segment);
    if (segment->flags & WSL_TCP_SYN) {
        take_syn(tcp, side, segment, place);
        if (place->what & (WSL_ARRIVAL_ATTEMPT | WSL_ARRIVAL_ANSWER))
            time_segment(table, tcp, side, tcp->flow->side[side].next);
        else
            tcp->side[side].timing = false;
    }
    if (segment->flags & WSL_TCP_ACK && !(segment->flags & WSL_TCP_RST))
        take_ack(table, tcp, side, segment, place);
    if (!(segment->flags & WSL_TCP_RST))
        take_window(tcp, side, segment);
    if (segment->length && !(segment->flags & WSL_TCP_RST))
        take_payload(table, tcp, arrival, place);
    if (segment->flags & WSL_TCP_FIN)
        take_fin(table, tcp, side, segment, place);
    if (segment->flags & WSL_TCP_RST)
        end_side(table, tcp, side, WSL_SIDE_RST, place);
    if (G_UNLIKELY(tcp->trouble)) {
        judge_gap(table, tcp, 0);
        judge_gap(table, tcp, 1);
    }
}

uint64_t wsl_tcp_acknowledged(const WslTcp *tcp, unsigned side)
{
    const WslFlowSide *own = &tcp->flow->side[side];

    return own->flags & WSL_SIDE_ACKED && own->flags & WSL_SIDE_SEEN ? wsl_tcp_offset_of(tcp, side, own->acked) : 0;
}

uint64_t wsl_tcp_sent(const WslTcp *tcp, unsigned side)
{
    return wsl_tcp_offset_of(tcp, side, tcp->side[side].sent);
}

uint64_t wsl_tcp_in_flight(const WslTcp *tcp, unsigned side)
{
    uint64_t sent = wsl_tcp_sent(tcp, side), acked = wsl_tcp_acknowledged(tcp, side);

    return sent > acked && tcp->flow->side[side].flags & WSL_SIDE_ACKED ? sent - acked : 0;
}

int64_t wsl_tcp_window(const WslTcp *tcp, unsigned side)
{
    const WslFlowSide *own = &tcp->flow->side[side], *other = &tcp->flow->side[!side];

    if (!own->window)
        return 0;
    if (!(own->flags & WSL_SIDE_SYN) || !(other->flags & WSL_SIDE_SYN))
        return -1;
    /* Both must offer scaling (RFC 7323 §2.2). */
    bool scaled = own->scale != WSL_NO_SCALE && other->scale != WSL_NO_SCALE;
    return (int64_t)own->window << (scaled ? own->scale : 0);
}

bool wsl_tcp_saw_fin(const WslTcp *tcp, unsigned side)
{
    return tcp->flow->side[side].flags & WSL_SIDE_FIN;
}

bool wsl_tcp_saw_rst(const WslTcp *tcp, unsigned side)
{
    return tcp->flow->side[side].flags & WSL_SIDE_RST;
}

bool wsl_tcp_seen(const WslTcp *tcp, unsigned side)
{
    return tcp->flow->side[side].flags & WSL_SIDE_SEEN;
}

enum { SHORTEST_BIN = 4, BINS = 16 };

void wsl_round_trips_add(WslRoundTrips *trips, WslTime duration)
{
    uint64_t us = duration > 0 ? (uint64_t)duration / 1000 : 0;
    unsigned bit = us ? 63U - (unsigned)__builtin_clzll(us) : 0;
    unsigned bin = bit < SHORTEST_BIN ? 0 : MIN(bit - SHORTEST_BIN, BINS - 1);

    us = CLAMP(us, 1, UINT32_MAX);
    if (!trips->shortest_us || us < trips->shortest_us)
        trips->shortest_us = (uint32_t)us;
    if (trips->bins[bin] == UINT8_MAX)
        for (unsigned i = 0; i < BINS; i++)
            trips->bins[i] /= 2;
    trips->bins[bin]++;
}

WslTime wsl_round_trips_median(const WslRoundTrips *trips)
{
    unsigned total = 0, passed = 0, bin = 0;

    for (unsigned i = 0; i < BINS; i++)
        total += trips->bins[i];
    if (!total)
        return 0;
    while ((passed += trips->bins[bin]) * 2 < total)
        bin++;
    /* 1.5 × the bin's lower edge is its middle. */
    uint64_t us = ((uint64_t)3 << (bin + SHORTEST_BIN)) / 2;
    return (WslTime)MAX(us, trips->shortest_us) * 1000;
}

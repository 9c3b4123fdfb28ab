/*
 * Reassembly against a model: random conversations, cut, shuffled, lost, cut short, sent again; what is pulled must be what
 * was sent, with holes exactly where the capture lacks bytes.
 *
 * WSL_TEST_CASES sets the number of cases (100 000; 20 000 under a sanitizer), WSL_TEST_SEED the first seed (each case has its
 * own: a failure names it).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "core/tcp/table.h"
#include "tests/support/tcp_play.h"

#if defined(__SANITIZE_ADDRESS__)
#define CASES 20000
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CASES 20000
#endif
#endif
#ifndef CASES
#define CASES 100000
#endif

enum { BYTES = 400, SEGMENTS = 400, CLIENT = 0, SERVER = 1 };

/* What became of a byte in the capture. */
typedef enum { UNSEEN, SHOWN, CUT } Fate;

typedef struct {
    TestSegment segment;
    unsigned side;
    uint32_t at; /* stream offset of its first byte, from the ISN */
} Sent;

/* One direction: the sender's bytes, the receiver's progress, and what the capture shows of both. */
typedef struct {
    uint8_t bytes[BYTES];
    uint32_t isn, length, next;
    bool received[BYTES];
    bool captured; /* this direction is in the capture at all */
    bool fin_sent;
    /* the model: */
    bool begun;
    uint32_t base; /* stream offset of the first byte that counts */
    uint32_t acked;
    bool fin_shown;
    Fate fate[BYTES + 1];
    WslPacketNo carrier[BYTES + 1];
    uint32_t pulled;
    unsigned lost, refusing;
} Way;

typedef struct {
    TestRandom random;
    uint64_t seed;
    Way way[2];
    Sent sent[SEGMENTS];
    unsigned count;
    WslTime now;
    uint32_t snaplen, loss, capture_loss;
    bool syn, ipv6, without_id, refuses;
    bool swapped; /* the table's side 0 is the server */
    uint16_t ip_id;
} Case;

static uint32_t below(Case *it, uint32_t limit)
{
    return test_below(&it->random, limit);
}

static bool once_in(Case *it, uint32_t in)
{
    return in && test_once_in(&it->random, in);
}

/* Bytes that the receiver has without a gap. */
static uint32_t contiguous(const Way *way)
{
    uint32_t reached = 0;

    while (reached < way->next && way->received[reached])
        reached++;
    return reached + (way->fin_sent && reached == way->length);
}

/* Never 0: that means none. */
static uint16_t next_id(Case *it)
{
    it->ip_id = it->ip_id == UINT16_MAX ? 1 : (uint16_t)(it->ip_id + 1);
    return it->ip_id;
}

static TestSegment segment_of(Case *it, unsigned side)
{
    bool client = side == CLIENT;

    return (TestSegment){
        .source = client ? 0x0a000001 : 0x0a000002,
        .target = client ? 0x0a000002 : 0x0a000001,
        .source_port = client ? 40000 : 80,
        .target_port = client ? 80 : 40000,
        .seq = it->way[side].isn + 1 + it->way[side].next,
        .ack = it->way[!side].isn + 1 + contiguous(&it->way[!side]),
        .flags = WSL_TCP_ACK,
        .window = 1000,
        .ip_id = it->without_id ? 0 : next_id(it),
        .ipv6 = it->ipv6,
    };
}

/* Puts a segment into the capture, a little earlier or later than it was sent. */
static void show(Case *it, unsigned side, const TestSegment *segment, uint32_t at, uint32_t jitter_us)
{
    WslTime late = jitter_us ? (WslTime)below(it, jitter_us) * 1000 : 0;

    if (!it->way[side].captured || it->count >= SEGMENTS - 1)
        return;
    Sent *sent = &it->sent[it->count++];
    *sent = (Sent){*segment, side, at};
    sent->segment.time = it->now + late;
    if (!it->without_id && !it->ipv6 && once_in(it, 20)) {
        it->sent[it->count] = *sent;
        it->sent[it->count].segment.ttl = once_in(it, 2) ? 63 : 64;
        it->sent[it->count++].segment.time += (WslTime)below(it, 3000) * 1000;
    }
}

/* Sends [at, at + length): it may be lost on its way, or be missing from the capture only. */
static void send_bytes(Case *it, unsigned side, uint32_t at, uint32_t length, uint8_t flags, uint32_t jitter_us)
{
    Way *way = &it->way[side];
    TestSegment segment = segment_of(it, side);
    bool lost = once_in(it, it->loss);

    segment.seq = way->isn + 1 + at - (flags & WSL_TCP_SYN ? 1 : 0);
    segment.flags |= flags;
    segment.payload = way->bytes + at;
    segment.length = length;
    if (it->snaplen && length > it->snaplen)
        segment.lacking = length - it->snaplen;
    way->next = MAX(way->next, at + length);
    if (!lost)
        for (uint32_t i = at; i < at + length; i++)
            way->received[i] = true;
    if (flags & WSL_TCP_FIN && !lost)
        way->fin_sent = true;
    /* What is lost on its way may have passed the tap before; what arrives may be missing from the capture. */
    if (lost ? once_in(it, 2) : !once_in(it, it->capture_loss))
        show(it, side, &segment, at, jitter_us);
}

static void acknowledge(Case *it, unsigned side)
{
    TestSegment segment = segment_of(it, side);

    show(it, side, &segment, it->way[side].next, 2000);
}

/* RFC 9293 §3.8.4: with the last byte again, or none. §3.8.6.1: a probe into a shut window, which refuses its byte. */
static void probe(Case *it, unsigned side)
{
    Way *way = &it->way[side];
    TestSegment segment = segment_of(it, side);

    it->now += 20 * WSL_MILLISECOND;
    if (once_in(it, 2) && way->next < way->length) {
        segment.payload = way->bytes + way->next;
        segment.length = 1;
        show(it, side, &segment, way->next, 0);
    } else if (way->next > 0) {
        segment.seq--;
        segment.payload = way->bytes + way->next - 1;
        segment.length = below(it, 2);
        show(it, side, &segment, way->next - 1, 0);
    }
    it->now += 20 * WSL_MILLISECOND;
}

/* Sends again what the receiver lacks, or anything else, with boundaries of its own. */
static void resend(Case *it, unsigned side, bool needed)
{
    Way *way = &it->way[side];

    it->now += 5 * WSL_MILLISECOND;
    uint32_t from = needed ? MIN(contiguous(way), way->length) : below(it, way->next + 1);
    if (from >= way->next)
        return;
    send_bytes(it, side, from, 1 + below(it, way->next - from), 0, 2000);
}

static void step(Case *it)
{
    unsigned side = below(it, 2);
    Way *way = &it->way[side];

    it->now += (WslTime)below(it, 800) * 1000;
    switch (below(it, 8)) {
    case 0:
    case 1:
        acknowledge(it, side);
        break;
    case 2:
        resend(it, side, true);
        break;
    case 3:
        resend(it, side, false);
        break;
    case 4:
        if (once_in(it, 4))
            probe(it, side);
        break;
    default:
        if (way->next < way->length)
            send_bytes(it, side, way->next, 1 + below(it, MIN(way->length - way->next, 90)), 0, 2000);
    }
}

static void begin(Case *it)
{
    for (unsigned side = 0; side < 2; side++) {
        Way *way = &it->way[side];
        bool wraps = once_in(it, 3);
        way->length = below(it, BYTES);
        way->isn = wraps ? 0U - below(it, BYTES) : (uint32_t)test_random(&it->random);
        way->captured = true;
        for (uint32_t i = 0; i < way->length; i++)
            way->bytes[i] = (uint8_t)test_random(&it->random);
    }
    if (once_in(it, 6))
        it->way[below(it, 2)].captured = false;
    for (unsigned side = 0; it->syn && side < 2; side++) {
        uint32_t fast_open = once_in(it, 4) ? below(it, it->way[side].length / 2 + 1) : 0;
        uint32_t loss = it->loss, capture_loss = it->capture_loss;
        it->loss = it->capture_loss = 0;
        send_bytes(it, side, 0, fast_open, WSL_TCP_SYN, 0);
        it->loss = loss;
        it->capture_loss = capture_loss;
        if (side == CLIENT && it->count)
            it->sent[0].segment.flags = WSL_TCP_SYN;
        it->now += 3 * WSL_MILLISECOND;
    }
}

static void end(Case *it, unsigned side)
{
    Way *way = &it->way[side];

    for (unsigned tries = 0; tries < 20 && contiguous(way) < way->next; tries++)
        resend(it, side, true);
    if (!once_in(it, 3)) {
        it->now += 5 * WSL_MILLISECOND;
        way->length = way->next; /* it says no more */
        uint32_t again = once_in(it, 2) ? below(it, way->next + 1) : 0;
        send_bytes(it, side, way->next - again, again, WSL_TCP_FIN, 2000);
    }
    it->now += 5 * WSL_MILLISECOND;
    acknowledge(it, !side);
}

static int by_time(const void *a, const void *b)
{
    const Sent *x = a, *y = b;

    if (x->segment.time != y->segment.time)
        return x->segment.time < y->segment.time ? -1 : 1;
    return (x > y) - (x < y);
}

static void compose(Case *it)
{
    it->syn = !once_in(it, 4);
    it->ipv6 = once_in(it, 5);
    it->without_id = once_in(it, 5);
    it->refuses = once_in(it, 3);
    it->ip_id = (uint16_t)test_random(&it->random);
    it->snaplen = once_in(it, 3) ? 1 + below(it, 60) : 0;
    it->loss = once_in(it, 2) ? 3 + below(it, 10) : 0;
    it->capture_loss = once_in(it, 3) ? 3 + below(it, 10) : 0;
    it->now = WSL_SECOND;
    begin(it);
    for (unsigned steps = 5 + below(it, 50); steps; steps--)
        step(it);
    end(it, CLIENT);
    end(it, SERVER);
    qsort(it->sent, it->count, sizeof it->sent[0], by_time);
    for (unsigned i = 0; i < it->count; i++)
        it->sent[i].segment.number = i + 1;
}

/* The model of a capture: of overlapping segments, the first that covers a byte decides what becomes of it. */
static void observe(Case *it, const Sent *sent)
{
    const TestSegment *segment = &sent->segment;
    Way *way = &it->way[sent->side], *other = &it->way[!sent->side];

    if (!way->begun) {
        way->begun = true;
        way->base = way->pulled = sent->at;
    }
    if (segment->flags & WSL_TCP_ACK) {
        uint32_t acked = segment->ack - other->isn - 1;
        other->acked = MAX(other->acked, acked);
    }
    way->fin_shown |= segment->flags & WSL_TCP_FIN;
    for (uint32_t i = 0; i < segment->length; i++) {
        uint32_t at = sent->at + i;
        if (at < way->base || way->fate[at] != UNSEEN)
            continue;
        way->fate[at] = i < segment->length - segment->lacking ? SHOWN : CUT;
        way->carrier[at] = segment->number;
    }
}

static void require(bool holds, const Case *it, int line, const char *what)
{
    if (!holds)
        g_error("case %" G_GUINT64_FORMAT ", line %d: %s", it->seed, line, what);
}
#define REQUIRE(condition) require(condition, it, __LINE__, #condition)

static void check_piece(const Case *it, Way *way, const WslPiece *piece)
{
    static const WslHole expected[] = {[UNSEEN] = WSL_HOLE_LOST, [SHOWN] = WSL_HOLE_NONE, [CUT] = WSL_HOLE_CUT};

    REQUIRE(piece->length > 0);
    REQUIRE(piece->offset == way->pulled - way->base);
    REQUIRE((piece->data != NULL) == (piece->hole == WSL_HOLE_NONE));
    for (uint32_t i = 0; i < piece->length; i++) {
        uint32_t at = way->pulled + i;
        REQUIRE(at < BYTES);
        REQUIRE(piece->hole == expected[way->fate[at]]);
        if (piece->data)
            REQUIRE(piece->data[i] == way->bytes[at]);
        if (way->fate[at] != UNSEEN) {
            REQUIRE(piece->packet == way->carrier[at]);
            REQUIRE(piece->time == it->sent[way->carrier[at] - 1].segment.time);
        }
    }
}

static void check_peek(const Case *it, const WslTcpTable *table, const WslTcp *tcp, unsigned side)
{
    const Way *way = &it->way[side];
    uint8_t bytes[BYTES];
    size_t wanted = 0, length;

    while (way->pulled + wanted < BYTES && way->fate[way->pulled + wanted] == SHOWN)
        wanted++;
    length = wsl_tcp_peek(table, tcp, side ^ it->swapped, bytes, sizeof bytes);
    REQUIRE(length == wanted);
    REQUIRE(memcmp(bytes, way->bytes + way->pulled, length) == 0);
}

static void pull(Case *it, TestPlay *play, WslTcp *tcp, unsigned side, bool all)
{
    Way *way = &it->way[side];
    unsigned place = side ^ it->swapped;
    WslPiece piece;

    if (way->begun)
        check_peek(it, play->table, tcp, side);
    if (way->refusing)
        way->refusing--;
    while (wsl_tcp_piece(play->table, tcp, place, &piece)) {
        REQUIRE(way->begun);
        check_piece(it, way, &piece);
        if (!all && it->refuses && once_in(it, 6))
            way->refusing = 1 + below(it, 12);
        uint64_t length = way->refusing && !all ? 0
                          : once_in(it, 2)      ? 1 + below(it, (uint32_t)piece.length)
                                                : piece.length;
        wsl_tcp_consume(play->table, tcp, place, length);
        if (piece.hole == WSL_HOLE_LOST)
            way->lost += (unsigned)length;
        way->pulled += (uint32_t)length;
        if (!length)
            break;
    }
}

/* Everything that was shown, and everything that was acknowledged, must have been pulled in the end. */
static void check_end(const Case *it, const WslTcp *tcp, unsigned side)
{
    const Way *way = &it->way[side];
    uint32_t end = way->base;

    for (uint32_t i = way->base; i < BYTES; i++)
        if (way->fate[i] != UNSEEN)
            end = i + 1;
    uint32_t acked = way->acked;
    if (acked > way->length && way->fin_shown)
        acked = way->length;
    /* One number beyond the last byte may be a FIN that the capture lacks: it need not be told apart from a byte. */
    if (way->begun && acked > end + 1)
        REQUIRE(way->pulled == acked || (!way->fin_shown && way->pulled + 1 == acked));
    else
        REQUIRE(way->pulled == end || (way->begun && acked == end + 1 && way->pulled == acked));
    unsigned place = side ^ it->swapped;
    REQUIRE((tcp->trouble ? tcp->trouble->side[place].missing : 0) == way->lost);
    REQUIRE(!tcp->trouble || tcp->trouble->side[place].held_bytes == 0);
}

static void run_case(uint64_t seed, TestPlay *play)
{
    static Case storage;
    Case *it = &storage;
    WslTcp *tcp = NULL;

    memset(it, 0, sizeof *it);
    it->random.state = it->seed = seed;
    compose(it);
    for (unsigned i = 0; i < it->count; i++) {
        const WslPlace *place = test_play_begin(play, &it->sent[i].segment);
        REQUIRE(place->tcp && (!tcp || place->tcp == tcp));
        tcp = place->tcp;
        it->swapped = play->arrival.from != it->sent[i].side;
        if (place->what & WSL_ARRIVAL_DUPLICATE)
            continue;
        observe(it, &it->sent[i]);
        pull(it, play, tcp, 0, false);
        pull(it, play, tcp, 1, false);
        wsl_tcp_settle(play->table, tcp);
    }
    if (!tcp)
        return;
    wsl_tcp_give_up(play->table, tcp);
    for (unsigned side = 0; side < 2; side++) {
        pull(it, play, tcp, side, true);
        check_end(it, tcp, side);
    }
    wsl_tcp_release(play->table, tcp);
}

static void test_what_is_pulled_is_what_was_sent(void)
{
    const char *cases = g_getenv("WSL_TEST_CASES"), *first = g_getenv("WSL_TEST_SEED");
    uint64_t count = cases ? g_ascii_strtoull(cases, NULL, 10) : CASES;
    uint64_t seed = first ? g_ascii_strtoull(first, NULL, 10) : 1;
    WslTcpLimits limits = test_limits();

    for (uint64_t i = 0; i < count; i++) {
        TestPlay *play = test_play_new(&limits);
        run_case(seed + i, play);
        g_assert_cmpuint(play->table->held_bytes, ==, 0);
        test_play_free(play);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tcp/model/what_is_pulled_is_what_was_sent", test_what_is_pulled_is_what_was_sent);
    return g_test_run();
}

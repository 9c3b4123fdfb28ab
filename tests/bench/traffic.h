/*
 * The engine of the generator: connections that each follow a script, interleaved by time, and what they have sent.
 *
 * A script is a table of rows: when it happens, what is sent. Data larger than a segment goes through a lane, which
 * sends it segment by segment while the script and the other connections go on, and has every second one acknowledged.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_BENCH_TRAFFIC_H
#define WSL_BENCH_TRAFFIC_H

#include "tests/bench/frames.h"
#include "tests/bench/schedule.h"
#include "tests/bench/wire.h"

#include <zlib.h>

struct gen;
struct conn;

struct row {
    uint64_t (*when)(struct gen *g, const struct conn *c); /* nanoseconds since the epoch */
    void (*act)(struct gen *g, struct conn *c);
};

/* Rows loop_from to loop_to (included) are repeated as often as --messages says; both 0: none is. */
struct script {
    const struct row *rows;
    unsigned count, loop_from, loop_to;
    uint16_t port;
};

struct outgoing {
    uint8_t *bytes;
    size_t len, at, room;
    unsigned unacknowledged; /* segments */
};

struct bulk {
    struct outgoing out[2];
    z_stream *deflate[2];
};

struct conn {
    struct flow flow;
    const struct script *script;
    struct bulk *bulk; /* only of those that use lanes */
    uint64_t left;     /* when the server dropped it */
    uint32_t serial;   /* 0 is the first connection of the capture */
    uint32_t row;
    uint32_t loops;    /* done */
    uint32_t attempts; /* SYNs under this serial */
};

struct tally {
    uint64_t frames[16]; /* by opcode */
    uint64_t messages, payload_bytes, message_bytes;
};

struct kind {
    const char *name, *help;
    const struct script *scripts; /* connections take them in turn */
    unsigned script_count;
    bool deflate;
    uint32_t connections, messages; /* defaults */
    uint64_t arrival_window;        /* all connections arrive within; 0: ... */
    uint64_t arrival_gap;           /* ... one arrives each */
    void (*place)(struct gen *g, struct conn *c);
};

struct gen {
    const struct kind *kind;
    struct wire wire;
    struct schedule schedule;
    struct conn *conns;
    GArray *free_conns; /* indices */
    uint32_t conn_count, arrived, connections, messages;
    uint64_t seed, random, start, now, arrival_gap;
    uint64_t streams, upgrades, refused;
    struct tally tally[2];
    uint8_t *random_bytes, *utf8; /* POOL_LEN bytes each, and as many again of the beginning */
};

enum lane { LANE_SCRIPT, LANE_ARRIVAL, LANE_SEND, LANE_ACK = LANE_SEND + 2 };
enum { POOL_LEN = 1 << 20 };

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint64_t random64(struct gen *g)
{
    return mix(g->random += UINT64_C(0x9e3779b97f4a7c15));
}

/* A number under `n`. */
static uint32_t random_below(struct gen *g, uint32_t n)
{
    return (uint32_t)((random64(g) >> 32) * n >> 32);
}

/* The same for both ends of a connection, which therefore need not remember what they heard. */
static uint64_t conn_hash(const struct gen *g, const struct conn *c, uint64_t salt)
{
    return mix(mix(g->seed + salt) + c->serial);
}

static void add_event(struct gen *g, const struct conn *c, uint64_t time, unsigned lane, uint32_t arg)
{
    schedule_add(&g->schedule, (struct event){time, (uint32_t)(c - g->conns), arg, lane});
}

/* A connection's fresh 4-tuple and initial sequence numbers. */
static void conn_dial(struct gen *g, struct conn *c)
{
    c->attempts++;
    for (unsigned side = 0; side < 2; side++) {
        struct peer *p = &c->flow.peers[side];
        p->seq = (uint32_t)random64(g);
        p->ip_id = (uint16_t)random64(g);
        p->acked = 0;
        p->last_sent = 0;
    }
    g->streams++;
}

static void conn_place(struct gen *g, struct conn *c)
{
    struct peer *client = &c->flow.peers[CLIENT], *server = &c->flow.peers[SERVER];
    /* An odd factor makes the 2^24 addresses of 10.0.0.0/8 a permutation: no two connections share a 4-tuple. */
    client->address = UINT32_C(10) << 24 | ((c->serial * UINT32_C(0x9e3779b1)) & 0xffffff);
    client->port = (uint16_t)(32768 + (c->serial >> 24) * 64 + conn_hash(g, c, 1) % 64);
    client->window = 2048;
    client->ttl = (uint8_t)(44 + conn_hash(g, c, 2) % 16);
    client->clock = (uint32_t)conn_hash(g, c, 3);
    server->address = UINT32_C(203) << 24 | 113 << 8 | 10;
    server->port = c->script->port;
    server->window = 509;
    server->ttl = 64;
    server->clock = (uint32_t)mix(g->seed);
    c->flow.round_trip = (uint32_t)(2 * NS_PER_MS + conn_hash(g, c, 4) % (38 * NS_PER_MS));
}

static void conn_arrives(struct gen *g)
{
    uint32_t index = g->conn_count;
    if (g->free_conns->len > 0) {
        index = g_array_index(g->free_conns, uint32_t, g->free_conns->len - 1);
        g_array_set_size(g->free_conns, g->free_conns->len - 1);
    } else {
        if ((g->conn_count & (g->conn_count - 1)) == 0) {
            g->conns = g_renew(struct conn, g->conns, MAX(g->conn_count, 1) * 2);
        }
        g->conn_count++;
    }
    struct conn *c = &g->conns[index];
    memset(c, 0, sizeof *c);
    c->serial = g->arrived++;
    c->script = &g->kind->scripts[c->serial % g->kind->script_count];
    conn_place(g, c);
    if (g->kind->place) {
        g->kind->place(g, c);
    }
    add_event(g, c, g->now, LANE_SCRIPT, 0);
    if (g->arrived < g->connections) {
        add_event(g, c, g->start + g->arrival_gap * g->arrived, LANE_ARRIVAL, 0);
    }
}

static void conn_hears_all(struct conn *c, enum side who)
{
    c->flow.peers[who].acked = c->flow.peers[!who].seq;
}

/* One segment, which acknowledges all that the other side has sent. Returns where its bytes go; wire_end() follows. */
static uint8_t *say_begin(struct gen *g, struct conn *c, enum side from, unsigned flags, size_t len)
{
    conn_hears_all(c, from);
    return wire_begin(&g->wire, g->now, &c->flow, from, flags, len);
}

static void say(struct gen *g, struct conn *c, enum side from, unsigned flags, const void *bytes, size_t len)
{
    uint8_t *to = say_begin(g, c, from, flags, len);
    if (len > 0) {
        memcpy(to, bytes, len);
    }
    wire_end(&g->wire);
}

/* `message_len`: of the message that this frame completes, inflated. Control frames are no messages. */
static void tally_frame(struct gen *g, enum side from, unsigned opcode, size_t len, size_t message_len)
{
    struct tally *t = &g->tally[from];
    t->frames[opcode & 15]++;
    t->payload_bytes += len;
    if (opcode < WS_CLOSE) {
        t->messages++;
        t->message_bytes += message_len;
    }
}

/* The key of a frame: NULL for the server's. */
static const uint8_t *mask_key(struct gen *g, enum side from, uint8_t key[4])
{
    uint32_t value = (uint32_t)random64(g);
    memcpy(key, &value, sizeof value);
    return from == CLIENT ? key : NULL;
}

/* An unfragmented frame that fits into one segment. */
static void say_frame(struct gen *g, struct conn *c, enum side from, unsigned opcode, const void *payload, size_t len)
{
    uint8_t bytes[4], header[WS_HEADER_MAX];
    const uint8_t *key = mask_key(g, from, bytes);
    size_t header_len = ws_put_header(header, WS_FIN | opcode, key, len);
    uint8_t *to = say_begin(g, c, from, TCP_PSH | TCP_ACK, header_len + len);
    memcpy(to, header, header_len);
    ws_put_payload(to + header_len, payload, key, len);
    wire_end(&g->wire);
    tally_frame(g, from, opcode, len, len);
}

/* Room for `len` more bytes to be sent by the lane, which is started if it rests. */
static uint8_t *push_begin(struct gen *g, struct conn *c, enum side from, size_t len)
{
    if (!c->bulk) {
        c->bulk = g_new0(struct bulk, 1);
    }
    struct outgoing *out = &c->bulk->out[from];
    if (out->at == out->len) {
        out->at = out->len = 0;
        add_event(g, c, g->now, LANE_SEND + from, 0);
    }
    if (out->len + len > out->room) {
        out->room = (out->len + len) * 2;
        out->bytes = g_realloc(out->bytes, out->room);
    }
    out->len += len;
    return out->bytes + out->len - len;
}

static void push(struct gen *g, struct conn *c, enum side from, const void *bytes, size_t len)
{
    memcpy(push_begin(g, c, from, len), bytes, len);
}

/* An unfragmented frame of any length. */
static void push_frame(struct gen *g, struct conn *c, enum side from, unsigned first_byte, const uint8_t *payload,
                       size_t len, size_t message_len)
{
    uint8_t bytes[4], header[WS_HEADER_MAX];
    const uint8_t *key = mask_key(g, from, bytes);
    size_t header_len = ws_put_header(header, first_byte, key, len);
    push(g, c, from, header, header_len);
    ws_put_payload(push_begin(g, c, from, len), payload, key, len);
    tally_frame(g, from, first_byte & 15, len, message_len);
}

static void lane_send(struct gen *g, struct conn *c, enum side from)
{
    struct outgoing *out = &c->bulk->out[from];
    struct flow *f = &c->flow;
    size_t n = MIN(out->len - out->at, (size_t)MSS);
    bool last = out->at + n == out->len;
    if (from == SERVER) {
        conn_hears_all(c, SERVER);
    }
    uint8_t *to = wire_begin(&g->wire, g->now, f, from, TCP_ACK | (last ? TCP_PSH : 0u), n);
    memcpy(to, out->bytes + out->at, n);
    wire_end(&g->wire);
    out->at += n;
    out->unacknowledged++;
    if (last || out->unacknowledged == 2) {
        uint64_t delay = from == SERVER ? f->round_trip : 100 * NS_PER_US;
        add_event(g, c, g->now + delay, LANE_ACK + !from, f->peers[from].seq);
        out->unacknowledged = 0;
    }
    if (!last) {
        add_event(g, c, g->now + 12 * NS_PER_US + random_below(g, 100 * NS_PER_US), LANE_SEND + from, 0);
    }
}

static void lane_ack(struct gen *g, struct conn *c, enum side from, uint32_t up_to)
{
    struct peer *self = &c->flow.peers[from];
    if ((int32_t)(up_to - self->acked) > 0) {
        self->acked = up_to;
        wire_begin(&g->wire, g->now, &c->flow, from, TCP_ACK, 0);
        wire_end(&g->wire);
    }
}

static void conn_ends(struct gen *g, struct conn *c)
{
    if (!c->bulk) {
        uint32_t index = (uint32_t)(c - g->conns);
        g_array_append_val(g->free_conns, index);
    }
}

/* Nothing more of the script is played. */
static void script_stop(struct conn *c)
{
    c->row = c->script->count;
}

static void script_step(struct gen *g, struct conn *c)
{
    const struct script *s = c->script;
    s->rows[c->row].act(g, c);
    if (c->row < s->count) {
        if (s->loop_to > 0 && c->row == s->loop_to && ++c->loops < g->messages) {
            c->row = s->loop_from;
        } else {
            c->row++;
        }
        if (s->loop_to > 0 && c->row == s->loop_from && g->messages == 0) {
            c->row = s->loop_to + 1;
        }
    }
    if (c->row < s->count) {
        add_event(g, c, MAX(g->now, s->rows[c->row].when(g, c)), LANE_SCRIPT, 0);
    } else {
        conn_ends(g, c);
    }
}

static void run(struct gen *g)
{
    struct event e;
    g->now = g->start;
    conn_arrives(g);
    while (schedule_take(&g->schedule, &e)) {
        g->now = e.time;
        struct conn *c = &g->conns[e.conn];
        if (e.lane == LANE_SCRIPT) {
            script_step(g, c);
        } else if (e.lane == LANE_ARRIVAL) {
            conn_arrives(g);
        } else if (e.lane < LANE_ACK) {
            lane_send(g, c, e.lane - LANE_SEND);
        } else {
            lane_ack(g, c, e.lane - LANE_ACK, e.arg);
        }
    }
    wire_flush(&g->wire);
}

#endif

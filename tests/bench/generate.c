/*
 * Writes large captures for the benchmarks: the same bytes for the same arguments, on every machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tests/bench/foreign.h"
#include "tests/bench/payloads.h"
#include "tests/bench/traffic.h"

#include <fcntl.h>
#include <inttypes.h>

/* When rows happen */

static uint64_t at_once(struct gen *g, const struct conn *c)
{
    (void)c;
    return g->now + 15 * NS_PER_US + random_below(g, 20 * NS_PER_US);
}

static uint64_t server_works(struct gen *g, const struct conn *c)
{
    (void)c;
    return g->now + 60 * NS_PER_US + random_below(g, 500 * NS_PER_US);
}

static uint64_t round_trip(struct gen *g, const struct conn *c)
{
    return g->now + c->flow.round_trip + random_below(g, 200 * NS_PER_US);
}

static uint64_t after_delayed_ack(struct gen *g, const struct conn *c)
{
    return g->now + c->flow.round_trip + 40 * NS_PER_MS;
}

static uint64_t server_delayed_ack(struct gen *g, const struct conn *c)
{
    (void)c;
    return g->now + 40 * NS_PER_MS + random_below(g, NS_PER_MS);
}

static uint64_t person_thinks(struct gen *g, const struct conn *c)
{
    (void)c;
    return g->now + 500 * NS_PER_MS + random_below(g, 2 * NS_PER_S);
}

static uint64_t after_transfer(struct gen *g, const struct conn *c)
{
    return g->now + c->flow.round_trip + 40 * NS_PER_MS + random_below(g, 10 * NS_PER_MS);
}

static uint64_t a_while_later(struct gen *g, const struct conn *c)
{
    (void)c;
    return g->now + 300 * NS_PER_MS + random_below(g, 400 * NS_PER_MS);
}

/* Broadcasts: all connections within 60 ms, every 200 ms. */
static uint64_t next_broadcast(struct gen *g, const struct conn *c)
{
    return g->start + 2 * NS_PER_S + c->loops * (200 * NS_PER_MS) + random_below(g, 60 * NS_PER_MS);
}

static uint64_t next_ping(struct gen *g, const struct conn *c)
{
    (void)c;
    return g->now + 20 * NS_PER_S;
}

static uint64_t server_crashes(struct gen *g, const struct conn *c)
{
    (void)c;
    return g->start + 12 * NS_PER_S + random_below(g, 300 * NS_PER_MS);
}

/* Exponential from one second, factor 2, no jitter but the timer's: 1, 3, 7, 15 s after the end. */
static uint64_t next_retry(struct gen *g, const struct conn *c)
{
    return c->left + ((UINT64_C(1) << MIN(c->attempts, 20)) - 1) * NS_PER_S + random_below(g, 20 * NS_PER_MS);
}

/* What rows send */

static void act_syn(struct gen *g, struct conn *c)
{
    conn_dial(g, c);
    wire_begin(&g->wire, g->now, &c->flow, CLIENT, TCP_SYN, 0);
    wire_end(&g->wire);
}

static void act_syn_ack(struct gen *g, struct conn *c)
{
    say(g, c, SERVER, TCP_SYN | TCP_ACK, NULL, 0);
}

static void act_client_ack(struct gen *g, struct conn *c)
{
    say(g, c, CLIENT, TCP_ACK, NULL, 0);
}

static void act_server_ack(struct gen *g, struct conn *c)
{
    say(g, c, SERVER, TCP_ACK, NULL, 0);
}

static void make_nonce(const struct gen *g, const struct conn *c, uint8_t nonce[16])
{
    uint64_t halves[2] = {conn_hash(g, c, 16 + c->attempts), conn_hash(g, c, 4096 + c->attempts)};
    memcpy(nonce, halves, sizeof halves);
}

static void act_request(struct gen *g, struct conn *c)
{
    uint8_t nonce[16];
    char head[1024];
    make_nonce(g, c, nonce);
    say(g, c, CLIENT, TCP_PSH | TCP_ACK, head, ws_put_request(head, sizeof head, nonce, g->kind->deflate));
}

static void act_switch(struct gen *g, struct conn *c)
{
    uint8_t nonce[16];
    char head[1024];
    make_nonce(g, c, nonce);
    say(g, c, SERVER, TCP_PSH | TCP_ACK, head, ws_put_response(head, sizeof head, nonce, g->kind->deflate));
    g->upgrades++;
}

static void say_small_text(struct gen *g, struct conn *c, enum side from)
{
    char text[SMALL_TEXT_MAX];
    size_t len = put_small_text(text, conn_hash(g, c, 65536 + (uint64_t)c->loops));
    say_frame(g, c, from, WS_TEXT, text, len);
}

static void act_client_text(struct gen *g, struct conn *c)
{
    say_small_text(g, c, CLIENT);
}

static void act_server_text(struct gen *g, struct conn *c)
{
    say_small_text(g, c, SERVER);
}

static void act_ping(struct gen *g, struct conn *c)
{
    uint64_t payload = conn_hash(g, c, 65536 + (uint64_t)c->loops);
    say_frame(g, c, SERVER, WS_PING, &payload, 4);
}

static void act_pong(struct gen *g, struct conn *c)
{
    uint64_t payload = conn_hash(g, c, 65536 + (uint64_t)c->loops);
    say_frame(g, c, CLIENT, WS_PONG, &payload, 4);
}

static void act_client_close(struct gen *g, struct conn *c)
{
    say_frame(g, c, CLIENT, WS_CLOSE, "\x03\xe8", 2);
}

static void act_server_close(struct gen *g, struct conn *c)
{
    say_frame(g, c, SERVER, WS_CLOSE, "\x03\xe8", 2);
}

static void act_client_fin(struct gen *g, struct conn *c)
{
    say(g, c, CLIENT, TCP_FIN | TCP_ACK, NULL, 0);
}

static void act_server_fin(struct gen *g, struct conn *c)
{
    say(g, c, SERVER, TCP_FIN | TCP_ACK, NULL, 0);
}

static void act_server_reset(struct gen *g, struct conn *c)
{
    c->left = g->now;
    say(g, c, SERVER, TCP_RST | TCP_ACK, NULL, 0);
}

static void act_syn_again(struct gen *g, struct conn *c)
{
    struct peer *client = &c->flow.peers[CLIENT];
    client->port = (uint16_t)(client->port + 64);
    act_syn(g, c);
}

static void act_refuse(struct gen *g, struct conn *c)
{
    c->flow.peers[SERVER].seq = 0;
    say(g, c, SERVER, TCP_RST | TCP_ACK, NULL, 0);
    g->refused++;
}

static void act_probe(struct gen *g, struct conn *c)
{
    act_syn(g, c);
    if (random64(g) & 1) {
        script_stop(c);
    }
}

enum { BULK_MESSAGE = 32768, BULK_ANSWER = 2048, ANSWERED = 10 };

static void act_push_binary(struct gen *g, struct conn *c)
{
    push_frame(g, c, SERVER, WS_FIN | WS_BINARY, random_payload(g), BULK_MESSAGE, BULK_MESSAGE);
}

static void act_answer_binary(struct gen *g, struct conn *c)
{
    if (c->loops % ANSWERED == 0) {
        push_frame(g, c, CLIENT, WS_FIN | WS_BINARY, random_payload(g), BULK_ANSWER, BULK_ANSWER);
    }
}

static void push_text(struct gen *g, struct conn *c, enum side from, size_t len)
{
    const uint8_t *text = utf8_payload(g, &len);
    push_frame(g, c, from, WS_FIN | WS_TEXT, text, len, len);
}

static void act_push_text(struct gen *g, struct conn *c)
{
    push_text(g, c, SERVER, BULK_MESSAGE);
}

static void act_answer_text(struct gen *g, struct conn *c)
{
    if (c->loops % ANSWERED == 0) {
        push_text(g, c, CLIENT, BULK_ANSWER);
    }
}

static void act_push_deflated(struct gen *g, struct conn *c)
{
    push_deflated(g, c, SERVER, 1024 + random_below(g, 6000));
}

static void act_answer_deflated(struct gen *g, struct conn *c)
{
    push_deflated(g, c, CLIENT, 100 + random_below(g, 900));
}

/* The scripts */

#define TCP_OPENING                                                                                                    \
    {at_once, act_syn}, {server_works, act_syn_ack},                                                                   \
    {                                                                                                                  \
        round_trip, act_client_ack                                                                                     \
    }
#define UPGRADE                                                                                                        \
    {at_once, act_request},                                                                                            \
    {                                                                                                                  \
        server_works, act_switch                                                                                       \
    }
#define OPENING                                                                                                        \
    TCP_OPENING, UPGRADE,                                                                                              \
    {                                                                                                                  \
        after_delayed_ack, act_client_ack                                                                              \
    }

static const struct row bulk_rows[] = {
    OPENING,
    {next_broadcast, act_push_binary},
    {after_transfer, act_answer_binary},
};

static const struct row text_rows[] = {
    OPENING,
    {next_broadcast, act_push_text},
    {after_transfer, act_answer_text},
};

static const struct row deflate_rows[] = {
    OPENING,
    {next_broadcast, act_push_deflated},
    {after_transfer, act_answer_deflated},
};

static const struct row small_rows[] = {
    OPENING,
    {person_thinks, act_client_text},
    {server_works, act_server_text},
    {after_delayed_ack, act_client_ack},
};

static const struct row storm_rows[] = {
    OPENING,
    {server_crashes, act_server_reset},
    {next_retry, act_syn_again},
    {server_works, act_refuse},
    {next_retry, act_syn_again},
    {server_works, act_syn_ack},
    {round_trip, act_client_ack},
    UPGRADE,
    {after_delayed_ack, act_client_ack},
};

static const struct row idle_rows[] = {
    OPENING,
    {next_ping, act_ping},
    {round_trip, act_pong},
    {server_delayed_ack, act_server_ack},
};

static const struct row short_rows[] = {
    TCP_OPENING,
    UPGRADE,
    {round_trip, act_client_text},
    {server_works, act_server_text},
    {a_while_later, act_client_close},
    {server_works, act_server_close},
    {at_once, act_server_fin},
    {round_trip, act_client_fin},
    {at_once, act_server_ack},
};

static const struct row http_rows[] = {
    TCP_OPENING,
    {a_while_later, act_http_request},
    {server_works, act_http_response},
};

static const struct row tls_rows[] = {
    TCP_OPENING,
    {at_once, act_client_hello},
    {server_works, act_server_hello},
    {after_transfer, act_tls_finished},
    {a_while_later, act_tls_request},
    {server_works, act_tls_response},
};

static const struct row ssh_rows[] = {
    TCP_OPENING,
    {server_works, act_ssh_server_banner},
    {after_transfer, act_ssh_client_banner},
    {server_works, act_ssh_server_kexinit},
    {after_transfer, act_ssh_client_kexinit},
    {a_while_later, act_ssh_keystroke},
    {server_works, act_ssh_output},
};

static const struct row hostile_rows[] = {
    {at_once, act_probe},
    {server_works, act_refuse},
};

#define SCRIPT(rows, from, to, port)                                                                                   \
    {                                                                                                                  \
        rows, G_N_ELEMENTS(rows), from, to, port                                                                       \
    }

static const struct script bulk_script[] = {SCRIPT(bulk_rows, 6, 7, 8080)};
static const struct script text_script[] = {SCRIPT(text_rows, 6, 7, 8080)};
static const struct script deflate_script[] = {SCRIPT(deflate_rows, 6, 7, 8080)};
static const struct script small_script[] = {SCRIPT(small_rows, 6, 8, 8080)};
static const struct script storm_script[] = {SCRIPT(storm_rows, 7, 8, 8080)};
static const struct script idle_script[] = {SCRIPT(idle_rows, 6, 8, 8080)};
static const struct script short_script[] = {SCRIPT(short_rows, 5, 6, 8080)};
static const struct script plain_scripts[] = {
    SCRIPT(http_rows, 3, 4, 80),
    SCRIPT(tls_rows, 6, 7, 443),
    SCRIPT(ssh_rows, 7, 8, 22),
};
static const struct script hostile_script[] = {SCRIPT(hostile_rows, 0, 0, 8080)};

/* A flood from everywhere at one port, and scanners that each try all ports. */
static void place_hostile(struct gen *g, struct conn *c)
{
    (void)g;
    if (c->serial & 1) {
        uint32_t n = c->serial >> 1;
        c->flow.peers[CLIENT].address = UINT32_C(198) << 24 | 18 << 16 | (n / 65535);
        c->flow.peers[CLIENT].port = 51000;
        c->flow.peers[SERVER].port = (uint16_t)(1 + n % 65535);
    }
}

static const struct kind kinds[] = {
    {"bulk", "32 kB binary messages, broadcast; some answers", bulk_script, 1, false, 100, 60, NS_PER_S, 0, NULL},
    {"small", "small text messages, echoed", small_script, 1, false, 20000, 20, 10 * NS_PER_S, 0, NULL},
    {"storm", "all reset by the server; M refused retries in step, then a successful one", storm_script, 1, false,
     60000, 3, 10 * NS_PER_S, 0, NULL},
    {"idle", "opened over a minute, then M pings", idle_script, 1, false, 100000, 3, 60 * NS_PER_S, 0, NULL},
    {"short", "short connections in 12 packets (M = 1), 20 000 a second", short_script, 1, false, 100000, 1, 0,
     50 * NS_PER_US, NULL},
    {"text-utf8", "like bulk, of text in several scripts", text_script, 1, false, 100, 60, NS_PER_S, 0, NULL},
    {"deflate", "permessage-deflate with context takeover, both ways", deflate_script, 1, true, 100, 200, NS_PER_S, 0,
     NULL},
    {"plain", "no WebSocket: HTTP downloads, TLS and SSH, M exchanges each", plain_scripts, 3, false, 300, 20, NS_PER_S,
     0, NULL},
    {"hostile", "one SYN of each connection, half answered by RST", hostile_script, 1, false, 1000000, 0, 0,
     10 * NS_PER_US, place_hostile},
};

static void print_tally(const char *name, const struct tally *t)
{
    uint64_t frames = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(t->frames); i++) {
        frames += t->frames[i];
    }
    fprintf(stderr,
            ", \"%s\": {\"frames\": %" PRIu64 ", \"text\": %" PRIu64 ", \"binary\": %" PRIu64 ", \"ping\": %" PRIu64
            ", \"pong\": %" PRIu64 ", \"close\": %" PRIu64 ", \"messages\": %" PRIu64 ", \"payload_bytes\": %" PRIu64
            ", \"message_bytes\": %" PRIu64 "}",
            name, frames, t->frames[WS_TEXT], t->frames[WS_BINARY], t->frames[WS_PING], t->frames[WS_PONG],
            t->frames[WS_CLOSE], t->messages, t->payload_bytes, t->message_bytes);
}

/* One line of JSON: what was written, for comparison with what an analysis of it says. */
static void print_summary(const struct gen *g)
{
    const struct wire *w = &g->wire;
    fprintf(stderr,
            "{\"kind\": \"%s\", \"seed\": %" PRIu64 ", \"packets\": %" PRIu64 ", \"bytes\": %" PRIu64
            ", \"file_bytes\": %" PRIu64 ", \"connections\": %u, \"streams\": %" PRIu64 ", \"upgrades\": %" PRIu64
            ", \"refused\": %" PRIu64 ", \"resets\": %" PRIu64 ", \"fins\": %" PRIu64,
            g->kind->name, g->seed, w->packets, w->bytes, w->file_bytes, g->arrived, g->streams, g->upgrades,
            g->refused, w->resets, w->fins);
    print_tally("client_to_server", &g->tally[CLIENT]);
    print_tally("server_to_client", &g->tally[SERVER]);
    fputs("}\n", stderr);
}

struct arguments {
    gint64 connections, messages, seed;
    char *output;
    gboolean nanoseconds;
};

static const struct kind *find_kind(const char *name)
{
    for (size_t i = 0; name && i < G_N_ELEMENTS(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

static char *describe_kinds(void)
{
    GString *text = g_string_new("Kinds, with the defaults of N connections and M messages for each:\n");
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const struct kind *k = &kinds[i];
        g_string_append_printf(text, "  %-10s %7u %4u  %s\n", k->name, k->connections, k->messages, k->help);
    }
    return g_string_free(text, FALSE);
}

static const struct kind *parse_arguments(int argc, char **argv, struct arguments *a)
{
    const GOptionEntry entries[] = {
        {"connections", 'n', 0, G_OPTION_ARG_INT64, &a->connections, "How many connections", "N"},
        {"messages", 'm', 0, G_OPTION_ARG_INT64, &a->messages, "Messages (or pings, retries) for each", "M"},
        {"seed", 's', 0, G_OPTION_ARG_INT64, &a->seed, "Another seed, other bytes", "S"},
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &a->output, "Write there, not to standard output", "FILE"},
        {"nanoseconds", 0, 0, G_OPTION_ARG_NONE, &a->nanoseconds, "A pcap of nanoseconds, not microseconds", NULL},
        G_OPTION_ENTRY_NULL,
    };
    GError *error = NULL;
    GOptionContext *context = g_option_context_new("KIND");
    char *description = describe_kinds();
    g_option_context_set_description(context, description);
    g_option_context_add_main_entries(context, entries, NULL);
    const struct kind *kind = NULL;
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        g_printerr("generate: %s\n", error->message);
    } else if (argc != 2 || !(kind = find_kind(argv[1]))) {
        g_printerr("generate: name one kind\n%s", description);
    } else if (a->connections < -1 || a->connections == 0 || a->connections > 1 << 30 || a->messages < -1 ||
               a->messages > 1 << 30) {
        g_printerr("generate: a number is out of range\n");
        kind = NULL;
    }
    g_clear_error(&error);
    g_free(description);
    g_option_context_free(context);
    return kind;
}

int main(int argc, char **argv)
{
    struct arguments a = {-1, -1, 1, NULL, FALSE};
    struct gen g = {.kind = parse_arguments(argc, argv, &a)};
    if (!g.kind) {
        return 2;
    }
    int fd = a.output ? open(a.output, O_WRONLY | O_CREAT | O_TRUNC, 0666) : STDOUT_FILENO;
    if (fd < 0) {
        g_printerr("generate: %s: %s\n", a.output, g_strerror(errno));
        return 2;
    }
    g.connections = a.connections > 0 ? (uint32_t)a.connections : g.kind->connections;
    g.messages = a.messages >= 0 ? (uint32_t)a.messages : g.kind->messages;
    g.seed = g.random = (uint64_t)a.seed;
    g.start = UINT64_C(1795471755) * NS_PER_S;
    g.arrival_gap = g.kind->arrival_window ? g.kind->arrival_window / g.connections : g.kind->arrival_gap;
    g.free_conns = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    payloads_open(&g);
    wire_open(&g.wire, fd, a.nanoseconds);
    run(&g);
    print_summary(&g);
    return 0;
}

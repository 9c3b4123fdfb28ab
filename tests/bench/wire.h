/*
 * The wire of the generated captures: TCP segments over IPv4 and Ethernet, checksums included, written as pcap records.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_BENCH_WIRE_H
#define WSL_BENCH_WIRE_H

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum side { CLIENT, SERVER };
enum tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };
enum {
    MSS = 1448, /* 1500 less 40 bytes of headers and 12 of the timestamp option */
    WINDOW_SCALE = 7,
    ETHERNET_LEN = 14,
    IPV4_LEN = 20,
    TCP_LEN = 20,
    PCAP_RECORD_LEN = 16,
    RECORD_MAX = 2048,
    WIRE_BUFFER = 4 << 20,
};

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)

struct peer {
    uint64_t last_sent; /* nanoseconds since the epoch; 0: nothing yet */
    uint32_t address;
    uint32_t seq;   /* of the next byte it sends */
    uint32_t acked; /* what it acknowledges */
    uint32_t clock; /* what its timestamp clock (milliseconds) is ahead of the time */
    uint16_t port;
    uint16_t window; /* in units of 128 bytes */
    uint16_t ip_id;
    uint8_t ttl;
};

/* One TCP connection, seen at the server's network card. */
struct flow {
    struct peer peers[2];
    uint32_t round_trip; /* nanoseconds */
};

struct wire {
    uint8_t *buffer;
    uint8_t *record; /* the record being written, in buffer */
    size_t used;
    uint64_t packets, bytes, file_bytes;
    uint64_t resets, fins;
    int fd;
    bool nanoseconds;
};

static void put16(uint8_t *to, unsigned value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static void put32(uint8_t *to, uint32_t value)
{
    put16(to, value >> 16);
    put16(to + 2, value & 0xffff);
}

static void wire_flush(struct wire *w)
{
    for (size_t done = 0; done < w->used;) {
        ssize_t n = write(w->fd, w->buffer + done, w->used - done);
        if (n < 0 && errno != EINTR) {
            g_printerr("generate: cannot write: %s\n", g_strerror(errno));
            exit(2);
        }
        done += n > 0 ? (size_t)n : 0;
    }
    w->file_bytes += w->used;
    w->used = 0;
}

static void wire_put_native(struct wire *w, uint32_t value)
{
    memcpy(w->buffer + w->used, &value, sizeof value);
    w->used += sizeof value;
}

static void wire_open(struct wire *w, int fd, bool nanoseconds)
{
    w->fd = fd;
    w->nanoseconds = nanoseconds;
    w->buffer = g_malloc(WIRE_BUFFER);
    wire_put_native(w, nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4);
    uint16_t version[2] = {2, 4};
    memcpy(w->buffer + w->used, version, sizeof version);
    w->used += sizeof version;
    wire_put_native(w, 0);
    wire_put_native(w, 0);
    wire_put_native(w, 262144);
    wire_put_native(w, 1); /* LINKTYPE_ETHERNET */
}

/* RFC 1071: the sum does not depend on the byte order, so that words are added as they lie in memory. */
static uint64_t checksum_add(uint64_t sum, const uint8_t *bytes, size_t n)
{
    uint32_t word;
    for (; n >= sizeof word; n -= sizeof word, bytes += sizeof word) {
        memcpy(&word, bytes, sizeof word);
        sum += word;
    }
    word = 0;
    memcpy(&word, bytes, n);
    return sum + word;
}

static void checksum_put(uint8_t *to, uint64_t sum)
{
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    uint16_t value = (uint16_t)~sum;
    memcpy(to, &value, sizeof value);
}

static void wire_put_ipv4(uint8_t *ip, struct flow *f, enum side from, unsigned flags, size_t len)
{
    struct peer *self = &f->peers[from];
    bool stateless = (flags & TCP_RST) && self->last_sent == 0;
    bool no_id = stateless || (flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK); /* as Linux does */
    put16(ip, 0x4500);
    put16(ip + 2, (unsigned)len);
    put16(ip + 4, no_id ? 0 : self->ip_id++);
    put16(ip + 6, 0x4000);
    ip[8] = self->ttl;
    ip[9] = 6;
    put16(ip + 10, 0);
    put32(ip + 12, self->address);
    put32(ip + 16, f->peers[!from].address);
    checksum_put(ip + 10, checksum_add(0, ip, IPV4_LEN));
}

/* The server's latest packet that can have reached a client whose answer passes the capture now. */
static uint32_t wire_timestamp_echo(const struct flow *f, enum side from, uint64_t now)
{
    const struct peer *other = &f->peers[!from];
    if (other->last_sent == 0) {
        return 0;
    }
    uint64_t heard = from == CLIENT ? MIN(other->last_sent, now - f->round_trip) : other->last_sent;
    return other->clock + (uint32_t)(heard / NS_PER_MS);
}

/* In Linux's order; returns their length. A RST that answers a SYN has none. */
static size_t wire_put_options(uint8_t *to, const struct flow *f, enum side from, unsigned flags, uint64_t now)
{
    static const uint8_t syn[8] = {2, 4, 1460 >> 8, 1460 & 0xff, 4, 2, 8, 10};
    static const uint8_t other[4] = {1, 1, 8, 10};
    const struct peer *self = &f->peers[from];
    if ((flags & TCP_RST) && self->last_sent == 0) {
        return 0;
    }
    size_t n = flags & TCP_SYN ? sizeof syn : sizeof other;
    memcpy(to, flags & TCP_SYN ? syn : other, n);
    put32(to + n, self->clock + (uint32_t)(now / NS_PER_MS));
    put32(to + n + 4, wire_timestamp_echo(f, from, now));
    n += 8;
    if (flags & TCP_SYN) {
        put32(to + n, 0x01030300 | WINDOW_SCALE);
        n += 4;
    }
    return n;
}

static void wire_put_record_header(struct wire *w, uint64_t now, size_t len)
{
    if (w->used + RECORD_MAX > WIRE_BUFFER) {
        wire_flush(w);
    }
    w->record = w->buffer + w->used;
    wire_put_native(w, (uint32_t)(now / NS_PER_S));
    wire_put_native(w, (uint32_t)(w->nanoseconds ? now % NS_PER_S : now % NS_PER_S / NS_PER_US));
    wire_put_native(w, (uint32_t)len);
    wire_put_native(w, (uint32_t)len);
    w->used += len;
    w->packets++;
    w->bytes += len;
}

/*
 * Writes a segment's headers and returns where its `len` bytes (at most MSS) go; wire_end() must follow once they are
 * there. Times must not decrease.
 */
static uint8_t *wire_begin(struct wire *w, uint64_t now, struct flow *f, enum side from, unsigned flags, size_t len)
{
    static const uint8_t gateway[6] = {2, 0, 0x5e, 0, 0, 0xfe}, server[6] = {2, 0, 0x5e, 0, 0, 0x0a};
    uint8_t options[40];
    size_t options_len = wire_put_options(options, f, from, flags, now);
    size_t ip_len = IPV4_LEN + TCP_LEN + options_len + len;
    wire_put_record_header(w, now, ETHERNET_LEN + ip_len);
    uint8_t *ethernet = w->record + PCAP_RECORD_LEN, *ip = ethernet + ETHERNET_LEN, *tcp = ip + IPV4_LEN;
    memcpy(ethernet, from == CLIENT ? server : gateway, 6);
    memcpy(ethernet + 6, from == CLIENT ? gateway : server, 6);
    put16(ethernet + 12, 0x0800);
    wire_put_ipv4(ip, f, from, flags, ip_len);
    struct peer *self = &f->peers[from];
    put16(tcp, self->port);
    put16(tcp + 2, f->peers[!from].port);
    put32(tcp + 4, self->seq);
    put32(tcp + 8, flags & TCP_ACK ? self->acked : 0);
    put16(tcp + 12, (unsigned)((TCP_LEN + options_len) / 4 << 12) | flags);
    put16(tcp + 14, flags & TCP_SYN ? 64240u : options_len ? self->window : 0u);
    put32(tcp + 16, 0);
    memcpy(tcp + TCP_LEN, options, options_len);
    if (options_len) {
        self->last_sent = now;
    }
    self->seq += (uint32_t)len + (flags & (TCP_SYN | TCP_FIN) ? 1 : 0);
    w->resets += (flags & TCP_RST) != 0;
    w->fins += (flags & TCP_FIN) != 0;
    return tcp + TCP_LEN + options_len;
}

/* Puts the checksum into the segment begun last. */
static void wire_end(struct wire *w)
{
    uint8_t *ip = w->record + PCAP_RECORD_LEN + ETHERNET_LEN, *tcp = ip + IPV4_LEN;
    size_t tcp_len = (size_t)(w->buffer + w->used - tcp);
    uint8_t protocol_and_length[4] = {0, 6};
    put16(protocol_and_length + 2, (unsigned)tcp_len);
    uint64_t sum = checksum_add(0, ip + 12, 8);
    sum = checksum_add(sum, protocol_and_length, sizeof protocol_and_length);
    checksum_put(tcp + 16, checksum_add(sum, tcp, tcp_len));
}

#endif

/*
 * From a segment to its connection: stream numbers, views, tenants, and the lives of connections.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/tcp/table.h"

#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

/* A sequence number within this of where a side stands belongs to the same sequence space. */
enum { NEAR = 16 * 1024 * 1024 };
#define HANDSHAKE_PATIENCE (60 * WSL_SECOND)

WslTcpTable *wsl_tcp_new(const WslTcpLimits *limits)
{
    WslTcpTable *table = g_new0(WslTcpTable, 1);

    table->flows = wsl_flow_table_new();
    table->addresses = wsl_addresses_new();
    table->duplicates = wsl_duplicates_new();
    table->connections = wsl_slab_new(sizeof(WslTcp));
    table->limits = *limits;
    table->clock = INT64_MIN;
    return table;
}

void wsl_tcp_free(WslTcpTable *table)
{
    WslTcp *tcp;

    while ((tcp = wsl_tcp_next_open(table)))
        wsl_tcp_release(table, tcp);
    wsl_slab_free(table->connections);
    wsl_flow_table_free(table->flows);
    wsl_addresses_free(table->addresses);
    wsl_duplicates_free(table->duplicates);
    g_free(table);
}

const WslTcpCounts *wsl_tcp_counts(const WslTcpTable *table)
{
    return &table->counts;
}

WslTime wsl_tcp_clock(const WslTcpTable *table)
{
    return table->clock;
}

static uint32_t address_number(WslTcpTable *table, const WslSegment *segment, const uint8_t *bytes)
{
    uint32_t number;

    if (segment->ipv6)
        return wsl_addresses_number(table->addresses, bytes);
    memcpy(&number, bytes, sizeof number);
    return GUINT32_FROM_BE(number);
}

void wsl_tcp_prepare(WslTcpTable *table, WslArrival *arrival)
{
    const WslSegment *segment = &arrival->segment;
    uint32_t source = address_number(table, segment, segment->source);
    uint32_t target = address_number(table, segment, segment->target);
    bool first = source < target || (source == target && segment->source_port <= segment->target_port);

    arrival->from = first ? 0 : 1;
    arrival->key = (WslFlowKey){
        {first ? source : target, first ? target : source},
        {first ? segment->source_port : segment->target_port, first ? segment->target_port : segment->source_port},
        segment->ipv6,
    };
    arrival->flow = NULL;
    arrival->hash = wsl_flow_hash(table->flows, &arrival->key);
    wsl_flow_prefetch_slot(table->flows, arrival->hash);
}

void wsl_tcp_look_up(const WslTcpTable *table, WslArrival *arrival)
{
    arrival->flow = wsl_flow_guess(table->flows, arrival->hash);
}

void wsl_tcp_prefetch(WslArrival *arrival)
{
    if (!arrival->flow)
        return;
    if (!wsl_flow_is(arrival->flow, &arrival->key)) {
        arrival->flow = NULL;
        return;
    }
    const char *tcp = (const char *)arrival->flow->tcp;
    for (size_t line = 0; tcp && line < sizeof(WslTcp); line += 64)
        __builtin_prefetch(tcp + line, 1);
}

const WslTcp *wsl_tcp_expected(const WslArrival *arrival)
{
    return arrival->flow ? arrival->flow->tcp : NULL;
}

static WslFlow *head_of(const WslTcpTable *table, const WslArrival *arrival)
{
    return arrival->flow ? arrival->flow : wsl_flow_find(table->flows, &arrival->key, arrival->hash);
}

/* Wireshark's base_seq: set once for each side, by its own first segment or the other side's first acknowledgement. */
static void note_bases(WslFlow *flow, const WslArrival *arrival)
{
    const WslSegment *segment = &arrival->segment;
    unsigned from = arrival->from, to = !from;

    /* A SYN/ACK moves its side's base, quoted or not. */
    if (flow->side[from].flags & WSL_SIDE_BASE && segment->flags & WSL_TCP_SYN && segment->flags & WSL_TCP_ACK)
        flow->base[from] = segment->seq;
    if (segment->quoted)
        return;
    if (!(flow->side[from].flags & WSL_SIDE_BASE)) {
        flow->base[from] = segment->flags & WSL_TCP_SYN ? segment->seq : segment->seq - 1;
        flow->side[from].flags |= WSL_SIDE_BASE;
    }
    if (!(flow->side[to].flags & WSL_SIDE_BASE) && segment->flags & WSL_TCP_ACK) {
        flow->base[to] = segment->ack - 1;
        flow->side[to].flags |= WSL_SIDE_BASE;
    }
}

/* Only headers that ICMP errors quote were seen of its number: the connection is still to come. */
static bool has_no_base(const WslFlow *flow)
{
    return !((flow->side[0].flags | flow->side[1].flags) & WSL_SIDE_BASE);
}

static bool is_first_syn(const WslSegment *segment)
{
    return (segment->flags & (WSL_TCP_SYN | WSL_TCP_ACK)) == WSL_TCP_SYN;
}

static bool takes_new_number(const WslFlow *flow, const WslArrival *arrival)
{
    return is_first_syn(&arrival->segment) && flow->side[arrival->from].flags & WSL_SIDE_BASE &&
           flow->base[arrival->from] != arrival->segment.seq;
}

static void forget_sides(WslFlow *flow)
{
    memset(flow->side, 0, sizeof flow->side);
    flow->side[0].scale = flow->side[1].scale = WSL_NO_SCALE;
}

static WslTcp *follow(WslTcpTable *table, WslFlow *flow, const WslArrival *arrival, uint32_t stream)
{
    WslTcp *tcp = wsl_slab_take(table->connections);
    uint8_t bases = (flow->side[0].flags & WSL_SIDE_BASE) | (uint8_t)((flow->side[1].flags & WSL_SIDE_BASE) << 1);

    forget_sides(flow);
    /* Bases belong to the number, not to the connection. */
    if (bases & WSL_SIDE_BASE)
        flow->side[0].flags = WSL_SIDE_BASE;
    if (bases & WSL_SIDE_BASE << 1)
        flow->side[1].flags = WSL_SIDE_BASE;
    flow->flags &= (uint16_t)~WSL_FLOW_IGNORED;
    flow->tcp = tcp;
    tcp->flow = flow;
    tcp->stream = stream;
    tcp->first_time = arrival->time;
    tcp->first_packet = arrival->packet;
    tcp->first_end = tcp->client = -1;
    if (arrival->segment.flags & WSL_TCP_SYN)
        tcp->client = (int8_t)(arrival->segment.flags & WSL_TCP_ACK ? !arrival->from : arrival->from);
    wsl_tcp_enqueue(table, tcp);
    return tcp;
}

static bool is_near(const WslFlow *flow, const WslArrival *arrival)
{
    const WslSegment *segment = &arrival->segment;
    const WslFlowSide *own = &flow->side[arrival->from], *other = &flow->side[!arrival->from];
    bool compared = false;

    if (own->flags & WSL_SIDE_SEEN) {
        uint32_t seq = segment->flags & WSL_TCP_SYN ? segment->seq + 1 : segment->seq;
        if (ABS((int64_t)seq_diff(seq, own->next)) > NEAR)
            return false;
        compared = true;
    }
    if (other->flags & WSL_SIDE_SEEN && segment->flags & WSL_TCP_ACK) {
        if (ABS((int64_t)seq_diff(segment->ack, other->next)) > NEAR)
            return false;
        compared = true;
    }
    return compared;
}

static bool in_view(const WslTcp *tcp, const WslArrival *arrival)
{
    uint32_t own = tcp->side[arrival->from].view, other = tcp->side[!arrival->from].view;

    return own ? own == arrival->segment.view : other == arrival->segment.view;
}

/* Which of the flows between two ends: the one seen in this view, else the one whose sequence space this is. */
static WslFlow *choose(WslTcpTable *table, WslFlow *head, const WslArrival *arrival)
{
    if (G_LIKELY(head->tcp && in_view(head->tcp, arrival)))
        return head;
    for (WslFlow *flow = head; flow; flow = wsl_flow_sibling(table->flows, flow))
        if (flow->tcp && in_view(flow->tcp, arrival))
            return flow;
    for (WslFlow *flow = head; flow; flow = wsl_flow_sibling(table->flows, flow)) {
        if (!flow->tcp || !is_near(flow, arrival))
            continue;
        if (flow->tcp->side[arrival->from].view)
            flow->tcp->flags |= WSL_TCP_TWO_VIEWS;
        return flow;
    }
    return NULL;
}

/* A flow for a connection that none of the flows between these ends is; one that is over makes room. */
static WslFlow *free_flow(WslTcpTable *table, WslFlow *head)
{
    for (WslFlow *flow = head; flow; flow = wsl_flow_sibling(table->flows, flow))
        if (!flow->tcp)
            return flow;
    return wsl_flow_add_sibling(table->flows, head);
}

static bool over_limit(WslTcpTable *table, const WslArrival *arrival)
{
    if (table->counts.streams < table->limits.streams)
        return false;
    table->counts.untracked++;
    if (!table->counts.limited_at)
        table->counts.limited_at = arrival->packet;
    return true;
}

static void take_number(WslTcpTable *table, WslFlow *flow, WslPlace *place)
{
    flow->stream = (uint32_t)table->counts.streams++;
    flow->side[0].flags &= (uint8_t)~WSL_SIDE_BASE;
    flow->side[1].flags &= (uint8_t)~WSL_SIDE_BASE;
    place->what |= WSL_ARRIVAL_NEW_STREAM;
}

/* A new ISN between known ends: the connection of the same view is over, one of another view is another tenant's. */
static WslFlow *replaced_by(WslTcpTable *table, WslFlow *head, const WslArrival *arrival)
{
    for (WslFlow *flow = head; flow; flow = wsl_flow_sibling(table->flows, flow))
        if (flow->tcp && (in_view(flow->tcp, arrival) || flow->tcp->flags & WSL_TCP_ENDED))
            return flow;
    return NULL;
}

WslTcp *wsl_tcp_superseded(WslTcpTable *table, const WslArrival *arrival)
{
    if (!is_first_syn(&arrival->segment) || arrival->segment.quoted)
        return NULL;
    WslFlow *head = head_of(table, arrival);
    if (!head || !(takes_new_number(head, arrival) || has_no_base(head)))
        return NULL;
    WslFlow *flow = replaced_by(table, head, arrival);
    return flow ? flow->tcp : NULL;
}

void wsl_tcp_place(WslTcpTable *table, const WslArrival *arrival, WslPlace *place)
{
    WslFlow *head = head_of(table, arrival);
    bool fresh = !head, again = head && takes_new_number(head, arrival);

    *place = (WslPlace){0};
    table->clock = MAX(table->clock, arrival->time);
    table->packet = arrival->packet;
    if ((fresh || again) && over_limit(table, arrival))
        return;
    if (fresh && !(head = wsl_flow_insert(table->flows, &arrival->key, arrival->hash)))
        return;
    if (fresh || again)
        take_number(table, head, place);
    bool begins = has_no_base(head);
    note_bases(head, arrival);
    place->stream = head->stream;
    if (arrival->segment.quoted)
        return;
    if (begins) {
        WslFlow *flow = fresh ? head : free_flow(table, head);
        place->tcp = flow ? follow(table, flow, arrival, head->stream) : NULL;
    } else if (!(head->flags & WSL_FLOW_IGNORED && !head->tcp)) {
        WslFlow *flow = choose(table, head, arrival);
        bool any = head->tcp || head->sibling;
        if (flow)
            place->tcp = flow->tcp;
        else if (any && !(arrival->segment.flags & WSL_TCP_RST) && (flow = free_flow(table, head)))
            place->tcp = follow(table, flow, arrival, head->stream);
        else
            place->what |= WSL_ARRIVAL_LATE;
    }
}

void wsl_tcp_enqueue(WslTcpTable *table, WslTcp *tcp)
{
    if (tcp->queued)
        return;
    tcp->queued = true;
    tcp->queue_next = NULL;
    tcp->queue_before = table->queue_tail;
    tcp->queued_at = table->clock;
    if (table->queue_tail)
        table->queue_tail->queue_next = tcp;
    else
        table->queue_head = tcp;
    table->queue_tail = tcp;
}

static void leave_queue(WslTcpTable *table, WslTcp *tcp)
{
    if (!tcp->queued)
        return;
    tcp->queued = false;
    if (tcp->queue_before)
        tcp->queue_before->queue_next = tcp->queue_next;
    else
        table->queue_head = tcp->queue_next;
    if (tcp->queue_next)
        tcp->queue_next->queue_before = tcp->queue_before;
    else
        table->queue_tail = tcp->queue_before;
}

WslTcp *wsl_tcp_next_over(WslTcpTable *table)
{
    for (WslTcp *tcp; (tcp = table->queue_head) && table->clock - tcp->queued_at > table->limits.linger;) {
        leave_queue(table, tcp);
        if (tcp->flags & WSL_TCP_ENDED && table->clock - tcp->last_time > table->limits.linger)
            return tcp;
        if (!(tcp->flags & WSL_TCP_PAYLOAD) && table->clock - tcp->last_time > HANDSHAKE_PATIENCE)
            return tcp;
        if (tcp->flags & WSL_TCP_ENDED || !(tcp->flags & WSL_TCP_PAYLOAD))
            wsl_tcp_enqueue(table, tcp);
    }
    return NULL;
}

WslTcp *wsl_tcp_next_open(WslTcpTable *table)
{
    for (; table->cursor < wsl_flow_count(table->flows); table->cursor++) {
        WslFlow *flow = wsl_flow_at(table->flows, table->cursor);
        if (flow->tcp)
            return flow->tcp;
    }
    return NULL;
}

void wsl_tcp_release(WslTcpTable *table, WslTcp *tcp)
{
    wsl_tcp_drop_held(table, tcp);
    g_free(tcp->trouble);
    tcp->trouble = NULL;
    if (tcp->flow && tcp->flow->tcp == tcp)
        tcp->flow->tcp = NULL;
    if (table->current.tcp == tcp)
        table->current.tcp = NULL;
    tcp->flow = NULL;
    leave_queue(table, tcp);
    wsl_slab_give(table->connections, tcp);
}

void wsl_tcp_ignore(WslTcpTable *table, WslTcp *tcp)
{
    if (tcp->flow)
        tcp->flow->flags |= WSL_FLOW_IGNORED;
    wsl_tcp_release(table, tcp);
}

WslFlowKey wsl_tcp_key(const WslTcp *tcp)
{
    const WslFlow *flow = tcp->flow;

    return (WslFlowKey){
        {flow->address[0], flow->address[1]}, {flow->port[0], flow->port[1]}, (flow->flags & WSL_FLOW_IPV6) != 0};
}

void wsl_tcp_end_text(const WslTcpTable *table, uint32_t address, bool ipv6, uint16_t port, char out[64])
{
    char text[INET6_ADDRSTRLEN] = "?";
    uint32_t v4 = GUINT32_TO_BE(address);

    if (ipv6)
        inet_ntop(AF_INET6, wsl_addresses_bytes(table->addresses, address), text, sizeof text);
    else
        inet_ntop(AF_INET, &v4, text, sizeof text);
    g_snprintf(out, 64, ipv6 ? "[%s]:%u" : "%s:%u", text, port);
}

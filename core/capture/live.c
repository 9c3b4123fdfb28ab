/*
 * The source over a network interface: libpcap captures, the packets of a batch are copied into an arena.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <string.h>

#include "core/capture/filter.h"
#include "core/capture/source_ops.h"

enum {
    KERNEL_BUFFER = 32 * 1024 * 1024,
    PATIENCE_MILLISECONDS = 100,            /* how long packets wait in the kernel, and we for them */
    ARENA = WSL_BATCH_MAX * WSL_RECORD_MAX, /* only the pages that packets reach take memory */
};

typedef struct {
    WslSource source;
    pcap_t *pcap;
    char *name;
    uint8_t *arena;
    WslPacketNo number;
    uint64_t bytes;
    WslTime fraction; /* ns that one unit of tv_usec is worth */
    uint16_t link_type;
    bool stopped;   /* nothing more is captured: hand on the statistics, then end */
    GError *reason; /* why, if nobody asked for it */
} Live;

/* What pcap_dispatch() hands to its callback. */
typedef struct {
    Live *live;
    WslBatch *batch;
    size_t used;
} Filling;

static void copy_packet(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
    Filling *filling = (Filling *)(void *)user;
    Live *live = filling->live;
    live->number++;
    if (filling->batch->count == WSL_BATCH_MAX)
        return;
    uint32_t captured = MIN(header->caplen, (uint32_t)WSL_RECORD_MAX);
    uint8_t *data = live->arena + filling->used;
    memcpy(data, bytes, captured);
    filling->used += captured;
    live->bytes += captured;
    filling->batch->packets[filling->batch->count++] = (WslPacket){
        .data = data,
        .captured = captured,
        .length = MAX(header->len, captured),
        .time = (WslTime)header->ts.tv_sec * WSL_SECOND + (WslTime)header->ts.tv_usec * live->fraction,
        .number = live->number,
        .link_type = live->link_type,
    };
}

static void stop(Live *live, const char *reason)
{
    live->stopped = true;
    if (reason)
        live->reason = g_error_new(WSL_SOURCE_ERROR, WSL_SOURCE_ERROR_CUT, "%s: %s", live->name, reason);
}

static void add_statistics(Live *live, WslBatch *batch)
{
    struct pcap_stat statistics;
    if (pcap_stats(live->pcap, &statistics) != 0)
        return;
    batch->notes[batch->note_count++] = (WslNote){.type = WSL_NOTE_RECEIVED, .value = statistics.ps_recv};
    batch->notes[batch->note_count++] =
        (WslNote){.type = WSL_NOTE_DROPPED, .value = (uint64_t)statistics.ps_drop + statistics.ps_ifdrop};
}

static WslSourceStatus finish(Live *live, WslBatch *batch, GError **error)
{
    if (live->pcap) {
        add_statistics(live, batch);
        pcap_close(live->pcap);
        live->pcap = NULL;
        if (batch->note_count > 0)
            return WSL_SOURCE_BATCH;
    }
    if (!live->reason)
        return WSL_SOURCE_END;
    g_propagate_error(error, g_steal_pointer(&live->reason));
    return WSL_SOURCE_DAMAGED;
}

static WslSourceStatus live_next(WslSource *source, WslBatch *batch, size_t limit, GError **error)
{
    Live *live = (Live *)source;
    Filling filling = {.live = live, .batch = batch};
    if (!live->stopped && atomic_load(&source->interrupted))
        stop(live, NULL);
    if (live->stopped)
        return finish(live, batch, error);
    int count = pcap_dispatch(live->pcap, (int)limit, copy_packet, (u_char *)&filling);
    if (count == 0) {
        struct pollfd ready = {.fd = pcap_get_selectable_fd(live->pcap), .events = POLLIN};
        if (poll(&ready, 1, PATIENCE_MILLISECONDS) < 0 && errno != EINTR)
            stop(live, g_strerror(errno));
        else if (!atomic_load(&source->interrupted))
            count = pcap_dispatch(live->pcap, (int)limit, copy_packet, (u_char *)&filling);
    }
    if (count < 0 && count != PCAP_ERROR_BREAK)
        stop(live, pcap_geterr(live->pcap));
    return WSL_SOURCE_BATCH;
}

static void live_progress(const WslSource *source, uint64_t *read, uint64_t *size)
{
    *read = ((const Live *)source)->bytes;
    *size = 0;
}

static void live_free(WslSource *source)
{
    Live *live = (Live *)source;
    if (live->pcap)
        pcap_close(live->pcap);
    g_clear_error(&live->reason);
    g_free(live->arena);
    g_free(live->name);
    g_free(live);
}

static const WslSourceOps live_ops = {.next = live_next, .progress = live_progress, .free = live_free, .drains = true};

static bool activate(Live *live, GError **error)
{
    char message[PCAP_ERRBUF_SIZE] = "";
    live->pcap = pcap_create(live->name, message);
    if (!live->pcap) {
        g_set_error(error, WSL_SOURCE_ERROR, WSL_SOURCE_ERROR_OPEN, "%s: %s", live->name, message);
        return false;
    }
    pcap_set_snaplen(live->pcap, WSL_RECORD_MAX);
    pcap_set_promisc(live->pcap, 0);
    pcap_set_timeout(live->pcap, PATIENCE_MILLISECONDS);
    /* Not immediate mode: its ring has slots of equal size, 256 with this snaplen, and bursts are what we are here for. */
    pcap_set_buffer_size(live->pcap, KERNEL_BUFFER);
    bool nano = pcap_set_tstamp_precision(live->pcap, PCAP_TSTAMP_PRECISION_NANO) == 0;
    live->fraction = nano ? 1 : 1000;
    int status = pcap_activate(live->pcap);
    if (status < 0) {
        const char *detail = pcap_geterr(live->pcap);
        g_set_error(error, WSL_SOURCE_ERROR, WSL_SOURCE_ERROR_OPEN, "%s: %s%s%s", live->name, pcap_statustostr(status),
                    *detail ? ": " : "", detail);
        return false;
    }
    live->link_type = wsl_link_type_from_dlt(pcap_datalink(live->pcap));
    return true;
}

static bool set_filter(Live *live, const char *expression, GError **error)
{
    struct bpf_program code;
    if (pcap_compile(live->pcap, &code, expression, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        wsl_filter_set_error(error, expression, pcap_geterr(live->pcap));
        return false;
    }
    bool set = pcap_setfilter(live->pcap, &code) == 0;
    if (!set)
        wsl_filter_set_error(error, expression, pcap_geterr(live->pcap));
    pcap_freecode(&code);
    return set;
}

static bool set_nonblocking(Live *live, GError **error)
{
    char message[PCAP_ERRBUF_SIZE] = "";
    if (pcap_setnonblock(live->pcap, 1, message) == 0 && pcap_get_selectable_fd(live->pcap) >= 0)
        return true;
    g_set_error(error, WSL_SOURCE_ERROR, WSL_SOURCE_ERROR_OPEN, "%s: cannot be waited for%s%s", live->name,
                *message ? ": " : "", message);
    return false;
}

WslSource *wsl_source_open_live(const char *interface, const char *filter, GError **error)
{
    Live *live = g_new0(Live, 1);
    live->source.ops = &live_ops;
    live->name = g_strdup(interface);
    if (!activate(live, error) || (filter && !set_filter(live, filter, error)) || !set_nonblocking(live, error)) {
        live_free(&live->source);
        return NULL;
    }
    live->arena = g_malloc(ARENA);
    return &live->source;
}

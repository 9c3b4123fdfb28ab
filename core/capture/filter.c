/*
 * Compiles and applies libpcap filters, lazily for each link type.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/capture/filter.h"

#include <pcap/pcap.h>

#include "core/capture/source.h"

typedef struct {
    uint16_t link_type;
    struct bpf_program code;
} Program;

struct WslFilter {
    char *expression;
    Program *programs;
    size_t count;
    size_t last; /* the program of the packet before: captures rarely mix link types */
};

/* Where the numbers in files are not those of <pcap/dlt.h> (libpcap's pcap-common.c) */
static const struct {
    uint16_t link_type;
    int dlt;
} numbers[] = {
    {100, DLT_ATM_RFC1483}, {101, DLT_RAW},      {102, DLT_SLIP_BSDOS}, {103, DLT_PPP_BSDOS},
    {104, DLT_C_HDLC},      {106, DLT_ATM_CLIP}, {246, DLT_PFSYNC},     {258, DLT_PKTAP},
};

int wsl_link_type_to_dlt(uint16_t link_type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (numbers[i].link_type == link_type)
            return numbers[i].dlt;
    return link_type;
}

uint16_t wsl_link_type_from_dlt(int dlt)
{
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (numbers[i].dlt == dlt)
            return numbers[i].link_type;
    return (uint16_t)dlt;
}

void wsl_filter_set_error(GError **error, const char *expression, const char *reason)
{
    g_set_error(error, WSL_SOURCE_ERROR, WSL_SOURCE_ERROR_FILTER, "capture filter \"%s\": %s", expression, reason);
}

static bool compile(const char *expression, int dlt, struct bpf_program *code, GError **error)
{
    pcap_t *dead = pcap_open_dead(dlt, WSL_RECORD_MAX);
    if (!dead) {
        wsl_filter_set_error(error, expression, "out of memory");
        return false;
    }
    bool compiled = pcap_compile(dead, code, expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!compiled)
        wsl_filter_set_error(error, expression, pcap_geterr(dead));
    pcap_close(dead);
    return compiled;
}

/* Some expressions make sense on some link types only (`ether host`, `inbound`), but a mistake makes sense on none. */
static bool makes_sense(const char *expression, GError **error)
{
    static const int common[] = {DLT_EN10MB, DLT_RAW, DLT_LINUX_SLL};
    for (size_t i = 0; i < G_N_ELEMENTS(common); i++) {
        struct bpf_program code;
        if (compile(expression, common[i], &code, NULL)) {
            pcap_freecode(&code);
            return true;
        }
    }
    struct bpf_program code;
    if (!compile(expression, common[0], &code, error))
        return false;
    pcap_freecode(&code);
    return true;
}

WslFilter *wsl_filter_new(const char *expression, GError **error)
{
    if (!makes_sense(expression, error))
        return NULL;
    WslFilter *filter = g_new0(WslFilter, 1);
    filter->expression = g_strdup(expression);
    return filter;
}

static const Program *program_for(WslFilter *filter, uint16_t link_type, GError **error)
{
    if (filter->last < filter->count && filter->programs[filter->last].link_type == link_type)
        return &filter->programs[filter->last];
    for (size_t i = 0; i < filter->count; i++) {
        if (filter->programs[i].link_type == link_type) {
            filter->last = i;
            return &filter->programs[i];
        }
    }
    Program program = {.link_type = link_type};
    if (!compile(filter->expression, wsl_link_type_to_dlt(link_type), &program.code, error))
        return NULL;
    filter->programs = g_renew(Program, filter->programs, filter->count + 1);
    filter->last = filter->count++;
    filter->programs[filter->last] = program;
    return &filter->programs[filter->last];
}

WslFilterVerdict wsl_filter_match(WslFilter *filter, const WslPacket *packet, GError **error)
{
    const Program *program = program_for(filter, packet->link_type, error);
    if (!program)
        return WSL_FILTER_FAILED;
    struct pcap_pkthdr header = {.caplen = packet->captured, .len = packet->length};
    return pcap_offline_filter(&program->code, &header, packet->data) ? WSL_FILTER_ACCEPTS : WSL_FILTER_REJECTS;
}

void wsl_filter_free(WslFilter *filter)
{
    if (!filter)
        return;
    for (size_t i = 0; i < filter->count; i++)
        pcap_freecode(&filter->programs[i].code);
    g_free(filter->programs);
    g_free(filter->expression);
    g_free(filter);
}

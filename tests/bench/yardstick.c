/*
 * The yardstick of the benchmarks: what libpcap needs to read a capture. Sums the lengths and does nothing else.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* libpcap's headers use u_int */
#endif
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: yardstick FILE|-\n", stderr);
        return 2;
    }
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *capture = pcap_open_offline(argv[1], error);
    if (!capture) {
        fprintf(stderr, "yardstick: %s\n", error);
        return 2;
    }
    struct pcap_pkthdr *header;
    const unsigned char *bytes;
    uint64_t packets = 0, sum = 0;
    int got;
    while ((got = pcap_next_ex(capture, &header, &bytes)) == 1) {
        packets++;
        sum += header->caplen;
    }
    if (got == PCAP_ERROR) {
        fprintf(stderr, "yardstick: %s\n", pcap_geterr(capture));
    }
    printf("%" PRIu64 " %" PRIu64 "\n", packets, sum);
    pcap_close(capture);
    return got == PCAP_ERROR ? 3 : 0;
}

/*
 * One record of a capture, as every part of wsleuth passes it on.
 *
 * A *packet* is a record of the capture file (Wireshark: frame.number). A *frame* is always a WebSocket frame.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_PACKET_H
#define WSL_PACKET_H

#include <stdint.h>

/** Nanoseconds since the Unix epoch; differences are nanoseconds too. */
typedef int64_t WslTime;

/** A packet's number in the capture, from 1, as Wireshark counts it (frame.number). 0: no packet. */
typedef uint64_t WslPacketNo;

#define WSL_SECOND      ((WslTime)1000000000)
#define WSL_MILLISECOND ((WslTime)1000000)

enum {
    WSL_BATCH_MAX = 64,          /**< packets handed over in one call, at most */
    WSL_RECORD_MAX = 256 * 1024, /**< captured bytes of one packet, at most */
};

/**
 * A captured packet. Whoever hands it over owns the bytes; they are valid until the call that takes it returns.
 * Nothing about them may be trusted: `data[0 .. captured)` is all that may be read.
 */
typedef struct {
    const uint8_t *data;
    uint32_t captured; /**< bytes at `data` */
    uint32_t length; /**< bytes on the wire; never less than `captured` here (a source raises it if the file says so) */
    WslTime time;
    WslPacketNo number;
    uint32_t interface; /**< counted over the whole capture, from 0: equal numbers are the same capturing interface */
    uint16_t link_type; /**< LINKTYPE_ value as stored in pcap files (1: Ethernet) */
} WslPacket;

#endif

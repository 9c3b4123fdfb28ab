/*
 * Plays built segments to the TCP table, as the analyzer does, for tests of core/tcp/.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_TEST_SUPPORT_TCP_PLAY_H
#define WSL_TEST_SUPPORT_TCP_PLAY_H

#include "core/tcp/tcp.h"
#include "tests/support/build.h"

/** What one side of a connection said. */
typedef struct {
    GString *text; /**< its bytes; '#' for each byte that was cut, '?' for each that is lost */
} TestSaid;

typedef struct {
    WslTcpTable *table;
    WslPlace place;     /**< of the last packet */
    WslArrival arrival; /**< the last packet */
    GHashTable *said;   /**< WslTcp -> TestSaid[2]; until a SYN replaces it */
    WslPacketNo number; /**< of the last packet */
    uint8_t bytes[TEST_PACKET_MAX];
} TestPlay;

/** Generous limits: 1 MiB may wait, 10 s of linger. */
WslTcpLimits test_limits(void);

TestPlay *test_play_new(const WslTcpLimits *limits);
void test_play_free(TestPlay *play);

/** Everything up to wsl_tcp_advance(); a packet without number takes the next one. */
const WslPlace *test_play_begin(TestPlay *play, const TestSegment *segment);

/** A whole packet: what can be pulled is added to what was said. Returns the connection, NULL if none. */
WslTcp *test_play(TestPlay *play, const TestSegment *segment);

/** Gives up on what is missing and pulls the rest. */
void test_play_over(TestPlay *play, WslTcp *tcp);

/** What the end `from` of the connection said so far ("" if nothing). */
const char *test_said(const TestPlay *play, const WslTcp *tcp, unsigned side);

#endif

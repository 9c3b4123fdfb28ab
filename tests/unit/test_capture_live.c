/*
 * Capturing on the loopback interface of a network namespace of the test's own. Skipped without the right to make one.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE /* unshare() */

#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/capture_build.h"

enum { PORT = 8300, OTHER_PORT = 8301, PACKETS = 3000, UDP_HEADERS = 14 + 20 + 8 };

static bool enter_namespace(void)
{
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return false;
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool up = descriptor >= 0 && ioctl(descriptor, SIOCSIFFLAGS, &request) == 0;
    close(descriptor);
    return up;
}

static void send_numbered(int descriptor, uint16_t port, uint32_t number)
{
    struct sockaddr_in target = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct sockaddr *address = (const struct sockaddr *)(const void *)&target;
    g_assert_cmpint(sendto(descriptor, &number, sizeof number, 0, address, sizeof target), ==, sizeof number);
}

/* Nobody listens: ICMP errors answer, which the filter leaves out like the packets to the other port. */
static void send_packets(void)
{
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (uint32_t i = 0; i < PACKETS; i++) {
        send_numbered(descriptor, PORT, i);
        send_numbered(descriptor, OTHER_PORT, i);
    }
    close(descriptor);
}

static void check_packet(const WslPacket *packet, uint32_t expected, gint64 begin)
{
    uint32_t number;
    g_assert_cmpuint(packet->captured, ==, UDP_HEADERS + sizeof number);
    memcpy(&number, packet->data + UDP_HEADERS, sizeof number);
    g_assert_cmpuint(number, ==, expected);
    g_assert_cmpuint(packet->number, ==, expected + 1);
    g_assert_cmpuint(packet->link_type, ==, 1);
    g_assert_cmpint(packet->time / 1000, >=, begin);
    g_assert_cmpint(packet->time / 1000, <=, g_get_real_time());
}

static void read_packets(WslSource *source, WslBatch *batch, gint64 begin)
{
    gint64 deadline = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
    uint32_t count = 0;
    while (count < PACKETS && g_get_monotonic_time() < deadline) {
        g_assert_cmpint(wsl_source_next(source, batch, 7, NULL), ==, WSL_SOURCE_BATCH);
        g_assert_cmpuint(batch->count, <=, 7);
        for (size_t i = 0; i < batch->count; i++)
            check_packet(&batch->packets[i], count++, begin);
    }
    g_assert_cmpuint(count, ==, PACKETS);
}

static void test_loopback(void)
{
    GError *error = NULL;
    if (!enter_namespace()) {
        g_test_skip("no right to make a network namespace");
        return;
    }
    WslSource *source = wsl_source_open_live("lo", "udp port 8300 and not icmp", &error);
    g_assert_no_error(error);
    WslBatch *batch = g_new(WslBatch, 1);
    g_assert_cmpint(wsl_source_next(source, batch, 1, NULL), ==, WSL_SOURCE_BATCH);
    g_assert_cmpuint(batch->count, ==, 0); /* nothing came for a moment */
    gint64 begin = g_get_real_time();
    send_packets();
    read_packets(source, batch, begin);
    wsl_source_interrupt(source);
    g_assert_cmpint(wsl_source_next(source, batch, 1, NULL), ==, WSL_SOURCE_BATCH);
    g_assert_cmpuint(batch->note_count, ==, 2);
    g_assert_cmpint(batch->notes[0].type, ==, WSL_NOTE_RECEIVED);
    g_assert_cmpuint(batch->notes[0].value, >=, PACKETS);
    g_assert_cmpint(batch->notes[1].type, ==, WSL_NOTE_DROPPED);
    g_assert_cmpuint(batch->notes[1].value, ==, 0);
    g_assert_cmpint(wsl_source_next(source, batch, 1, NULL), ==, WSL_SOURCE_END);
    g_free(batch);
    wsl_source_free(source);
}

static void test_what_cannot_be_captured_says_why(void)
{
    GError *error = NULL;
    g_assert_null(wsl_source_open_live("no-such-if", NULL, &error));
    g_assert_error(error, WSL_SOURCE_ERROR, WSL_SOURCE_ERROR_OPEN);
    g_assert_true(g_str_has_prefix(error->message, "no-such-if: "));
    g_clear_error(&error);
}

static void test_filter_is_checked_at_open(void)
{
    GError *error = NULL;
    WslSource *source = wsl_source_open_live("lo", "udp prot 1", &error);
    g_assert_null(source);
    if (error->code == WSL_SOURCE_ERROR_OPEN)
        g_test_skip("no right to capture");
    else
        g_assert_error(error, WSL_SOURCE_ERROR, WSL_SOURCE_ERROR_FILTER);
    g_clear_error(&error);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/capture/live/loopback", test_loopback);
    g_test_add_func("/capture/live/what-cannot-be-captured-says-why", test_what_cannot_be_captured_says_why);
    g_test_add_func("/capture/live/filter-is-checked-at-open", test_filter_is_checked_at_open);
    return g_test_run();
}

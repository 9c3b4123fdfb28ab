/*
 * Packets that a capture shows twice, several views of one connection, several connections between the same ends
 * (DESIGN: Views).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "tests/support/tcp_play.h"

enum { CLIENT_ISN = 1000, SERVER_ISN = 5000 };
#define AT(ms) (WSL_SECOND + (WslTime)((ms) * (double)WSL_MILLISECOND))

/* Of the connection 10.0.0.1:40000 to 10.0.0.2:80; the client is side 0. `seq` counts from the ISN. */
static TestSegment from_client(double ms, uint8_t flags, uint32_t seq, uint32_t ack, const char *text)
{
    return (TestSegment){.source = 0x0a000001,
                         .target = 0x0a000002,
                         .source_port = 40000,
                         .target_port = 80,
                         .seq = CLIENT_ISN + seq,
                         .ack = flags & WSL_TCP_ACK ? SERVER_ISN + ack : 0,
                         .flags = flags,
                         .window = 1000,
                         .ip_id = (uint16_t)(ms * 10 + 1),
                         .payload = text,
                         .length = (uint32_t)strlen(text),
                         .time = AT(ms)};
}

static TestSegment from_server(double ms, uint8_t flags, uint32_t seq, uint32_t ack, const char *text)
{
    TestSegment segment = from_client(ms, flags, 0, 0, text);

    segment.source = 0x0a000002;
    segment.target = 0x0a000001;
    segment.source_port = 80;
    segment.target_port = 40000;
    segment.seq = SERVER_ISN + seq;
    segment.ack = CLIENT_ISN + ack;
    return segment;
}

static TestPlay *begun(void)
{
    WslTcpLimits limits = test_limits();
    TestPlay *play = test_play_new(&limits);
    TestSegment syn = from_client(0, WSL_TCP_SYN, 0, 0, "");
    TestSegment answer = from_server(1, WSL_TCP_SYN | WSL_TCP_ACK, 0, 1, "");
    TestSegment ack = from_client(2, WSL_TCP_ACK, 1, 1, "");

    test_play(play, &syn);
    test_play(play, &answer);
    test_play(play, &ack);
    return play;
}

static uint64_t duplicates(const TestPlay *play)
{
    return wsl_tcp_counts(play->table)->duplicates;
}

/* Plays a segment, then its copy `later` ms after it, with `ttl`; true if the copy was a duplicate. */
static bool copy_is_duplicate(TestSegment segment, double later, uint8_t ttl)
{
    TestPlay *play = begun();
    TestSegment copy = segment;

    copy.time += (WslTime)(later * (double)WSL_MILLISECOND);
    copy.ttl = ttl;
    test_play(play, &segment);
    g_assert_cmpuint(duplicates(play), ==, 0);
    test_play(play, &copy);
    bool found = duplicates(play) == 1;
    g_assert_true(found == ((play->place.what & WSL_ARRIVAL_DUPLICATE) != 0));
    test_play_free(play);
    return found;
}

static void test_a_copy_with_the_same_ip_id_is_a_duplicate_for_5_ms(void)
{
    TestSegment data = from_client(10, WSL_TCP_ACK, 1, 1, "hello"), ack = from_client(10, WSL_TCP_ACK, 1, 1, "");

    ack.window = 999;
    g_assert_true(copy_is_duplicate(data, 0, 64));
    g_assert_true(copy_is_duplicate(data, 0.037, 63));
    g_assert_true(copy_is_duplicate(data, 5, 63));
    g_assert_true(copy_is_duplicate(ack, 4.9, 64));
    g_assert_false(copy_is_duplicate(data, 5.1, 63));
    g_assert_false(copy_is_duplicate(data, 1, 62));
    g_assert_false(copy_is_duplicate(data, 1, 65));
}

static void test_without_ip_id_only_weighty_copies_within_1_ms_are_duplicates(void)
{
    TestSegment data = from_client(10, WSL_TCP_ACK, 1, 1, "hello"), ack = from_client(10, WSL_TCP_ACK, 1, 1, "");
    TestSegment fin = from_client(10, WSL_TCP_ACK | WSL_TCP_FIN, 1, 1, ""),
                rst = from_client(10, WSL_TCP_RST, 1, 1, "");

    data.ip_id = ack.ip_id = fin.ip_id = rst.ip_id = 0;
    g_assert_true(copy_is_duplicate(data, 0.9, 63));
    g_assert_true(copy_is_duplicate(data, 1, 64));
    g_assert_true(copy_is_duplicate(fin, 0.5, 64));
    g_assert_false(copy_is_duplicate(data, 1.1, 64));
    g_assert_false(copy_is_duplicate(ack, 0.1, 64)); /* keep-alives and window updates come in twos honestly */
    g_assert_false(copy_is_duplicate(rst, 0.1, 64)); /* Linux sends several with id 0 */
}

static void test_without_ip_id_the_content_must_be_the_same(void)
{
    TestPlay *play = begun();
    TestSegment first = from_client(10, WSL_TCP_ACK, 1, 1, "hello"),
                other = from_client(10.1, WSL_TCP_ACK, 1, 1, "hellO");

    first.ip_id = other.ip_id = 0;
    test_play(play, &first);
    test_play(play, &other);
    g_assert_cmpuint(duplicates(play), ==, 0);
    test_play_free(play);
}

static void test_ipv6_copies_are_judged_without_ip_id(void)
{
    TestSegment data = from_client(10, WSL_TCP_ACK, 1, 1, "hello");
    TestPlay *play = begun();

    data.ipv6 = true;
    test_play(play, &data);
    data.time += WSL_MILLISECOND / 2;
    data.ttl = 63;
    test_play(play, &data);
    g_assert_cmpuint(duplicates(play), ==, 1);
    data.time += 2 * WSL_MILLISECOND;
    test_play(play, &data);
    g_assert_cmpuint(duplicates(play), ==, 1);
    test_play_free(play);
}

static void test_a_retransmission_is_no_duplicate(void)
{
    TestPlay *play = begun();
    TestSegment data = from_client(10, WSL_TCP_ACK, 1, 1, "hello"), again = data;

    again.time += 3 * WSL_MILLISECOND;
    again.ip_id++;
    test_play(play, &data);
    WslTcp *tcp = test_play(play, &again);
    g_assert_cmpuint(duplicates(play), ==, 0);
    g_assert_true(play->place.what & WSL_ARRIVAL_SENT_AGAIN);
    g_assert_cmpuint(tcp->trouble->side[0].retransmitted, ==, 5);
    g_assert_cmpstr(test_said(play, tcp, 0), ==, "hello");
    test_play_free(play);
}

static void test_a_duplicate_leaves_no_trace(void)
{
    TestPlay *play = begun();
    TestSegment data = from_client(10, WSL_TCP_ACK, 1, 1, "hello");

    test_play(play, &data);
    data.ttl = 63;
    WslTcp *tcp = test_play(play, &data);
    g_assert_cmpuint(duplicates(play), ==, 1);
    g_assert_null(tcp->trouble);
    g_assert_cmpuint(tcp->last_packet, ==, 4);
    g_assert_cmpstr(test_said(play, tcp, 0), ==, "hello");
    test_play_free(play);
}

/* The same conversation on VLAN 10 in packets of 4 kB, on VLAN 20 in three packets for each (segmentation offload). */
static void play_two_views(TestPlay *play, bool large_first)
{
    static char text[3 * 4096];
    static const uint32_t lengths[] = {1448, 1448, 1200};

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 23);
    for (uint32_t chunk = 0; chunk < 3; chunk++) {
        for (unsigned view = 0; view < 2; view++) {
            bool large = view == (large_first ? 0 : 1);
            uint32_t at = chunk * 4096;
            for (unsigned part = 0; part < (large ? 1 : 3); part++) {
                TestSegment segment = from_server(20 + chunk * 10 + view + part * 0.1, WSL_TCP_ACK, 1 + at, 1, "");
                segment.vlan = large ? 10 : 20;
                segment.payload = text + at;
                segment.length = large ? 4096 : lengths[part];
                at += segment.length;
                test_play(play, &segment);
            }
        }
    }
}

static void test_two_views_of_a_connection_are_one_whatever_their_lengths(void)
{
    for (unsigned large_first = 0; large_first < 2; large_first++) {
        WslTcpLimits limits = test_limits();
        TestPlay *play = test_play_new(&limits);
        WslTcp *tcp = NULL;
        for (uint16_t vlan = 10; vlan <= 20; vlan += 10) {
            TestSegment syn = from_client(vlan / 10.0, WSL_TCP_SYN, 0, 0, "");
            syn.vlan = vlan;
            WslTcp *found = test_play(play, &syn);
            g_assert_true(!tcp || found == tcp);
            tcp = found;
        }
        for (uint16_t vlan = 10; vlan <= 20; vlan += 10) {
            TestSegment answer = from_server(5 + vlan / 10.0, WSL_TCP_SYN | WSL_TCP_ACK, 0, 1, "");
            answer.vlan = vlan;
            g_assert_true(test_play(play, &answer) == tcp);
        }
        play_two_views(play, large_first);
        g_assert_cmpuint(strlen(test_said(play, tcp, 1)), ==, 3 * 4096);
        /* a SYN, a SYN/ACK and, of each 4 kB, what the second view shows: 1 packet or 3 */
        g_assert_cmpuint(duplicates(play), ==, large_first ? 2 + 3 * 3 : 2 + 3);
        g_assert_true(!tcp->trouble ||
                      (tcp->trouble->side[1].retransmitted == 0 && tcp->trouble->side[1].missing == 0));
        g_assert_cmpuint(wsl_tcp_counts(play->table)->streams, ==, 1);
        test_play_free(play);
    }
}

static void test_a_resend_seen_in_two_views_counts_once(void)
{
    WslTcpLimits limits = test_limits();
    TestPlay *play = test_play_new(&limits);
    WslTcp *tcp = NULL;

    for (unsigned i = 0; i < 4; i++) { /* sent at 10 ms, again at 210 ms; each in both VLANs */
        TestSegment data = from_client(i < 2 ? 10 + i : 208 + i, WSL_TCP_ACK, 1, 1, "hello");
        data.vlan = i % 2 ? 20 : 10;
        tcp = test_play(play, &data);
    }
    g_assert_cmpuint(duplicates(play), ==, 2);
    g_assert_cmpuint(tcp->trouble->side[0].retransmitted, ==, 5);
    test_play_free(play);
}

static void test_tenants_with_the_same_addresses_are_two_connections(void)
{
    WslTcpLimits limits = test_limits();
    TestPlay *play = test_play_new(&limits);
    WslTcp *tenant[2];

    for (unsigned i = 0; i < 2; i++) {
        TestSegment syn = from_client(i, WSL_TCP_SYN, i * 0x50000000U, 0, "");
        syn.vlan = i ? 20 : 10;
        tenant[i] = test_play(play, &syn);
    }
    g_assert_true(tenant[0] != tenant[1]);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 2; i++) {
            TestSegment data =
                from_client(10 + round, WSL_TCP_ACK, i * 0x50000000U + 1 + 4 * round, 1, i ? "pear" : "plum");
            data.vlan = i ? 20 : 10;
            g_assert_true(test_play(play, &data) == tenant[i]);
        }
    }
    g_assert_cmpstr(test_said(play, tenant[0], 0), ==, "plumplumplum");
    g_assert_cmpstr(test_said(play, tenant[1], 0), ==, "pearpearpear");
    g_assert_cmpuint(duplicates(play), ==, 0);
    test_play_free(play);
}

static void test_directions_on_interfaces_of_their_own_are_one_connection(void)
{
    WslTcpLimits limits = test_limits();
    TestPlay *play = test_play_new(&limits);
    TestSegment segments[] = {
        from_client(0, WSL_TCP_SYN, 0, 0, ""),     from_server(1, WSL_TCP_SYN | WSL_TCP_ACK, 0, 1, ""),
        from_client(2, WSL_TCP_ACK, 1, 1, "ping"), from_server(3, WSL_TCP_ACK, 1, 5, "pong"),
        from_client(4, WSL_TCP_ACK, 5, 5, "ping"), from_server(5, WSL_TCP_ACK, 5, 9, "pong")};
    WslTcp *tcp = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(segments); i++) {
        segments[i].interface = i % 2;
        WslTcp *found = test_play(play, &segments[i]);
        g_assert_true(found && (!tcp || found == tcp));
        tcp = found;
    }
    g_assert_cmpstr(test_said(play, tcp, 0), ==, "pingping");
    g_assert_cmpstr(test_said(play, tcp, 1), ==, "pongpong");
    g_assert_cmpuint(duplicates(play), ==, 0);
    g_assert_false(tcp->flags & WSL_TCP_TWO_VIEWS);
    test_play_free(play);
}

static void test_a_new_isn_ends_the_connection_that_had_these_ends(void)
{
    TestPlay *play = begun();
    TestSegment data = from_client(10, WSL_TCP_ACK, 1, 1, "first"), syn = from_client(20, WSL_TCP_SYN, 70000, 0, "");
    TestSegment more = from_client(30, WSL_TCP_ACK, 70001, 1, "second");

    test_play(play, &data);
    g_assert_cmpuint(play->place.stream, ==, 0);
    WslTcp *second = test_play(play, &syn);
    g_assert_cmpuint(play->place.stream, ==, 1);
    g_assert_true(test_play(play, &more) == second);
    g_assert_true(g_str_has_suffix(test_said(play, second, 0), "second"));
    g_assert_cmpuint(wsl_tcp_counts(play->table)->streams, ==, 2);
    test_play_free(play);
}

#define ADD(name) g_test_add_func("/tcp/views/" #name, test_##name)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(a_copy_with_the_same_ip_id_is_a_duplicate_for_5_ms);
    ADD(without_ip_id_only_weighty_copies_within_1_ms_are_duplicates);
    ADD(without_ip_id_the_content_must_be_the_same);
    ADD(ipv6_copies_are_judged_without_ip_id);
    ADD(a_retransmission_is_no_duplicate);
    ADD(a_duplicate_leaves_no_trace);
    ADD(two_views_of_a_connection_are_one_whatever_their_lengths);
    ADD(a_resend_seen_in_two_views_counts_once);
    ADD(tenants_with_the_same_addresses_are_two_connections);
    ADD(directions_on_interfaces_of_their_own_are_one_connection);
    ADD(a_new_isn_ends_the_connection_that_had_these_ends);
    return g_test_run();
}

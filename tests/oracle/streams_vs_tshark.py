"""Stream numbers: each rule of Wireshark's tcp.stream as a few packets, and random ones; wsleuth against tshark.

Every case has two ends of its own; it ends in a WebSocket connection between them and one between two ends never seen
before, whose number is thus that of all streams so far.
SPDX-License-Identifier: GPL-2.0-or-later
"""
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import tshark
from pcapbuild import ACK, FIN, PSH, RST, SYN, Ends, Pcap, ethernet, icmp_error, ip, tcp

SKIPPED = 77
SEQUENCES = 300
ETHERNET_AND_IPV4 = 34
LONG_US = 200_000_000


def open_and_close(ends, client_isn, server_isn):
    ends.handshake(client_isn, server_isn)
    ends.up(client_isn + 1, FIN | ACK, server_isn + 1)
    ends.down(server_isn + 1, FIN | ACK, client_isn + 2)
    ends.up(client_isn + 2, ACK, server_isn + 2)


def again(ends, client_isn, server_isn):
    """Where a WebSocket connection can go on after a handshake by these numbers."""
    ends.handshake(client_isn, server_isn)
    return client_isn + 1, server_isn + 1


def other_isn_after_fin(ends):
    open_and_close(ends, 1000, 5000)
    return again(ends, 2000, 6000)


def other_isn_after_rst(ends):
    ends.handshake(1000, 5000)
    ends.up(1001, RST | ACK, 5001)
    return again(ends, 2000, 6000)


def other_isn_after_neither(ends):
    ends.handshake(1000, 5000)
    return again(ends, 2000, 6000)


def same_isn_after_fin(ends):
    open_and_close(ends, 1000, 5000)
    return again(ends, 1000, 5000)


def same_isn_sent_again(ends):
    ends.up(1000, SYN)
    ends.up(1000, SYN)
    return again(ends, 1000, 5000)


def other_isn_in_syn_ack(ends):
    ends.up(1000, SYN)
    ends.down(5000, SYN | ACK, 1001)
    ends.down(6000, SYN | ACK, 1001)
    return again(ends, 1000, 6000)


def isn_of_a_later_syn_ack(ends):
    ends.up(1000, SYN)
    ends.down(5000, SYN | ACK, 1001)
    ends.up(6000, SYN | ACK, 5001)
    return again(ends, 6000, 5000)


def isn_before_a_later_syn_ack(ends):
    ends.up(1000, SYN)
    ends.down(5000, SYN | ACK, 1001)
    ends.up(6000, SYN | ACK, 5001)
    return again(ends, 1000, 5000)


def third_isn_is_the_first_again(ends):
    open_and_close(ends, 100, 5000)
    open_and_close(ends, 200, 5000)
    return again(ends, 100, 5000)


def roles_swapped(ends):
    open_and_close(ends, 1000, 5000)
    ends.down(7000, SYN)
    ends.up(8000, SYN | ACK, 7001)
    ends.down(7001, RST | ACK, 8001)
    return again(ends, 9000, 5000)


def roles_swapped_with_the_same_isn(ends):
    open_and_close(ends, 1000, 5000)
    ends.down(5000, SYN)
    return again(ends, 1000, 5000)


def syn_after_the_middle(ends):
    ends.up(1000, PSH | ACK, 5000, b"x" * 10)
    ends.down(5000, ACK, 1010)
    return again(ends, 2000, 6000)


def syn_after_the_middle_with_the_base(ends):
    ends.up(1001, ACK, 5001)
    return again(ends, 1000, 5000)


def syn_after_the_other_sides_acknowledgement_with_the_base(ends):
    ends.down(5001, ACK, 1001)
    return again(ends, 1000, 5000)


def syn_after_the_other_sides_acknowledgement(ends):
    ends.down(5001, ACK, 1001)
    return again(ends, 1001, 5000)


def syn_with_rst(ends):
    ends.handshake(1000, 5000)
    ends.up(2000, SYN | RST)
    return again(ends, 3000, 7000)


def syn_with_rst_and_the_same_isn(ends):
    ends.up(1000, SYN)
    ends.up(1000, SYN | RST)
    return again(ends, 1000, 5000)


def syn_with_fin(ends):
    ends.up(1000, SYN)
    ends.up(2000, SYN | FIN)
    return again(ends, 2000, 5000)


def vlan_ids_do_not_count(ends):
    open_and_close(ends, 1000, 5000)
    ends.vlan = 7
    return again(ends, 1000, 5000)


def vlan_ids_do_not_count_for_another_isn(ends):
    ends.handshake(1000, 5000)
    ends.vlan = 7
    return again(ends, 2000, 6000)


def quoted(ends, bytes_quoted):
    """An ICMP error about a SYN that was never seen itself."""
    around = 20 if ":" not in ends.client[0] else 40
    segment = ends.packet(True, 1000, SYN)
    ends.pcap.add(ethernet(icmp_error(ends.server[0], ends.client[0], segment[:around + bytes_quoted])))


def quoted_header_of_20_bytes_with_the_isn(ends):
    quoted(ends, 20)
    return again(ends, 1000, 5000)


def quoted_header_of_20_bytes(ends):
    quoted(ends, 20)
    return again(ends, 2000, 5000)


def quoted_syn_of_a_known_connection(ends):
    open_and_close(ends, 1000, 5000)
    quoted(ends, 20)
    return again(ends, 1000, 5000)


def quoted_syn_with_another_isn(ends):
    open_and_close(ends, 900, 5000)
    quoted(ends, 20)
    return again(ends, 1000, 5000)


def quoted_syn_with_another_isn_alone(ends):
    open_and_close(ends, 900, 5000)
    quoted(ends, 20)
    return again(ends, 900, 5000)


def quoted_before_the_middle(ends):
    quoted(ends, 20)
    ends.up(1001, ACK, 5001)
    return 1001, 5001


def quoted_header_of_8_bytes(ends):
    quoted(ends, 8)
    return again(ends, 2000, 5000)


def data_offset_too_small(ends):
    ends.up(1000, SYN, data_offset=4)
    return again(ends, 2000, 5000)


def data_offset_too_small_alone(ends):
    ends.up(1001, ACK, 5001, data_offset=2)
    return again(ends, 2000, 5000)


def fewer_captured_bytes(ends, count):
    packet = ethernet(ends.packet(True, 1000, SYN))
    ends.pcap.add(packet, captured=len(packet) - 20 + count)


def twenty_captured_bytes(ends):
    fewer_captured_bytes(ends, 20)
    return again(ends, 2000, 5000)


def fifteen_captured_bytes(ends):
    fewer_captured_bytes(ends, 15)
    return again(ends, 2000, 5000)


def first_fragment(ends):
    if ":" not in ends.client[0]:
        segment = tcp(ends.client[1], ends.server[1], 1000, SYN)
        ends.pcap.add(ethernet(ip(ends.client[0], ends.server[0], segment + bytes(4), more_fragments=True)))
    return again(ends, 2000, 5000)


def late_packets_of_a_dead_connection(ends):
    open_and_close(ends, 1000, 5000)
    ends.pcap.now_us += LONG_US
    ends.up(1001, ACK, 5001)
    ends.down(5001, RST, 0)
    return again(ends, 2000, 6000)


def late_same_isn(ends):
    open_and_close(ends, 1000, 5000)
    ends.pcap.now_us += LONG_US
    return again(ends, 1000, 5000)


# A rule's case, and how many stream numbers the rule gives to its ends.
CASES = {
    other_isn_after_fin: 2, other_isn_after_rst: 2, other_isn_after_neither: 2, same_isn_after_fin: 1,
    same_isn_sent_again: 1, other_isn_in_syn_ack: 1,
    isn_of_a_later_syn_ack: 1, isn_before_a_later_syn_ack: 2, third_isn_is_the_first_again: 3, roles_swapped: 3,
    roles_swapped_with_the_same_isn: 1, syn_after_the_middle: 2, syn_after_the_middle_with_the_base: 1,
    syn_after_the_other_sides_acknowledgement_with_the_base: 1, syn_after_the_other_sides_acknowledgement: 2,
    syn_with_rst: 3, syn_with_rst_and_the_same_isn: 1, syn_with_fin: 2, vlan_ids_do_not_count: 1,
    vlan_ids_do_not_count_for_another_isn: 2, quoted_header_of_20_bytes_with_the_isn: 1, quoted_header_of_20_bytes: 1,
    quoted_syn_of_a_known_connection: 1, quoted_syn_with_another_isn: 2, quoted_syn_with_another_isn_alone: 2,
    quoted_before_the_middle: 1,
    quoted_header_of_8_bytes: 1, data_offset_too_small: 2, data_offset_too_small_alone: 2, twenty_captured_bytes: 2,
    fifteen_captured_bytes: 1, first_fragment: 1, late_packets_of_a_dead_connection: 2, late_same_isn: 1,
}


class Plan:
    """A capture of many cases: which packet ends which."""

    def __init__(self):
        self.pcap = Pcap()
        self.count = 0
        self.asked = {}  # the last packet of a case's own WebSocket connection -> its name
        self.marks = {}  # the last packet of the connection after it -> its name

    def ends(self, net, ipv6):
        self.count += 1
        high, low = divmod(self.count, 200)
        form = "2001:db8:{0}::{1:x}:{2}" if ipv6 else "10.{0}.{1}.{2}"
        client, server = form.format(net, high, low + 1), form.format(net, high + 100, low + 1)
        # The server's address is the greater or the smaller one, by turns: no rule may hang on it.
        pair = [(client, 40000), (server, 80)]
        if self.count % 2:
            pair = [(server, 40000), (client, 80)]
        return Ends(self.pcap, *pair)

    def mark(self, name, ipv6):
        ends = self.ends(9, ipv6)
        ends.websocket(*again(ends, 1, 1))
        self.marks[self.pcap.packets] = name

    def rule(self, case, ipv6):
        ends = self.ends(1, ipv6)
        name = case.__name__ + (" in IPv6" if ipv6 else "")
        ends.websocket(*case(ends))
        self.asked[self.pcap.packets] = name
        self.mark(name, ipv6)


def random_packet(chance, pcap, pairs):
    client, server = chance.choice(pairs)
    ends = Ends(pcap, client, server, vlan=chance.choice([None, None, None, 7]))
    up = chance.random() < 0.6
    flags = chance.choice([SYN, SYN, SYN, SYN | ACK, SYN | ACK, ACK, ACK, PSH | ACK, FIN | ACK, RST, RST | ACK,
                           SYN | RST, SYN | FIN, 0, FIN])
    seq = chance.choice([0, 99, 100, 101, 200, 0xffffffff])
    packet = ends.packet(up, seq, flags, chance.choice([0, 100, 101, 201]),
                         b"x" * chance.choice([0, 0, 1]))
    form = chance.random()
    if form < 0.06:
        around = 20 if ":" not in client[0] else 40
        source, target = (server[0], client[0]) if up else (client[0], server[0])
        packet = icmp_error(source, target, packet[:around + chance.choice([8, 20])])
    packet = ethernet(packet, ends.vlan)
    whole = ":" in client[0] or not 0.06 <= form < 0.1
    pcap.add(packet, None if whole else ETHERNET_AND_IPV4 + (4 if ends.vlan else 0) + chance.choice([15, 20]))
    pcap.now_us += chance.choice([0] * 60 + [2_000_000, 100_000_000])


def random_sequence(plan, seed):
    chance = random.Random(seed)
    ipv6 = chance.random() < 0.3
    first, second = plan.ends(2, ipv6), plan.ends(3, ipv6)
    pairs = [(first.client, first.server), (first.server, first.client), (first.client, (first.server[0], 81)),
             (first.client, second.server)]
    for _ in range(chance.randint(2, 25)):
        random_packet(chance, plan.pcap, pairs)
    first.websocket(*again(first, chance.choice([99, 100, 200]), 0))
    plan.mark(f"random sequence {seed}", ipv6)


def rule_plan():
    plan = Plan()
    for ipv6 in (False, True):
        for case in CASES:
            plan.rule(case, ipv6)
    return plan


def random_plan(capture):
    plan = Plan()
    for number in range(SEQUENCES // 10):
        random_sequence(plan, capture * 1000 + number)
    return plan


def our_streams(path):
    """(packet that completes a frame -> stream, number of all streams)"""
    streams = {}
    for line in wsleuth("frames", "-f", "ndjson", path).splitlines():
        frame = json.loads(line)
        streams[frame["packet"]] = frame["stream"]
    return streams, json.loads(wsleuth("report", "-f", "json", path))["totals"]["tcp_streams"]


def wsleuth(*arguments):
    return subprocess.run([os.environ["WSLEUTH"], *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout


def tshark_streams(path):
    return {int(row["frame.number"]): int(row["tcp.stream"])
            for row in tshark.rows(path, ["frame.number", "tcp.stream"], "tcp.stream", occurrence="l")}


def compare(plan, path, taken=None):
    """What differs. `taken`: name -> stream numbers that the case takes, where a rule says so."""
    plan.pcap.write(path)
    theirs = tshark_streams(path)
    ours, count = our_streams(path)
    problems = []
    before = 0
    for packet, name in sorted({**plan.asked, **plan.marks}.items()):
        if ours.get(packet) != theirs[packet]:
            what = "its connection" if packet in plan.asked else "the connection after it"
            problems.append(f"{name}: {what} (packet {packet}) has stream {ours.get(packet)}, tshark {theirs[packet]}")
        if taken and packet in plan.marks:
            if theirs[packet] - before != taken[name]:
                problems.append(f"{name}: tshark's numbers taken are {theirs[packet] - before}, not {taken[name]}")
            before = theirs[packet] + 1
    problems += [f"packet {packet}: stream {stream}, tshark {theirs[packet]}" for packet, stream in ours.items()
                 if stream != theirs[packet]]
    if count != len(set(theirs.values())):
        problems.append(f"{count} streams, tshark {len(set(theirs.values()))}")
    return problems


def main():
    if tshark.missing():
        print("skipped: needs tshark")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "streams.pcap"
        taken = {case.__name__ + form: count for case, count in CASES.items() for form in ("", " in IPv6")}
        problems = compare(rule_plan(), path, taken)
        for capture in range(10):
            problems += [f"{problem} [random capture {capture}]" for problem in compare(random_plan(capture), path)]
    for problem in problems[:60]:
        print(problem)
    print(f"{2 * len(CASES)} cases of rules and {SEQUENCES} random sequences, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

"""A violation is reported only from bytes that were seen: cut, thinned and interrupted captures accuse nobody.

Each case at the end is one that once did.
SPDX-License-Identifier: GPL-2.0-or-later
"""
import random
import struct
import tempfile

import wsbuild
from clicheck import CAPTURES, Checks, report

TEXT, BINARY, CLOSE = 1, 2, 8
FIN, ACK = 1, 16
RUNS = 25

checks = Checks()
folder = tempfile.mkdtemp()


def records(path):
    """File header and records (seconds, µs, length on the wire, bytes) of a little-endian pcap file."""
    data, at, found = path.read_bytes(), 24, []
    while at < len(data):
        seconds, fraction, captured, length = struct.unpack_from("<IIII", data, at)
        found.append((seconds, fraction, length, data[at + 16:at + 16 + captured]))
        at += 16 + captured
    return data[:24], found


def thinned(header, packets, chance, seed):
    """Loses single packets (even seeds) or bursts (odd ones), and cuts to a snaplen at every third seed."""
    snaplen = chance.choice([60, 74, 96, 128, 200, 256, 300]) if seed % 3 == 0 else 1 << 18
    rate, burst, out = chance.uniform(0.01, 0.05), 0, [header]
    for seconds, fraction, length, data in packets:
        if burst:
            burst -= 1
            continue
        if chance.random() < (rate if seed % 2 == 0 else rate / 5):
            burst = chance.randint(1, 12) if seed % 2 else 0
            continue
        data = data[:snaplen]
        out.append(struct.pack("<IIII", seconds, fraction, len(data), length) + data)
    return b"".join(out)


def accusations(name, data):
    found = report(wsbuild.write(folder, name, data))["findings"]
    return [(finding["id"], finding["summary"]) for finding in found if finding["severity"] != "note"]


def thinned_copies_accuse_nobody():
    for name in ("healthy", "rolling-start"):
        header, packets = records(CAPTURES / f"{name}.pcap")
        for seed in range(RUNS):
            chance = random.Random(seed)
            wrong = accusations(f"{name}.pcap", thinned(header, packets, chance, seed))
            checks.about(f"{name}, seed {seed}").equal(wrong, [], "what is accused")


def without(capture, *numbers):
    """The capture lacks these packets (counted from 1)."""
    for number in sorted(numbers, reverse=True):
        del capture.packets[number - 1]
    return capture.pcap()


def talk(capture, **ends):
    """handshake (1-3), request (4), 101 (5), two texts (6, 7), Closes and end"""
    connection = wsbuild.Tcp(capture, **ends).connect().upgrade()
    connection.send(TEXT, b"hello hello hello")
    connection.reply(TEXT, b"hello to you as well")
    return connection.close()


def lost_heads_are_no_skipped_upgrade():
    for name, lost in (("request", (4,)), ("answer", (5,)), ("both", (4, 5))):
        capture = wsbuild.Capture()
        talk(capture)
        checks.about(f"{name} lost").equal(accusations("head.pcap", without(capture, *lost)), [], "what is accused")


def lost_refusal_leaves_the_second_request_a_request():
    capture = wsbuild.Capture()
    connection = wsbuild.Tcp(capture).connect().upgrade(status=b"401 Unauthorized")
    connection.upgrade(request=[b"Authorization: Basic dXNlcjpwYXNz"])
    connection.send(TEXT, b"hello hello hello")
    connection.close()
    checks.about("401 lost").equal(accusations("retry.pcap", without(capture, 5)), [], "what is accused")


def close_that_the_capture_lacks_was_perhaps_sent():
    capture = wsbuild.Capture()
    talk(capture)
    path = wsbuild.write(folder, "close.pcap", without(capture, 8))
    close = report(path)["connections"][0]["close"]
    checks.about("Close lost").that("server_sees" not in close, f"server_sees is {close.get('server_sees')}, but nobody can know")
    checks.equal(accusations("close.pcap", without(capture)), [], "what is accused")


def reaction_to_a_header_counts_before_the_frame_is_complete():
    for mask, wanted in ((None, "mask-missing"), (b"abcd", "frame-reserved-bits")):
        capture = wsbuild.Capture()
        connection = wsbuild.Tcp(capture).connect().upgrade()
        data = wsbuild.frame(BINARY, b"z" * 6000, mask, rsv=0 if mask is None else 2)
        connection.up(data[:1000])
        connection.reply(CLOSE, wsbuild.close_payload(1002))
        connection.packet(1, FIN | ACK)
        connection.up(data[1000:2000])
        findings = report(wsbuild.write(folder, "early.pcap", capture.pcap()))["findings"]
        found = [finding for finding in findings if finding["id"] == wanted]
        if checks.about("reaction to a header").equal(len(found), 1, f"number of {wanted}"):
            checks.equal(found[0]["evidence"].get("close_code"), 1002, "close_code")
            checks.equal(found[0]["evidence"].get("tolerated"), False, "tolerated")


def close_code_is_shown_as_it_was():
    capture = wsbuild.Capture()
    connection = wsbuild.Tcp(capture).connect().upgrade()
    connection.close(65535)
    shown = report(wsbuild.write(folder, "code.pcap", capture.pcap()))["connections"][0]
    checks.about("code 65535").equal(shown["close"]["code"], 65535, "code")


thinned_copies_accuse_nobody()
lost_heads_are_no_skipped_upgrade()
lost_refusal_leaves_the_second_request_a_request()
close_that_the_capture_lacks_was_perhaps_sent()
reaction_to_a_header_counts_before_the_frame_is_complete()
close_code_is_shown_as_it_was()
checks.end("lossy captures: nobody is accused out of a hole, and reactions are timed from what was seen")

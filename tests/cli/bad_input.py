"""Captures that are none, are cut or are damaged: status 2 or 3, a message that names file and place, and all before the damage.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import gzip
import os
import re
import struct
import tempfile

import wsbuild
from clicheck import Checks, run, strict

check = Checks()
FILE_HEADER, RECORD_HEADER = 24, 16
FORMATS = ("text", "json", "ndjson")


def conversation():
    capture = wsbuild.Capture()
    wsbuild.unmasked(capture)
    wsbuild.healthy(capture)
    return capture


def refuses(name, path, *says, arguments=(), **options):
    """Status 2, nothing on standard output, and a message with these words."""
    for form in FORMATS:
        check.about(f"{name}, {form}")
        result = run("-f", form, *arguments, path, **options)
        check.equal(result.status, 2, "status")
        check.equal(result.out, b"", "standard output")
        for word in says:
            check.that(re.search(word, result.message), f"the message lacks {word!r}: {result.message!r}")
    check.about(f"{name}, frames")
    result = run("frames", *arguments, path, **options)
    check.that(result.status == 2 and not result.out and result.message, f"{result.status} {result.message!r}")


def reports_what_was_before(name, path, packets, *says, **options):
    """Status 3 (also where --fail-on is met), `complete` false, these packets, the finding before the damage."""
    check.about(name)
    result = run("-f", "json", "--fail-on", "error", path, **options)
    check.equal(result.status, 3, "status")
    for word in says:
        check.that(re.search(word, result.message), f"the message lacks {word!r}: {result.message!r}")
    if not check.that(result.out, "no report"):
        return
    found = result.json
    check.equal(found["capture"]["complete"], False, "complete")
    check.equal(found["capture"]["packets"], packets, "packets")
    if packets >= 6:
        check.equal([finding["key"] for finding in found["findings"] if finding["severity"] == "error"],
                    ["mask-missing@6-c2s"], "errors found")


def whole_files(folder):
    data = conversation().pcap()
    refuses("not a capture", wsbuild.write(folder, "text.pcap", b"This is no capture.\n" * 50), "text.pcap",
            "not a capture")
    refuses("an empty file", wsbuild.write(folder, "empty.pcap", b""), "empty.pcap", "empty")
    refuses("a directory", folder, re.escape(folder), "[Dd]irectory")
    refuses("no file", os.path.join(folder, "absent.pcap"), "absent.pcap", "No such file")
    for size in (1, 3, 4, 23):
        refuses(f"cut in the file header at {size}", wsbuild.write(folder, "head.pcap", data[:size]), "head.pcap")
    refuses("gzip", wsbuild.write(folder, "a.pcap.gz", gzip.compress(data)), "a.pcap.gz", "gzip")
    refuses("zstd", wsbuild.write(folder, "a.pcap.zst", b"\x28\xb5\x2f\xfd" + data), "a.pcap.zst", "zstd")
    refuses("modified pcap", wsbuild.write(folder, "m.pcap", b"\x34\xcd\xb2\xa1" + data[4:]), "m.pcap", "modified pcap")
    refuses("empty standard input", "-", "standard input", "empty", input=b"")
    refuses("text on standard input", "-", "standard input", "not a capture", input=b"no capture at all, is it?\n")
    path = wsbuild.write(folder, "good.pcap", data)
    result = run(path, path)
    check.about("two captures")
    check.equal(result.status, 2, "status")
    check.that("mergecap" in result.message, f"no way out is named: {result.message!r}")
    result = run("frames")
    check.about("no capture")
    check.that(result.status == 2 and "capture" in result.message, f"{result.status} {result.message!r}")


def unreadable(folder):
    path = wsbuild.write(folder, "secret.pcap", conversation().pcap())
    os.chmod(path, 0)
    if os.geteuid() == 0:
        print("(root reads everything: the unreadable file is opened as nobody)")
        os.chmod(folder, 0o755)
        refuses("unreadable", path, "secret.pcap", "[Pp]ermission", user=65534)
    else:
        refuses("unreadable", path, "secret.pcap", "[Pp]ermission")


def good_ones(folder):
    check.about("a capture without packets")
    empty = wsbuild.Capture()
    for name, data in (("pcap", empty.pcap()), ("pcapng", empty.pcapng())):
        result = run("-f", "json", wsbuild.write(folder, f"none.{name}", data))
        check.equal((result.status, result.err), (0, b""), f"{name}: status and message")
        check.equal(result.json["capture"]["packets"], 0, f"{name}: packets")
        check.equal(result.json["capture"]["complete"], True, f"{name}: complete")
    check.about("standard input")
    data = conversation().pcap()
    piped, named = run("-f", "json", "-", input=data), run("-f", "json", wsbuild.write(folder, "good.pcap", data))
    check.equal((piped.status, piped.err), (0, b""), "status and message")
    for part in ("totals", "servers", "connections", "findings"):
        check.equal(piped.json[part], named.json[part], part)


def cut_everywhere(folder):
    """Cut at every byte of the last record, and at every record's start."""
    capture = conversation()
    data, last = capture.pcap(), len(capture.packets[-1][1])
    begins = len(data) - last - RECORD_HEADER
    before = len(capture.packets) - 1
    for size in range(begins + 1, len(data)):
        path = wsbuild.write(folder, "cut.pcap", data[:size])
        reports_what_was_before(f"cut at byte {size - begins} of the last record", path, before, "cut.pcap",
                                rf"\b{size}\b", rf"packet {before + 1}\b")
    for size, packets in ((begins, before), (len(data), before + 1)):
        result = run("-f", "json", wsbuild.write(folder, "whole.pcap", data[:size]))
        check.about(f"cut between records at {size}")
        check.equal((result.status, result.err), (0, b""), "status and message")
        check.equal(result.json["capture"]["packets"], packets, "packets")
        check.equal(result.json["capture"]["complete"], True, "complete")
    reports_what_was_before("cut on standard input", "-", before, "standard input", rf"\b{len(data) - 3}\b",
                            input=data[:-3])
    first = FILE_HEADER + RECORD_HEADER + 10
    reports_what_was_before("cut inside the first record", wsbuild.write(folder, "cut.pcap", data[:first]), 0,
                            "cut.pcap", rf"\b{first}\b")


def cut_in_other_forms(folder):
    """The text says that it is not the whole; ndjson ends with a summary; -o is written; -q does not hide it."""
    path = wsbuild.write(folder, "cut.pcap", conversation().pcap()[:-3])
    check.about("cut, text")
    result = run(path)
    check.equal(result.status, 3, "status")
    check.that("not read to its end" in result.text.replace("\n", " "), "the report does not say so")
    check.that("mask-missing" in result.text, "the finding is missing")
    check.about("cut, ndjson")
    result = run("-f", "ndjson", path)
    check.equal(result.status, 3, "status")
    check.equal(result.lines[-1]["type"], "summary", "last line")
    check.equal(result.lines[-1]["capture"]["complete"], False, "complete")
    check.about("cut, frames")
    result = run("frames", "-f", "ndjson", path)
    check.equal(result.status, 3, "status")
    check.equal(len(result.lines), 8, "frames before the damage")
    check.about("cut, -o")
    target = os.path.join(folder, "report.json")
    result = run("-f", "json", "-o", target, path)
    check.equal(result.status, 3, "status")
    with open(target, "rb") as file:
        check.equal(strict(file.read())["capture"]["complete"], False, "complete")


def damaged(folder):
    capture = conversation()
    data = bytearray(capture.pcap())
    at = FILE_HEADER
    for _, packet in capture.packets[:14]:
        at += RECORD_HEADER + len(packet)
    for length in (0xFFFFFFFF, 0x7FFFFFFF, 0x10000000):
        struct.pack_into("<I", data, at + 8, length)
        reports_what_was_before(f"record length {length:#x}", wsbuild.write(folder, "absurd.pcap", data), 14,
                                "absurd.pcap", rf"\b{at}\b", r"packet 15\b")
    whole = capture.pcapng()
    blocks = [0]
    while blocks[-1] < len(whole):
        blocks.append(blocks[-1] + struct.unpack_from("<I", whole, blocks[-1] + 4)[0])
    at = blocks[2 + 14]  # behind the section and interface blocks and 14 packets
    for length in (0, 8, 13, 0xFFFFFFFC):
        broken = bytearray(whole)
        struct.pack_into("<I", broken, at + 4, length)
        reports_what_was_before(f"pcapng block length {length}", wsbuild.write(folder, "bad.pcapng", broken), 14,
                                "bad.pcapng", rf"\b{at}\b")
    broken = bytearray(whole)
    struct.pack_into("<I", broken, blocks[2 + 15] - 4, 64)
    reports_what_was_before("pcapng block that ends otherwise", wsbuild.write(folder, "bad.pcapng", broken), 14,
                            "bad.pcapng", rf"\b{at}\b")
    reports_what_was_before("pcapng cut", wsbuild.write(folder, "cut.pcapng", whole[:-5]), len(capture.packets) - 1,
                            "cut.pcapng", rf"\b{len(whole) - 5}\b")


def link_types(folder):
    unknown = 147  # LINKTYPE_USER0
    capture = conversation()
    refuses("unknown link type", wsbuild.write(folder, "user0.pcap", capture.pcap(unknown)), "user0.pcap", r"\b147\b")
    count = len(capture.packets)
    path = wsbuild.write(folder, "mixed.pcapng",
                         capture.pcapng((wsbuild.ETHERNET, unknown), lambda index: int(index == count - 1)))
    reports_what_was_before("one of two interfaces unknown", path, count, "mixed.pcapng", r"\b147\b")
    check.equal(run("-f", "json", path).json["capture"]["undecodable_packets"], 1, "undecodable packets")
    path = wsbuild.write(folder, "unused.pcapng", capture.pcapng((wsbuild.ETHERNET, unknown)))
    check.about("an unknown interface without packets")
    check.equal(run("-f", "json", path).status, 0, "status")


with tempfile.TemporaryDirectory() as folder:
    whole_files(folder)
    good_ones(folder)
    unreadable(folder)
    cut_everywhere(folder)
    cut_in_other_forms(folder)
    damaged(folder)
    link_types(folder)
check.end("bad input: refused or reported up to the damage, with file, byte and packet named")

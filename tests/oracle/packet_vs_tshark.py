"""Compares core/packet with tshark, packet by packet: the captures at hand, and packets made here, cut at every length.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import ipaddress
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SKIPPED = 77
FIELDS = """frame.number frame.protocols tcp.stream ip.src ip.dst ipv6.src ipv6.dst tcp.srcport tcp.dstport
    tcp.seq_raw tcp.ack_raw tcp.flags tcp.window_size_value tcp.len ip.ttl ipv6.hlim ip.id
    tcp.options.timestamp.tsval tcp.options.mss_val tcp.options.wscale.shift
    tcp.hdr_len tcp.urgent_pointer ip.flags.mf ip.frag_offset ipv6.fraghdr.offset ipv6.fraghdr.more""".split()
OURS = """number result source target source_port target_port seq ack flags window length captured ttl ip_id
    timestamp mss window_scale options_cut quoted""".split()
# What tshark looks into and core/packet does not: whoever adds a decoder takes its name out.
NOT_DECODED = {"erspan", "geneve", "gre", "gtp", "mpls", "pppoes", "vxlan"}
# core/packet takes an IPv6 payload length of 0 for segmentation offload, as Wireshark does if told to.
OPTIONS = ["tcp.desegment_tcp_streams:FALSE", "ip.defragment:FALSE", "ipv6.defragment:FALSE", "ipv6.tso_support:TRUE"]
SYN = 2


def tshark(capture):
    command = ["tshark", "-n", "-r", str(capture), "-T", "fields", "-E", "occurrence=l"]
    for option in OPTIONS:
        command += ["-o", option]
    for field in FIELDS:
        command += ["-e", field]
    output = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    for line in output.splitlines():
        yield dict(zip(FIELDS, line.split("\t")))


def ours(capture):
    dump = Path(os.environ["WSLEUTH_TESTBIN"]) / "dump_segments"
    run = subprocess.run([dump, capture], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if run.returncode not in (0, 3):
        sys.exit(f"{capture}: dump_segments: {run.stderr}")
    for line in run.stdout.splitlines():
        yield dict(zip(OURS, line.split("\t")))


def number(text):
    return int(text, 0) if text else 0


def layers(frame):
    """The protocols around the innermost TCP header."""
    names = frame["frame.protocols"].split(":")
    last = len(names) - 1 - names[::-1].index("tcp") if "tcp" in names else len(names)
    return set(names[:last])


def is_fragment(frame):
    return any(frame[name] not in ("", "0", "False")
               for name in ("ip.flags.mf", "ip.frag_offset", "ipv6.fraghdr.offset", "ipv6.fraghdr.more"))


def expected(frame, segment):
    """The columns of a decoded segment, as tshark has them."""
    ipv6 = ":" in segment["source"]
    family = "ipv6" if ipv6 else "ip"
    flags = number(frame["tcp.flags"]) & 0xff
    values = {
        "source": str(ipaddress.ip_address(frame[family + ".src"])),
        "target": str(ipaddress.ip_address(frame[family + ".dst"])),
        "source_port": frame["tcp.srcport"],
        "target_port": frame["tcp.dstport"],
        "seq": frame["tcp.seq_raw"],
        "ack": frame["tcp.ack_raw"],
        "flags": str(flags) if frame["tcp.flags"] else "",
        "window": frame["tcp.window_size_value"],
        "ttl": frame["ipv6.hlim" if ipv6 else "ip.ttl"],
        "ip_id": "0" if ipv6 else str(number(frame["ip.id"])),
        "quoted": str(int(bool(layers(frame) & {"icmp", "icmpv6"}))),
    }
    if segment["quoted"] == "0" and frame["tcp.flags"]:
        values["length"] = str(number(frame["tcp.len"]))
    if segment["options_cut"] == "0":
        scale = frame["tcp.options.wscale.shift"] if flags & SYN else ""
        values["timestamp"] = str(number(frame["tcp.options.timestamp.tsval"]))
        values["mss"] = str(number(frame["tcp.options.mss_val"]) if flags & SYN else 0)
        values["window_scale"] = str(min(int(scale), 14)) if scale else "255"
    # With an impossible data offset tshark gives up before the flags.
    return {key: value for key, value in values.items() if value != ""}


def stops_inside_header(frame):
    """tshark numbers a TCP header from 16 bytes on; core/packet wants 20. The urgent pointer is what the 20th ends."""
    return frame["tcp.stream"] != "" and frame["tcp.urgent_pointer"] == ""


def difference(frame, segment):
    """What is wrong with one packet, or None."""
    decoded = segment["result"] == "decoded"
    if is_fragment(frame):
        return "decoded, but tshark sees a fragment" if decoded else None
    if stops_inside_header(frame):
        # Where the data offset stops tshark, one cannot tell whether the cut would have.
        if number(frame["tcp.hdr_len"]) >= 20:
            return "decoded without 20 bytes of TCP" if decoded else None
    elif bool(frame["tcp.stream"]) != decoded:
        return (f"tshark's stream is {frame['tcp.stream'] or 'none'} ({frame['frame.protocols']}), "
                f"here it is {segment['result']}")
    if not decoded:
        return None
    wrong = [f"{key} {segment[key]}, tshark {value}" for key, value in expected(frame, segment).items()
             if (str(ipaddress.ip_address(segment[key])) if key in ("source", "target") else segment[key]) != value]
    return "; ".join(wrong) or None


def compare(capture, name_of):
    """Returns what differs, and how many packets were compared and how many left out."""
    problems, compared, left_out = [], 0, 0
    theirs, mine = list(tshark(capture)), list(ours(capture))
    if [frame["frame.number"] for frame in theirs] != [segment["number"] for segment in mine]:
        problems.append(f"{capture}: {len(mine)} packets, tshark {len(theirs)}")
    for frame, segment in zip(theirs, mine):
        if layers(frame) & NOT_DECODED:
            left_out += 1
            continue
        compared += 1
        wrong = difference(frame, segment)
        if wrong:
            problems.append(f"{name_of(int(segment['number']))}: {wrong}")
    return problems, compared, left_out


def ip4(total, protocol, source="0a000001", target="0a000002", fragment="4000"):
    return f"4500 {total:04x} 1234 {fragment} 40 {protocol:02x} 0000 {source} {target}"


def ip6(length, next_header):
    return f"60000000 {length:04x} {next_header:02x} 40 20010db8{1:024x} 20010db8{2:024x}"


def made():
    """Yields (name, link type, hexadecimal bytes)."""
    macs = "020000000001 020000000002"
    tcp = "c001 01bb 11223344 55667788 5018 0200 0000 0000"
    hello = tcp + "68656c6c6f"
    stamped = "c001 01bb 11223344 55667788 8018 0200 0000 0000 0101080a 01020304 05060708 68656c6c6f"
    syn = "c001 01bb 11223344 00000000 a002 0200 0000 0000 020405b4 0402 080a 01020304 00000000 01 03030f"
    four, six = ip4(45, 6) + hello, ip6(25, 6) + hello
    icmp = "0000 0000 0000 0000"
    for name, link_type, before in (
            ("ethernet", 1, macs + "{ethertype}"), ("snap", 1, macs + "0060 aaaa03 000000 {ethertype}"),
            ("vlan", 1, macs + "8100 2005 {ethertype}"), ("qinq", 1, macs + "88a8 0005 8100 0006 {ethertype}"),
            ("9100", 1, macs + "9100 0005 8100 0006 {ethertype}"),
            ("four tags", 1, macs + "8100 0001 8100 0002 8100 0003 8100 0004 {ethertype}"),
            ("vlan snap", 1, macs + "8100 0005 0060 aaaa03 000000 {ethertype}"),
            ("sll", 113, "0000 0001 0006 0200000000010000 {ethertype}"),
            ("sll loopback", 113, "0004 0304 0006 0000000000000000 {ethertype}"),
            ("sll vlan", 113, "0000 0001 0006 0200000000010000 8100 0007 {ethertype}"),
            ("sll llc", 113, "0000 0001 0006 0200000000010000 0004 aaaa03 000000 {ethertype}"),
            ("sll2", 276, "{ethertype} 0000 00000003 0001 00 06 0200000000010000"),
            ("sll2 vlan", 276, "8100 0000 00000003 0001 00 06 0200000000010000 0007 {ethertype}"),
            ("null", 0, "{family}000000"), ("null big", 0, "000000{family}"), ("loop", 108, "000000{family}"),
            ("ppp", 9, "ff03 {ppp}"), ("raw", 101, "")):
        yield name + " 4", link_type, before.format(ethertype="0800", family="02", ppp="0021") + four
        yield name + " 6", link_type, before.format(ethertype="86dd", family="1e", ppp="0057") + six
    yield "llc ip", 1, macs + "0030 060603" + four
    yield "ipv4", 228, four
    yield "ipv6", 229, six
    # Mobility and HIP headers are not here: tshark ends at them, core/packet goes on to what they name as next.
    raw = {
        "timestamps": ip4(57, 6) + stamped,
        "syn": ip4(60, 6) + syn,
        "ip options": "4600 0031 1234 4000 4006 0000 0a000001 0a000002 94040000" + hello,
        "total length 0": ip4(0, 6) + hello,
        "total length beyond the wire": ip4(4000, 6) + hello,
        "padding": four + "0000000000",
        "total length under the header": ip4(19, 6) + hello,
        "header length under 5": "4400" + four[5:],
        "19 TCP bytes": ip4(39, 6) + hello,
        "data offset 4": ip4(45, 6) + hello.replace("5018", "4018"),
        "data offset 0": ip4(45, 6) + hello.replace("5018", "0018"),
        "data offset beyond the packet": ip4(45, 6) + hello.replace("5018", "8018"),
        "reserved bit": ip4(45, 6, fragment="8000") + hello,
        "first fragment": ip4(45, 6, fragment="2000") + hello,
        "later fragment": ip4(45, 6, fragment="0001") + hello,
        "authentication": ip4(69, 51) + "0604 0000 00000001 00000001 000000000000000000000000" + hello,
        "udp": ip4(28, 17) + "c0010035 00080000",
        "equal endpoints": ip4(45, 6, "0a000001", "0a000001") + hello,
        "option length 0": ip4(53, 6) + "c001 01bb 11223344 55667788 7002 0200 0000 0000 020005b4 03030700 68656c6c6f",
        "option too long": ip4(53, 6) + "c001 01bb 11223344 55667788 7002 0200 0000 0000 010101fe 09030307 68656c6c6f",
        "ipv6 payload length 0": ip6(0, 6) + hello,
        "ipv6 payload length beyond the wire": ip6(4000, 6) + hello,
        "ipv6 padding": six + "0000000000",
        "hop-by-hop": ip6(33, 0) + "0600 0104 00000000" + hello,
        "destination options": ip6(41, 60) + "0601 010c 000000000000000000000000" + hello,
        "routing": ip6(33, 43) + "0600 0300 00000000" + hello,
        "shim6": ip6(33, 140) + "0600 8000 00000000" + hello,
        "ipv6 authentication": ip6(49, 51) + "0604 0000 00000001 00000001 000000000000000000000000" + hello,
        "atomic fragment": ip6(33, 44) + "0600 0000 00000001" + hello,
        "ipv6 first fragment": ip6(33, 44) + "0600 0001 00000001" + hello,
        "ipv6 later fragment": ip6(33, 44) + "0600 0008 00000001" + hello,
        "esp": ip6(25, 50) + hello,
    }
    for kind in (3, 4, 5, 8, 11, 12):
        raw[f"icmp {kind}"] = ip4(73, 1, "0a090909", "0a000001") + f"{kind:02x}00" + icmp[4:] + four
    for kind in (1, 2, 3, 4, 128):
        raw[f"icmpv6 {kind}"] = ip6(73, 58) + f"{kind:02x}00" + icmp[4:] + six
    raw["icmp quotes 8 bytes"] = ip4(56, 1) + "0300" + icmp[4:] + ip4(45, 6) + hello[:18]
    raw["icmp quotes a bad length"] = ip4(68, 1) + "0300" + icmp[4:] + ip4(16, 6) + tcp
    raw["icmp quotes a short length"] = ip4(68, 1) + "0300" + icmp[4:] + ip4(39, 6) + tcp
    raw["icmp quotes 19 bytes"] = ip4(67, 1) + "0300" + icmp[4:] + ip4(45, 6) + tcp[:-2]
    raw["icmp quotes icmp"] = ip4(101, 1) + "0300" + icmp[4:] + ip4(73, 1) + "0300" + icmp[4:] + four
    for name, packet in raw.items():
        yield name, 101, packet


def made_packets():
    """As made(), with the length on the wire where it is more than the bytes."""
    for packet in made():
        yield *packet, 0
    jumbo = 65561
    packet = ip6(0, 0) + f"0600 c204 {jumbo:08x} c001 01bb 11223344 55667788 5018 0200 0000 0000"
    yield "jumbogram", 101, packet, 40 + jumbo


def write(path, link_type, packets):
    """Writes a pcap of (bytes, length on the wire)."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, link_type))
        for data, length in packets:
            file.write(struct.pack("<IIII", 0, 0, len(data), length) + data)


def made_captures(folder):
    """Writes the made packets, all of a link type in a file; returns (path, function from packet number to name)."""
    captures = {}
    for name, link_type, text, length in made_packets():
        packet = bytes.fromhex(text.replace(" ", ""))
        wire = max(length, len(packet))
        for cut in range(len(packet), 0, -1):
            captures.setdefault(link_type, []).append((f"{name}, {cut} of {wire} bytes", packet[:cut], wire))
    for link_type, packets in captures.items():
        path = Path(folder) / f"link-type-{link_type}.pcap"
        write(path, link_type, [packet[1:] for packet in packets])
        yield path, lambda number, packets=packets: packets[number - 1][0]


def found_captures():
    root = Path(os.environ.get("WSLEUTH_ROOT", "."))
    for folder in (root / "captures", root.parent / "shared" / "captures"):
        paths = sorted(path for path in folder.rglob("*.pcap*") if path.is_file())
        if not paths:
            print(f"{folder}: no captures there, skipped")
        for path in paths:
            yield path, lambda number, path=path: f"{path.name}: packet {number}"


def main():
    if not shutil.which("tshark") or "WSLEUTH_TESTBIN" not in os.environ:
        print("skipped: needs tshark, and WSLEUTH_TESTBIN, where dump_segments is")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        captures = [*made_captures(folder), *found_captures()]
        results = list(pool.map(lambda capture: compare(*capture), captures))
    problems = [problem for result in results for problem in result[0]]
    compared = sum(result[1] for result in results)
    for problem in problems:
        print(problem)
    print(f"{compared} packets compared, {sum(result[2] for result in results)} of encapsulations not decoded yet, "
          f"{len(problems)} differ")
    return 1 if problems or not compared else 0


if __name__ == "__main__":
    sys.exit(main())

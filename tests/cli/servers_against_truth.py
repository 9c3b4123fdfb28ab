"""The `servers` part of the report against the applications' own records and against tshark's view of the same packets.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import json
import os
import shutil
import statistics
import subprocess
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from clicheck import LAB, Checks, report, skip

CAPTURES = ("healthy", "masking", "framing", "upgrade", "rolling-start", "polite-end", "heartbeats", "rooms",
            "ipv6-two-interfaces", "imbalance-canary", "graceful-1001-jitter", "reject-after", "idle-proxy",
            "server-blocked", "sticky-ok")
FIELDS = ("frame.number", "frame.time_epoch", "tcp.stream", "ip.src", "ipv6.src", "tcp.srcport", "ip.dst", "ipv6.dst",
          "tcp.dstport", "http.request_in", "http.response.code", "http.sec_websocket_key", "http.time",
          "websocket.opcode", "websocket.payload.close.status_code", "tcp.flags.fin", "tcp.flags.reset")
CLOSE, PING, PONG = "8", "9", "10"
SECOND = Decimal(1)
check = Checks()


def packets(path):
    command = ["tshark", "-n", "-r", str(path), "-Y", "tcp", "-T", "fields", "-E", "occurrence=a"]
    for field in FIELDS:
        command += ["-e", field]
    output = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    for line in output.splitlines():
        yield dict(zip(FIELDS, line.split("\t")))


def endpoint(packet, end):
    address = packet[f"ip.{end}"] or f"[{packet[f'ipv6.{end}']}]"
    return f"{address}:{packet['tcp.srcport' if end == 'src' else 'tcp.dstport']}"


class Stream:
    """What tshark shows of one TCP stream with an upgrade."""

    def __init__(self, server):
        self.server, self.status, self.opened, self.took = server, None, None, None
        self.first_end = self.last = None
        self.code = None  # of the server's first Close; 1005 if it carries none
        self.waiting, self.pings = {}, []

    def take(self, packet):
        time, down = Decimal(packet["frame.time_epoch"]), endpoint(packet, "src") == self.server
        self.last = time
        opcodes = packet["websocket.opcode"].split(",") if packet["websocket.opcode"] else []
        codes = packet["websocket.payload.close.status_code"].split(",")
        for opcode in opcodes:
            if opcode == PING:
                self.waiting.setdefault(down, []).append(time)
            elif opcode == PONG and self.waiting.get(not down):
                self.pings.append(time - self.waiting[not down].pop(0))
            elif opcode == CLOSE and down and self.code is None:
                self.code = int(codes[0]) if codes[0] else 1005
        over = CLOSE in opcodes or packet["tcp.flags.fin"] in ("1", "True") or packet["tcp.flags.reset"] in ("1", "True")
        if over and self.opened is not None and self.first_end is None:
            self.first_end = time

    def answer(self, packet):
        self.status, self.took = packet["http.response.code"], Decimal(packet["http.time"])
        if self.status == "101":
            self.opened = Decimal(packet["frame.time_epoch"])


def streams_of(path):
    streams, asked = {}, set()
    for packet in packets(path):
        number = packet["tcp.stream"]
        if packet["http.sec_websocket_key"]:
            streams.setdefault(number, Stream(endpoint(packet, "dst")))
            asked.add(packet["frame.number"])
        if packet["http.response.code"] and packet["http.request_in"] in asked:
            streams[number].answer(packet)
        if number in streams:
            streams[number].take(packet)
    return streams


def most_at_once(spans):
    """The greatest number of spans that hold one moment; what ends goes before what begins."""
    events = sorted([(end, -1) for _, end in spans] + [(start, 1) for start, _ in spans])
    now = most = 0
    for _, change in events:
        now += change
        most = max(most, now)
    return most


def most_in_a_second(times):
    times = sorted(times)
    return max((sum(0 <= time - first < SECOND for time in times[index:]) for index, first in enumerate(times)), default=0)


def durations(got, wanted, what):
    """The median may be of a histogram's bin; the greatest is exact to the microsecond."""
    if not wanted:
        check.that(got is None, f"{what}: {got}, but tshark has none")
    elif check.that(got is not None, f"{what} is missing; tshark has {len(wanted)}"):
        check.that(abs(got["max"] - max(wanted)) <= Decimal("0.000002"), f"{what}: max {got['max']}, not {max(wanted)}")
        middle = statistics.median_low(wanted), statistics.median_high(wanted)
        low, high = middle[0] * Decimal("0.9") - Decimal("2e-6"), middle[1] * Decimal("1.1") + Decimal("2e-6")
        check.that(low <= got["median"] <= high, f"{what}: median {got['median']}, not {middle}")


def server(got, streams, cut):
    opened = [stream for stream in streams if stream.opened is not None]
    check.equal(got["statuses"], dict(Counter(stream.status for stream in streams if stream.status)), "statuses")
    check.equal(got["opened_per_s_at_most"], most_in_a_second([stream.opened for stream in opened]),
                "opened_per_s_at_most")
    least = most_at_once([(stream.opened, stream.first_end or stream.last) for stream in opened])
    most = most_at_once([(stream.opened, stream.last) for stream in opened])
    check.that(least <= got["open_at_most"] <= most, f"open_at_most is {got['open_at_most']}, not {least} to {most}")
    durations(got.get("upgrade_s"), [stream.took for stream in streams if stream.took is not None], "upgrade_s")
    if not cut:  # tshark loses frames behind a cut packet
        durations(got.get("ping_s"), [ping for stream in opened for ping in stream.pings], "ping_s")
        codes = Counter(str(stream.code or 1006) for stream in opened if stream.first_end is not None)
        check.equal({code: number for code, number in got["close_codes"].items() if code != "1006"},
                    {code: number for code, number in codes.items() if code != "1006"}, "close_codes")
        check.that(got["close_codes"].get("1006", 0) <= codes["1006"], f"1006 seen {got['close_codes']}, not {codes}")


def truth(name, found):
    """The applications' records: how many connections each server had, how they were answered, how closed."""
    with open(LAB / f"{name}.truth.json", encoding="utf-8") as file:
        told = json.load(file)
    by_server, closed = defaultdict(Counter), defaultdict(Counter)
    for connection in told["connections"]:
        if "server" not in connection:
            continue
        if connection.get("handshake"):
            by_server[connection["server"]][str(connection["handshake"])] += 1
        close = connection.get("close") or {}
        if close.get("by") == "server" and close.get("code"):
            closed[connection["server"]][str(close["code"])] += 1
    if "websocket_connections" in told:
        check.equal(found["totals"]["websocket_connections"], told["websocket_connections"], "websocket_connections")
    for each in found["servers"]:
        for status, number in by_server[each["server"]].items():
            check.that(each["statuses"].get(status, 0) >= number,
                       f"{each['server']}: {each['statuses']}, but its clients had {number} of {status}")
        for code, number in closed[each["server"]].items():
            check.that(each["close_codes"].get(code, 0) >= number,
                       f"{each['server']}: {each['close_codes']}, but {number} clients were told {code}")
    check.that(set(by_server) <= {each["server"] for each in found["servers"]}, f"servers lack some of {set(by_server)}")


def path_of(name):
    return next(path for path in (LAB / f"{name}.pcap", LAB / f"{name}.pcapng") if path.exists())


if not LAB.is_dir():
    skip(f"{LAB} is not there")
if not shutil.which("tshark"):
    skip("tshark is not installed")
with ThreadPoolExecutor(os.cpu_count()) as threads:
    views = threads.map(lambda name: streams_of(path_of(name)), CAPTURES)
    for name, streams in zip(CAPTURES, views):
        found = report(path_of(name))
        check.about(name)
        truth(name, found)
        by_server = defaultdict(list)
        for stream in streams.values():
            by_server[stream.server].append(stream)
        for each in found["servers"]:
            check.about(f"{name}, {each['server']}")
            if by_server[each["server"]]:
                server(each, by_server[each["server"]], found["capture"]["truncated_packets"])
check.end(f"servers of {len(CAPTURES)} captures against their applications' records and tshark")

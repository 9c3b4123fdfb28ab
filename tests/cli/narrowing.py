"""What narrows or limits a report: it shows just what was asked for, in every format, and counts what it leaves out.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import tempfile
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import wsbuild
from clicheck import Checks, report, run

check = Checks()
SECOND = 10**9
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Scene:
    """Five streams, ten seconds apart; the last one holds two connections: a refused and an accepted upgrade."""

    def __init__(self, folder):
        self.capture = wsbuild.Capture(wsbuild.START + 123_456_789)
        self.connections, self.findings = [], set()
        self.play("plain", wsbuild.healthy)
        self.play("unmasked", wsbuild.unmasked, port=8301)
        self.play("six", wsbuild.unmasked, client="2001:db8::2", server="2001:db8::1")
        self.play("eleven", wsbuild.healthy, server="10.0.0.11")
        self.twice()
        self.findings = {("mask-missing", 1), ("mask-missing", 2), ("upgrade-refused", 4)}
        self.path = wsbuild.write(folder, "scene.pcap", self.capture.pcap())
        self.totals = report(self.path)["totals"]

    def play(self, name, conversation, **ends):
        first = len(self.capture.packets)
        conversation(self.capture, **ends)
        self.note(name, first, len(self.connections))

    def twice(self):
        first = len(self.capture.packets)
        tcp = wsbuild.Tcp(self.capture, server="10.0.0.3", port=80).connect()
        tcp.upgrade(status=b"403 Forbidden", path=b"/first")
        second = len(self.capture.packets)
        tcp.upgrade(path=b"/second").send(wsbuild.TEXT, b"x").close()
        last = len(self.capture.packets)
        self.capture.packets, rest = self.capture.packets[:second], self.capture.packets[second:]
        self.note("refused", first, 4)
        self.capture.packets += rest
        assert len(self.capture.packets) == last
        self.note("accepted", second, 4)

    def note(self, name, first, stream):
        packets = self.capture.packets
        self.connections.append({"name": name, "stream": stream, "first": first + 1, "start": packets[first][0],
                                 "end": packets[-1][0]})
        self.capture.time += 10 * SECOND

    def of(self, *names):
        return [connection["first"] for connection in self.connections if connection["name"] in names]

    def get(self, name):
        return next(connection for connection in self.connections if connection["name"] == name)


def decimal(nanoseconds):
    return f"{nanoseconds // SECOND}.{nanoseconds % SECOND:09d}"


def shows(scene, arguments, connections, findings=None):
    """The connections (by first packet) and findings (id, stream) that JSON and ndjson hold; totals stay."""
    check.about(" ".join(arguments))
    narrowed = report(*arguments, scene.path)
    check.equal(narrowed["totals"], scene.totals, "totals")
    lines = run("-f", "ndjson", *arguments, scene.path).lines
    for form, listed, found in (
            ("json", narrowed["connections"], narrowed["findings"]),
            ("ndjson", [line for line in lines if line["type"] == "connection"],
             [line for line in lines if line["type"] == "finding"])):
        if connections is not None:
            check.equal(sorted(connection["first_packet"] for connection in listed), sorted(connections),
                        f"{form}: connections (first packets)")
        if findings is not None:
            check.equal(sorted((finding["id"], finding["stream"]) for finding in found), sorted(findings),
                        f"{form}: findings")


def findings_by_kind(scene):
    everything = scene.of("plain", "unmasked", "six", "eleven", "refused", "accepted")
    errors = {("mask-missing", 1), ("mask-missing", 2)}
    shows(scene, ["--min-severity", "note"], everything, scene.findings)
    shows(scene, ["--min-severity", "warning"], everything, scene.findings)
    shows(scene, ["--min-severity", "error"], everything, errors)
    shows(scene, ["--only", "mask-missing"], everything, errors)
    shows(scene, ["--only", "mask-missing,upgrade-refused"], everything, scene.findings)
    shows(scene, ["--only", "mask-missing", "--only", "upgrade-refused"], everything, scene.findings)
    shows(scene, ["--only", "mask-unexpected"], everything, set())


def streams_and_connections(scene):
    for connection in scene.connections[:4]:
        found = {finding for finding in scene.findings if finding[1] == connection["stream"]}
        shows(scene, ["--stream", str(connection["stream"])], [connection["first"]], found)
        shows(scene, ["--connection", str(connection["first"])], [connection["first"]], found)
    shows(scene, ["--stream", "4"], scene.of("refused", "accepted"), {("upgrade-refused", 4)})
    shows(scene, ["--connection", str(*scene.of("refused"))], scene.of("refused"), {("upgrade-refused", 4)})
    shows(scene, ["--connection", str(*scene.of("accepted"))], scene.of("accepted"), set())
    shows(scene, ["--stream", "77"], [], set())
    shows(scene, ["--connection", "3"], [], set())


def servers(scene):
    for text, names, found in (("10.0.0.1", ("plain", "unmasked"), {1}), ("10.0.0.1:8301", ("unmasked",), {1}),
                               ("10.0.0.1:8300", ("plain",), set()), ("10.0.0.11", ("eleven",), set()),
                               ("10.0.0.3", ("refused", "accepted"), {4}), ("2001:db8::1", ("six",), {2}),
                               ("[2001:db8::1]", ("six",), {2}), ("[2001:db8::1]:8300", ("six",), {2}),
                               ("2001:0DB8:0:0::1", ("six",), {2}), ("[2001:0db8::0001]:8300", ("six",), {2}),
                               ("10.0.0.2", (), set())):
        shows(scene, ["--server", text], scene.of(*names),
              {finding for finding in scene.findings if finding[1] in found})
        listed = {server["server"] for server in report("--server", text, scene.path)["servers"]}
        wanted = {connection["server"] for connection in report(scene.path)["connections"]
                  if connection["first_packet"] in scene.of(*names)}
        check.equal(listed, wanted, "servers")


def times(scene):
    zero, six, eleven = scene.capture.packets[0][0], scene.get("six"), scene.get("eleven")
    before, after = scene.of("plain", "unmasked", "six"), scene.of("eleven", "refused", "accepted")
    middle = six["end"] + 5 * SECOND
    iso = (EPOCH + timedelta(microseconds=middle // 1000)).strftime("%Y-%m-%dT%H:%M:%S")
    local = (EPOCH + timedelta(microseconds=middle // 1000, hours=2)).strftime("%Y-%m-%dT%H:%M:%S.500+02:00")
    for text in (decimal(middle), str(middle // SECOND), "+" + decimal(middle - zero), f"+{(middle - zero) // SECOND}",
                 f"{iso}Z", f"{iso}.5Z", local):
        shows(scene, ["--from", text], after, {("upgrade-refused", 4)})
        shows(scene, ["--to", text], before, {("mask-missing", 1), ("mask-missing", 2)})
    shows(scene, ["--from", decimal(six["start"]), "--to", decimal(six["end"])], scene.of("six"), {("mask-missing", 2)})
    check.equal(Decimal(decimal(six["end"])), next(connection["end"] for connection in report(scene.path)["connections"]
                                                   if connection["first_packet"] == six["first"]),
                "the end as it is reported")
    shows(scene, ["--from", decimal(six["end"])], scene.of("six") + after)
    shows(scene, ["--from", decimal(six["end"] + 1)], after)
    shows(scene, ["--to", decimal(eleven["start"])], before + scene.of("eleven"))
    shows(scene, ["--to", decimal(eleven["start"] - 1)], before)
    shows(scene, ["--from", "+" + decimal(six["end"] - zero + 1)], after)
    shows(scene, ["--to", "+" + decimal(eleven["start"] - zero)], before + scene.of("eleven"))


def frames(scene):
    """The frames command narrows as the report does."""
    every = run("frames", "-f", "ndjson", scene.path).lines
    six = scene.get("six")
    for arguments, streams in ((["--stream", "1"], {1}), (["--connection", str(six["first"])], {2}),
                               (["--server", "10.0.0.1"], {0, 1}), (["--from", decimal(six["end"] + SECOND)], {3, 4}),
                               (["--to", decimal(six["start"] - SECOND)], {0, 1})):
        check.about("frames " + " ".join(arguments))
        check.equal(run("frames", "-f", "ndjson", *arguments, scene.path).lines,
                    [line for line in every if line["stream"] in streams], "frames")
        check.equal(len(run("frames", *arguments, scene.path).text.splitlines()),
                    sum(line["stream"] in streams for line in every), "lines of text")


def limits(folder):
    capture = wsbuild.Capture()
    for index in range(30):
        (wsbuild.unmasked if index in (20, 29) else wsbuild.healthy)(capture)
    path = wsbuild.write(folder, "thirty.pcap", capture.pcap())
    guilty = [20 * 12 + 1, 29 * 12 + 1]
    for limit, listed in ((0, []), (1, guilty[:1]), (2, guilty), (3, [1, *guilty]), (30, range(1, 360, 12)), (31, range(1, 360, 12))):
        check.about(f"--max-connections {limit}")
        found = report("--max-connections", limit, path)
        got = [connection["first_packet"] for connection in found["connections"]]
        check.equal(len(got), len(listed), "connections listed")
        check.that(limit == 1 and set(got) <= set(guilty) or limit != 1 and set(guilty[:limit]) <= set(got),
                   f"one with a finding gave way to one without: {got}")
        check.equal(got, sorted(got), "their order")
        check.equal(found["totals"]["not_listed"]["connections"], 30 - len(listed), "not_listed")
        check.equal(found["totals"]["websocket_connections"], 30, "websocket_connections")
        check.equal(len(found["findings"]), 2, "findings")
        lines = run("-f", "ndjson", "--max-connections", limit, path).lines
        check.equal(sum(line["type"] == "connection" for line in lines), 30, "connections in ndjson")
    for limit in (0, 1, 2):
        check.about(f"--max-findings {limit}")
        found = report("--max-findings", limit, path)
        check.equal([finding["key"] for finding in found["findings"]],
                    [f"mask-missing@{first + 5}-c2s" for first in guilty[:limit]], "findings listed")
        check.equal(found["totals"]["not_listed"]["findings"], 2 - limit, "not_listed")
        check.equal(found["totals"]["findings_by_id"], {"mask-missing": 2}, "findings_by_id")
        check.equal(found["totals"]["findings"]["error"], 2, "errors in totals")
        lines = run("-f", "ndjson", "--max-findings", limit, path).lines
        check.equal(sum(line["type"] == "finding" for line in lines), 2, "findings in ndjson")
        for form in ("text", "json", "ndjson"):
            check.equal(run("-f", form, "--max-findings", limit, "--fail-on", "error", path).status, 1,
                        f"{form}: status with --fail-on error")
    check.about("--all")
    for arguments, count in (([], 10), (["--all"], 30)):
        rows = [line for line in run(*arguments, path).text.split("CONNECTIONS")[1].splitlines()[2:] if line]
        check.equal(len(rows), count, f"rows of connections with {arguments}")


def proof(folder):
    capture = wsbuild.Capture()
    tcp = wsbuild.Tcp(capture).connect().upgrade()
    for _ in range(40):
        tcp.send_unmasked(wsbuild.TEXT, b"x")
    tcp.close()
    path = wsbuild.write(folder, "forty.pcap", capture.pcap())
    for arguments, count in (([], 16), (["--max-proof", "1"], 1), (["--max-proof", "3"], 3), (["--max-proof", "100"], 40)):
        check.about(f"--max-proof {arguments}")
        finding, = [each for each in report(*arguments, path)["findings"] if each["id"] == "mask-missing"]
        check.equal(finding["packets"], list(range(6, 6 + count)), "packets")
        check.equal(finding["evidence"]["frames"], 40, "evidence.frames")


def ports(folder):
    """Frames without a handshake: two that say too little to be recognised, and a connection begun before the capture."""
    few, middle = wsbuild.Capture(), wsbuild.Capture()
    wsbuild.Tcp(few, port=9000).connect().send(wsbuild.TEXT, b"x").reply(wsbuild.TEXT, b"y").fin()
    tcp = wsbuild.Tcp(middle, port=9000)
    for _ in range(20):
        tcp.send(wsbuild.TEXT, b"hello").reply(wsbuild.TEXT, b"hello")
    paths = [wsbuild.write(folder, f"{name}.pcap", capture.pcap()) for name, capture in (("few", few), ("middle", middle))]
    for path, frames in zip(paths, (2, 40)):
        for arguments, known in (([], False), (["-p", "9001"], False), (["-p", "9000"], True),
                                 (["--port", "80,9000"], True), (["-p", "80", "-p", "9000"], True)):
            check.about(" ".join(["ports", *arguments, path.rpartition("/")[2]]))
            totals = report(*arguments, path)["totals"]
            if known:
                check.equal((totals["websocket_connections"], totals["frames"]), (1, frames), "connections and frames")
            elif path == paths[0]:
                check.equal(totals["websocket_connections"], 0, "connections")


def capture_filter(scene):
    for text, names in (("port 8301", ("unmasked",)), ("ip6", ("six",)), ("host 10.0.0.1", ("plain", "unmasked")),
                        ("port 4", ())):
        check.about(f"--capture-filter {text!r}")
        found = report("--capture-filter", text, scene.path)
        check.equal([connection["first_packet"] for connection in found["connections"]], scene.of(*names),
                    "connections (first packets)")
        check.equal([finding["key"] for finding in found["findings"]],
                    [f"mask-missing@{first + 5}-c2s" for first in scene.of(*{"unmasked", "six"} & set(names))],
                    "findings")
        with open(scene.path, "rb") as file:
            piped = run("-f", "json", "--capture-filter", text, "-", stdin=file).json
        check.equal(piped["connections"], found["connections"], "connections from standard input")


def settings(folder):
    capture = wsbuild.Capture()
    tcp = wsbuild.Tcp(capture).connect().upgrade()
    for index in range(6):
        tcp.up(wsbuild.frame(wsbuild.TEXT, b"hello", (0x1F2E3D00 + index).to_bytes(4, "big")))
    tcp.close()
    sequential = wsbuild.write(folder, "sequential.pcap", capture.pcap())
    capture = wsbuild.Capture()
    tcp = wsbuild.Tcp(capture).connect()
    for piece in (b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nX-Long: ", b"ab " * 200, b"ab " * 200):
        tcp.up(piece)  # a head that has to be kept until it is whole
    tcp.up(b"\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    tcp.down(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n").close()  # RFC 6455 §1.3
    wsbuild.healthy(capture)
    long_head = wsbuild.write(folder, "head.pcap", capture.pcap())
    for path, setting, without, wanted in (
            (sequential, "mask-weak-key.sequential_keys=5", [], ["mask-weak-key"]),
            (sequential, "mask-weak-key.sequential_keys=250", [], []),
            (long_head, "limit.head_bytes=256", [], ["analysis-limited"]),
            (long_head, "limit.streams=1", [], ["analysis-limited"])):
        check.about(f"--set {setting}")
        ids = [[finding["id"] for finding in report(*arguments, path)["findings"]]
               for arguments in ([], ["--set", setting])]
        check.equal(ids[0], without, "findings without it")
        check.that(set(wanted) <= set(ids[1]) and (wanted or not ids[1]), f"findings with it: {ids[1]}, not {wanted}")


with tempfile.TemporaryDirectory() as folder:
    scene = Scene(folder)
    findings_by_kind(scene)
    streams_and_connections(scene)
    servers(scene)
    times(scene)
    frames(scene)
    limits(folder)
    proof(folder)
    ports(folder)
    capture_filter(scene)
    settings(folder)
check.end("narrowing and limits: just what was asked for, in each format, and the rest is counted")

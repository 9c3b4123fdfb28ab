"""The JSON report as programs rely on it: names, types, orders and sums, for every capture at hand; ndjson and text agree.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import wsbuild
from clicheck import CAPTURES, LAB, Checks, run, strict
from contract import BUILT, COUNTERS, VARYING

check = Checks()
LARGE = 300_000  # bytes of a capture that is not read a fourth time
ENDPOINT = re.compile(r"(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:.]+\]):\d+")
SEVERITIES = ("error", "warning", "note")
DIRECTIONS = ("client_to_server", "server_to_client")
FINDING = {"key", "id", "severity", "confidence", "title", "summary", "packets", "start", "end", "evidence",
           "explanation", "fix", "reference"}
FINDING_MAY = {"stream", "client", "server", "direction", "streams", "count", "part_of", "filter"}
CONNECTION = {"stream", "client", "server", "start", "end", "first_packet", "last_packet", "transport", "seen_from"}
CONNECTION_MAY = {"client_named", "other_leg", "tls", "upgrade", *DIRECTIONS, "rtt_s", "ping_s", "close"}
UPGRADE_MAY = {"status", "host", "path", "origin", "user_agent", "subprotocol", "extensions", "accept_valid",
               "round_trip_s"}
DIRECTION_MAY = {"close_code", "close_reason", "unread_messages"}
CLOSE_MAY = {"code", "reason", "initiated_by", "client_sees", "server_sees"}
SERVER = {"server", "hosts", "paths", "connections", "open_at_most", "opened_per_s_at_most", "statuses", "close_codes",
          "messages_per_min", "direction", "retransmitted_share", "slow_clients", "queued_bytes_estimate"}
CAPTURE = {"files", "packets", "bytes", "duration_s", "link_types", "truncated_packets", "duplicate_packets",
           "undecodable_packets", "complete"}
TOTALS = {"tcp_streams", "websocket_connections", "upgrades_refused", "frames", "messages", "findings",
          "findings_by_id", "not_listed"}


def count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def keys(thing, must, may, what):
    check.that(must <= set(thing), f"{what} lacks {sorted(must - set(thing))}")
    check.that(set(thing) <= must | may, f"{what} has {sorted(set(thing) - must - may)}, of which the contract knows nothing")


def values(thing, what):
    """No null; a time in seconds has nine decimals at most; what ends in _s is a number."""
    if isinstance(thing, dict):
        for name, value in thing.items():
            if name.endswith("_s") and not isinstance(value, dict):
                check.that(isinstance(value, (int, Decimal)), f"{what}.{name} is {value!r}")
            values(value, f"{what}.{name}")
    elif isinstance(thing, list):
        for value in thing:
            values(value, what)
    elif isinstance(thing, Decimal):
        check.that(-thing.as_tuple().exponent <= 9, f"{what} is {thing}: more than nine decimals")
    else:
        check.that(thing is not None, f"{what} is null")


def capture(found, path):
    part = found["capture"]
    keys(part, CAPTURE, {"first_time", "last_time", "undecodable"}, "capture")
    check.equal(part["files"], [str(path)], "files")
    for name in ("packets", "bytes", "truncated_packets", "duplicate_packets", "undecodable_packets"):
        check.that(count(part[name]), f"capture.{name} is {part[name]!r}")
    if part["packets"]:
        check.equal(Decimal(part["last_time"]) - Decimal(part["first_time"]), Decimal(part["duration_s"]), "duration_s")
    check.equal(sum(part.get("undecodable", {}).values()), part["undecodable_packets"], "undecodable, summed")


def connection(each):
    who = f"connection at {each['first_packet']}"
    keys(each, CONNECTION, CONNECTION_MAY, who)
    check.that(ENDPOINT.fullmatch(each["client"]) and ENDPOINT.fullmatch(each["server"]), f"{who}: ends")
    check.that(each["start"] <= each["end"] and each["first_packet"] <= each["last_packet"], f"{who}: order")
    check.that(each["transport"] in ("ws", "wss", "tls") and each["seen_from"] in ("start", "middle"), f"{who}: words")
    keys(each.get("upgrade", {}), set(), UPGRADE_MAY, f"{who}: upgrade")
    if each["transport"] == "tls":
        check.that(not {"upgrade", *DIRECTIONS} & set(each), f"{who}: TLS that is not decrypted has no such parts")
        return
    for name in DIRECTIONS:
        if not check.that(name in each, f"{who}: lacks {name}"):
            continue
        way = each[name]
        keys(way, set(COUNTERS), DIRECTION_MAY, f"{who}: {name}")
        check.that(all(count(way[counter]) for counter in COUNTERS), f"{who}: {name}: counters {way}")
        check.that("close_code" not in way or way["close"], f"{who}: {name}: a code without a Close")
        kinds = sum(way[kind] for kind in ("text", "binary", "continuation", "ping", "pong", "close"))
        check.that(kinds <= way["frames"] and way["masked_frames"] <= way["frames"], f"{who}: {name}: sums {way}")
    end = each.get("close")
    status = each.get("upgrade", {}).get("status")
    if end:
        keys(end, {"clean", "how"}, CLOSE_MAY, f"{who}: close")
        check.that(end["how"] in ("close-frame", "fin", "rst", "open-at-end", "silent"), f"{who}: how {end['how']}")
        sent = any(each[name]["close"] for name in DIRECTIONS)
        check.equal(end["how"] == "close-frame", sent, f"{who}: how is close-frame")
        check.equal("initiated_by" in end, sent, f"{who}: initiated_by is there")
    if status != 101 and status is not None and not end:
        check.that("accept_valid" not in each["upgrade"], f"{who}: a refused upgrade has accept_valid")
        check.that(not any(each[name]["frames"] for name in DIRECTIONS), f"{who}: a refused upgrade has frames")


def findings(found):
    listed = found["findings"]
    order = [(SEVERITIES.index(finding["severity"]), finding.get("start", 0), finding["id"], finding["key"])
             for finding in listed]
    check.that(order == sorted(order), "findings are not in the order of severity, start, id, key")
    all_keys = [finding["key"] for finding in listed]
    check.equal(len(set(all_keys)), len(all_keys), "different keys")
    for finding in listed:
        key = finding["key"]
        # Where no packet proves it there may be no time either.
        keys(finding, FINDING if finding["packets"] else FINDING - {"start", "end"},
             FINDING_MAY | {"start", "end"}, key)
        way = {DIRECTIONS[0]: "-c2s", DIRECTIONS[1]: "-s2c"}.get(finding.get("direction"), "")
        first = finding["packets"][0] if finding["packets"] else 0
        check.that(re.fullmatch(re.escape(f"{finding['id']}@{first}{way}") + r"(-[2-9]|-[1-9]\d+)?", key),
                   f"{key}: not of id, first packet {first} and direction")
        severity, evidence = BUILT[finding["id"]]
        check.that(finding["severity"] in VARYING.get(finding["id"], (severity,)), f"{key}: {finding['severity']}")
        check.that(finding["confidence"] in ("certain", "likely", "possible"), f"{key}: {finding['confidence']}")
        check.that(set(finding["evidence"]) <= set(evidence), f"{key}: evidence {sorted(finding['evidence'])}")
        check.that(len(finding["packets"]) <= 16 and finding["packets"] == sorted(set(finding["packets"])),
                   f"{key}: packets {finding['packets']}")
        check.that(finding["start"] <= finding["end"] if "start" in finding else True, f"{key}: ends before it starts")
        check.that("part_of" not in finding or finding["part_of"] in all_keys, f"{key}: part_of names nothing listed")
        check.that(("streams" in finding) == ("count" in finding), f"{key}: streams and count go together")
        check.that(not ("stream" in finding and "streams" in finding), f"{key}: stream and streams")


def totals(found):
    part, listed = found["totals"], found["connections"]
    keys(part, TOTALS, set(), "totals")
    by_id, not_listed = part["findings_by_id"], part["not_listed"]
    check.equal({finding: sum(each["id"] == finding for each in found["findings"]) for finding in by_id}, by_id,
                "findings_by_id")
    check.equal(sum(by_id.values()), len(found["findings"]) + not_listed["findings"], "findings_by_id, summed")
    check.equal(part["findings"], {severity: sum(each["severity"] == severity for each in found["findings"])
                                   for severity in SEVERITIES}, "findings by severity")
    check.equal(not_listed, {"connections": 0, "findings": 0}, "not_listed")
    for name in ("frames", "messages"):
        check.equal(part[name], sum(each.get(way, {}).get(name, 0) for each in listed for way in DIRECTIONS), name)
    upgraded = [each for each in listed if "close" in each or each["transport"] == "tls"]
    check.that(len(upgraded) >= part["websocket_connections"] >= sum(each["transport"] != "tls" for each in upgraded),
               f"websocket_connections {part['websocket_connections']} of {len(upgraded)}")
    refused = [each for each in listed if each.get("upgrade", {}).get("status", 101) != 101]
    check.equal(part["upgrades_refused"], len(refused), "upgrades_refused")
    firsts = [each["first_packet"] for each in listed]
    check.that(firsts == sorted(set(firsts)), "connections are not in the order of their first packets")


def servers(found):
    for server in found["servers"]:
        who = server["server"]
        keys(server, SERVER, {"upgrade_s", "ping_s"}, who)
        own = [each for each in found["connections"] if each["server"] == who]
        check.equal(server["connections"], len(own), f"{who}: connections")
        check.that(server["direction"] in ("both", "server-only", "client-only", "idle"), f"{who}: direction")
        check.that(len(server["paths"]) <= 20, f"{who}: {len(server['paths'])} paths")
        amounts = list(server["paths"].values())
        check.equal(amounts, sorted(amounts, reverse=True), f"{who}: paths by use")
        statuses = {}
        for each in own:
            status = each.get("upgrade", {}).get("status")
            if status is not None:
                statuses[str(status)] = statuses.get(str(status), 0) + 1
        check.equal(server["statuses"], statuses, f"{who}: statuses")
        codes = {}
        for each in own:
            code = each.get("close", {}).get("client_sees")
            if code is not None:
                codes[str(code)] = codes.get(str(code), 0) + 1
        check.equal(server["close_codes"], codes, f"{who}: close_codes")
        check.equal(set(server["messages_per_min"]), set(DIRECTIONS), f"{who}: messages_per_min")


def lines_agree(found, path, status):
    """ndjson: the same connections, findings and servers; servers and summary last."""
    result = run("-f", "ndjson", path)
    check.equal(result.status, status, "ndjson: status")
    lines, parts = result.lines, {"connection": [], "finding": [], "server": [], "summary": [], "part_of": []}
    for line in lines:
        parts[line.pop("type")].append(line)
    check.that(len(parts["summary"]) == 1 and lines[-1] is parts["summary"][0], "ndjson: the summary is not last, or not one")
    explained = {line["key"]: line["of"] for line in parts["part_of"]}
    for finding in parts["finding"]:
        if finding["key"] in explained:
            finding["part_of"] = explained[finding["key"]]
    for name, key in (("connection", "first_packet"), ("finding", "key"), ("server", "server")):
        wanted = {each[key]: each for each in found[f"{name}s"]}
        got = {each[key]: each for each in parts[name]}
        check.equal(sorted(got), sorted(wanted), f"ndjson: {name}s")
        check.equal(len(got), len(parts[name]), f"ndjson: {name}s told once")
        different = [each for each in wanted if each in got and got[each] != wanted[each]]
        check.that(not different, f"ndjson: {name}s that differ: {different[:3]}")
    for name in ("capture", "totals", "schema", "version"):
        check.equal(parts["summary"][0][name], found[name], f"ndjson: {name}")


def text_agrees(found, path, status):
    for arguments in ([], ["--all"]) if os.path.getsize(path) < LARGE else ([],):
        result = run(*arguments, path)
        check.equal(result.status, status, "text: status")
        wide = [line for line in result.text.splitlines() if len(line) > 100]
        check.that(not wide, f"text: {len(wide)} lines over 100 columns: {wide[:1]}")
        shown = {finding["id"] for finding in found["findings"] if "part_of" not in finding}
        missing = [finding for finding in shown if finding not in result.text]
        check.that(not missing, f"text: {missing} not mentioned")
        check.that("\x1b" not in result.text, "text: colours")


def one(path):
    """Runs for one capture, before any check: threads only wait for them."""
    return path, run("-f", "json", path)


def examine(path, result):
    check.about(path.name if hasattr(path, "name") else os.path.basename(path))
    try:
        found = strict(result.out)
    except ValueError as error:
        check.that(False, f"no JSON: {error}; {result.message}")
        return
    check.equal(list(found), ["schema", "version", "capture", "totals", "servers", "connections", "findings",
                              "incidents"], "parts")
    check.equal(found["schema"], "wsleuth/1", "schema")
    check.equal(result.status, 0 if found["capture"]["complete"] else 3, "status")
    values(found, "report")
    capture(found, path)
    for each in found["connections"]:
        connection(each)
    findings(found)
    totals(found)
    servers(found)
    lines_agree(found, path, result.status)
    text_agrees(found, path, result.status)


def at_the_epoch(folder):
    """A clock that was never set: times near zero are times."""
    made = wsbuild.Capture(0)
    made.add(b"\0" * 60, 0)
    wsbuild.unmasked(made)
    wsbuild.Tcp(made).connect().upgrade(status=b"503 Service Unavailable").fin()
    return wsbuild.write(folder, "epoch.pcap", made.pcap())


with tempfile.TemporaryDirectory() as folder:
    paths = [path for place in (CAPTURES, LAB, LAB.parent / "public") if place.is_dir() for path in sorted(place.glob("*.pcap*"))]
    paths = [path for path in paths if path.parent == CAPTURES or not (CAPTURES / path.name).exists()]
    if len(sys.argv) > 1:
        paths = [path for path in paths if path.stem in sys.argv[1:]]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for path, result in threads.map(one, [*paths, at_the_epoch(folder)]):
            examine(path, result)
check.end(f"the JSON contract, and ndjson and text beside it, for {len(paths)} captures")

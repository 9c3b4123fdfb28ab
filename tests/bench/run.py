#!/usr/bin/env python3
"""Measures wsleuth against the bare libpcap loop, on generated captures. Run by `./dev bench`; see README.md.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import argparse
import json
import os
import platform
import shutil
import struct
import subprocess
import sys
import time

WSLEUTH = os.path.join("build", "bin", "wsleuth")
BENCH_BIN = os.path.join("build", "bin-bench")
GENERATE = os.path.join(BENCH_BIN, "generate")
YARDSTICK = os.path.join(BENCH_BIN, "yardstick")
DATA = os.path.join("build", "bench-data")

FIELDS = ["-Y", "websocket", "-T", "fields", "-e", "tcp.stream", "-e", "websocket.opcode",
          "-e", "websocket.payload_length"]
CONVERSATIONS = ["-q", "-z", "conv,tcp"]

# The numbers to hold: ratio of CPU time to the yardstick's, bytes of anonymous memory for each stream.
# kind: size ((connections, messages) or the generator's own), quick size, what --scale multiplies,
#       ratio that must be held, ratio to reach, bytes that must be held, bytes to reach, tshark's arguments
CAPTURES = {
    "bulk": ((100, 60), (20, 10), "messages", 1.5, 1, None, None, FIELDS),
    "small": ((20000, 20), (1000, 20), "messages", 2, 1, None, None, FIELDS),
    "storm": ((60000, 3), (3000, 3), "connections", 3, 1, None, None, CONVERSATIONS),
    "idle": ((100000, 3), (5000, 3), "connections", 2, 1, 400, 256, FIELDS),
    "short": ((100000, 1), (5000, 1), "connections", None, None, None, None, FIELDS),
    "text-utf8": ((100, 60), (20, 10), "messages", None, None, None, None, FIELDS),
    "deflate": ((100, 200), (20, 20), "messages", None, None, None, None, FIELDS),
    "plain": ((300, 20), (30, 10), "messages", None, None, None, None, CONVERSATIONS),
    "hostile": ((1000000, 0), (50000, 0), "connections", None, None, None, None, CONVERSATIONS),
}
JSON_KIND, JSON_MUST_US = "idle", 4
HUGE_MUST_MB, HUGE_MUST_TIMES = 4000, 2

COLUMNS = [("capture", "capture", "s"), ("packets", "packets", "d"), ("MB", "mb", ".1f"),
           ("yardstick ms", "yardstick_ms", ".1f"), ("wsleuth ms", "wsleuth_ms", ".1f"), ("ratio", "ratio", ".2f"),
           ("must", "must", "g"), ("goal", "goal", "g"), ("ns/packet", "ns_per_packet", ".0f"),
           ("RSS MB", "rss_mb", ".1f"), ("B/stream", "bytes_per_stream", ".0f"), ("must", "bytes_must", "g"),
           ("goal", "bytes_goal", "g")]


def die(message):
    sys.exit("bench: " + message)


def spawn(argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE):
    return subprocess.Popen(argv, stdin=stdin, stdout=subprocess.DEVNULL, stderr=stderr)


def reap(process):
    """Waits; returns CPU seconds. A failure ends the benchmark: its time would mean nothing."""
    complaint = process.stderr.read().decode(errors="replace") if process.stderr else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.stderr:
        process.stderr.close()
    if process.returncode != 0:
        die("%s: exit status %d\n%s" % (" ".join(process.args), process.returncode, complaint))
    return usage.ru_utime + usage.ru_stime


def cpu(argv):
    return reap(spawn(argv))


def minima(runs, commands):
    """The least CPU seconds of each command; the runs are interleaved, for the machine's speed drifts."""
    least = [float("inf")] * len(commands)
    for _ in range(runs):
        for i, argv in enumerate(commands):
            least[i] = min(least[i], cpu(argv))
    return least


def memory_now(pid):
    """(peak resident, anonymous) kB; of a process that has ended, nothing."""
    found = {}
    try:
        with open("/proc/%d/status" % pid) as status:
            for line in status:
                name, _, value = line.partition(":")
                if name in ("VmHWM", "RssAnon"):
                    found[name] = int(value.split()[0])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found.get("VmHWM", 0), found.get("RssAnon", 0)


def watch(process, pause=0.0005):
    """The largest of memory_now() while it runs. ru_maxrss will not do: it begins with Python's own size."""
    peak = anonymous = 0
    while True:
        # WNOWAIT leaves the process to reap().
        if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return peak, anonymous
        now = memory_now(process.pid)
        peak, anonymous = max(peak, now[0]), max(anonymous, now[1])
        if pause:
            time.sleep(pause)


def memory(argv, pause=0.0005):
    process = spawn(argv, stderr=subprocess.DEVNULL)
    sizes = watch(process, pause)
    reap(process)
    return sizes


def baseline():
    """Anonymous kB of wsleuth on a capture without packets."""
    path = os.path.join(DATA, "empty.pcap")
    with open(path, "wb") as capture:
        capture.write(struct.pack("=IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
    return max(memory([WSLEUTH, "report", path], 0)[1] for _ in range(20))


def generate_argv(kind, connections, messages):
    return [GENERATE, kind, "--connections", str(connections), "--messages", str(messages)]


def capture_of(kind, quick, scale):
    """The capture's path and what the generator says of it; made if missing or older than the generator."""
    size, quick_size, grows = CAPTURES[kind][:3]
    connections, messages = quick_size if quick else size
    connections *= scale if grows == "connections" else 1
    messages *= scale if grows == "messages" else 1
    path = os.path.join(DATA, "%s-%d-%d.pcap" % (kind, connections, messages))
    summary = path + ".json"
    if not os.path.exists(summary) or os.path.getmtime(summary) < os.path.getmtime(GENERATE):
        print("generating %s" % path, file=sys.stderr)
        part = path + ".part"
        made = subprocess.run(generate_argv(kind, connections, messages) + ["-o", part], stderr=subprocess.PIPE)
        if made.returncode != 0:
            if os.path.exists(part):
                os.remove(part)
            die(made.stderr.decode(errors="replace"))
        os.replace(part, path)
        with open(summary, "wb") as out:
            out.write(made.stderr)
    with open(summary) as told:
        return path, json.load(told)


def measure(kind, args, runs, base_kb):
    path, told = capture_of(kind, args.quick, args.scale)
    must, goal, bytes_must, bytes_goal, tshark = CAPTURES[kind][3:]
    commands = [[YARDSTICK, path], [WSLEUTH, "report", path]]
    if kind == JSON_KIND:
        commands.append([WSLEUTH, "report", "-f", "json", path])
    seconds = minima(runs, commands)
    peak, anonymous = memory([WSLEUTH, "report", path])
    row = {"capture": kind, "packets": told["packets"], "mb": told["bytes"] / 1e6,
           "yardstick_ms": seconds[0] * 1e3, "wsleuth_ms": seconds[1] * 1e3, "ratio": seconds[1] / seconds[0],
           "must": must, "goal": goal, "ns_per_packet": seconds[1] * 1e9 / told["packets"], "rss_mb": peak / 1024,
           "bytes_per_stream": max(0, anonymous - base_kb) * 1024 / told["streams"], "bytes_must": bytes_must,
           "bytes_goal": bytes_goal}
    if kind == JSON_KIND:
        row["json_us_per_connection"] = (seconds[2] - seconds[1]) * 1e6 / min(told["connections"], 100000)
    if args.tshark and shutil.which("tshark"):
        row["tshark_ratio"] = cpu(["tshark", "-n", "-r", path] + tshark) / seconds[0]
    if args.check:
        row["differences"] = differences(path, told)
    return row


def differences(path, told):
    """Where the JSON report's totals are not what the generator wrote."""
    done = subprocess.run([WSLEUTH, "report", "-f", "json", "--max-connections", "0", path], stdout=subprocess.PIPE)
    try:
        report = json.loads(done.stdout)
        got = {"packets": report["capture"]["packets"], "bytes": report["capture"]["bytes"],
               "streams": report["totals"]["tcp_streams"], "upgrades": report["totals"]["websocket_connections"],
               "frames": report["totals"]["frames"], "messages": report["totals"]["messages"]}
    except (ValueError, KeyError, TypeError) as problem:
        return ["no JSON report with totals: %r" % problem]
    both = {name: told["client_to_server"][name] + told["server_to_client"][name] for name in ("frames", "messages")}
    want = {**told, **both}
    return ["%s: %s, not %s" % (name, got[name], want[name]) for name in got if got[name] != want[name]]


def piped(argv, connections):
    """(CPU seconds, peak resident kB, generator's summary) of argv, reading `short` from a pipe."""
    maker = subprocess.Popen(generate_argv("short", connections, 1), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    reader = spawn(argv, stdin=maker.stdout, stderr=subprocess.DEVNULL)
    maker.stdout.close()
    peak, _ = watch(reader, 0.01)
    told = maker.stderr.read()
    maker.stderr.close()
    maker.wait()
    seconds = reap(reader)
    return seconds, peak, json.loads(told)


def huge(connections):
    """Ten million clients: time a packet against that of a hundred thousand, through the same pipe."""
    rows = []
    for count in (100000, connections):
        bare, _, _ = piped([YARDSTICK, "-"], count)
        seconds, peak, told = piped([WSLEUTH, "report", "-"], count)
        rows.append({"capture": "short, piped, %d" % count, "packets": told["packets"], "mb": told["bytes"] / 1e6,
                     "yardstick_ms": bare * 1e3, "wsleuth_ms": seconds * 1e3, "ratio": seconds / bare,
                     "ns_per_packet": seconds * 1e9 / told["packets"], "rss_mb": peak / 1024})
    rows[1]["times_per_packet"] = rows[1]["ns_per_packet"] / rows[0]["ns_per_packet"]
    return rows


def cell(row, key, form):
    value = row.get(key)
    return "-" if value is None else format(value, form)


def print_table(rows, out=sys.stdout):
    columns = list(COLUMNS)
    if any("tshark_ratio" in row for row in rows):
        columns.append(("tshark ratio", "tshark_ratio", ".1f"))
    lines = [[title for title, _, _ in columns]]
    lines += [[cell(row, key, form) for _, key, form in columns] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    for line in lines:
        print("  ".join([line[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(line[1:], widths[1:])]), file=out)


def print_notes(rows, out=sys.stdout):
    for row in rows:
        if "json_us_per_connection" in row:
            print("JSON report: %.2f µs a connection record (must: under %d)"
                  % (row["json_us_per_connection"], JSON_MUST_US), file=out)
        if "times_per_packet" in row:
            print("%s: %.1f times the time a packet of 100000 (must: at most %d), %.0f MB (must: under %d)"
                  % (row["capture"], row["times_per_packet"], HUGE_MUST_TIMES, row["rss_mb"], HUGE_MUST_MB), file=out)
        for difference in row.get("differences", []):
            print("%s: TOTALS DIFFER from what was generated: %s" % (row["capture"], difference), file=out)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="KIND", action="append", choices=list(CAPTURES),
                        help="only this capture (again for several): " + ", ".join(CAPTURES))
    parser.add_argument("--runs", metavar="N", type=int, help="runs of each, interleaved (5; 3 with --quick)")
    parser.add_argument("--quick", action="store_true", help="small captures, to see that it works")
    parser.add_argument("--scale", metavar="K", type=int, default=1, help="captures K times as long")
    parser.add_argument("--tshark", action="store_true", help="time tshark too, once (minutes)")
    parser.add_argument("--check", action="store_true", help="compare the report's totals with the generator's")
    parser.add_argument("--huge", metavar="N", type=int, nargs="?", const=10000000,
                        help="in place of the table: N short connections (ten million) through a pipe")
    parser.add_argument("--json", metavar="FILE", help="write the rows there as JSON too")
    args = parser.parse_args()
    if (args.runs is not None and args.runs < 1) or args.scale < 1 or (args.huge is not None and args.huge < 1):
        parser.error("numbers must be at least 1")
    return args


def main():
    args = parse_arguments()
    for needed in (WSLEUTH, GENERATE, YARDSTICK):
        if not os.access(needed, os.X_OK):
            die("%s is missing: run this as `./dev bench`, which builds it (from the top of the repository)" % needed)
    os.makedirs(DATA, exist_ok=True)
    runs = args.runs or (3 if args.quick else 5)
    if args.huge:
        rows = huge(args.huge)
    else:
        base_kb = baseline()
        rows = [measure(kind, args, runs, base_kb) for kind in args.only or CAPTURES]
    print_table(rows)
    print_notes(rows)
    if args.json:
        with open(args.json, "w") as out:
            json.dump({"machine": platform.platform(), "cpus": os.cpu_count(), "runs": runs, "rows": rows}, out,
                      indent=1)
            out.write("\n")
    return 1 if any(row.get("differences") for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())

"""Live capture: a capture replayed over a veth pair is reported as the file is, in a network namespace of its own.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

from clicheck import CAPTURES, WSLEUTH, Checks, report, run, skip, strict

check = Checks()
CAPTURE = CAPTURES / "healthy.pcap"
SENDER, SNIFFER = "wsltest0", "wsltest1"
INSIDE = "--inside-the-namespace"
# Of the replay, not of the traffic; the link's own packets may add nothing else.
TIMES = {"start", "end", "first_time", "last_time", "files", "rtt_s", "ping_s", "upgrade_s", "messages_per_min",
         "link_types"}


def enter():
    """Runs this script again where only it and its children are."""
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"):
        skip("a network namespace takes root, unshare and ip")
    if subprocess.run(["unshare", "-n", "ip", "link", "add", SENDER, "type", "veth", "peer", "name", SNIFFER],
                      capture_output=True, check=False).returncode:
        skip("this system permits no network namespace with a veth pair")
    sys.exit(subprocess.run(["unshare", "-n", sys.executable, os.path.abspath(__file__), INSIDE], check=False).returncode)


def set_up():
    commands = [f"ip link add {SENDER} type veth peer name {SNIFFER}"]
    for link in (SENDER, SNIFFER):
        try:  # the kernel's own neighbour discovery would be captured too
            with open("/proc/sys/net/ipv6/conf/default/disable_ipv6", "w", encoding="ascii") as file:
                file.write("1")
        except OSError:
            skip("IPv6 cannot be switched off in the namespace: its own packets would be captured")
        commands += [f"ip link set {link} mtu 65000 arp off", f"ip link set {link} up"]
    for command in commands:
        subprocess.run(command.split(), check=True)
    time.sleep(0.3)


def packets(path):
    with open(path, "rb") as file:
        data = file.read()
    order, unit = {0xA1B2C3D4: (">", 1e-6), 0xD4C3B2A1: ("<", 1e-6), 0xA1B23C4D: (">", 1e-9),
                   0x4D3CB2A1: ("<", 1e-9)}[int.from_bytes(data[:4], "big")]
    at = 24
    while at < len(data):
        seconds, fraction, length, _ = struct.unpack_from(order + "IIII", data, at)
        yield seconds + fraction * unit, data[at + 16:at + 16 + length]
        at += 16 + length


def sniffers():
    with open("/proc/net/packet", encoding="ascii") as file:
        return len(file.readlines()) - 1


class Sniffer:
    """wsleuth on the far end of the pair."""

    def __init__(self, *arguments):
        before = sniffers()
        self.process = subprocess.Popen([WSLEUTH, *arguments, "-i", SNIFFER], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        for _ in range(200):
            if sniffers() > before or self.process.poll() is not None:
                break
            time.sleep(0.05)
        time.sleep(0.3)

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


def replay(path):
    """As fast as it was recorded."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
        link.bind((SENDER, 0))
        made = list(packets(path))
        zero, began = made[0][0], time.monotonic()
        for at, packet in made:
            time.sleep(max(0, at - zero - (time.monotonic() - began)))
            link.send(packet)
    time.sleep(0.7)
    return len(made)


def without_times(thing):
    if isinstance(thing, dict):
        return {name: without_times(value) for name, value in thing.items()
                if name not in TIMES and not name.endswith("_s")}
    if isinstance(thing, list):
        return [without_times(value) for value in thing]
    return thing


def equals_the_file():
    check.about("json after SIGINT")
    sniffer = Sniffer("-f", "json")
    count = replay(CAPTURE)
    status, out, err = sniffer.stop()
    check.equal((status, err), (0, b""), "status and standard error")
    live, file = strict(out), report(CAPTURE)
    check.equal(live["capture"]["packets"], count, "packets")
    check.equal(live["capture"]["files"], [SNIFFER], "files")
    check.equal(live["capture"]["link_types"], file["capture"]["link_types"], "link types")
    for part in ("capture", "totals", "servers", "connections", "findings"):
        check.equal(without_times(live[part]), without_times(file[part]), part)
    lasted, recorded = float(live["capture"]["duration_s"]), float(file["capture"]["duration_s"])
    check.that(abs(lasted - recorded) < 1, f"duration {lasted} s, recorded {recorded} s")
    now = time.time()
    check.that(abs(float(live["capture"]["last_time"]) - now) < 60, "times are not of now")


def lines_as_they_come():
    check.about("frames -f ndjson while it captures")
    sniffer = Sniffer("frames", "-f", "ndjson")
    replay(CAPTURE)
    os.set_blocking(sniffer.process.stdout.fileno(), False)
    early = sniffer.process.stdout.read() or b""
    os.set_blocking(sniffer.process.stdout.fileno(), True)
    status, late, _ = sniffer.stop(signal.SIGTERM)
    check.equal(status, 0, "status after SIGTERM")
    check.equal(late, b"", "lines that waited for the end")
    check.equal([strict(line) for line in early.splitlines()], run("frames", "-f", "ndjson", CAPTURE).lines, "frames")


def filtered():
    check.about("--capture-filter while it captures")
    sniffer = Sniffer("-f", "json", "--capture-filter", "host 10.9.1.11")
    replay(CAPTURE)
    status, out, _ = sniffer.stop()
    check.equal(status, 0, "status")
    check.equal([connection["client"].partition(":")[0] for connection in strict(out)["connections"]], ["10.9.1.11"],
                "clients")
    result = run("-i", SNIFFER, "--capture-filter", "no filter (")
    check.that(result.status == 2 and "filter" in result.message, f"a bad filter: {result.status} {result.message!r}")


def nothing_there():
    check.about("-i nosuch")
    for form in ("text", "json", "ndjson"):
        result = run("-f", form, "-i", "nosuch")
        check.equal((result.status, result.out), (2, b""), f"{form}: status and output")
        check.that("nosuch" in result.message, f"{form}: message {result.message!r}")
    check.about("a link that is down")
    subprocess.run(["ip", "link", "set", SENDER, "down"], check=True)
    result = run("-i", SENDER, timeout=10)
    check.that(result.status == 2 and SENDER in result.message, f"{result.status} {result.message!r}")


if INSIDE not in sys.argv:
    enter()
set_up()
equals_the_file()
lines_as_they_come()
filtered()
nothing_there()
check.end("live capture equals the file")

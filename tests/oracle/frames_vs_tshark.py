"""Compares `wsleuth frames` with tshark, frame by frame: completing packet, stream, direction, FIN, opcode, MASK, length.

Where tshark's WebSocket dissector and wsleuth differ, a reason from JUSTIFIED must be a fact of that direction of that
stream, and every frame must then be what arithmetic on the TCP payloads gives (tests/support/framewalk.py).
SPDX-License-Identifier: GPL-2.0-or-later
"""
import hashlib
import itertools
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict, namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import framewalk
import tshark

SKIPPED = 77
SYN, SYN_ACK = 0x02, 0x12
OPCODES = {"continuation": 0, "text": 1, "binary": 2, "close": 8, "ping": 9, "pong": 10}
Frame = namedtuple("Frame", "packet fin opcode mask length")

SHOWN = "websocket || http || tcp.flags.syn == 1"
FIELDS = """frame.number tcp.stream tcp.srcport tcp.dstport tcp.flags http.request.method http.response.code http.upgrade
    websocket.fin websocket.opcode websocket.mask websocket.payload_length
    websocket.payload_length_ext_16 websocket.payload_length_ext_64""".split()
PAYLOAD_FIELDS = "frame.number tcp.stream tcp.srcport tcp.seq tcp.len tcp.payload".split()


def last(text):
    """Of a field that occurs for each TCP header in a packet: the innermost."""
    return int(text.rpartition(",")[2], 0)


class Stream:
    def __init__(self):
        self.client_port = None
        self.requested = self.switched = False
        self.frames = defaultdict(list)  # source port -> frames

    def is_mute(self):
        """tshark shows no frame, and has seen too little of the handshake to show any."""
        return not any(self.frames.values()) and not (self.requested and self.switched)


def frames_of_row(row):
    columns = [row["websocket." + name].split(",") for name in ("fin", "opcode", "mask", "payload_length")]
    longer = {"126": iter(row["websocket.payload_length_ext_16"].split(",")),
              "127": iter(row["websocket.payload_length_ext_64"].split(","))}
    for fin, opcode, mask, length in zip(*columns, strict=True):
        yield Frame(int(row["frame.number"]), int(fin), int(opcode), int(mask), int(next(longer[length])
                                                                                    if length in longer else length))


def tshark_streams(capture):
    streams = defaultdict(Stream)
    for row in tshark.rows(capture, FIELDS, SHOWN):
        if not row["tcp.stream"]:
            continue
        stream, port = streams[last(row["tcp.stream"])], last(row["tcp.srcport"])
        flags = last(row["tcp.flags"])
        if stream.client_port is None and (flags & SYN or row["http.request.method"]):
            stream.client_port = last(row["tcp.dstport"]) if flags & SYN_ACK == SYN_ACK else port
        if "websocket" in row["http.upgrade"].lower():
            stream.requested |= bool(row["http.request.method"])
            stream.switched |= "101" in row["http.response.code"].split(",")
        if row["websocket.fin"]:
            stream.frames[port].extend(frames_of_row(row))
    return streams


def our_frames(capture):
    """(stream, from the client) -> frames"""
    run = subprocess.run([os.environ["WSLEUTH"], "frames", "-f", "ndjson", capture], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    if run.returncode not in (0, 3):
        raise RuntimeError(f"{capture}: wsleuth: exit status {run.returncode}: {run.stderr}")
    directions = defaultdict(list)
    for line in run.stdout.splitlines():
        row = json.loads(line)
        opcode = OPCODES[row["opcode"]] if row["opcode"] in OPCODES else int(row["opcode"])
        directions[row["stream"], row["direction"] == "client_to_server"].append(
            Frame(row["packet"], int(row["fin"]), opcode, int(row["masked"]), row["length"]))
    return directions


def payloads(capture, streams):
    """(stream, source port) -> framewalk.Direction, by tshark's sequence numbers"""
    directions = defaultdict(framewalk.Direction)
    shown = "tcp.len > 0 && tcp.stream in {%s}" % ",".join(map(str, streams))
    for row in tshark.rows(capture, PAYLOAD_FIELDS, shown, occurrence="l"):
        length, sequence = int(row["tcp.len"]), int(row["tcp.seq"])
        payload = bytes.fromhex(row["tcp.payload"])
        # A keep-alive repeats the byte before the first; relative numbers wrap.
        if 0 < sequence < 1 << 31:
            directions[int(row["tcp.stream"]), int(row["tcp.srcport"])].add(
                int(row["frame.number"]), sequence - 1, length, payload)
    for direction in directions.values():
        direction.finish()
    return directions


# What is known of one direction in which the two differ: `at` is the first frame that does, by arithmetic (None: it gives
# none there), `theirs` is tshark's (None likewise).
Facts = namedtuple("Facts", "stream bytes at theirs")


def touched(facts, packets):
    """Packets among these up to the first frame that differs."""
    until = max(facts.at.packets) if facts.at else float("inf")
    return any(packet <= until for packet in packets)


# The differences that are tshark's: name, why tshark does not or cannot show the frame, the fact that must hold.
JUSTIFIED = [
    ("impossible length", "tshark shows a frame whose 64-bit length has its top bit set, and which nothing can complete",
     lambda facts: facts.theirs and facts.theirs.length >> 63 and not facts.at),
    ("no handshake", "tshark takes up WebSocket where it saw both request and 101 whole, with Upgrade: websocket",
     lambda facts: facts.stream.is_mute()),
    ("folded head", "tshark takes a folded header line (RFC 9112 §5.2) for the head's end, and the rest for frames",
     lambda facts: facts.theirs and b"\r\n " in facts.bytes.head()
        and facts.theirs.packet <= facts.bytes.completed_in(0, len(facts.bytes.head()))),
    ("cut packet", "tshark does not join segments beyond one that the snaplen cut",
     lambda facts: touched(facts, facts.bytes.cut)),
    ("order", "a segment was sent again (zero-window probes), late or is not there: tshark takes up in the wrong place",
     lambda facts: touched(facts, facts.bytes.out_of_order)),
]


def same(ours, walked):
    """Equal but for the completing packet where bytes lack."""
    return ours[1:] == tuple(walked[1:5]) and walked.packet in (None, ours.packet)


def first_difference(ours, theirs):
    return next((i for i, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]), min(len(ours), len(theirs)))


def found_again(ours, direction, at):
    """Where a walk from offset `at` on gives just what wsleuth found behind a header that is not in the capture."""
    for offset in range(at, len(direction.bytes) if ours else at):
        if direction.header_is(offset, ours[0]):
            walked = list(itertools.islice(direction.frames(offset), len(ours) + 1))
            if 0 < len(walked) <= len(ours) and all(map(same, ours, walked)):
                return offset
    return None


def against_arithmetic(ours, direction):
    """(problems, frames compared)"""
    wrong, compared = [], 0
    at = direction.after_heads()
    while at is not None:
        walked = list(direction.frames(at))
        rest = ours[compared:]
        wrong += [f"frame {compared + k}: wsleuth {pair[0]}, arithmetic {pair[1]}"
                  for k, pair in enumerate(zip(rest, walked)) if not same(*pair)]
        if len(rest) < len(walked):
            wrong.append(f"wsleuth ends before {walked[len(rest)]}")
        compared += min(len(rest), len(walked))
        at = walked[-1].end if walked else at
        at = found_again(ours[compared:], direction, at) if direction.hidden_from(at) else None
    if compared < len(ours):
        wrong.append(f"nothing in the capture is frame {compared}: {ours[compared]}")
    return wrong, compared


def settle(ours, theirs, stream, direction):
    """The reason why one direction's frames may differ from tshark's, what is wrong nevertheless, how many were settled."""
    walked = list(direction.frames(direction.after_heads()))
    i = first_difference(ours, theirs)
    facts = Facts(stream, direction, walked[i] if i < len(walked) else None, theirs[i] if i < len(theirs) else None)
    reason = next((name for name, _, holds in JUSTIFIED if holds(facts)), None)
    wrong, compared = against_arithmetic(ours, direction)
    if reason is None:
        wrong.append(f"no reason for: frame {i}: wsleuth {ours[i:i + 1]}, tshark {theirs[i:i + 1]}")
    return reason, wrong, compared


def compare(capture):
    """(problems, frames that tshark shows alike, Counter of frames by the reason that they are settled by)"""
    theirs, ours = tshark_streams(capture), our_frames(capture)
    sides = {(number, from_client): [] for number, from_client in ours}
    for number, stream in theirs.items():
        for port, frames in stream.frames.items():
            sides[number, port == stream.client_port] = frames
    # Where tshark is mute, that wsleuth shows nothing either proves nothing.
    for number, stream in theirs.items():
        if stream.is_mute() and (stream.switched or ours[number, True] or ours[number, False]):
            sides.setdefault((number, True), [])
            sides.setdefault((number, False), [])
    differing = {side: frames for side, frames in sides.items() if ours[side] != frames or theirs[side[0]].is_mute()}
    alike = sum(len(frames) for side, frames in sides.items() if side not in differing)
    problems, reasons = [], Counter()
    walks = payloads(capture, {number for number, _ in differing}) if differing else {}
    for (number, from_client), frames in sorted(differing.items()):
        stream, mine = theirs[number], ours[number, from_client]
        direction = next((walk for (walked, port), walk in walks.items()
                          if walked == number and (port == stream.client_port) == from_client), framewalk.Direction())
        reason, wrong, compared = settle(mine, frames, stream, direction)
        reasons[reason] += compared
        name = f"{capture.name}: stream {number} from the {'client' if from_client else 'server'}"
        problems += [f"{name}: {problem}" for problem in wrong[:3]]
    return problems, alike, reasons


def captures():
    root = Path(os.environ["WSLEUTH_ROOT"])
    seen = set()
    for folder in (root / "captures", root.parent / "shared/captures/lab", root.parent / "shared/captures/public"):
        paths = sorted(folder.glob("*.pcap*"))
        if not paths:
            print(f"{folder}: skipped: not there")
        for path in paths:
            content = hashlib.sha256(path.read_bytes()).digest()
            if content not in seen:
                seen.add(content)
                yield path


def main():
    paths = list(captures())
    if tshark.missing() or not paths:
        print("skipped: needs tshark and captures")
        return SKIPPED
    total, failed = Counter(), False
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, (problems, alike, reasons) in zip(paths, pool.map(compare, paths)):
            total["shown alike by tshark"] += alike
            total.update(reasons)
            failed |= bool(problems)
            for problem in problems:
                print(problem)
            if reasons:
                print(f"{path.name}: settled by arithmetic: {dict(reasons)}")
    print(f"{len(paths)} captures; frames: {dict(total)}")
    return 1 if failed or not total["shown alike by tshark"] else 0


if __name__ == "__main__":
    sys.exit(main())

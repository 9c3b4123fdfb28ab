"""WebSocket frames of one direction by arithmetic alone (RFC 6455 §5.2), from the TCP payloads that tshark shows.

It settles who is right where wsleuth and tshark's WebSocket dissector disagree: no state but byte offsets, no heuristics.
SPDX-License-Identifier: GPL-2.0-or-later
"""
import bisect
import operator
import re
from collections import namedtuple

# `packet` completes the frame, None if the capture lacks bytes of it; `packets` carry bytes of it.
Frame = namedtuple("Frame", "packet fin opcode mask length begin end packets")
Segment = namedtuple("Segment", "packet offset length captured")
OFFSET = operator.attrgetter("offset")

REQUEST_OR_RESPONSE = re.compile(rb"[A-Z]+ [^\r\n]* HTTP/1\.[01]\r\n|HTTP/1\.[01] \d{3}")
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Direction:
    """The bytes that one end sent, as the capture shows them; offset 0 is the first byte seen or after the SYN."""

    def __init__(self):
        self.segments = []
        self.bytes = bytearray()
        self.known = bytearray()
        self.out_of_order = []  # packets that bring bytes again, or behind a gap
        self.cut = set()
        self.by_offset = self.longest = self.lost = self.covered = None

    def add(self, packet, offset, length, payload):
        """A segment, in capture order; of bytes that come twice the first ones count, as for most receivers."""
        segment = Segment(packet, offset, length, len(payload))
        self.segments.append(segment)
        if offset != len(self.bytes):
            self.out_of_order.append(packet)
        if segment.captured < length:
            self.cut.add(packet)
        grow = max(0, offset + length - len(self.bytes))
        self.bytes.extend(bytes(grow))
        self.known.extend(bytes(grow))
        end = offset + len(payload)
        if not any(self.known[offset:end]):
            self.bytes[offset:end] = payload
            self.known[offset:end] = b"\1" * len(payload)
            return
        for at in range(offset, end):
            if not self.known[at]:
                self.bytes[at] = payload[at - offset]
                self.known[at] = 1

    def finish(self):
        """Call it when all segments are there, before anything is asked."""
        self.by_offset = sorted(self.segments, key=OFFSET)
        self.longest = max(segment.length for segment in self.segments)
        self.lost, reached = {}, 0  # begin -> end of what no segment carries
        for segment in self.by_offset:
            if segment.offset > reached:
                self.lost[reached] = segment.offset
            reached = max(reached, segment.offset + segment.length)
        self.covered, waiting = [], []  # (all bytes up to here are there, but those lost; since this packet)
        reached = self.lost.get(0, 0)
        for segment in self.segments:
            before = reached
            waiting = sorted([*waiting, segment], key=OFFSET)
            while waiting and waiting[0].offset <= reached:
                reached = max(reached, waiting[0].offset + waiting[0].length)
                reached = self.lost.get(reached, reached)
                waiting.pop(0)
            if reached > before:
                self.covered.append((reached, segment.packet))

    def is_known(self, begin, end):
        return end <= len(self.known) and all(self.known[begin:end])

    def completed_in(self, begin, end):
        """The packet after which no byte before `end` lacks, None if some between the two are lost."""
        if any(begin < lost_end and lost < end for lost, lost_end in self.lost.items()):
            return None
        return self.covered[bisect.bisect_left(self.covered, (end, 0))][1]

    def carriers(self, begin, end):
        first = bisect.bisect_left(self.by_offset, begin - self.longest, key=OFFSET)
        last = bisect.bisect_left(self.by_offset, end, key=OFFSET)
        return {segment.packet for segment in self.by_offset[first:last] if begin < segment.offset + segment.length}

    def after_heads(self):
        """Where the HTTP heads end. A head that the snaplen cut ends with its packet."""
        at = 0
        while REQUEST_OR_RESPONSE.match(self.bytes, at):
            end = self.bytes.find(b"\r\n\r\n", at)
            first = next(segment for segment in self.segments if segment.offset <= at < segment.offset + segment.length)
            if first.captured < first.length and not (0 <= end <= first.offset + first.captured - 4):
                return first.offset + first.length
            if end < 0:
                return len(self.bytes)
            length = CONTENT_LENGTH.search(self.bytes, at, end)
            at = end + 4 + (int(length[1]) if length else 0)
        return at

    def header(self, at):
        """(first byte, MASK, bytes of header, payload length) of a frame, None if the capture lacks what tells them."""
        if not self.is_known(at, at + 2):
            return None
        form, mask = self.bytes[at + 1] & 0x7f, self.bytes[at + 1] >> 7
        extended = {126: 2, 127: 8}.get(form, 0)
        if not self.is_known(at, at + 2 + extended):
            return None
        length = int.from_bytes(self.bytes[at + 2:at + 2 + extended], "big") if extended else form
        return self.bytes[at], mask, 2 + extended + 4 * mask, length

    def head(self):
        return bytes(self.bytes[:self.after_heads()])

    def frames(self, at):
        """The frames from offset `at`, as far as their headers are in the capture and their payloads were sent."""
        while (header := self.header(at)) and at + header[2] + header[3] <= len(self.bytes):
            first, mask, header_bytes, length = header
            end = at + header_bytes + length
            yield Frame(self.completed_in(at, end), first >> 7, first & 15, mask, length, at, end,
                        self.carriers(at, end))
            at = end

    def header_is(self, at, frame):
        """True if the header at this offset says the same as `frame` (any with fin, opcode, mask, length)."""
        header = self.header(at)
        return header is not None and (header[0] >> 7, header[0] & 15, header[1], header[3]) == (
            frame.fin, frame.opcode, frame.mask, frame.length)

    def hidden_from(self, at):
        """True if a frame's header at this offset was sent, but is not in the capture."""
        return at < len(self.bytes) and self.header(at) is None

"""Builds small captures of WebSocket conversations: TCP with handshakes, upgrades and frames, as pcap or pcapng.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import base64
import hashlib
import ipaddress
import os
import struct

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ETHERNET = 1
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
START = 1_795_471_757_000_000_000  # ns


def accept_for(key):
    return base64.b64encode(hashlib.sha1(key + GUID).digest())


def frame(opcode, payload=b"", mask=None, fin=True, rsv=0):
    """One frame (RFC 6455 §5.2); `mask` is the key of a client's frame."""
    length = len(payload)
    form = bytes([length]) if length < 126 else b"\x7e" + struct.pack(">H", length) if length < 65536 else (
        b"\x7f" + struct.pack(">Q", length))
    head = bytes([fin << 7 | rsv << 4 | opcode, form[0] | (0x80 if mask else 0)]) + form[1:]
    if not mask:
        return head + payload
    return head + mask + bytes(byte ^ mask[i & 3] for i, byte in enumerate(payload))


def close_payload(code, reason=b""):
    return struct.pack(">H", code) + reason


class Capture:
    """Packets in the order in which they are made; each takes a millisecond unless told otherwise."""

    def __init__(self, start=START):
        self.time = start
        self.packets = []

    def add(self, packet, step=1_000_000):
        self.packets.append((self.time, packet))
        self.time += step

    def pcap(self, link=ETHERNET):
        out = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, link)]
        for time, packet in self.packets:
            out.append(struct.pack("<IIII", time // 10**9, time % 10**9, len(packet), len(packet)) + packet)
        return b"".join(out)

    def pcapng(self, links=(ETHERNET,), interface_of=lambda index: 0):
        """`interface_of` says through which of the interfaces a packet (from 0) came."""
        out = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))]
        for link in links:
            out.append(block(1, struct.pack("<HHI", link, 0, 262144) + struct.pack("<HHBxxxI", 9, 1, 9, 0)))
        for index, (time, packet) in enumerate(self.packets):
            head = struct.pack("<IIIII", interface_of(index), time >> 32, time & 0xFFFFFFFF, len(packet), len(packet))
            out.append(block(6, head + packet + b"\0" * (-len(packet) % 4)))
        return b"".join(out)


def block(kind, body):
    total = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + total + body + total


class Tcp:
    """One TCP connection whose packets go into a capture."""

    ports = iter(range(40001, 65535))

    def __init__(self, capture, client="10.0.0.2", server="10.0.0.1", port=8300, client_port=None):
        self.capture = capture
        self.ends = [(ipaddress.ip_address(client), client_port or next(Tcp.ports)),
                     (ipaddress.ip_address(server), port)]
        self.sequence = [1000, 900_000]

    @property
    def client(self):
        return endpoint(*self.ends[0])

    @property
    def server(self):
        return endpoint(*self.ends[1])

    def packet(self, sender, flags, payload=b""):
        (source, source_port), (target, target_port) = self.ends[sender], self.ends[1 - sender]
        tcp = struct.pack(">HHIIBBHHH", source_port, target_port, self.sequence[sender],
                          self.sequence[1 - sender] if flags & ACK else 0, 5 << 4, flags, 65535, 0, 0) + payload
        if source.version == 4:
            network = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), len(self.capture.packets) & 0xFFFF, 0x4000,
                                  64, 6, 0, source.packed, target.packed)
        else:
            network = struct.pack(">IHBB16s16s", 6 << 28, len(tcp), 6, 64, source.packed, target.packed)
        kind = 0x0800 if source.version == 4 else 0x86DD
        self.capture.add(b"\x02\0\0\0\0\1" + b"\x02\0\0\0\0\2" + struct.pack(">H", kind) + network + tcp)
        self.sequence[sender] += len(payload) + bool(flags & (SYN | FIN))

    def connect(self):
        self.packet(0, SYN)
        self.packet(1, SYN | ACK)
        self.packet(0, ACK)
        return self

    def up(self, data):
        self.packet(0, PSH | ACK, data)
        return self

    def down(self, data):
        self.packet(1, PSH | ACK, data)
        return self

    def upgrade(self, path=b"/", host=b"example.org", request=(), response=(), status=b"101 Switching Protocols",
                accept=None):
        """`request` and `response`: further header lines, without their ends."""
        key = base64.b64encode(hashlib.md5(repr(self.ends).encode() + bytes(self.capture.time % 251)).digest())
        head = [b"GET " + path + b" HTTP/1.1", b"Host: " + host, b"Upgrade: websocket", b"Connection: Upgrade",
                b"Sec-WebSocket-Key: " + key, b"Sec-WebSocket-Version: 13", *request]
        self.up(b"\r\n".join(head) + b"\r\n\r\n")
        answer = [b"HTTP/1.1 " + status]
        if status.startswith(b"101"):
            answer += [b"Upgrade: websocket", b"Connection: Upgrade",
                       b"Sec-WebSocket-Accept: " + (accept_for(key) if accept is None else accept), *response]
        else:
            answer += [b"Content-Length: 0", *response]
        return self.down(b"\r\n".join(answer) + b"\r\n\r\n")

    def send(self, opcode, payload=b"", **options):
        """A frame of the client, masked with a key that nothing can be said about."""
        mask = hashlib.md5(repr((self.ends, self.sequence)).encode()).digest()[:4]
        return self.up(frame(opcode, payload, mask, **options))

    def send_unmasked(self, opcode, payload=b"", **options):
        return self.up(frame(opcode, payload, None, **options))

    def reply(self, opcode, payload=b"", **options):
        return self.down(frame(opcode, payload, None, **options))

    def close(self, code=1000, reason=b""):
        self.send(CLOSE, close_payload(code, reason))
        self.reply(CLOSE, close_payload(code, reason))
        return self.fin()

    def fin(self):
        self.packet(1, FIN | ACK)
        self.packet(0, FIN | ACK)
        self.packet(1, ACK)
        return self

    def fin_by_client(self):
        self.packet(0, FIN | ACK)
        self.packet(1, FIN | ACK)
        self.packet(0, ACK)
        return self


def endpoint(address, port):
    return f"{address}:{port}" if address.version == 4 else f"[{address}]:{port}"


def healthy(capture, **ends):
    """A conversation with nothing to report: 12 packets, 2 frames each way."""
    connection = Tcp(capture, **ends).connect().upgrade(b"/chat")
    return connection.send(TEXT, b"hello").reply(TEXT, b"hello").close()


def unmasked(capture, **ends):
    """A conversation with one finding, mask-missing (an error): 12 packets, the 6th is the proof."""
    connection = Tcp(capture, **ends).connect().upgrade(b"/chat")
    return connection.send_unmasked(TEXT, b"hello").reply(TEXT, b"hello").close()


def write(directory, name, data):
    path = os.path.join(directory, name)
    with open(path, "wb") as file:
        file.write(data)
    return path

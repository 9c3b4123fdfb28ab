"""Builds small captures: pcap records of Ethernet, VLAN, IPv4, IPv6, TCP, ICMP. Checksums stay 0: nobody checks them.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import ipaddress
import struct

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
TCP, ICMP, ICMPV6 = 6, 1, 58
START = 1_795_471_757
ETHERNET = 1


def tcp(source_port, target_port, seq, flags, ack=0, payload=b"", data_offset=5, window=65535):
    return struct.pack(">HHIIBBHHH", source_port, target_port, seq & 0xffffffff, ack & 0xffffffff, data_offset << 4,
                       flags, window, 0, 0) + payload


def ip(source, target, body, protocol=TCP, more_fragments=False):
    """IPv4 or IPv6 by the addresses; a first fragment only in IPv4."""
    source, target = ipaddress.ip_address(source), ipaddress.ip_address(target)
    if source.version == 6:
        return struct.pack(">IHBB", 6 << 28, len(body), protocol, 64) + source.packed + target.packed + body
    flags = 0x2000 if more_fragments else 0x4000
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, flags, 64, protocol, 0) + \
        source.packed + target.packed + body


def icmp_error(source, target, quoted):
    """Port unreachable, about the packet that begins with `quoted`."""
    if ipaddress.ip_address(source).version == 6:
        return ip(source, target, struct.pack(">BBHI", 1, 4, 0, 0) + quoted, ICMPV6)
    return ip(source, target, struct.pack(">BBHI", 3, 3, 0, 0) + quoted, ICMP)


def ethernet(packet, vlan=None):
    ethertype = struct.pack(">H", 0x86dd if packet[0] >> 4 == 6 else 0x0800)
    tag = struct.pack(">HH", 0x8100, vlan) if vlan is not None else b""
    return bytes(12) + tag + ethertype + packet


def ws_frame(payload, opcode=1, key=None, fin=True):
    """RFC 6455 §5.2; masked if there is a key."""
    masked = 0x80 if key else 0
    if len(payload) < 126:
        length = bytes([masked | len(payload)])
    elif len(payload) < 1 << 16:
        length = bytes([masked | 126]) + struct.pack(">H", len(payload))
    else:
        length = bytes([masked | 127]) + struct.pack(">Q", len(payload))
    if key:
        payload = key + bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))
    return bytes([(0x80 if fin else 0) | opcode]) + length + payload


# The key and the answer to it are those of RFC 6455 §1.3.
UPGRADE_REQUEST = (b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
UPGRADE_RESPONSE = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")


class Pcap:
    """A capture in the making; its packets are 1 ms apart unless told otherwise."""

    def __init__(self, link_type=ETHERNET, step_us=1000):
        self.data = bytearray(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, link_type))
        self.now_us = 0
        self.step_us = step_us
        self.packets = 0

    def add(self, packet, captured=None):
        """A packet, of which the first `captured` bytes are kept. Returns its number."""
        kept = packet if captured is None else packet[:captured]
        self.data += struct.pack("<IIII", START + self.now_us // 1_000_000, self.now_us % 1_000_000, len(kept),
                                 len(packet)) + kept
        self.now_us += self.step_us
        self.packets += 1
        return self.packets

    def write(self, path):
        with open(path, "wb") as file:
            file.write(self.data)


class Ends:
    """Two ends that talk: `client` and `server` are (address, port)."""

    def __init__(self, pcap, client, server, vlan=None):
        self.pcap, self.client, self.server, self.vlan = pcap, client, server, vlan

    def packet(self, from_client, seq, flags, ack=0, payload=b"", **tcp_options):
        source, target = (self.client, self.server) if from_client else (self.server, self.client)
        return ip(source[0], target[0], tcp(source[1], target[1], seq, flags, ack, payload, **tcp_options))

    def up(self, seq, flags, ack=0, payload=b"", **tcp_options):
        return self.pcap.add(ethernet(self.packet(True, seq, flags, ack, payload, **tcp_options), self.vlan))

    def down(self, seq, flags, ack=0, payload=b"", **tcp_options):
        return self.pcap.add(ethernet(self.packet(False, seq, flags, ack, payload, **tcp_options), self.vlan))

    def handshake(self, client_isn, server_isn):
        self.up(client_isn, SYN)
        self.down(server_isn, SYN | ACK, client_isn + 1)
        self.up(client_isn + 1, ACK, server_isn + 1)

    def websocket(self, client_seq, server_seq):
        """An upgrade and a frame from each end, from these sequence numbers on. Returns the next ones."""
        for payload, up in ((UPGRADE_REQUEST, True), (UPGRADE_RESPONSE, False),
                            (ws_frame(b"question", key=b"\x11\x22\x33\x44"), True), (ws_frame(b"answer"), False)):
            if up:
                self.up(client_seq, PSH | ACK, server_seq, payload)
                client_seq += len(payload)
            else:
                self.down(server_seq, PSH | ACK, client_seq, payload)
                server_seq += len(payload)
        return client_seq, server_seq

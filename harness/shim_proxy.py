"""Stands between natfw-conform and a shim, which speak docs/shim-protocol.md, and edits the messages
of GIST that the box hears and says.

A box here is a class as Box of lawful_boxes.py.
"""
import struct
import subprocess
import sys

from lawful_boxes import Gist

MAGIC = bytes.fromhex("4e04bda5")
HELLO, START, GO, PACKET, OCTETS, TRIGGER = 0x01, 0x05, 0x07, 0x10, 0x13, 0x20
QUIET, OF_BOX = 0x86, 0x80


# Packets ------------------------------------------------------------------------------------------

def checksum(octets):
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return 0xffff - total


def gist_of(packet):
    """The message of GIST in a packet, without its magic number, or None."""
    header = 4 * (packet[0] & 15) if packet else 0
    if len(packet) < header + 20 or packet[9] != 17 or packet[header + 8:header + 12] != MAGIC:
        return None
    return packet[header + 12:]


def packet_with(packet, message):
    """The same packet with this message in it, from where the message says."""
    header = 4 * (packet[0] & 15)
    head, payload = bytearray(packet[:header]), MAGIC + message.encoded()
    head[12:16] = message.source
    struct.pack_into("!H", head, 2, header + 8 + len(payload))
    struct.pack_into("!H", head, 10, 0)
    struct.pack_into("!H", head, 10, checksum(bytes(head)))
    udp = bytearray(packet[header:header + 4] + struct.pack("!HH", 8 + len(payload), 0) + payload)
    pseudo = bytes(head[12:20]) + struct.pack("!BBH", 0, 17, len(udp))
    struct.pack_into("!H", udp, 6, checksum(pseudo + bytes(udp)) or 0xffff)
    return bytes(head + udp)


# Between runner and box ---------------------------------------------------------------------------

def read_frame(stream):
    head = stream.read(4)
    if len(head) < 4:
        return None
    body = stream.read(struct.unpack("!I", head)[0])
    return body[0], body[1:]


def write_frame(stream, kind, body):
    stream.write(struct.pack("!IB", len(body) + 1, kind) + body)


class Proxy:
    """Runs the command as its child; changes counts what it has edited."""

    def __init__(self, variant, command):
        self.variant, self.box, self.streams, self.changes = variant, variant(), {}, 0
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def edited(self, kind, body, edit, of_box):
        """The frame after the edit: None where nothing is left of it."""
        if kind & 0x7f == PACKET and gist_of(body[3:]):
            message = edit(Gist(gist_of(body[3:]), source=body[15:19]))
            packet = packet_with(body[3:], message) if message else b""
            self.changes += packet != body[3:]
            return body[:1] + struct.pack("!H", len(packet)) + packet if packet else None
        if kind & 0x7f == OCTETS:
            octets = self.edited_stream((body[:4], of_box), body[6:], edit)
            return body[:4] + struct.pack("!H", len(octets)) + octets if octets else None
        return body

    def edited_stream(self, key, octets, edit):
        """Whole messages are edited; what is left waits for the rest of it."""
        octets, done = self.streams.get(key, b"") + octets, b""
        while len(octets) >= 8:
            length = 8 + 4 * struct.unpack_from("!H", octets, 2)[0]
            if len(octets) < length:
                break
            message = edit(Gist(octets[:length], stream=key[0]))
            edited = message.encoded() if message else b""
            self.changes += edited != octets[:length]
            done += edited
            octets = octets[length:]
        self.streams[key] = octets
        return done

    def hear(self, kind, body):
        if kind == START:
            self.box, self.streams = self.variant(), {}
        if kind == TRIGGER:
            length = body[4]
            self.box.asked(struct.unpack_from("!I", body)[0], body[5:5 + length].decode())
        body = self.edited(kind, body, self.box.heard, False)
        if body is not None:
            write_frame(self.child.stdin, kind, body)

    def answer(self):
        """What the box does in its turn, up to QUIET; or its HELLO."""
        self.child.stdin.flush()
        for added in self.box.adds():
            write_frame(sys.stdout.buffer, *added)
            self.changes += 1
        while frame := read_frame(self.child.stdout):
            kind, body = frame
            body = self.edited(kind, body, self.box.said, True)
            if body is not None:
                write_frame(sys.stdout.buffer, kind, body)
            if kind in (QUIET, OF_BOX | HELLO):
                break
        sys.stdout.buffer.flush()

    def run(self):
        while frame := read_frame(sys.stdin.buffer):
            self.hear(*frame)
            if frame[0] in (HELLO, GO):
                self.answer()
        self.child.stdin.close()
        return self.child.wait()

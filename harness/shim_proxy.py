"""Stands between natfw-conform and a shim, which speak docs/shim-protocol.md, and edits the messages
of GIST that the box hears and says.

A box here is a class as Box of box.py.
"""
import struct
import subprocess
import sys

from box import Gist, TRIGGER_DONE
from shim_packet import gist_of, packet_with, sums_put_right

HELLO, START, GO, PACKET, OCTETS, TRIGGER = 0x01, 0x05, 0x07, 0x10, 0x13, 0x20
QUIET, OF_BOX = 0x86, 0x80


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
        if kind & 0x7f == PACKET:
            packet = self.edited_packet(body[3:], body[0], edit, of_box)
            self.changes += packet != body[3:]
            return body[:1] + struct.pack("!H", len(packet)) + packet if packet else None
        if kind == TRIGGER_DONE:
            return body[:4] + bytes((self.box.outcome(body[4]),)) + body[5:]
        if kind & 0x7f == OCTETS:
            octets = self.edited_stream((body[:4], of_box), body[6:], edit)
            return body[:4] + struct.pack("!H", len(octets)) + octets if octets else None
        return body

    def edited_packet(self, packet, port, edit, of_box):
        octets = gist_of(packet)
        if octets is None:
            return self.box.data(packet, port, of_box)
        message = edit(Gist(octets, packet[12:16], packet[16:20], port))
        if not message:
            return None
        packet = packet_with(packet, message)
        if of_box:
            packet = self.box.packet(packet, port)
        return packet and sums_put_right(packet)

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

    def add(self, frames):
        for frame in frames:
            write_frame(sys.stdout.buffer, *frame)
            self.changes += 1

    def answer(self):
        """What the box does in its turn, up to QUIET; or its HELLO."""
        self.child.stdin.flush()
        self.add(self.box.adds())
        while frame := read_frame(self.child.stdout):
            kind, body = frame
            body = self.edited(kind, body, self.box.said, True)
            if kind == QUIET:
                self.add(self.box.ends())
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

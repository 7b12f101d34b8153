"""Reads GIST messages out of captures: for the tools that make seeds, golden captures, and compare
codecs. RFC 5971 5.3, 5.4, A.

Only what it takes to find messages is known here: frames, addresses, ports, streams, the magic
number, the Message Length, and where NSLP-Data is.
"""
import os
import struct

MAGIC = bytes.fromhex("4e04bda5")
GIST_PORT = 270
USUAL_ASSOCIATION_PORT = 30270
STACK_CONFIGURATION, NSLP_DATA = 4, 8
TYPES = ("Query", "Response", "Confirm", "Data", "Error", "MA-Hello")
NATFW_NSLP_ID = 33


class CaptureError(Exception):
    """A file that is no capture of a kind that this can read."""


class Message:
    """A GIST message as it was on the wire, without the magic number."""

    def __init__(self, octets, number, at, source, destination, datagram):
        self.octets, self.number, self.at = octets, number, at
        self.source, self.destination, self.datagram = source, destination, datagram

    def objects(self):
        """(type, value) of each object that is whole."""
        position = 8
        while position + 4 <= len(self.octets):
            kind, words = struct.unpack_from("!HH", self.octets, position)
            end = position + 4 + 4 * (words & 0xfff)
            if end > len(self.octets):
                return
            yield kind & 0xfff, self.octets[position + 4:end]
            position = end

    def natfw(self):
        """The NATFW message within, or None."""
        if len(self.octets) < 8 or struct.unpack_from("!H", self.octets, 4)[0] != NATFW_NSLP_ID:
            return None
        for kind, value in self.objects():
            if kind == NSLP_DATA:
                return value
        return None


def packets(path):
    """(frame number from 1, time in s, frame) of a pcap file of Ethernet frames."""
    with open(path, "rb") as file:
        octets = file.read()
    orders = {b"\xd4\xc3\xb2\xa1": ("<", 1e-6), b"\xa1\xb2\xc3\xd4": (">", 1e-6),
              b"\x4d\x3c\xb2\xa1": ("<", 1e-9), b"\xa1\xb2\x3c\x4d": (">", 1e-9)}
    if len(octets) < 24 or octets[:4] not in orders:
        raise CaptureError(f"{path}: is no pcap file")
    order, unit = orders[octets[:4]]
    if struct.unpack_from(order + "I", octets, 20)[0] & 0xffff != 1:
        raise CaptureError(f"{path}: its frames are not Ethernet's")
    position, number = 24, 0
    while position + 16 <= len(octets):
        seconds, fraction, length, _ = struct.unpack_from(order + "IIII", octets, position)
        number += 1
        yield number, seconds + fraction * unit, octets[position + 16:position + 16 + length]
        position += 16 + length


def transport(frame):
    """(protocol, source, destination, segment) of an IPv4 or IPv6 frame, or None."""
    if len(frame) < 14:
        return None
    kind, packet = struct.unpack_from("!H", frame, 12)[0], frame[14:]
    if kind == 0x0800 and len(packet) >= 20:
        length = struct.unpack_from("!H", packet, 2)[0]
        return packet[9], packet[12:16], packet[16:20], packet[4 * (packet[0] & 15):length]
    if kind == 0x86dd and len(packet) >= 40:
        protocol, position = packet[6], 40
        while protocol in (0, 43, 60) and position + 2 <= len(packet):  # options and routing
            protocol, position = packet[position], position + 8 * (packet[position + 1] + 1)
        return protocol, packet[8:24], packet[24:40], packet[position:40 + packet[4] * 256 + packet[5]]
    return None


class Stream:
    """One direction of a TCP connection, put in order."""

    def __init__(self, source, destination):
        self.source, self.destination = source, destination
        self.next, self.early, self.octets = None, {}, bytearray()
        self.times = []  # (octets that had arrived, frame number, time)

    def segment(self, number, at, sequence, flags, payload):
        if flags & 0x02 or self.next is None:
            self.next = (sequence + (1 if flags & 0x02 else 0)) & 0xffffffff
        if payload:
            self.early[sequence] = payload
        while True:
            for start in list(self.early):
                behind = (self.next - start) & 0xffffffff
                if behind < 0x80000000:
                    break
            else:
                return
            new = self.early.pop(start)[behind:]
            self.octets += new
            self.next = (self.next + len(new)) & 0xffffffff
            self.times.append((len(self.octets), number, at))

    def messages(self):
        """Messages by their Message Length; what is left at the end comes as it is."""
        position = 0
        while position < len(self.octets):
            rest = self.octets[position:]
            length = 8 + 4 * struct.unpack_from("!H", rest, 2)[0] if len(rest) >= 4 else len(rest)
            whole = min(length, len(rest))
            _, number, at = next(t for t in self.times if t[0] >= position + whole)
            yield Message(bytes(rest[:whole]), number, at, self.source, self.destination, False)
            position += whole


def association_ports(messages):
    """Ports that Stack-Configuration-Data announces for Forwards-TCP, and the usual one."""
    ports = {USUAL_ASSOCIATION_PORT}
    for message in messages:
        for kind, value in message.objects():
            position = 8
            while kind == STACK_CONFIGURATION and position + 4 <= len(value):
                protocol, length = value[position], value[position + 2]
                if protocol == 1 and length >= 2 and position + 6 <= len(value):
                    ports.add(struct.unpack_from("!H", value, position + 4)[0])
                position += 4 + (length + 3) // 4 * 4
    return ports


def read(path):
    """All GIST messages of a capture, those of streams too, by the time they were complete."""
    found, streams = [], {}
    for number, at, frame in packets(path):
        parts = transport(frame)
        if not parts or len(parts[3]) < 8:
            continue
        protocol, source, destination, segment = parts
        ports = struct.unpack_from("!HH", segment)
        ends = (source, ports[0]), (destination, ports[1])
        if protocol == 17 and segment[8:12] == MAGIC:
            found.append(Message(segment[12:], number, at, *ends, True))
        elif protocol == 6 and len(segment) >= 20:
            stream = streams.setdefault(ends, Stream(*ends))
            sequence, = struct.unpack_from("!I", segment, 4)
            stream.segment(number, at, sequence, segment[13], segment[4 * (segment[12] >> 4):])
    ports = association_ports(found)
    for (source, destination), stream in streams.items():
        if source[1] in ports or destination[1] in ports:
            found.extend(stream.messages())
    return sorted(found, key=lambda message: (message.at, message.number))


def files(directories):
    """The captures in these directories, or these files. A directory without any is an error."""
    found = []
    for directory in directories:
        if os.path.isfile(directory):
            found.append(directory)
            continue
        if not os.path.isdir(directory):
            raise CaptureError(f"{directory}: no such directory")
        inside = sorted(os.path.join(where, name) for where, _, names in os.walk(directory)
                        for name in names if name.endswith(".pcap"))
        if not inside:
            raise CaptureError(f"{directory}: there is no capture in it")
        found.extend(inside)
    return found

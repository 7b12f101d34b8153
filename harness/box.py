"""What the boxes of harness/lawful are made of: the messages that they edit, and a box that edits
none.
"""
import struct

NATFW = 33
QUERY, RESPONSE, CONFIRM, DATA, ERROR, HELLO = range(6)
MRI, SID, NLI, COOKIE, NSLP_DATA, ERROR_OBJECT, HELLO_ID = 0, 1, 2, 6, 8, 9, 10
CREATE, NATFW_RESPONSE, NOTIFY = 1, 3, 4
TRIGGER_DONE, OCTETS_OF_BOX = 0xa0, 0x93
LT, INFO, MSN, ICMP_TYPES = 0x00c, 0x010, 0x012, 0x014
UPSTREAM = 0x20 # of the direction, in an MRI


# Messages -----------------------------------------------------------------------------------------

def objects_of(octets):
    """[first half-word, value] of each object; None where they do not fill the octets."""
    found, position = [], 0
    while position + 4 <= len(octets):
        head, words = struct.unpack_from("!HH", octets, position)
        end = position + 4 + 4 * (words & 0xfff)
        found.append([head, octets[position + 4:end]])
        position = end
    return found if position == len(octets) else None


def octets_of(objects):
    return b"".join(struct.pack("!HH", head, len(value) // 4) + value for head, value in objects)


class Tlv:
    """A header and objects. What cannot be read has no objects, and stays as it came."""

    def __init__(self, octets, header_length):
        self.octets, self.header = octets, bytearray(octets[:header_length])
        self.objects, self.is_edited = objects_of(octets[header_length:]), False

    def get(self, kind):
        return next((value for head, value in self.objects or () if head & 0xfff == kind), None)

    def put(self, kind, value):
        self.is_edited = True
        for one in self.objects:
            if one[0] & 0xfff == kind:
                one[1] = value

    def drop(self, kind):
        self.is_edited = True
        self.objects = [one for one in self.objects if one[0] & 0xfff != kind]


class Nslp(Tlv):
    """A message of the NATFW NSLP."""

    def __init__(self, octets):
        super().__init__(octets, 4)
        self.type = octets[0] if octets else None

    def info(self):
        """Class and code of NATFW_INFO, or None."""
        value = self.get(INFO)
        return value and (value[0] & 0xf, value[1])

    def lifetime_s(self):
        value = self.get(LT)
        return struct.unpack("!I", value)[0] if value and len(value) == 4 else None

    def set_lifetime(self, seconds):
        self.put(LT, struct.pack("!I", seconds))


class Gist(Tlv):
    """A message of GIST; in a datagram from one address to another, at this port of the box, or in a
    stream of this number."""

    def __init__(self, octets, source=None, destination=None, port=None, stream=None):
        super().__init__(octets, 8)
        self.source, self.destination, self.port, self.stream = source, destination, port, stream
        self.version, self.hops, self.words, self.nslp_id = struct.unpack_from("!BBHH", octets)
        self.type, self.flags = octets[6] & 0x7f, octets[7]
        data = self.get(NSLP_DATA)
        self.nslp = Nslp(data) if data and self.nslp_id == NATFW else None
        self.sid = self.get(SID)

    def encoded(self):
        if not (self.is_edited or self.nslp and self.nslp.is_edited):
            return self.octets
        if self.nslp:
            self.put(NSLP_DATA, bytes(self.nslp.header) + octets_of(self.nslp.objects))
        body = octets_of(self.objects)
        struct.pack_into("!H", self.header, 2, len(body) // 4)
        return bytes(self.header) + body


class Octets:
    """Takes the place of a message that is sent on."""

    def __init__(self, message, octets):
        self.source, self.octets = message.source, octets

    def encoded(self):
        return self.octets


# Boxes --------------------------------------------------------------------------------------------

class Box:
    """Edits nothing. heard() and said() return the message, or None where it gets lost."""
    roles = ()
    is_asked = True # some case asks for what it does otherwise
    told = ()       # what the runner is told of it, by --set
    remarks = ()    # the SHOULDs that it does otherwise: the report has to remark on each

    def heard(self, message):
        return message

    def said(self, message):
        return message

    def packet(self, octets, _port):
        """A packet of GIST that it sends by a port; None where it gets lost."""
        return octets

    def data(self, octets, _port, _of_box):
        """A packet of a flow, as it comes to a port or leaves it; None where it gets lost."""
        return octets

    def asked(self, number, operation):
        """A trigger is pulled."""

    def outcome(self, status):
        """What becomes of it."""
        return status

    def adds(self):
        """What it does first in its turn, as (kind, body) of frames."""
        return ()

    def ends(self):
        """The same, last in its turn."""
        return ()


def name(variant):
    """PlainRefreshResponse is plain-refresh-response."""
    return "".join("-" + letter.lower() if letter.isupper() else letter
                   for letter in variant.__name__)[1:]


def flow_of(routing):
    """Addresses and ports of a path-coupled MRI with ports, source first."""
    return routing[4:8], routing[8:12], routing[16:18], routing[18:20]


def flow_of_packet(packet):
    """The same of a packet of UDP or TCP."""
    header = 4 * (packet[0] & 15)
    return packet[12:16], packet[16:20], packet[header:header + 2], packet[header + 2:header + 4]


def answer_to(message, class_, code):
    """A frame: the RESPONSE with this class and code, over the message's association."""
    routing = bytearray(message.get(MRI))
    routing[3] ^= UPSTREAM
    sequence = message.nslp.get(MSN) or b"\0\0\0\0"
    nslp = struct.pack("!BBH", NATFW_RESPONSE, 0, 0) + octets_of(
        [[MSN, sequence], [INFO, struct.pack("!BBH", class_, code, 0)]])
    body = octets_of([[MRI, bytes(routing)], [SID, message.sid], [NSLP_DATA, nslp]])
    return octets_frame(message.stream,
                        struct.pack("!BBHHBB", 1, 1, len(body) // 4, NATFW, DATA, 0) + body)


def octets_frame(stream, octets):
    """A frame: the box writes these octets."""
    return OCTETS_OF_BOX, stream + struct.pack("!H", len(octets)) + octets

"""Boxes that are wrong, for harness/wrong: each does one thing that the texts forbid, or leaves out one
that they ask for, and is a class as in harness/box.py. Here by what they do; wrong_edits.py has those
that edit what they say.
"""
import struct

import remarked_boxes # pylint: disable=unused-import
from box import (Box, CONFIRM, CREATE, DATA, INFO, MRI, MSN, NATFW_RESPONSE, NLI, NOTIFY, NSLP_DATA,
                 QUERY, RESPONSE, SID, Gist, Octets, name, octets_frame, octets_of)
from shim_packet import datagram, gist_of, sums_put_right
from wrong_edits import (FLAG_R, HELLO, QUERY_COOKIE, RESPONDER_COOKIE, Wrong, edited_boxes, kind_of)

PACKET_OF_BOX, CLOSE_OF_BOX = 0x90, 0x94


def packet_frame(port, octets):
    """A frame: the box sends this packet."""
    return PACKET_OF_BOX, struct.pack("!BH", port, len(octets)) + octets


class AnswersLate(Wrong):
    """Holds a Response back until it has another turn: until it is asked again, at the earliest."""
    roles = ("firewall", "responder")

    def __init__(self):
        self.waiting = []

    def packet(self, octets, port):
        header = 4 * (octets[0] & 15)
        if octets[header + 8 + 4 + 6] & 0x7f != RESPONSE:
            return octets
        self.waiting.append((port, octets))
        return None

    def adds(self):
        waiting, self.waiting = self.waiting, []
        return [packet_frame(*one) for one in waiting]


class Router(Wrong):
    """Lets all data pass."""
    roles = ("firewall",)

    def __init__(self):
        self.passing = []

    def knows(self, _):
        return True

    def data(self, octets, port, of_box):
        if of_box or not self.knows(octets):
            return octets
        passed = bytearray(octets)
        passed[8] -= 1
        self.passing.append((3 - port, passed))
        return None

    def adds(self):
        passing, self.passing = self.passing, []
        return [packet_frame(port, sums_put_right(octets)) for port, octets in passing]


class NeverCloses(Router):
    """What has passed once may pass for ever."""

    def __init__(self):
        super().__init__()
        self.open = set()

    def flow(self, octets):
        header = 4 * (octets[0] & 15)
        ends = (octets[12:16] + octets[header:header + 2],
                octets[16:20] + octets[header + 2:header + 4])
        return frozenset(ends)

    def knows(self, octets):
        return self.flow(octets) in self.open

    def data(self, octets, port, of_box):
        if of_box:
            self.open.add(self.flow(octets))
        return super().data(octets, port, of_box)


class OpensAtCreate(Router):
    """Lets data pass from the CREATE on."""

    def __init__(self):
        super().__init__()
        self.created = False

    def heard(self, message):
        self.created = self.created or bool(message.nslp and message.nslp.type == CREATE)
        return message

    def knows(self, _):
        return self.created


class Wall(Wrong):
    """Lets no data pass."""
    roles = ("firewall",)

    def data(self, octets, port, of_box):
        return None if of_box else octets


class OneWay(Wrong):
    """Lets no data pass from outside."""
    roles = ("firewall",)

    def data(self, octets, port, of_box):
        return None if of_box and port == 1 else octets


class OnePort(Wrong):
    """Of two ports that follow each other it opens the even one only."""
    roles = ("firewall",)

    def data(self, octets, port, of_box):
        header = 4 * (octets[0] & 15)
        is_odd = (octets[header + 1] | octets[header + 3]) & 1
        return None if of_box and is_odd else octets


class TakesAnyCookie(Wrong):
    """Whatever Responder-Cookie a Confirm has is right."""
    roles = ("firewall", "responder")

    def __init__(self):
        self.given = {}

    def said(self, message):
        if message.type == RESPONSE and message.get(RESPONDER_COOKIE):
            self.given[message.sid] = message.get(RESPONDER_COOKIE)
        return message

    def heard(self, message):
        if message.type == CONFIRM and message.sid in self.given and message.get(RESPONDER_COOKIE):
            message.put(RESPONDER_COOKIE, self.given[message.sid])
        return message


class TakesAnyPeer(Wrong):
    """Whoever confirms, and for what flow, is who asked."""
    roles = ("firewall", "responder")

    def __init__(self):
        self.asked_by = {}

    def heard(self, message):
        if message.type == QUERY:
            self.asked_by[message.sid] = {kind: message.get(kind) for kind in (MRI, NLI)}
        if message.type == CONFIRM and message.objects is not None:
            for kind, value in self.asked_by.get(message.sid, {}).items():
                if value:
                    message.put(kind, value)
        return message


class TakesAnyResponse(Wrong):
    """Whatever Query-Cookie a Response has is right."""

    def __init__(self):
        self.asked_with = {}

    def said(self, message):
        if message.type == QUERY:
            self.asked_with[message.sid] = message.get(QUERY_COOKIE)
        return message

    def heard(self, message):
        if message.type == RESPONSE and message.sid in self.asked_with and message.get(QUERY_COOKIE):
            message.put(QUERY_COOKIE, self.asked_with[message.sid])
        return message


class TakesAnySession(Wrong):
    """A RESPONSE of a session that it does not have is that of its last."""
    roles = ("initiator",)

    def __init__(self):
        self.sids = []

    def said(self, message):
        if message.type == QUERY and message.sid not in self.sids:
            self.sids.append(message.sid)
        return message

    def heard(self, message):
        is_response = message.nslp and message.nslp.type == NATFW_RESPONSE
        if is_response and self.sids and message.sid not in self.sids:
            message.put(SID, self.sids[-1])
        return message


class AsksOnce(Wrong):
    """Refreshes nothing: of each session it sends one Query and one CREATE."""

    def __init__(self):
        self.said_before = set()

    def said(self, message):
        kind = (kind_of(message), message.sid, message.source)
        if kind[0] not in ("Query", "CREATE"):
            return message
        is_first = kind not in self.said_before
        self.said_before.add(kind)
        return message if is_first else None


class LateConfirm(Wrong):
    """Confirms with the second message of an association."""

    def __init__(self):
        self.waiting = {}

    def said(self, message):
        if message.type == CONFIRM and message.stream:
            self.waiting[message.stream] = message.encoded()
            return None
        confirm = self.waiting.pop(message.stream, b"") if message.stream else b""
        return Octets(message, message.encoded() + confirm) if confirm else message


class DatagramConfirm(Wrong):
    """Confirms by a datagram, although there is an association."""

    def __init__(self):
        self.peers, self.waiting = {}, []

    def heard(self, message):
        if message.type == RESPONSE and message.port:
            self.peers[message.sid] = message
        return message

    def said(self, message):
        response = self.peers.get(message.sid)
        if message.type != CONFIRM or not response:
            return message
        self.waiting.append((response, message.encoded()))
        return None

    def ends(self):
        waiting, self.waiting = self.waiting, []
        for response, octets in waiting:
            yield packet_frame(response.port,
                               datagram(response.destination, response.source, octets))


class NewIdentities(Wrong):
    """Has another Peer-Identity in each Response."""

    def __init__(self):
        self.count = 0

    def said(self, message):
        value = message.get(NLI)
        if message.type in (QUERY, RESPONSE) and value:
            self.count += 1
            message.put(NLI, value[:8] + struct.pack("!H", self.count) + value[10:])
        return message


class AnswersHellos(Wrong):
    """Answers each MA-Hello, whether it asks for that or not."""

    def __init__(self):
        self.waiting = []

    def heard(self, message):
        if message.type == HELLO and message.stream:
            flags = message.octets[7] & ~FLAG_R
            self.waiting.append((message.stream, message.octets[:7] + bytes((flags,)) + message.octets[8:]))
            return None
        return message

    def ends(self):
        waiting, self.waiting = self.waiting, []
        return [octets_frame(*one) for one in waiting]


class HangsUp(Wrong):
    """Closes an association at the second MA-Hello."""

    def __init__(self):
        self.heard_on, self.closing = [], []

    def heard(self, message):
        if message.type == HELLO and message.stream:
            if message.stream in self.heard_on:
                self.closing.append(message.stream)
            self.heard_on.append(message.stream)
        return message

    def ends(self):
        closing, self.closing = self.closing, []
        return [(CLOSE_OF_BOX, stream) for stream in closing]


class AsksAgain(Wrong):
    """Sends a Query once more when it is answered."""

    def __init__(self):
        self.queries, self.again = {}, []

    def packet(self, octets, port):
        message = gist_of(octets)
        if message[6] & 0x7f == QUERY:
            self.queries[Gist(message).sid] = (port, octets)
        return octets

    def heard(self, message):
        if message.type == RESPONSE and message.sid in self.queries:
            self.again.append(self.queries.pop(message.sid))
        return message

    def ends(self):
        again, self.again = self.again, []
        return [packet_frame(*one) for one in again]


class TakesAnyMsn(Wrong):
    """A request is newer than the one before, whatever its MSN."""
    roles = ("firewall", "responder")

    def __init__(self):
        self.last = {}

    def heard(self, message):
        value = message.nslp and message.nslp.objects and message.nslp.get(MSN)
        if message.nslp and message.nslp.type == CREATE and value:
            number = max(struct.unpack("!I", value)[0], self.last.get(message.sid, 0) + 1)
            self.last[message.sid] = number
            message.nslp.put(MSN, struct.pack("!I", number & 0xffffffff))
        return message


class Notifies(Wrong):
    """An initiator that sends a NOTIFY after each request."""
    roles = ("initiator",)

    def said(self, message):
        if kind_of(message) != "CREATE" or not message.stream:
            return message
        notify = Gist(message.octets, stream=message.stream)
        notify.put(NSLP_DATA, bytes((NOTIFY, 0, 0, 0)) + octets_of([[INFO, b"\1\3\0\0"]]))
        notify.nslp = None
        return Octets(message, message.encoded() + notify.encoded())


class RelaysAnything(Wrong):
    """Passes on all that comes over the association of a session, to the other side, as it came."""
    roles = ("firewall",)

    def __init__(self):
        self.streams, self.waiting = {}, []

    def said(self, message):
        if message.stream and message.type == DATA:
            self.streams.setdefault(message.sid, set()).add(message.stream)
        return message

    def heard(self, message):
        if not message.stream or message.type != DATA:
            return message
        streams = self.streams.setdefault(message.sid, set())
        streams.add(message.stream)
        others = streams - {message.stream}
        if not others or not message.nslp or message.nslp.type == CREATE:
            return message
        self.waiting.append((min(others), message.octets))
        return None

    def adds(self):
        waiting, self.waiting = self.waiting, []
        return [octets_frame(*one) for one in waiting]


class OneSid(Wrong):
    """The ids of its sessions are the same in all octets but one."""
    roles = ("initiator",)

    def __init__(self):
        self.theirs, self.own = {}, {}

    def said(self, message):
        if message.sid and message.objects is not None:
            told = self.theirs.setdefault(message.sid, bytes(15) + bytes((len(self.theirs) + 1,)))
            self.own[told] = message.sid
            message.put(SID, told)
        return message

    def heard(self, message):
        if message.sid in self.own and message.objects is not None:
            message.put(SID, self.own[message.sid])
        return message


class SameSid(OneSid):
    """All its sessions have one id."""

    def said(self, message):
        if message.sid and message.objects is not None:
            self.own[bytes(16)] = message.sid
            message.put(SID, bytes(16))
        return message


class Reports(Wrong):
    """Tells whoever pulled the trigger the same of each session."""
    roles = ("initiator",)
    status = 0

    def outcome(self, _):
        return self.status


class ReportsSuccess(Reports):
    """Whatever came, it was granted."""


class ReportsFailure(Reports):
    """Whatever came, it was refused."""
    status = 1


def all_boxes():
    """name -> class."""
    boxes = edited_boxes()
    for one in (AnswersLate, AsksOnce, AsksAgain, AnswersHellos, HangsUp, TakesAnyMsn, Notifies,
                NewIdentities, LateConfirm, DatagramConfirm, RelaysAnything, Router, OpensAtCreate,
                NeverCloses, Wall, OneWay, OnePort, TakesAnyCookie, TakesAnyPeer, TakesAnyResponse,
                TakesAnySession, OneSid, SameSid, ReportsSuccess, ReportsFailure):
        boxes[name(one)] = one
    boxes |= {name(one): one for one in Box.__subclasses__() if one.remarks}
    return boxes

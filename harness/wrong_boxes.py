"""Boxes that are wrong, for harness/wrong: each does one thing that the texts forbid, or leaves out one
that they ask for, and is a class as in harness/box.py.
"""
import struct

from box import (Box, CONFIRM, CREATE, DATA, INFO, LT, MRI, MSN, NATFW_RESPONSE, NLI, NOTIFY,
                 NSLP_DATA, Gist, Octets, QUERY, RESPONSE, SID, name, octets_frame, octets_of)
from shim_packet import datagram, gist_of, sums_put_right

HELLO = 5
PROPOSAL, CONFIGURATION, QUERY_COOKIE, RESPONDER_COOKIE, ERROR_OBJECT = 3, 4, 5, 6, 9
FLAG_S, FLAG_R, FLAG_E = 0x80, 0x40, 0x20
PACKET_OF_BOX, CLOSE_OF_BOX = 0x90, 0x94


def packet_frame(port, octets):
    """A frame: the box sends this packet."""
    return PACKET_OF_BOX, struct.pack("!BH", port, len(octets)) + octets


class Wrong(Box):
    """In these roles, if it does not say otherwise."""
    roles = ("firewall", "responder", "initiator")


def kind_of(message):
    """What a message is, as "Query", "CREATE" or "RESPONSE 2"."""
    if message.type != DATA or not message.nslp:
        return ("Query", "Response", "Confirm", "Data", "Error", "Hello")[message.type] \
            if message.type <= HELLO else "unknown"
    if message.nslp.type == NATFW_RESPONSE and message.nslp.info():
        return f"RESPONSE {message.nslp.info()[0]}"
    return {CREATE: "CREATE", NATFW_RESPONSE: "RESPONSE", NOTIFY: "NOTIFY"}.get(message.nslp.type, "other")


KINDS = ("Query", "Response", "Confirm", "Error", "Hello", "CREATE", "RESPONSE 2", "RESPONSE 3",
         "RESPONSE 5", "RESPONSE 7", "NOTIFY")


def mute(kind):
    """Never says it."""
    class Mute(Wrong):
        def said(self, message):
            return None if kind_of(message) == kind else message
    return Mute


def deaf(kind):
    """Never hears it."""
    class Deaf(Wrong):
        def heard(self, message):
            return None if kind_of(message) == kind else message
    return Deaf


def says_after(edit, *kinds):
    """Edits what it says of these kinds, or of all."""
    class Says(Wrong):
        def said(self, message):
            if message.objects is not None and (not kinds or kind_of(message) in kinds):
                edit(message)
            return message
    return Says


def hears_after(edit):
    """Edits what it hears: what it does not see it takes for right."""
    class Hears(Wrong):
        def heard(self, message):
            if message.objects is not None:
                edit(message)
            return message
    return Hears


def sends_after(edit):
    """Edits the packets of GIST that it sends."""
    class Sends(Wrong):
        def packet(self, octets, _):
            octets = bytearray(octets)
            edit(octets, 4 * (octets[0] & 15))
            return bytes(octets)
    return Sends


# Packets ------------------------------------------------------------------------------------------

def at(place, value):
    """An octet of UDP, counted from its header."""
    def edit(octets, header):
        octets[header + place] = value(octets[header + place])
    return edit


def without_options(octets, header):
    del octets[20:header]
    octets[0] = 0x45


def without_df(octets, _):
    octets[6] &= ~0x40


def to_nowhere(octets, _):
    octets[19] ^= 1


def other_ttl(octets, _):
    octets[8] -= 20


NO_CHECKSUM = at(7, lambda _: 0)


# Messages -----------------------------------------------------------------------------------------

def of_header(place, mask):
    def edit(message):
        message.is_edited = True
        message.header[place] ^= mask
    return edit


def hops(number):
    def edit(message):
        message.is_edited = True
        message.header[1] = number
    return edit


def nslp_header(place, mask):
    def edit(message):
        if message.nslp and message.nslp.objects is not None:
            message.nslp.is_edited = True
            message.nslp.header[place] ^= mask
    return edit


def flipped(kind, place, mask):
    """An octet of the value of an object of GIST."""
    def edit(message):
        value = message.get(kind)
        if value and place < len(value):
            message.put(kind, value[:place] + bytes((value[place] ^ mask,)) + value[place + 1:])
    return edit


def nslp_flipped(kind, place, mask):
    def edit(message):
        if message.nslp and message.nslp.objects is not None:
            flipped(kind, place, mask)(message.nslp)
    return edit


def heads(mask, which=lambda message: message):
    """The first half-word of each object."""
    def edit(message):
        part = which(message)
        if part and part.objects:
            part.is_edited = True
            for one in part.objects:
                one[0] ^= mask
    return edit


def dropped(kind, which=lambda message: message):
    def edit(message):
        part = which(message)
        if part and part.objects is not None:
            part.drop(kind)
    return edit


def doubled(kind, which=lambda message: message):
    def edit(message):
        part = which(message)
        twice = [one for one in part and part.objects or () if one[0] & 0xfff == kind]
        if twice:
            part.is_edited = True
            part.objects.append(list(twice[0]))
    return edit


def of_nslp(message):
    return message.nslp


def lives_longer(seconds):
    def edit(message):
        if message.nslp and message.nslp.lifetime_s():
            message.nslp.set_lifetime(message.nslp.lifetime_s() + seconds)
    return edit


def untranslated(message):
    """Takes the NLI for that of the packet's source: no NAT is noticed."""
    value = message.get(NLI)
    if value and message.source:
        message.put(NLI, value[:-4] + message.source)


# Behaviour ----------------------------------------------------------------------------------------

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
    boxes = {f"mute-{kind}": mute(kind) for kind in KINDS}
    boxes |= {f"deaf-{kind}": deaf(kind) for kind in KINDS}
    boxes |= {f"sends-{name}": sends_after(edit) for name, edit in {
        "no-checksum": NO_CHECKSUM, "no-options": without_options, "no-df": without_df,
        "to-nowhere": to_nowhere, "other-ttl": other_ttl,
        "other-source-port": at(1, lambda octet: octet ^ 1),
        "other-port": at(3, lambda octet: octet ^ 1), "other-magic": at(8, lambda octet: octet ^ 1),
    }.items()}
    boxes |= {f"says-{name}": says_after(edit) for name, edit in {
        "other-s": of_header(7, FLAG_S), "other-r": of_header(7, FLAG_R), "other-e": of_header(7, FLAG_E),
        "other-c": of_header(6, 0x80), "no-hops": hops(0), "many-hops": hops(255), "other-nslp": of_header(5, 1),
        "other-p": nslp_header(1, 0x80), "other-nslp-e": nslp_header(1, 0x40),
        "reserved": nslp_header(2, 1), "other-type": nslp_header(0, 4),
        "object-heads": heads(0x1000), "nslp-heads": heads(0x1000, of_nslp), "nslp-ab": heads(0x4000, of_nslp),
        "ab": heads(0x4000), "longer-lived": lives_longer(1),
        "other-flow": flipped(MRI, 7, 1), "other-port-of-flow": flipped(MRI, 17, 1),
        "other-version-of-flow": flipped(MRI, 1, 0x40), "other-sid": flipped(SID, 3, 1),
        "other-peer": flipped(NLI, 9, 1), "other-interface": flipped(NLI, -1, 1),
        "no-validity": flipped(NLI, 6, 0x75), "other-profile": flipped(PROPOSAL, 4, 1),
        "other-configuration": flipped(CONFIGURATION, 3, 1),
        "other-association-port": flipped(CONFIGURATION, 13, 1),
        "other-query-cookie": flipped(QUERY_COOKIE, 3, 1),
        "other-cookie": flipped(RESPONDER_COOKIE, 3, 1),
        "no-configuration": dropped(CONFIGURATION), "no-proposal": dropped(PROPOSAL),
        "no-nli": dropped(NLI), "no-sid": dropped(SID), "no-query-cookie": dropped(QUERY_COOKIE),
        "no-responder-cookie": dropped(RESPONDER_COOKIE), "no-lifetime": dropped(LT, of_nslp),
        "no-info": dropped(INFO, of_nslp), "no-msn": dropped(MSN, of_nslp),
        "two-infos": doubled(INFO, of_nslp), "two-nlis": doubled(NLI),
        "other-class": nslp_flipped(INFO, 0, 1), "other-code": nslp_flipped(INFO, 1, 1),
        "other-object": nslp_flipped(INFO, 3, 1),
        "other-reserved-of-info": nslp_flipped(INFO, 0, 0x10), "other-msn": nslp_flipped(MSN, 2, 1),
        "error-about-another": flipped(ERROR_OBJECT, 5, 1), "other-error": flipped(ERROR_OBJECT, 2, 1),
        "other-subcode": flipped(ERROR_OBJECT, 3, 1), "other-error-class": flipped(ERROR_OBJECT, 0, 3),
        "error-flags": flipped(ERROR_OBJECT, 4, 0xff),
    }.items()}
    boxes["creates-for-longer"] = says_after(lives_longer(1), "CREATE")
    boxes["creates-for-less"] = says_after(lives_longer(-1), "CREATE")
    boxes["grants-longer"] = says_after(lives_longer(2), "RESPONSE 2")
    boxes["hears-other-distance"] = hears_after(flipped(NLI, 1, 4))
    boxes["confirms-other-cookie"] = says_after(flipped(RESPONDER_COOKIE, 3, 1), "Confirm")
    boxes["hears-no-nat"] = hears_after(untranslated)
    for one in (AnswersLate, AsksOnce, AsksAgain, AnswersHellos, HangsUp, TakesAnyMsn, Notifies, NewIdentities, LateConfirm, DatagramConfirm, RelaysAnything, Router,
                OpensAtCreate, NeverCloses, Wall, OneWay, OnePort, TakesAnyCookie, TakesAnyPeer,
                TakesAnyResponse, TakesAnySession, OneSid, SameSid, ReportsSuccess, ReportsFailure):
        boxes[name(one)] = one
    return boxes

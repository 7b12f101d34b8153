"""Lawful boxes that read a sentence otherwise than this project, docs/rulings.md, or that do what
others may do besides: the suite passes them."""
import struct

from box import (CONFIRM, CREATE, DATA, INFO, LT, MRI, MSN, NATFW_RESPONSE, NLI, NOTIFY, QUERY, Box,
                 answer_to, octets_frame)

KNOWN = range(0x00c, 0x015) # the objects of RFC 5973


class OneWay(Box):
    """What answers an allowed flow does not pass by its rule (ruling A103)."""
    roles = ("firewall",)
    told = ("ics.replies_pass=false", "ics.tcp_flows=false")

    def data(self, octets, _port, _of_box):
        return None if octets[12:15] == bytes((10, 22, 0)) else octets # a flow's end outside


class MatchesBySid(Box):
    """A RESPONSE is matched by its session id alone (ruling A33)."""
    roles = ("firewall",)

    def __init__(self):
        self.last, self.given = {}, {}

    def heard(self, message):
        nslp = message.nslp
        if (nslp and nslp.type == NATFW_RESPONSE and message.sid in self.last
                and len(nslp.get(MSN) or b"") == 4):
            self.given[message.sid] = nslp.get(MSN)
            if nslp.get(MSN) != self.last[message.sid]:
                nslp.put(MSN, self.last[message.sid])
        return message

    def said(self, message):
        nslp = message.nslp
        if nslp and nslp.type == CREATE:
            self.last[message.sid] = nslp.get(MSN)
        if nslp and nslp.type == NATFW_RESPONSE and message.sid in self.given:
            given = self.given.pop(message.sid)
            if nslp.get(MSN) != given and nslp.info() == (2, 1):
                nslp.put(MSN, given)
        return message


class Answers:
    """Answers some messages itself, at once, in the place of natfw-shim."""

    def __init__(self):
        self.answers = []

    def refused_with(self, message):
        """Class and code to answer it with, or None."""

    def heard(self, message):
        info = message.stream and message.nslp and self.refused_with(message)
        if info:
            self.answers.append(answer_to(message, *info))
        return None if info else message

    def adds(self):
        answers, self.answers = self.answers, []
        return answers


class AnswersFaults(Answers, Box):
    """A RESPONSE or a NOTIFY without its NATFW_INFO is answered 3/0x04 (ruling A02)."""
    roles = ("firewall", "responder", "initiator")

    def refused_with(self, message):
        nslp = message.nslp
        lacks_it = nslp.objects is not None and not nslp.get(INFO)
        return (3, 4) if lacks_it and nslp.type in (NATFW_RESPONSE, NOTIFY) else None


class RefusesLong(Answers, Box):
    """A responder that refuses a lifetime as too long, and does not lower it (RFC 5973 3.4)."""
    roles = ("responder",)

    def refused_with(self, message):
        is_long = message.nslp.type == CREATE and (message.nslp.lifetime_s() or 0) > 600
        return (7, 2) if is_long else None


class RefusesOddObjects(Answers, Box):
    """A known object has AB=00 and no reserved bit in its header, or the CREATE is refused (rulings
    A09, A95)."""
    roles = ("firewall",)

    def refused_with(self, message):
        is_odd = message.nslp.type == CREATE and any(
            head & 0xfff in KNOWN and (head >> 14 in (1, 2) or head & 0x3000)
            for head, _ in message.nslp.objects or ())
        return (3, 9) if is_odd else None


class NotifiesWithMsn(Box):
    """Its NOTIFYs carry the MSN that it got last, as RFC 5973 3.5 has every message (ruling A30)."""
    roles = ("firewall",)

    def __init__(self):
        self.last = {}

    def heard(self, message):
        nslp = message.nslp
        if nslp and nslp.type == CREATE and nslp.get(MSN):
            self.last[message.sid] = nslp.get(MSN)
        return message

    def said(self, message):
        nslp = message.nslp
        if nslp and nslp.type == NOTIFY and message.sid in self.last:
            nslp.is_edited = True
            nslp.objects.append([MSN, self.last[message.sid]])
        return message


class NamesTheInside(Box):
    """A Query tells the address of the interface that its flow comes in by (RFC 5971 5.2.2)."""
    roles = ("firewall",)

    def said(self, message):
        value = message.get(NLI)
        if message.type == QUERY and value and not message.flags & 0x80:
            message.put(NLI, value[:-4] + bytes((10, 10, 0, 1)))
        return message


class SaysHelloFirst(Box):
    """A new association begins with an MA-Hello, which is of no session (RFC 5971 4.4.1)."""
    roles = ("firewall", "initiator")
    HELLO = struct.pack("!BBHHBBHHI", 1, 1, 2, 0, 5, 0, 10, 1, 0)

    def __init__(self):
        self.streams = set()

    def said(self, message):
        if message.type == CONFIRM and message.stream and message.stream not in self.streams:
            self.streams.add(message.stream)
            octets = self.HELLO + message.encoded()
            message.encoded = lambda: octets
        return message


class CountsItsOwn:
    """Tells the runner other MSNs than natfw-shim thinks: so many more, or fewer, of each session."""

    def __init__(self):
        self.more = {}

    def moved(self, message, sign):
        nslp = message.nslp
        if nslp and nslp.get(MSN) and self.more.get(message.sid):
            msn = struct.unpack("!I", nslp.get(MSN))[0] + sign * self.more[message.sid]
            nslp.put(MSN, struct.pack("!I", msn % 2 ** 32))
        return message

    def heard(self, message):
        return self.moved(message, -1)

    def said(self, message):
        return self.moved(message, 1)


class AsksAgainAtOnce(CountsItsOwn, Box):
    """An NI whose RESPONSE cannot be read sends its CREATE again at once (RFC 5973 3.7.1)."""
    roles = ("initiator",)

    def __init__(self):
        super().__init__()
        self.last, self.again = {}, []

    def heard(self, message):
        nslp = message.nslp
        if (nslp and nslp.type == NATFW_RESPONSE and message.sid in self.last
                and (nslp.objects is None or not nslp.get(INFO))):
            create = self.last[message.sid]
            self.more[message.sid] = self.more.get(message.sid, 0) + 1
            msn = struct.unpack("!I", create.nslp.get(MSN))[0] + 1
            create.nslp.put(MSN, struct.pack("!I", msn % 2 ** 32))
            self.again.append(octets_frame(create.stream, create.encoded()))
            return None
        return super().heard(message)

    def said(self, message):
        message = super().said(message)
        if message.type == DATA and message.nslp and message.nslp.type == CREATE:
            self.last[message.sid] = message
        return message

    def adds(self):
        again, self.again = self.again, []
        return again


class LeavesRefreshing(CountsItsOwn, Box):
    """An NI that refreshes nothing by itself (RFC 5973 3.7.3)."""
    roles = ("initiator",)
    told = ("ics.refreshes=false",)

    def __init__(self):
        super().__init__()
        self.opened = set()

    def said(self, message):
        nslp = message.nslp
        if nslp and nslp.type == CREATE:
            if message.sid in self.opened and nslp.lifetime_s():
                self.more[message.sid] = self.more.get(message.sid, 0) - 1
                return None
            self.opened.add(message.sid)
        return super().said(message)


class TakesItsLongest(Box):
    """Asks for a lifetime of its own, whatever it was told (RFC 5973 3.4)."""
    roles = ("initiator",)

    def said(self, message):
        nslp = message.nslp
        if nslp and nslp.type == CREATE and nslp.lifetime_s() == 60:
            nslp.set_lifetime(90)
        return message

    def heard(self, message):
        nslp = message.nslp
        if nslp and nslp.type == NATFW_RESPONSE and nslp.lifetime_s() == 90:
            nslp.put(LT, struct.pack("!I", 60))
        return message

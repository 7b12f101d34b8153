"""Lawful boxes that are not natfw-shim's: each edits what that hears and says, for harness/lawful.

A box is a class: what it does otherwise, and why it may; the roles in which that shows.
"""
import struct

from box import (CONFIRM, COOKIE, CREATE, DATA, ERROR, ERROR_OBJECT, HELLO, HELLO_ID, ICMP_TYPES, INFO, LT,
                 MRI, MSN, NATFW, NATFW_RESPONSE, NLI, NOTIFY, QUERY, RESPONSE, TRIGGER_DONE, UPSTREAM,
                 Box, Octets, octets_frame, octets_of)


class ObjectTypeZero(Box):
    """Where an object is missing, NATFW_INFO names none (ruling A13)."""
    roles = ("firewall", "responder")

    def said(self, message):
        if message.nslp and message.nslp.info() == (3, 4):
            message.nslp.put(INFO, message.nslp.get(INFO)[:2] + b"\0\0")
        return message


class HeadersInSilence(Box):
    """Of a Query with S=0 that has a wrong common header it reads no more, and so no NLI: there is
    nobody to send an Error to (RFC 5971 5.6)."""
    roles = ("firewall", "responder")

    def heard(self, message):
        flags, source_is_peer = message.flags, message.flags & 0x80
        wrong = (message.version != 1 or message.type > 5 or message.objects is None
                 or 8 + 4 * message.words != len(message.octets)
                 or message.type == QUERY and (flags & 0x40 == 0 or flags & 0x20))
        return None if wrong and not source_is_peer and not message.stream else message


class OwnMaximum(Box):
    """With 7/0x11 it tells its own longest lifetime."""
    roles = ("firewall",)

    def said(self, message):
        if message.nslp and message.nslp.info() == (7, 0x11):
            message.nslp.set_lifetime(600)
        return message


class RefusesAtCreation(Box):
    """A lifetime is refused as too small when a session is created, and not when it is refreshed."""
    roles = ("firewall",)

    def __init__(self):
        self.established, self.small = set(), {}

    def heard(self, message):
        nslp = message.nslp
        is_refresh = nslp and nslp.type == CREATE and message.sid in self.established
        if is_refresh and nslp.lifetime_s() == 1:
            self.small[message.sid] = 1
            nslp.set_lifetime(2)
        return message

    def said(self, message):
        nslp = message.nslp
        if nslp and nslp.info() == (2, 1):
            self.established.add(message.sid)
        if nslp and nslp.type == CREATE and self.small.pop(message.sid, None):
            nslp.set_lifetime(1)
        return message


class ConfirmedStreams:
    """Knows the Responder-Cookies that were given, and by which stream a session was confirmed."""

    def __init__(self):
        self.given, self.confirmed = {}, {}

    def said(self, message):
        if message.type == RESPONSE and message.get(COOKIE):
            self.given.setdefault(message.sid, set()).add(message.get(COOKIE))
        return message

    def is_wrong(self, message):
        """Is it a Confirm with a wrong cookie, of a session that is established?"""
        if message.type != CONFIRM or not message.stream:
            return False
        if message.get(COOKIE) in self.given.get(message.sid, ()):
            self.confirmed[message.sid] = message.stream
            return False
        return self.confirmed.get(message.sid) == message.stream


class DiscardsWrongConfirms(ConfirmedStreams, Box):
    """A Confirm with a wrong cookie is discarded (RFC 5971 6.3), and the state that there is stays."""
    roles = ("firewall", "responder")

    def heard(self, message):
        return None if self.is_wrong(message) else message


class WrongConfirmsDelete(ConfirmedStreams, Box):
    """A Confirm with a wrong cookie ends the state that there is (RFC 5971 5.7.1)."""
    roles = ("firewall", "responder")

    def __init__(self):
        super().__init__()
        self.dead = set()

    def heard(self, message):
        if self.is_wrong(message):
            self.dead.add(message.sid)
            return None
        if message.type == QUERY:
            self.dead.discard(message.sid)
        return None if message.sid in self.dead and message.type == DATA else message


class TellsInvalidCookie(Box):
    """A responder that was set to tell of wrong cookies, for debugging (RFC 5971 8.5)."""
    roles = ("firewall", "responder")
    told = ("ics.hides_invalid_cookie=false",)

    def __init__(self):
        self.given, self.told_of = set(), []

    def said(self, message):
        self.given.add(message.type == RESPONSE and message.get(COOKIE))
        return message

    def heard(self, message):
        cookie = message.get(COOKIE)
        is_asked = message.type == CONFIRM and message.stream and message.stream[3] % 2 == 1
        if is_asked and cookie and cookie not in self.given:
            info = struct.pack("!HHHH", 4, 2 + len(cookie) // 4, 0, 0)
            self.told_of.append((message.stream, octets_of([[ERROR_OBJECT, struct.pack(
                "!BHBHBB", 2, 10, 4, 0, 0, 1) + message.octets[:8] + info
                + octets_of([[COOKIE, cookie]])]])))
        return message

    def adds(self):
        told_of, self.told_of = self.told_of, []
        for stream, body in told_of:
            yield octets_frame(
                stream, struct.pack("!BBHHBB", 1, 1, len(body) // 4, NATFW, ERROR, 0) + body)


class OtherPrefixError(Box):
    """A prefix that is too long is an "Invalid Flag-Field Combination", not a "Value Not Supported"."""
    roles = ("firewall", "responder")

    def __init__(self):
        self.is_long = False

    def heard(self, message):
        routing = message.get(MRI)
        self.is_long = bool(routing and len(routing) > 13 and max(routing[12:14]) > 32)
        return message

    def said(self, message):
        value = message.get(ERROR_OBJECT)
        if message.type == ERROR and self.is_long and value[1:4] == bytes((0, 10, 1)):
            message.put(ERROR_OBJECT, value[:3] + b"\2" + value[4:])
        return message


class PlainRefreshResponse(Box):
    """A Response to a refresh, over the association, asks for no Confirm (RFC 5971 5.1)."""
    roles = ("firewall", "responder")

    def __init__(self):
        self.confirmed = {}

    def heard(self, message):
        if message.type == CONFIRM:
            self.confirmed[message.sid] = message.get(MRI)[4:] # without its direction
        return message

    def said(self, message):
        is_refresh = message.type == RESPONSE and message.stream and message.get(MRI)
        if is_refresh and self.confirmed.get(message.sid) == message.get(MRI)[4:]:
            message.header[7] &= ~0x40
            message.drop(COOKIE)
        return message


class NoIcmpTypesIsAll(Box):
    """A NATFW_ICMP_TYPES with a count of zero is taken."""
    roles = ("firewall", "responder")

    def heard(self, message):
        nslp = message.nslp
        if nslp and nslp.objects and nslp.get(ICMP_TYPES) == b"\0\0\0\0":
            nslp.drop(ICMP_TYPES)
        return message


class OneAddress(Box):
    """Whatever the side, it answers from the same of its addresses (RFC 5971 5.2.2)."""
    roles = ("firewall",)

    def said(self, message):
        value = message.get(NLI)
        if message.type == RESPONSE and value and message.source == bytes((10, 10, 0, 1)):
            message.source = bytes((10, 20, 0, 1))
            message.put(NLI, value[:-4] + message.source)
        return message


class LowersFurther(Box):
    """A lifetime that is too long becomes less than the most that it would take."""
    roles = ("firewall",)

    def said(self, message):
        nslp = message.nslp
        if nslp and nslp.type == CREATE and nslp.lifetime_s() == 600:
            nslp.set_lifetime(300)
        return message


class RelaysOnly(Box):
    """Sends no NOTIFY of its own but those that RFC 5973 3.4 asks for, which go outbound."""
    roles = ("firewall",)

    def __init__(self):
        self.refused, self.relaying = set(), {}

    def heard(self, message):
        nslp = message.nslp
        if nslp and nslp.type == NOTIFY:
            self.relaying[message.sid] = self.relaying.get(message.sid, 0) + 1
        return message

    def said(self, message):
        nslp = message.nslp
        if nslp and nslp.info() in ((7, 0x11), (7, 0x12)):
            self.refused.add(message.sid)
        if not nslp or nslp.type != NOTIFY:
            return message
        if message.sid in self.refused:
            return None if message.get(MRI)[3] & UPSTREAM else message
        left = self.relaying.get(message.sid, 0)
        self.relaying[message.sid] = max(left - 1, 0)
        return message if left else None


class DeafWhileTransitory(Box):
    """Discards every NOTIFY of a session that one made Transitory, not that of a route change only
    (ruling A47), until a request makes it Established."""
    roles = ("firewall",)

    def __init__(self):
        self.transitory = set()

    def heard(self, message):
        nslp = message.nslp
        if nslp and nslp.type == CREATE:
            self.transitory.discard(message.sid)
        if not nslp or nslp.type != NOTIFY:
            return message
        if message.sid in self.transitory:
            return None
        if nslp.info() in ((1, 1), (1, 2), (1, 3)):
            self.transitory.add(message.sid)
        return message


class GivesUp(Box):
    """An NI whose RESPONSE is malformed gives its session up, and says so (RFC 5973 3.2.7)."""
    roles = ("initiator",)

    def __init__(self):
        self.waiting, self.opened, self.failed, self.dead = [], {}, [], set()

    def asked(self, number, operation):
        if operation == "open":
            self.waiting.append(number)

    def heard(self, message):
        nslp = message.nslp
        if message.sid in self.dead:
            return None
        is_response = nslp and nslp.type == NATFW_RESPONSE and message.sid in self.opened
        if is_response and self.is_malformed(nslp):
            self.failed.append(self.opened.pop(message.sid))
            self.dead.add(message.sid)
            return None
        return message

    @staticmethod
    def is_malformed(nslp):
        if nslp.objects is None:
            return True
        kinds = [head & 0xfff for head, _ in nslp.objects]
        known = {LT: 4, MSN: 4, INFO: 4}
        return (len(kinds) != len(set(kinds)) or INFO not in kinds or MSN not in kinds
                or any(head >> 14 == 3 or head >> 14 == 0 and head & 0xfff not in known
                       or known.get(head & 0xfff, len(value)) != len(value)
                       for head, value in nslp.objects))

    def said(self, message):
        if message.type == QUERY and message.sid not in self.opened and self.waiting:
            self.opened[message.sid] = self.waiting.pop(0)
        return None if message.sid in self.dead else message

    def adds(self):
        failed, self.failed = self.failed, []
        text = b"the RESPONSE is malformed"
        return [(TRIGGER_DONE, struct.pack("!IBH", number, 1, len(text)) + text)
                for number in failed]


class ChecksThePeer(Box):
    """Asks by MA-Hello whether its peer lives, behind the first Data of each association (RFC 5971
    5.1)."""
    roles = ("firewall", "responder", "initiator")
    hello_id = struct.pack("!I", 0x1234)

    def __init__(self):
        self.asked_on = set()

    def heard(self, message):
        is_reply = message.type == HELLO and message.get(HELLO_ID) == self.hello_id
        return None if is_reply else message

    def said(self, message):
        if not message.stream or message.type != DATA or message.stream in self.asked_on:
            return message
        self.asked_on.add(message.stream)
        hello = struct.pack("!BBHHBBHH", 1, 1, 2, 0, HELLO, 0x40, HELLO_ID, 1) + self.hello_id
        return Octets(message, message.encoded() + hello)

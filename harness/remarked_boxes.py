"""Boxes that do otherwise than a SHOULD: the suite passes them, and has to remark on it."""
import struct

from box import (CREATE, MRI, MSN, NATFW, NATFW_RESPONSE, NLI, NOTIFY, QUERY, RESPONSE, Box,
                 flow_of, flow_of_packet)

TRANSITORY = ((1, 1), (1, 2), (1, 3)) # class and code of the NOTIFYs that make a session so


class ForgetsTransitory(Box):
    """Takes the rule away at once when a NOTIFY makes a session Transitory (RFC 5973 3.2.8)."""
    roles = ("firewall",)
    remarks = ("RFC5973-3.2.8-4",)

    def __init__(self):
        self.closed = set()

    def heard(self, message):
        nslp = message.nslp
        if nslp and nslp.type == CREATE and message.get(MRI)[0] == 0:
            self.closed.discard(flow_of(message.get(MRI)))
        if nslp and nslp.type == NOTIFY and nslp.info() in TRANSITORY:
            self.closed.add(flow_of(message.get(MRI)))
        return message

    def data(self, octets, _port, _of_box):
        return None if flow_of_packet(octets) in self.closed else octets


class ForgetsMsn(Box):
    """A responder that forgets a session when a NOTIFY makes it Transitory: no MSN is stale then."""
    roles = ("responder",)
    remarks = ("RFC5973-3.2.8-4",)

    def __init__(self):
        self.last, self.forgotten, self.asked_with = {}, set(), {}

    def heard(self, message):
        nslp = message.nslp
        if nslp and nslp.type == NOTIFY and nslp.info() in TRANSITORY:
            self.forgotten.add(message.sid)
        if nslp and nslp.type == CREATE and len(nslp.get(MSN) or b"") == 4:
            msn = struct.unpack("!I", nslp.get(MSN))[0]
            if message.sid in self.forgotten:
                self.asked_with[message.sid] = nslp.get(MSN)
                msn = (self.last[message.sid] + 1) % 2 ** 32
                nslp.put(MSN, struct.pack("!I", msn))
                self.forgotten.discard(message.sid)
            self.last[message.sid] = msn
        return message

    def said(self, message):
        nslp = message.nslp
        if nslp and nslp.type == NATFW_RESPONSE and message.sid in self.asked_with:
            nslp.put(MSN, self.asked_with.pop(message.sid))
        return message


class SilentBypass(Box):
    """A Query for an application that it does not have is dropped in silence once its hop count is
    used up (RFC 5971 4.3.4)."""
    roles = ("firewall",)
    remarks = ("RFC5971-4.3.4-10a",)

    def heard(self, message):
        is_spent = message.type == QUERY and message.nslp_id != NATFW and message.hops == 1
        return None if is_spent else message


def with_identity(message):
    """The message with a Peer-Identity that no other session has."""
    value = message.get(NLI)
    is_whole = len(message.octets) == 8 + 4 * message.words
    if value and message.sid and is_whole and message.nslp_id == NATFW:
        length = min(value[0], 4)
        message.put(NLI, value[:8] + message.sid[:length] + value[8 + length:])
    return message


class SharesNothing(Box):
    """An association a session: no peer is the same to it (RFC 5971 4.4.3)."""
    roles = ("firewall", "responder", "initiator")
    remarks = ("RFC5971-4.4.3-4",)

    def heard(self, message):
        return with_identity(message)

    def said(self, message):
        return with_identity(message)


class ManyIdentities(Box):
    """To each session it is somebody else (RFC 5971 4.4.3)."""
    roles = ("firewall", "responder")
    remarks = ("RFC5971-4.4.3-1b",)

    def said(self, message):
        value = message.get(NLI)
        if message.type == RESPONSE and value:
            message.put(NLI, value[:8] + message.sid[:1] + value[9:])
        return message


class AsksAsItself(Box):
    """Its first Query comes from its own address already (RFC 5971 5.8.1.2)."""
    roles = ("firewall",)
    remarks = ("RFC5971-5.8.1.2-3a",)

    def said(self, message):
        if message.type == QUERY and not message.flags & 0x80:
            message.is_edited = True
            message.header[7] |= 0x80
            message.source = message.get(NLI)[-4:]
        return message

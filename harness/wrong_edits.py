"""Wrong boxes by what they edit: a kind of message that they never say or hear, or a field, an object, a
flag that is another in all that they say. See harness/wrong_boxes.py.
"""
from box import Box, CREATE, DATA, HELLO, INFO, LT, MRI, MSN, NATFW_RESPONSE, NLI, NOTIFY, SID

PROPOSAL, CONFIGURATION, QUERY_COOKIE, RESPONDER_COOKIE, ERROR_OBJECT = 3, 4, 5, 6, 9
FLAG_S, FLAG_R, FLAG_E = 0x80, 0x40, 0x20


class Wrong(Box):
    """In these roles, if it does not say otherwise, and in these lawful variants of a firewall."""
    roles = ("firewall", "responder", "initiator")
    variants = ()


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


def edited_boxes():
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
    for name in ("says-other-profile", "says-other-association-port"):
        boxes[name].variants = ("tls",)
    boxes["creates-for-longer"] = says_after(lives_longer(1), "CREATE")
    boxes["creates-for-less"] = says_after(lives_longer(-1), "CREATE")
    boxes["grants-longer"] = says_after(lives_longer(2), "RESPONSE 2")
    boxes["hears-other-distance"] = hears_after(flipped(NLI, 1, 4))
    boxes["hears-no-distance"] = hears_after(flipped(NLI, 1, 64))
    boxes["confirms-other-cookie"] = says_after(flipped(RESPONDER_COOKIE, 3, 1), "Confirm")
    boxes["hears-no-nat"] = hears_after(untranslated)
    return boxes

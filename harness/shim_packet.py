"""IPv4 packets, as harness/shim_proxy.py and the boxes behind it take them apart and put them together."""
import struct

MAGIC = bytes.fromhex("4e04bda5")
UDP, GIST_PORT, TTL = 17, 270, 64


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


def sums_put_right(packet):
    """The same packet with the checksums that belong to it; one of UDP that was left out still is."""
    packet = bytearray(packet)
    header = 4 * (packet[0] & 15)
    struct.pack_into("!H", packet, 10, 0)
    struct.pack_into("!H", packet, 10, checksum(bytes(packet[:header])))
    if packet[9] == UDP and packet[header + 6:header + 8] != b"\0\0":
        struct.pack_into("!H", packet, header + 6, 0)
        pseudo = bytes(packet[12:20]) + struct.pack("!BBH", 0, UDP, len(packet) - header)
        struct.pack_into("!H", packet, header + 6,
                         checksum(pseudo + bytes(packet[header:])) or 0xffff)
    return bytes(packet)


def datagram(source, destination, message):
    """A packet with this message of GIST, from and to its port."""
    payload = MAGIC + message
    udp = struct.pack("!HHHH", GIST_PORT, GIST_PORT, 8 + len(payload), 0xffff) + payload
    head = struct.pack("!BBHIBBH", 0x45, 0, 20 + len(udp), 0, TTL, UDP, 0) + source + destination
    return sums_put_right(head + udp)

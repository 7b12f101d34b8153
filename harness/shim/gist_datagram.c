/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looks of reference-node/netfilter/ruleset.c into datagrams; see gist_datagram.h. */
#include "harness/shim/gist_datagram.h"

#include <string.h>

enum {
    MAGIC_AT = 8,
    C_FLAG_AT = 18,
    C_FLAG = 0x80,
    OPTIONS_AT = 20
}; /* from the UDP or IP header */

static const uint8_t magic_number[] = {0x4e, 0x04, 0xbd, 0xa5};
static const uint8_t router_alert[] = {0x94, 0x04};

bool gist_datagram_is_one(const struct ipv4_packet *packet)
{
    return packet->protocol == PROTOCOL_UDP && !packet->is_fragment &&
           packet->payload_length >= MAGIC_AT + sizeof(magic_number) &&
           memcmp(packet->payload + MAGIC_AT, magic_number, sizeof(magic_number)) == 0;
}

bool gist_datagram_has_c_flag(const struct ipv4_packet *packet)
{
    return packet->payload_length > C_FLAG_AT && (packet->payload[C_FLAG_AT] & C_FLAG) != 0;
}

bool gist_datagram_has_router_alert(const struct ipv4_packet *packet)
{
    return packet->header_length >= OPTIONS_AT + sizeof(router_alert) &&
           memcmp(packet->octets + OPTIONS_AT, router_alert, sizeof(router_alert)) == 0;
}

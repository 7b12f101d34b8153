/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records of the journal; see record.h. */
#include "reference-node/journal/record.h"

#include "core/gist/message/mri_object.h"
#include "reference-node/base/text.h"

#include <jansson.h>
#include <net/if.h>
#include <string.h>

enum { OCTETS_MAX = 255, HEX_SIZE = 2 * OCTETS_MAX + 1 };
_Static_assert((int)GIST_MRI_VALUE_MAX <= OCTETS_MAX, "the longest value in hex");

/* The longest line: its names and numbers take less than 600 octets. */
_Static_assert(RECORD_MAX >= 600 + 3 * HEX_SIZE + 2 * GIST_MRI_VALUE_MAX + TEXT_FLOW_SIZE,
    "every record has room");

static json_t *hex(const uint8_t *octets, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    char text[HEX_SIZE];
    for (size_t i = 0; i < length; i++) {
        text[2 * i] = digits[octets[i] >> 4];
        text[2 * i + 1] = digits[octets[i] & 15];
    }
    text[2 * length] = '\0';
    return json_string(text);
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* At most OCTETS_MAX octets. */
static bool from_hex(const json_t *text, uint8_t *octets, size_t *length)
{
    const char *digits = json_string_value(text);
    *length = digits ? strlen(digits) / 2 : 0;
    if (!digits || strlen(digits) % 2 != 0 || *length > OCTETS_MAX)
        return false;
    for (size_t i = 0; i < *length; i++) {
        int high = digit(digits[2 * i]), low = digit(digits[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        octets[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static json_t *of_peer(const struct natfw_peer *peer)
{
    char address[TEXT_ADDRESS_SIZE], name[IFNAMSIZ];
    if (!natfw_peer_is_known(peer))
        return json_null();
    text_of_address(&peer->address, address);
    return json_pack("{s:s, s:I, s:s, s:o}", "address", address, "interface",
        (json_int_t)peer->interface, "interface_name",
        if_indextoname(peer->interface, name) ? name : "", "identity",
        hex(peer->identity, peer->identity_length));
}

/* By its name it is known again, should it have been made again meanwhile. */
static uint32_t to_interface(const json_t *object)
{
    const char *name = json_string_value(json_object_get(object, "interface_name"));
    uint32_t index = name ? if_nametoindex(name) : 0;
    return index != 0 ? index : (uint32_t)json_integer_value(json_object_get(object, "interface"));
}

static bool to_peer(const json_t *object, struct natfw_peer *peer)
{
    uint8_t octets[OCTETS_MAX];
    size_t length;
    if (json_is_null(object))
        return true;
    const char *address = json_string_value(json_object_get(object, "address"));
    if (!address || !text_to_address(address, &peer->address) ||
        !from_hex(json_object_get(object, "identity"), octets, &length))
        return false;
    peer->interface = to_interface(object);
    peer->identity_length = (uint8_t)length;
    memcpy(peer->identity, octets, length);
    return true;
}

static json_t *of_mri(const struct gist_mri *mri)
{
    uint8_t octets[GIST_MRI_VALUE_MAX];
    struct wire_writer writer = wire_writer_over(octets, sizeof(octets));
    gist_mri_write(&writer, mri);
    return hex(octets, wire_written(&writer));
}

static bool to_mri(const json_t *text, struct gist_mri *mri)
{
    uint8_t octets[OCTETS_MAX], subcode;
    size_t length;
    if (!from_hex(text, octets, &length))
        return false;
    struct wire_reader reader = wire_reader_over(octets, length);
    return gist_mri_read(&reader, mri, &subcode);
}

size_t record_write(
    const struct natfw_snapshot *snapshot, struct record_time now, char line[RECORD_MAX])
{
    char id[TEXT_SID_SIZE], flow[TEXT_FLOW_SIZE];
    const struct natfw_policy_rule *rule = &snapshot->rule;
    json_int_t expires_at_ms =
        (json_int_t)snapshot->expires_ms - (json_int_t)now.node_ms + (json_int_t)now.wall_ms;
    text_of_session_id(&snapshot->id, id);
    text_of_flow(&rule->flow, flow);
    json_t *record = json_pack(
        "{s:s, s:s, s:o, s:i, s:i, s:i, s:o, s:I, s:I, s:I, s:I, s:b, s:b, s:b, s:I, s:o, s:o}",
        "session", id, "flow", flow, "mri", of_mri(&rule->flow), "role", (int)snapshot->role,
        "action", (int)rule->action, "sub_ports", (int)rule->sub_ports, "icmp_types",
        hex(rule->icmp_types, rule->icmp_type_count), "lifetime_s",
        (json_int_t)snapshot->lifetime_s, "expires_ms", (json_int_t)snapshot->expires_ms,
        "expires_at_ms", expires_at_ms, "sequence_number", (json_int_t)snapshot->sequence_number,
        "reliable", snapshot->reliable, "secure", snapshot->secure, "keeps_alive",
        snapshot->keeps_alive, "refresh_lifetime_s", (json_int_t)snapshot->refresh_lifetime_s,
        "inbound_peer", of_peer(&snapshot->inbound_peer), "outbound_peer",
        of_peer(&snapshot->outbound_peer));
    size_t length = record ? json_dumpb(record, line, RECORD_MAX, JSON_COMPACT) : 0;
    json_decref(record);
    return length <= RECORD_MAX ? length : 0;
}

static bool to_number(const json_t *record, const char *key, uint64_t high, uint64_t *value)
{
    json_t *number = json_object_get(record, key);
    json_int_t given = json_integer_value(number);
    *value = (uint64_t)given;
    return json_is_integer(number) && given >= 0 && *value <= high;
}

static bool to_rule(const json_t *record, struct natfw_policy_rule *rule)
{
    uint64_t action, sub_ports;
    size_t length;
    if (!to_mri(json_object_get(record, "mri"), &rule->flow) ||
        !to_number(record, "action", NATFW_DENY, &action) || action < NATFW_ALLOW ||
        !to_number(record, "sub_ports", 1, &sub_ports) ||
        !from_hex(json_object_get(record, "icmp_types"), rule->icmp_types, &length))
        return false;
    rule->action = (enum natfw_action)action;
    rule->sub_ports = (uint8_t)sub_ports;
    rule->icmp_type_count = (uint8_t)length;
    return true;
}

static bool to_times(
    const json_t *record, struct record_time now, bool same_boot, struct natfw_snapshot *snapshot)
{
    uint64_t node_ms, wall_ms;
    if (!to_number(record, "expires_ms", INT64_MAX, &node_ms) ||
        !to_number(record, "expires_at_ms", INT64_MAX, &wall_ms))
        return false;
    uint64_t left_ms = wall_ms > now.wall_ms ? wall_ms - now.wall_ms : 0;
    uint64_t lifetime_ms = snapshot->lifetime_s * UINT64_C(1000);
    if (left_ms > lifetime_ms) /* the wall's clock was set back */
        left_ms = lifetime_ms;
    snapshot->expires_ms = same_boot ? node_ms : now.node_ms + left_ms;
    return true;
}

static bool to_snapshot(
    const json_t *record, struct record_time now, bool same_boot, struct natfw_snapshot *snapshot)
{
    uint8_t id[OCTETS_MAX];
    size_t length;
    uint64_t role, lifetime_s, sequence_number, refresh_lifetime_s;
    if (!from_hex(json_object_get(record, "session"), id, &length) ||
        length != sizeof(snapshot->id.octets) || !to_rule(record, &snapshot->rule) ||
        !to_number(record, "role", NATFW_RESPONDER, &role) ||
        !to_number(record, "lifetime_s", UINT32_MAX, &lifetime_s) ||
        !to_number(record, "sequence_number", UINT32_MAX, &sequence_number) ||
        !to_number(record, "refresh_lifetime_s", UINT32_MAX, &refresh_lifetime_s) ||
        !to_peer(json_object_get(record, "inbound_peer"), &snapshot->inbound_peer) ||
        !to_peer(json_object_get(record, "outbound_peer"), &snapshot->outbound_peer))
        return false;
    memcpy(snapshot->id.octets, id, length);
    snapshot->role = (enum natfw_role)role;
    snapshot->lifetime_s = (uint32_t)lifetime_s;
    snapshot->sequence_number = (uint32_t)sequence_number;
    snapshot->refresh_lifetime_s = (uint32_t)refresh_lifetime_s;
    snapshot->reliable = json_is_true(json_object_get(record, "reliable"));
    snapshot->secure = json_is_true(json_object_get(record, "secure"));
    snapshot->keeps_alive = json_is_true(json_object_get(record, "keeps_alive"));
    return to_times(record, now, same_boot, snapshot);
}

bool record_read(
    const char *line, struct record_time now, bool same_boot, struct natfw_snapshot *snapshot)
{
    memset(snapshot, 0, sizeof(*snapshot));
    json_t *record = json_loads(line, 0, NULL);
    bool is_record = json_is_object(record) && to_snapshot(record, now, same_boot, snapshot);
    json_decref(record);
    return is_record;
}

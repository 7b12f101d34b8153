/* NATFW messages as JSON. RFC 5973 4. */
#include "core/natfw/message/message.h"
#include "core/natfw/message/message_parse.h"

#include "core/natfw/message/session_auth.h"
#include "harness/codec-lines/view.h"

#include <stdio.h>

static json_t *external_binding(const struct natfw_external_binding *value)
{
    json_t *addresses = json_array();
    struct wire_reader list = wire_reader_over(value->addresses, 4 * value->address_count);
    while (wire_remaining(&list) > 0)
        json_array_append_new(
            addresses, json_pack("{so}", "address", view_address_v4(wire_read_u32(&list))));
    return json_pack("{si si so}", "port", value->port, "ip_ver", 4, "addresses", addresses);
}

static json_t *dtinfo(const struct natfw_dtinfo *value)
{
    json_t *fields = json_pack("{si si si si so so}", "i", value->has_protocol, "p",
        value->has_ports, "s", value->has_spi, "sender_prefix", value->sender_prefix, "protocol",
        view_number_if(value->has_protocol, value->protocol), "address",
        view_address_v4(value->sender_address));
    if (value->has_ports) {
        json_object_set_new(fields, "dr_port", json_integer(value->receiver_port));
        json_object_set_new(fields, "ds_port", json_integer(value->sender_port));
    }
    if (value->has_spi)
        json_object_set_new(fields, "spi", json_integer(value->spi));
    return fields;
}

static json_t *icmp_types(const struct natfw_icmp_types *value)
{
    json_t *types = json_array();
    for (unsigned i = 0; i < value->count; i++)
        json_array_append_new(types, json_integer(value->types[i]));
    return json_pack("{si so}", "count", value->count, "types", types);
}

static json_t *natfw_object_fields(const struct natfw_message *message, enum natfw_object_type type)
{
    switch (type) {
    case NATFW_LT:
        return json_pack("{sI}", "lifetime_s", (json_int_t)message->lifetime_s);
    case NATFW_EXTERNAL_IP:
        return json_pack("{si si so}", "port", message->external_address.port, "ip_ver", 4,
            "address", view_address_v4(message->external_address.address));
    case NATFW_EXTERNAL_BINDING:
        return external_binding(&message->external_binding);
    case NATFW_EFI:
        return json_pack(
            "{si si}", "rule_action", message->efi.action, "sub_ports", message->efi.sub_ports);
    case NATFW_INFO:
        return json_pack("{si si si}", "class", natfw_class_of(message->info.code), "code",
            natfw_number_of(message->info.code), "object_type", message->info.object_type);
    case NATFW_NONCE:
        return json_pack("{sI}", "nonce", (json_int_t)message->nonce);
    case NATFW_MSN:
        return json_pack("{sI}", "msn", (json_int_t)message->sequence_number);
    case NATFW_DTINFO:
        return dtinfo(&message->dtinfo);
    case NATFW_ICMP_TYPES:
        return icmp_types(&message->icmp_types);
    }
    return NULL;
}

json_t *natfw_view(const uint8_t *octets, size_t length)
{
    struct natfw_message message;
    struct natfw_info fault;
    if (!natfw_message_parse(octets, length, &message, &fault))
        return json_pack("{s{si si si}}", "fault", "class", natfw_class_of(fault.code), "code",
            natfw_number_of(fault.code), "object", fault.object_type);
    json_t *objects = json_object();
    for (unsigned type = NATFW_OBJECT_FIRST; type <= NATFW_OBJECT_LAST; type++) {
        char key[8];
        snprintf(key, sizeof(key), "%u", type);
        if (natfw_message_has(&message, type))
            json_object_set_new(objects, key, natfw_object_fields(&message, type));
    }
    struct wire_reader attributes;
    if (natfw_session_auth_find(&message, &attributes))
        json_object_set_new(objects, "22", session_auth_view(attributes));
    bool request = message.type == NATFW_CREATE || message.type == NATFW_EXTERNAL;
    return json_pack("{s{si so so} so}", "header", "type", message.type, "p",
        view_number_if(request, message.proxy), "e",
        view_number_if(message.proxy, message.end_to_end), "objects", objects);
}

/* The session authorisation object as JSON. RFC 5981 3. */
#include "core/natfw/message/session_auth.h"

#include "harness/codec-lines/view.h"

#include <string.h>

static json_t *auth_items(const struct natfw_auth_value *value, bool object_types)
{
    json_t *list = json_array();
    struct wire_reader items = wire_reader_over(value->items, 2 * value->count);
    while (wire_remaining(&items) > 0) {
        uint16_t item = wire_read_u16(&items);
        json_array_append_new(list,
            object_types ? json_pack("{si}", "object_type", item & 0xfff) : json_integer(item));
    }
    return list;
}

static json_t *auth_address(const struct natfw_auth_value *value)
{
    struct gist_address address = {.version = value->address_length == 4 ? 4 : 6};
    memcpy(address.octets, value->address, value->address_length);
    return view_address(&address);
}

static bool is_printable(const uint8_t *octets, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (octets[i] < 32 || octets[i] > 126)
            return false;
    return true;
}

static json_t *auth_octets(const struct natfw_auth_value *value, bool text)
{
    const uint8_t *octets = value->octets.data;
    size_t length = value->octets.length;
    if (text && is_printable(octets, length))
        return json_stringn((const char *)octets, length);
    return view_hex(octets, length);
}

static void auth_flow_end(json_t *fields, uint8_t subtype, const struct natfw_auth_value *value)
{
    if (value->address_length > 0)
        json_object_set_new(fields, "address", auth_address(value));
    else if (subtype == NATFW_AUTH_SPI)
        json_object_set_new(fields, "spi", json_integer(value->spi));
    else
        json_object_set_new(fields, "ports", auth_items(value, false));
}

static void auth_entity(json_t *fields, uint8_t subtype, const struct natfw_auth_value *value)
{
    bool certificate = subtype == NATFW_AUTH_ENTITY_PGP_CERTIFICATE;
    if (value->address_length > 0)
        json_object_set_new(fields, "address", auth_address(value));
    else if (subtype == NATFW_AUTH_ENTITY_HMAC_SIGNED)
        json_object_set_new(fields, "transform_id", json_integer(value->transform_id));
    else
        json_object_set_new(
            fields, certificate ? "certificate" : "name", auth_octets(value, !certificate));
}

static json_t *auth_attribute(
    const struct natfw_auth_attribute *attribute, const struct natfw_auth_value *value)
{
    json_t *fields = json_pack("{si si si}", "length", (int)attribute->length + 4, "x_type",
        attribute->type, "sub_type", attribute->subtype);
    switch ((enum natfw_auth_type)attribute->type) {
    case NATFW_AUTH_ENTITY_ID:
        auth_entity(fields, attribute->subtype, value);
        break;
    case NATFW_AUTH_SESSION_ID:
        json_object_set_new(fields, "session_id", auth_octets(value, false));
        break;
    case NATFW_AUTH_SOURCE_ADDRESS:
    case NATFW_AUTH_DESTINATION_ADDRESS:
        auth_flow_end(fields, attribute->subtype, value);
        break;
    case NATFW_AUTH_START_TIME:
    case NATFW_AUTH_END_TIME:
        json_object_set_new(fields, "seconds", json_integer(value->seconds));
        json_object_set_new(fields, "fraction", json_integer(value->fraction));
        break;
    case NATFW_AUTH_OBJECT_LIST:
        json_object_set_new(fields, "object_count", json_integer((json_int_t)value->count));
        json_object_set_new(fields, "object_types", auth_items(value, true));
        break;
    case NATFW_AUTH_AUTHENTICATION_DATA:
        if (value->has_key_id)
            json_object_set_new(fields, "key_id", json_integer(value->key_id));
        json_object_set_new(fields, "authentication_data", auth_octets(value, false));
        break;
    }
    return fields;
}

json_t *session_auth_view(struct wire_reader attributes)
{
    if (!natfw_session_auth_is_sound(attributes))
        return json_null();
    json_t *list = json_array();
    uint8_t entity = 0;
    struct natfw_auth_attribute attribute;
    struct natfw_auth_value value;
    while (natfw_auth_attribute_next(&attributes, &attribute) &&
           natfw_auth_value_read(&attribute, entity, &value)) {
        entity = natfw_auth_entity(&attribute, entity);
        json_array_append_new(list, auth_attribute(&attribute, &value));
    }
    return json_pack("{so}", "attributes", list);
}

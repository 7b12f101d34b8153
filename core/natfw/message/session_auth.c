/* The session authorisation object; see session_auth.h. */
#include "core/natfw/message/session_auth.h"

#include "core/natfw/message/object.h"

enum { HEADER_LENGTH = 4 };

bool natfw_session_auth_find(const struct natfw_message *message, struct wire_reader *attributes)
{
    struct wire_reader objects =
        wire_reader_over(message->received_objects, message->received_length);
    struct natfw_object object;
    while (natfw_object_next(&objects, &object))
        if (object.type == NATFW_SESSION_AUTH && !object.value.failed) {
            *attributes = object.value;
            return true;
        }
    return false;
}

/* RFC 5981 3.2: the length counts the header, but not the padding. */
bool natfw_auth_attribute_next(
    struct wire_reader *attributes, struct natfw_auth_attribute *attribute)
{
    if (wire_remaining(attributes) == 0)
        return false;
    uint16_t length = wire_read_u16(attributes);
    attribute->type = wire_read_u8(attributes);
    attribute->subtype = wire_read_u8(attributes);
    if (length < HEADER_LENGTH)
        attributes->failed = true;
    attribute->length = attributes->failed ? 0 : length - HEADER_LENGTH;
    attribute->value = wire_read_view(attributes, attribute->length);
    size_t padding = (4 - attribute->length % 4) % 4;
    const uint8_t *octets = wire_read_view(attributes, padding);
    attribute->padding_is_zero = true;
    for (size_t i = 0; octets && i < padding; i++)
        attribute->padding_is_zero = attribute->padding_is_zero && octets[i] == 0;
    return !attributes->failed;
}

static bool read_address(
    struct wire_reader *reader, struct natfw_auth_value *value, size_t address_length)
{
    value->address_length = address_length;
    value->address = wire_read_view(reader, address_length);
    return wire_finished(reader);
}

static bool read_octets(struct wire_reader *reader, struct natfw_auth_value *value)
{
    value->octets.length = wire_remaining(reader);
    value->octets.data = wire_read_view(reader, value->octets.length);
    return !reader->failed;
}

/* 3.2.1, figure 5. */
static bool read_entity(struct wire_reader *reader, uint8_t subtype, struct natfw_auth_value *value)
{
    if (subtype == NATFW_AUTH_ENTITY_IPV4)
        return read_address(reader, value, 4);
    if (subtype == NATFW_AUTH_ENTITY_IPV6)
        return read_address(reader, value, 16);
    if (subtype >= 3 && subtype <= NATFW_AUTH_ENTITY_PGP_CERTIFICATE)
        return read_octets(reader, value);
    if (subtype != NATFW_AUTH_ENTITY_HMAC_SIGNED)
        return false;
    wire_skip(reader, 3);
    value->transform_id = wire_read_u8(reader);
    return wire_finished(reader);
}

static bool read_ports(struct wire_reader *reader, struct natfw_auth_value *value)
{
    value->count = wire_remaining(reader) / 2;
    value->items = wire_read_view(reader, 2 * value->count);
    return wire_finished(reader);
}

/* 3.2.3, 3.2.4. */
static bool read_flow_end(
    struct wire_reader *reader, uint8_t subtype, struct natfw_auth_value *value)
{
    switch ((enum natfw_auth_address_type)subtype) {
    case NATFW_AUTH_IPV4:
        return read_address(reader, value, 4);
    case NATFW_AUTH_IPV6:
        return read_address(reader, value, 16);
    case NATFW_AUTH_UDP_PORTS:
    case NATFW_AUTH_TCP_PORTS:
        return read_ports(reader, value);
    case NATFW_AUTH_SPI:
        value->spi = wire_read_u32(reader);
        return wire_finished(reader);
    }
    return false;
}

/* 3.2.5, 3.2.6. */
static bool read_time(struct wire_reader *reader, uint8_t subtype, struct natfw_auth_value *value)
{
    value->seconds = wire_read_u32(reader);
    value->fraction = wire_read_u32(reader);
    return subtype == 1 && wire_finished(reader);
}

/* 3.2.7. Its length leaves the padding out (3.2); who counts it all the same is understood. */
static bool read_object_list(struct wire_reader *reader, struct natfw_auth_value *value)
{
    value->count = wire_read_u16(reader);
    value->items = wire_read_view(reader, 2 * value->count);
    if (value->count % 2 == 0 && wire_remaining(reader) > 0)
        wire_skip(reader, 2);
    return wire_finished(reader);
}

/* 3.2.8. Certificates and Kerberos need no key id: 4.2, 4.3. */
static bool read_authentication_data(
    struct wire_reader *reader, uint8_t entity, struct natfw_auth_value *value)
{
    value->has_key_id = (entity >= NATFW_AUTH_ENTITY_IPV4 && entity <= NATFW_AUTH_ENTITY_URI) ||
                        entity == NATFW_AUTH_ENTITY_HMAC_SIGNED;
    if (value->has_key_id)
        value->key_id = wire_read_u32(reader);
    return read_octets(reader, value);
}

bool natfw_auth_value_read(
    const struct natfw_auth_attribute *attribute, uint8_t entity, struct natfw_auth_value *value)
{
    *value = (struct natfw_auth_value){0};
    struct wire_reader reader = wire_reader_over(attribute->value, attribute->length);
    switch ((enum natfw_auth_type)attribute->type) {
    case NATFW_AUTH_ENTITY_ID:
        return read_entity(&reader, attribute->subtype, value);
    case NATFW_AUTH_SESSION_ID:
        return attribute->subtype == 0 && read_octets(&reader, value);
    case NATFW_AUTH_SOURCE_ADDRESS:
    case NATFW_AUTH_DESTINATION_ADDRESS:
        return read_flow_end(&reader, attribute->subtype, value);
    case NATFW_AUTH_START_TIME:
    case NATFW_AUTH_END_TIME:
        return read_time(&reader, attribute->subtype, value);
    case NATFW_AUTH_OBJECT_LIST:
        return read_object_list(&reader, value);
    case NATFW_AUTH_AUTHENTICATION_DATA:
        return read_authentication_data(&reader, entity, value);
    }
    return false;
}

/* How often there is what the rules between attributes are about. */
struct census {
    unsigned count[NATFW_AUTH_AUTHENTICATION_DATA + 1]; /* by type */
    unsigned ports[2][2];                               /* source or destination, UDP or TCP */
    bool hmac_signed;
    bool data_is_last;
};

static void count_attribute(struct census *census, const struct natfw_auth_attribute *attribute)
{
    census->count[attribute->type]++;
    census->data_is_last = attribute->type == NATFW_AUTH_AUTHENTICATION_DATA;
    bool end = attribute->type == NATFW_AUTH_SOURCE_ADDRESS ||
               attribute->type == NATFW_AUTH_DESTINATION_ADDRESS;
    if (end &&
        (attribute->subtype == NATFW_AUTH_UDP_PORTS || attribute->subtype == NATFW_AUTH_TCP_PORTS))
        census->ports[attribute->type - NATFW_AUTH_SOURCE_ADDRESS]
                     [attribute->subtype - NATFW_AUTH_UDP_PORTS]++;
    if (attribute->type == NATFW_AUTH_ENTITY_ID &&
        attribute->subtype == NATFW_AUTH_ENTITY_HMAC_SIGNED)
        census->hmac_signed = true;
}

static bool is_sound(const struct census *census)
{
    const unsigned *count = census->count;
    unsigned data = count[NATFW_AUTH_AUTHENTICATION_DATA];
    if (data > 1 || (data == 1 && !census->data_is_last))
        return false;
    for (size_t i = 0; i < 4; i++)
        if (census->ports[i / 2][i % 2] > 1)
            return false;
    if (count[NATFW_AUTH_OBJECT_LIST] > 0 && data == 0)
        return false;
    return !census->hmac_signed ||
           (count[NATFW_AUTH_SOURCE_ADDRESS] > 0 && count[NATFW_AUTH_START_TIME] > 0 &&
               count[NATFW_AUTH_OBJECT_LIST] > 0 && data == 1);
}

bool natfw_session_auth_is_sound(struct wire_reader attributes)
{
    struct census census = {0};
    uint8_t entity = 0;
    struct natfw_auth_attribute attribute;
    while (natfw_auth_attribute_next(&attributes, &attribute)) {
        struct natfw_auth_value value;
        if (attribute.length == 0 || !attribute.padding_is_zero ||
            !natfw_auth_value_read(&attribute, entity, &value))
            return false;
        entity = natfw_auth_entity(&attribute, entity);
        count_attribute(&census, &attribute);
    }
    return !attributes.failed && is_sound(&census);
}

void natfw_auth_attribute_write(
    struct wire_writer *writer, const struct natfw_auth_attribute *attribute)
{
    if (attribute->length > UINT16_MAX - HEADER_LENGTH) {
        writer->failed = true;
        return;
    }
    wire_put_u16(writer, (uint16_t)(HEADER_LENGTH + attribute->length));
    wire_put_u8(writer, attribute->type);
    wire_put_u8(writer, attribute->subtype);
    wire_put_bytes(writer, attribute->value, attribute->length);
    wire_put_zeros(writer, (4 - attribute->length % 4) % 4);
}

/* The session authorisation object; see session_auth.h. */
#include "core/natfw/session_auth.h"

#include "core/natfw/object.h"

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
    wire_skip(attributes, (4 - attribute->length % 4) % 4);
    return !attributes->failed;
}

bool natfw_session_auth_is_sound(struct wire_reader attributes)
{
    bool has_list = false;
    bool is_signed = false;
    struct natfw_auth_attribute attribute;
    while (natfw_auth_attribute_next(&attributes, &attribute)) {
        if (is_signed)
            return false;
        has_list = has_list || attribute.type == NATFW_AUTH_OBJECT_LIST;
        is_signed = attribute.type == NATFW_AUTH_AUTHENTICATION_DATA;
    }
    return !attributes.failed && (is_signed || !has_list);
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

/* The NAT-Traversal object read; see nat_traversal.h. RFC 5971 A.3.9. */
#include "core/gist/message/nat_traversal.h"

#include "core/gist/message/mri_object.h"

static void skip_padding(struct wire_reader *value)
{
    wire_skip(value, (4 - value->position % 4) % 4);
}

static void read_mri(struct gist_nat_traversal *traversal)
{
    struct wire_reader mri =
        wire_reader_over(traversal->mri_value.octets, traversal->mri_value.length);
    uint8_t subcode;
    traversal->mri_understood = gist_mri_read(&mri, &traversal->mri, &subcode);
}

bool gist_nat_traversal_read(
    struct wire_reader *value, struct gist_nat_traversal *traversal, uint8_t *subcode)
{
    *traversal = (struct gist_nat_traversal){0};
    *subcode = GIST_INCORRECT_LENGTH;
    traversal->value = (struct gist_octets){value->data, value->length};
    traversal->mri_value.length = 4 * (size_t)wire_read_u8(value);
    traversal->type_count = wire_read_u8(value);
    traversal->nat_count = wire_read_u8(value);
    wire_skip(value, 1);
    traversal->mri_value.octets = wire_read_view(value, traversal->mri_value.length);
    traversal->types.length = 2 * (size_t)traversal->type_count;
    traversal->types.octets = wire_read_view(value, traversal->types.length);
    skip_padding(value);
    if (value->failed)
        return false;
    read_mri(traversal);
    traversal->opaque =
        (struct gist_octets){value->data + value->position, value->length - value->position};
    for (unsigned i = 0; i < traversal->nat_count; i++) {
        wire_skip(value, wire_read_u16(value));
        skip_padding(value);
    }
    return wire_finished(value);
}

bool gist_nat_traversal_translated(
    const struct gist_nat_traversal *traversal, enum gist_object_type type)
{
    struct wire_reader types = wire_reader_over(traversal->types.octets, traversal->types.length);
    while (wire_remaining(&types) > 0)
        if ((wire_read_u16(&types) & 0xfff) == type)
            return true;
    return false;
}

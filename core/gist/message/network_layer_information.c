/* Network-Layer-Information read and written; see its header. RFC 5971 A.3.3. */
#include "core/gist/message/network_layer_information.h"

#include "core/spec/spec.h"

static size_t padded(size_t length)
{
    return (length + 3) / 4 * 4;
}

bool gist_nli_read(struct wire_reader *value, struct gist_nli *nli, uint8_t *subcode)
{
    *nli = (struct gist_nli){0};
    size_t identity_length = wire_read_u8(value);
    nli->ip_ttl = wire_read_u8(value);
    uint8_t version = (uint8_t)(wire_read_u16(value) >> 12);
    if (value->failed)
        return gist_value_fault(subcode, GIST_INCORRECT_LENGTH);
    if (version != 4 && version != 6)
        return gist_value_fault(subcode, GIST_VALUE_NOT_SUPPORTED);
    nli->validity_ms = wire_read_u32(value);
    if (!value->failed) {
        SPEC_ENSURE("RFC5971-A.3.3-1", 1, nli->validity_ms != 0) {
            return gist_value_fault(subcode, GIST_VALUE_NOT_SUPPORTED);
        }
    }
    nli->peer_identity.octets = wire_read_view(value, padded(identity_length));
    nli->peer_identity.length = identity_length;
    nli->interface_address.version = version;
    wire_read_bytes(value, nli->interface_address.octets, gist_address_length(version));
    if (!wire_finished(value))
        return gist_value_fault(subcode, GIST_INCORRECT_LENGTH);
    return true;
}

void gist_nli_write(struct wire_writer *writer, const struct gist_nli *nli)
{
    size_t address_length = gist_address_length(nli->interface_address.version);
    if (address_length == 0 || nli->peer_identity.length > 255)
        writer->failed = true;
    wire_put_u8(writer, (uint8_t)nli->peer_identity.length);
    wire_put_u8(writer, nli->ip_ttl);
    wire_put_u16(writer, (uint16_t)(nli->interface_address.version << 12));
    wire_put_u32(writer, nli->validity_ms);
    wire_put_bytes(writer, nli->peer_identity.octets, nli->peer_identity.length);
    wire_put_zeros(writer, padded(nli->peer_identity.length) - nli->peer_identity.length);
    wire_put_bytes(writer, nli->interface_address.octets, address_length);
}

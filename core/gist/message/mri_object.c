/* Message-Routing-Information read and written; see mri_object.h. RFC 5971 A.3.1. */
#include "core/gist/message/mri_object.h"

#include "core/spec/spec.h"

enum {
    FLAG_P = 0x0800,
    FLAG_T = 0x0400,
    FLAG_F = 0x0200,
    FLAG_S = 0x0100,
    FLAG_A = 0x0080,
    FLAG_B = 0x0040,
    FLAG_D = 0x0020,
    LOOSE_END_FLAG_D = 0x0800,
};

static bool read_addresses(struct wire_reader *value, struct gist_mri *mri, uint8_t version)
{
    size_t length = gist_address_length(version);
    mri->source.version = mri->destination.version = version;
    wire_read_bytes(value, mri->source.octets, length);
    wire_read_bytes(value, mri->destination.octets, length);
    return !value->failed;
}

static bool flags_agree(uint16_t flags, uint8_t version)
{
    bool ports = flags & (FLAG_A | FLAG_B);
    return SPEC_HOLDS("RFC5971-A.3.1.1-2", 1, !(flags & FLAG_F) || version == 6) &&
           SPEC_HOLDS("RFC5971-A.3.1.1-3", 1, !(flags & FLAG_S) || (flags & FLAG_P)) &&
           SPEC_HOLDS("RFC5971-A.3.1.1-4", 1, !ports || (flags & FLAG_P));
}

static void read_flow_fields(struct wire_reader *value, struct gist_mri *mri, uint16_t flags)
{
    mri->source_prefix = wire_read_u8(value);
    mri->destination_prefix = wire_read_u8(value);
    uint8_t protocol = wire_read_u8(value);
    mri->has_protocol =
        SPEC_VALUE("RFC5971-A.3.1.1-1", 1, flags & FLAG_P, (flags & FLAG_P) || protocol != 0);
    mri->protocol = mri->has_protocol ? protocol : 0;
    uint8_t ds_field = wire_read_u8(value) >> 2;
    mri->has_ds_field = flags & FLAG_T;
    mri->ds_field = mri->has_ds_field ? ds_field : 0;
    mri->has_flow_label = flags & FLAG_F;
    if (mri->has_flow_label)
        mri->flow_label = wire_read_u32(value) & 0xfffff;
    mri->has_spi = flags & FLAG_S;
    if (mri->has_spi)
        mri->spi = wire_read_u32(value);
    if (!(flags & (FLAG_A | FLAG_B)))
        return;
    mri->has_source_port = flags & FLAG_A;
    mri->has_destination_port = flags & FLAG_B;
    uint16_t source_port = wire_read_u16(value);
    uint16_t destination_port = wire_read_u16(value);
    mri->source_port = mri->has_source_port ? source_port : 0;
    mri->destination_port = mri->has_destination_port ? destination_port : 0;
}

static bool read_path_coupled(struct wire_reader *value, struct gist_mri *mri, uint8_t *subcode)
{
    uint16_t flags = wire_read_u16(value);
    uint8_t version = (uint8_t)(flags >> 12);
    if (value->failed)
        return gist_value_fault(subcode, GIST_INCORRECT_LENGTH);
    if (version != 4 && version != 6)
        return gist_value_fault(subcode, GIST_VALUE_NOT_SUPPORTED);
    if (!flags_agree(flags, version))
        return gist_value_fault(
            subcode, SPEC_VALUE("RFC5971-A.3.1.1-5", 1, GIST_INVALID_FLAG_FIELD_COMBINATION,
                         GIST_VALUE_NOT_SUPPORTED));
    mri->upstream = flags & FLAG_D;
    if (!read_addresses(value, mri, version))
        return gist_value_fault(subcode, GIST_INCORRECT_LENGTH);
    read_flow_fields(value, mri, flags);
    if (!wire_finished(value))
        return gist_value_fault(subcode, GIST_INCORRECT_LENGTH);
    size_t bits = 8 * gist_address_length(version);
    if (mri->source_prefix > bits || mri->destination_prefix > bits)
        return gist_value_fault(subcode, GIST_VALUE_NOT_SUPPORTED);
    return true;
}

static bool read_loose_end(struct wire_reader *value, struct gist_mri *mri, uint8_t *subcode)
{
    uint16_t flags = wire_read_u16(value);
    uint8_t version = (uint8_t)(flags >> 12);
    if (value->failed)
        return gist_value_fault(subcode, GIST_INCORRECT_LENGTH);
    if (version != 4 && version != 6)
        return gist_value_fault(subcode, GIST_VALUE_NOT_SUPPORTED);
    mri->upstream = flags & LOOSE_END_FLAG_D;
    if (!read_addresses(value, mri, version) || !wire_finished(value))
        return gist_value_fault(subcode, GIST_INCORRECT_LENGTH);
    return true;
}

bool gist_mri_read(struct wire_reader *value, struct gist_mri *mri, uint8_t *subcode)
{
    *mri = (struct gist_mri){0};
    uint8_t method = wire_read_u8(value);
    wire_skip(value, 1); /* the N-flag concerns NATs only */
    if (value->failed)
        return gist_value_fault(subcode, GIST_INCORRECT_LENGTH);
    mri->mrm = (enum gist_mrm)method;
    if (method == GIST_MRM_PATH_COUPLED)
        return read_path_coupled(value, mri, subcode);
    if (method == GIST_MRM_LOOSE_END)
        return read_loose_end(value, mri, subcode);
    return gist_value_fault(subcode, GIST_VALUE_NOT_SUPPORTED);
}

static uint16_t path_coupled_flags(const struct gist_mri *mri)
{
    return (uint16_t)(mri->source.version << 12 | (mri->has_protocol ? FLAG_P : 0) |
                      (mri->has_ds_field ? FLAG_T : 0) | (mri->has_flow_label ? FLAG_F : 0) |
                      (mri->has_spi ? FLAG_S : 0) | (mri->has_source_port ? FLAG_A : 0) |
                      (mri->has_destination_port ? FLAG_B : 0) | (mri->upstream ? FLAG_D : 0));
}

static void write_flow_fields(struct wire_writer *writer, const struct gist_mri *mri)
{
    wire_put_u8(writer, mri->source_prefix);
    wire_put_u8(writer, mri->destination_prefix);
    wire_put_u8(writer, mri->has_protocol ? mri->protocol : 0);
    wire_put_u8(writer, mri->has_ds_field ? (uint8_t)(mri->ds_field << 2) : 0);
    if (mri->has_flow_label)
        wire_put_u32(writer, mri->flow_label & 0xfffff);
    if (mri->has_spi)
        wire_put_u32(writer, mri->spi);
    if (!mri->has_source_port && !mri->has_destination_port)
        return;
    wire_put_u16(writer, mri->has_source_port ? mri->source_port : 0);
    wire_put_u16(writer, mri->has_destination_port ? mri->destination_port : 0);
}

/* What the fields can hold, and what the routing method has. */
static bool is_writable(const struct gist_mri *mri)
{
    bool any = mri->has_protocol || mri->has_ds_field || mri->has_flow_label || mri->has_spi ||
               mri->has_source_port || mri->has_destination_port;
    if (gist_address_length(mri->source.version) == 0 ||
        mri->destination.version != mri->source.version)
        return false;
    if (mri->mrm == GIST_MRM_LOOSE_END)
        return !any;
    return mri->mrm == GIST_MRM_PATH_COUPLED && (!mri->has_ds_field || mri->ds_field <= 0x3f) &&
           (!mri->has_flow_label || mri->flow_label <= 0xfffff);
}

void gist_mri_write(struct wire_writer *writer, const struct gist_mri *mri)
{
    size_t length = gist_address_length(mri->source.version);
    if (!is_writable(mri))
        writer->failed = true;
    wire_put_u8(writer, (uint8_t)mri->mrm);
    wire_put_u8(writer, 0);
    bool path_coupled = mri->mrm == GIST_MRM_PATH_COUPLED;
    wire_put_u16(writer, path_coupled ? path_coupled_flags(mri)
                                      : (uint16_t)(mri->source.version << 12 |
                                                   (mri->upstream ? LOOSE_END_FLAG_D : 0)));
    wire_put_bytes(writer, mri->source.octets, length);
    wire_put_bytes(writer, mri->destination.octets, length);
    if (path_coupled)
        write_flow_fields(writer, mri);
}

/* The common header read and written; see common_header.h. RFC 5971 A.1. */
#include "core/gist/message/common_header.h"

enum { FLAG_C = 0x80, TYPE_MASK = 0x7f, FLAG_S = 0x80, FLAG_R = 0x40, FLAG_E = 0x20 };

struct gist_common_header gist_common_header_read(struct wire_reader *reader)
{
    struct gist_common_header header = {0};
    header.version = wire_read_u8(reader);
    header.hop_count = wire_read_u8(reader);
    header.length = wire_read_u16(reader);
    header.nslp_id = wire_read_u16(reader);
    uint8_t type = wire_read_u8(reader);
    header.context_free = type & FLAG_C;
    header.type = type & TYPE_MASK;
    uint8_t flags = wire_read_u8(reader);
    header.source_is_peer = flags & FLAG_S;
    header.reply_requested = flags & FLAG_R;
    header.explicitly_routed = flags & FLAG_E;
    return header;
}

void gist_common_header_write(struct wire_writer *writer, const struct gist_common_header *header)
{
    wire_put_u8(writer, header->version);
    wire_put_u8(writer, header->hop_count);
    wire_put_u16(writer, header->length);
    wire_put_u16(writer, header->nslp_id);
    wire_put_u8(
        writer, (uint8_t)((header->context_free ? FLAG_C : 0) | (header->type & TYPE_MASK)));
    wire_put_u8(writer,
        (uint8_t)((header->source_is_peer ? FLAG_S : 0) | (header->reply_requested ? FLAG_R : 0) |
                  (header->explicitly_routed ? FLAG_E : 0)));
}

size_t gist_common_header_message_length(const struct gist_common_header *header)
{
    return GIST_COMMON_HEADER_LENGTH + 4 * (size_t)header->length;
}

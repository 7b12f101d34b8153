/* The common header of every GIST message. RFC 5971 5.2.1, A.1. */
#ifndef NATFW_GIST_COMMON_HEADER_H
#define NATFW_GIST_COMMON_HEADER_H

#include "core/wire/reader.h"
#include "core/wire/writer.h"

enum {
    GIST_VERSION = 1,
    GIST_COMMON_HEADER_LENGTH = 8,                                    /* octets */
    GIST_MESSAGE_LENGTH_MAX = GIST_COMMON_HEADER_LENGTH + 4 * 0xffff, /* octets */
    GIST_MAGIC_LENGTH = 4,                                            /* octets */
};

#define GIST_MAGIC UINT32_C(0x4e04bda5) /* begins every datagram, 5.3.1; no part of the message */

enum gist_message_type {
    GIST_QUERY = 0,
    GIST_RESPONSE = 1,
    GIST_CONFIRM = 2,
    GIST_DATA = 3,
    GIST_ERROR = 4,
    GIST_MA_HELLO = 5,
    GIST_MESSAGE_TYPE_COUNT
};

struct gist_common_header {
    uint8_t version;
    uint8_t hop_count;
    uint16_t length; /* 32-bit words after this header */
    uint16_t nslp_id;
    bool context_free;      /* C */
    uint8_t type;           /* enum gist_message_type; 7 bits, so unknown values occur */
    bool source_is_peer;    /* S: the IP source address is the signalling source address */
    bool reply_requested;   /* R */
    bool explicitly_routed; /* E */
};

/* The reader fails when fewer than GIST_COMMON_HEADER_LENGTH octets are left. */
struct gist_common_header gist_common_header_read(struct wire_reader *reader);
void gist_common_header_write(struct wire_writer *writer, const struct gist_common_header *header);

/* Octets of the whole message, header included, by its Message Length. */
size_t gist_common_header_message_length(const struct gist_common_header *header);

#endif

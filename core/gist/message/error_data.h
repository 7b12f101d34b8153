/* The Error object: the cause of an error and what is known of the message that made it. RFC 5971
 * A.4.1, A.4.2. */
#ifndef NATFW_GIST_ERROR_DATA_H
#define NATFW_GIST_ERROR_DATA_H

#include "core/gist/message/common_header.h"
#include "core/gist/message/object.h"
#include "core/gist/mri.h"

enum gist_additional_info_type {
    GIST_MESSAGE_LENGTH_INFO = 1,
    GIST_MTU_INFO = 2,
    GIST_OBJECT_TYPE_INFO = 3,
    GIST_OBJECT_VALUE_INFO = 4
};

struct gist_error_data {
    uint8_t error_class; /* enum gist_error_class */
    uint16_t code;       /* enum gist_error_code */
    uint8_t subcode;
    bool has_session_id;                /* S */
    bool has_mri;                       /* M */
    bool has_comment;                   /* C */
    bool d_mode;                        /* D: the original message was received in D-mode */
    bool q_mode;                        /* Q */
    struct gist_common_header original; /* common header of the message at fault */
    struct gist_session_id session_id;
    bool mri_understood; /* mri is filled in; not so for an unknown routing method */
    struct gist_mri mri;
    struct gist_octets mri_value; /* as received; a builder uses mri when this is NULL */
    uint8_t info_count;
    struct gist_octets infos; /* Additional Information fields in wire format */
    struct gist_octets comment;
};

struct gist_additional_info {
    uint16_t type; /* enum gist_additional_info_type */
    struct gist_octets value;
};

/* On false, subcode is one of Object Value Error and the reader's position tells where. */
bool gist_error_data_read(
    struct wire_reader *value, struct gist_error_data *error, uint8_t *subcode);
void gist_error_data_write(struct wire_writer *writer, const struct gist_error_data *error);

/* Walks error->infos; returns false at the end. */
bool gist_additional_info_next(struct wire_reader *infos, struct gist_additional_info *info);

/* Writes the fields that a fault asks for, objects cut to object_length_max octets. Returns their
 * number. */
uint8_t gist_additional_infos_write(
    struct wire_writer *writer, const struct gist_fault *fault, size_t object_length_max);

#endif

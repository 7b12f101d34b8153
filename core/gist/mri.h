/*
 * Message routing information and session identifier: which flow a message is about, and which
 * signalling session it belongs to. RFC 5971 5.8, A.3.1, A.3.2.
 */
#ifndef NATFW_GIST_MRI_H
#define NATFW_GIST_MRI_H

#include "core/gist/address.h"

enum gist_mrm { GIST_MRM_PATH_COUPLED = 0, GIST_MRM_LOOSE_END = 1 };

struct gist_mri {
    enum gist_mrm mrm;
    bool upstream; /* the D flag: against the flow (path-coupled), from the edge (loose-end) */
    struct gist_address source;
    struct gist_address destination;
    /* What follows is only of the path-coupled MRM. */
    uint8_t source_prefix; /* bits */
    uint8_t destination_prefix;
    bool has_protocol;         /* P */
    bool has_ds_field;         /* T */
    bool has_flow_label;       /* F; IPv6 only */
    bool has_spi;              /* S; only with P */
    bool has_source_port;      /* A; only with P */
    bool has_destination_port; /* B; only with P */
    uint8_t protocol;
    uint8_t ds_field; /* 6 bits */
    uint32_t flow_label;
    uint32_t spi;
    uint16_t source_port;
    uint16_t destination_port;
};

struct gist_session_id {
    uint8_t octets[16];
};

/* Same flow; the direction and fields that are not significant do not count. */
bool gist_mri_same_flow(const struct gist_mri *a, const struct gist_mri *b);

/* Same flow and same direction. */
bool gist_mri_equal(const struct gist_mri *a, const struct gist_mri *b);

/* The same flow in the other direction, and in the upstream one. */
struct gist_mri gist_mri_reversed(const struct gist_mri *mri);
struct gist_mri gist_mri_upstream(const struct gist_mri *mri);

bool gist_session_id_equal(const struct gist_session_id *a, const struct gist_session_id *b);
/* The one that stands for no session in particular, 4.1.3. */
bool gist_session_id_is_zero(const struct gist_session_id *id);

#endif

/*
 * Stack-Proposal and Stack-Configuration-Data: which protocols a messaging association may be made
 * of, and how. RFC 5971 5.7, A.3.4, A.3.5.
 *
 * A parsed object keeps its lists as views; the iterators below walk them.
 */
#ifndef NATFW_GIST_STACK_H
#define NATFW_GIST_STACK_H

#include "core/gist/message/object.h"
#include "core/gist/transport.h"

enum { GIST_PROTOCOL_FORWARDS_TCP = 1, GIST_PROTOCOL_TLS = 2 }; /* MA-Protocol-IDs */

struct gist_stack_proposal {
    uint8_t profile_count;
    struct gist_octets profiles; /* in wire format */
};

struct gist_stack_profile {
    uint8_t layer_count;
    const uint8_t *layers; /* MA-Protocol-IDs, top to bottom */
};

struct gist_stack_configuration {
    uint8_t options_count;
    uint32_t hold_time_ms;
    struct gist_octets options; /* in wire format */
};

struct gist_protocol_options {
    uint8_t protocol; /* MA-Protocol-ID */
    uint8_t profile;  /* from 1; 0: all */
    bool unusable;    /* D */
    struct gist_octets data;
};

/* On false, subcode is one of Object Value Error and the reader's position tells where. */
bool gist_stack_proposal_read(
    struct wire_reader *value, struct gist_stack_proposal *proposal, uint8_t *subcode);
void gist_stack_proposal_write(
    struct wire_writer *writer, const struct gist_stack_proposal *proposal);
bool gist_stack_configuration_read(
    struct wire_reader *value, struct gist_stack_configuration *configuration, uint8_t *subcode);
void gist_stack_configuration_write(
    struct wire_writer *writer, const struct gist_stack_configuration *configuration);

/* Walk a list of wire format; each returns false at its end. */
bool gist_stack_profile_next(struct wire_reader *profiles, struct gist_stack_profile *profile);
bool gist_protocol_options_next(struct wire_reader *list, struct gist_protocol_options *options);

void gist_stack_profile_write(
    struct wire_writer *writer, const uint8_t *layers, uint8_t layer_count);
void gist_protocol_options_write(
    struct wire_writer *writer, const struct gist_protocol_options *options);

/* Whether each field of options belongs to a profile with its protocol, and each profile that
 * needs options has them. RFC 5971 5.7.1, 5.7.2. */
bool gist_stack_consistent(const struct gist_stack_proposal *proposal,
    const struct gist_stack_configuration *configuration, bool options_required);

/* Finds a profile of just this stack that may be used, and its port. */
bool gist_stack_find(const struct gist_stack_proposal *proposal,
    const struct gist_stack_configuration *configuration, enum gist_stack stack, uint16_t *port);

/* Whether a profile of just this stack is among those proposed. */
bool gist_stack_proposes(const struct gist_stack_proposal *proposal, enum gist_stack stack);

/* The profile of a stack, its protocols from top to bottom. */
struct gist_stack_profile gist_stack_profile_of(enum gist_stack stack);

#endif

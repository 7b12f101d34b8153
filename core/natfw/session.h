/*
 * A signalling session at one node, and its states. RFC 5973 3.2.8. Private to core/natfw.
 */
#ifndef NATFW_NATFW_SESSION_H
#define NATFW_NATFW_SESSION_H

#include "core/gist/table.h"
#include "core/gist/timer.h"
#include "core/natfw/info.h"
#include "core/natfw/node.h"

#include <sys/queue.h>

#define NATFW_NO_DEADLINE UINT64_MAX

struct natfw_session {
    struct gist_session_id id;
    enum natfw_role role;
    enum natfw_session_state state;

    struct natfw_policy_rule rule; /* the active one */
    bool rule_installed;
    struct natfw_policy_rule remembered; /* waits for a success RESPONSE */
    bool has_remembered;

    uint32_t sequence_number;      /* of the newest request */
    bool awaiting_response;        /* to that request */
    bool is_change;                /* that request refreshes or updates an Established session */
    uint32_t forwarded_lifetime_s; /* what this node accepted and passed on */
    uint32_t granted_lifetime_s;
    uint64_t expires_ms;
    uint64_t expires_before_ms; /* while a change is pending: to be restored when it is refused */

    gist_sii_handle inbound_peer;
    gist_sii_handle outbound_peer;
    struct gist_transfer_attributes attributes; /* as the request came, so goes the RESPONSE */

    uint64_t ticket; /* of the newest request: what GIST reports about it carries this */

    /* A success RESPONSE that waits until its rule is in. */
    uint8_t *held_response; /* octets, or NULL */
    size_t held_length;
    uint64_t held_ticket;
    uint32_t held_sequence_number;
    uint32_t held_lifetime_s;
    uint8_t held_hop_count;

    /* NI only. */
    bool keeps_alive;
    uint32_t wanted_lifetime_s;
    uint64_t refresh_ms; /* when to send the next refresh, or NATFW_NO_DEADLINE */
    struct natfw_verdict last_answer;

    /* Kept by the session table. */
    uint64_t serial;
    struct gist_table_link id_link;
    struct gist_table_link serial_link;
    struct gist_timer deadline;
    LIST_ENTRY(natfw_session) others;
};

enum natfw_session_input {
    NATFW_INPUT_SUCCESS,        /* a success RESPONSE to the newest request */
    NATFW_INPUT_ERROR,          /* an error RESPONSE that ends the session */
    NATFW_INPUT_CHANGE_REFUSED, /* an error RESPONSE to a refresh or an update (ruling A38) */
    NATFW_INPUT_NOTIFY_CHANGE,  /* NOTIFY 1/0x01 to 0x03 */
    NATFW_INPUT_NOTIFY_END,     /* NOTIFY 1/0x04 or 0x05 */
    NATFW_INPUT_LIFETIME_OVER,
    NATFW_INPUT_DELETION, /* a request of lifetime 0 */
    NATFW_INPUTS
};

/* The state that follows, by the table of RFC 5973 3.2.8. */
enum natfw_session_state natfw_session_next(
    enum natfw_session_state state, enum natfw_session_input input);

/* Does this error RESPONSE to the newest request end the session? Ruling A38: a refused refresh or
 * update does in the literal reading only; a modified lifetime that is refused always does. */
bool natfw_session_ends_by(
    const struct natfw_session *session, const struct natfw_info *info, bool literal);

/* Forgets the RESPONSE that waits, if there is one. */
void natfw_session_drop_held(const struct gist_allocator *allocator, struct natfw_session *session);

#endif

/*
 * A signalling session at one node: its state, its rules, its newest request. RFC
 * 5973 3.2.8, 3.7.1, 3.10. Private to core/natfw.
 */
#ifndef NATFW_NATFW_SESSION_H
#define NATFW_NATFW_SESSION_H

#include "core/base/table.h"
#include "core/base/timer.h"
#include "core/gist/share.h"
#include "core/natfw/node.h"
#include "core/natfw/peer.h"
#include "core/natfw/session/held_response.h"
#include "core/natfw/session/onward_route.h"
#include "core/natfw/session/pace.h"
#include "core/natfw/session/rules.h"

#define NATFW_NO_DEADLINE UINT64_MAX

/* A handle is the serial number of its session, and in these bits a count of its requests. */
enum { NATFW_HANDLE_REQUEST_BITS = 20 };
_Static_assert(NATFW_HANDLE_REQUEST_BITS < 32, "serial numbers have 32 bits or more");

/* The newest request, until its RESPONSE. */
struct natfw_request {
    uint32_t sequence_number;
    bool awaits_response;
    bool is_change;      /* refreshes or updates what was there before, which a refusal leaves */
    uint32_t lifetime_s; /* that this node accepted, and passed on or asked for */
    uint64_t expires_before_ms; /* of a change: where its refusal goes back to */
    natfw_handle handle;        /* what GIST and the middlebox report about it carries this */
};

/* NI: how the session is kept alive. RFC 5973 3.4. */
struct natfw_refreshing {
    bool keeps_alive;
    uint32_t lifetime_s; /* to ask for; 0: what the request before asked for */
    uint64_t due_ms;     /* when to send the next request, or NATFW_NO_DEADLINE */
};

/* A rule whose owner a session counts as; there are two, the current one and the next. */
struct natfw_owned_rule {
    struct base_table_link link; /* among those of all sessions */
    uint64_t rule;               /* its hash */
    const struct gist_address *peer;
    bool is_owned;
};
enum { NATFW_OWNED_RULES_MAX = 2 };

struct natfw_session {
    struct gist_session_id id;
    enum natfw_role role;
    enum natfw_session_state state;
    struct natfw_rules rules;
    struct natfw_request request;
    struct natfw_held_response held;
    uint32_t granted_lifetime_s;
    uint64_t expires_ms;

    struct natfw_peer inbound_peer;             /* whose request was accepted last; NI: none */
    struct natfw_peer outbound_peer;            /* whose RESPONSE came last; NR: none */
    struct gist_transfer_attributes attributes; /* as the request came, so goes the RESPONSE */

    struct natfw_onward_route onward; /* when its newest request went on; NR: none */
    struct natfw_pace pace;           /* of what route changes have this node send */

    bool peer_was_told; /* in the direction that farewell.c is at */

    struct natfw_refreshing refreshing; /* NI only */
    enum natfw_code last_answer;        /* NI only */

    /* Whose share it takes; admission.h. */
    struct gist_share_holder holder;
    bool is_admitted;
    struct natfw_owned_rule owned[NATFW_OWNED_RULES_MAX];

    /* Kept by the session table. */
    uint64_t serial;
    struct base_table_link id_link;
    struct base_table_link serial_link;
    struct base_timer deadline;
    struct natfw_session *prev;
    struct natfw_session *next;
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
bool natfw_session_ends_by(const struct natfw_session *session, enum natfw_code code, bool literal);

/* Whether a success RESPONSE has come for it, though its rule may still be on its way. */
bool natfw_session_is_granted(const struct natfw_session *session);

/* The request is sent, or passed on, and gets a handle of its own. */
void natfw_session_await_response(struct natfw_session *session);

#endif

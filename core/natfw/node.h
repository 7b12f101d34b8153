/*
 * A NATFW node: initiator (NI), forwarder (NF) and responder (NR) of RFC 5973, over GIST.
 *
 * Roles are per session (ruling A59): a CREATE for a flow that ends here is the responder's, one
 * that passes is the forwarder's, one that this node started is the initiator's own.
 *
 * Wire it to GIST by natfw_node_application(), which goes into the seams of gist_node_create, and
 * natfw_node_attach(). All functions are called from one thread, and not from within the seams but
 * where it is said.
 */
#ifndef NATFW_NATFW_NODE_H
#define NATFW_NATFW_NODE_H

#include "core/gist/node.h"
#include "core/natfw/middlebox.h"
#include "core/natfw/policy.h"

enum { NATFW_NSLP_ID = 33, NATFW_ROUTER_ALERT_V4 = 65, NATFW_ROUTER_ALERT_V6 = 68 };

struct natfw_node;

struct natfw_node_config {
    bool forwarder;          /* passes signalling on, and opens the middlebox for it */
    bool responder;          /* answers for flows that end here */
    uint32_t lifetime_min_s; /* less is refused: 7/0x10 in a request, 7/0x12 in a RESPONSE */
    uint32_t lifetime_max_s; /* longer requests are lowered to it, or refused with 7/0x02 */
    bool refuse_long_lifetime;
    bool error_response_kills_session; /* the literal reading of ruling A38; default off */
    uint32_t transitory_hold_s;        /* 30 or more, RFC 5973 3.2.8; taken as it is given */
    size_t sessions_max;               /* more requests are refused with 4/0x01 */
    /* So are those of a peer that has its share; 0: half of sessions_max, a quarter for a stranger.
     */
    size_t sessions_per_stranger_max;
    size_t sessions_per_peer_max; /* of a peer that had success within an hour, or policy names */
    size_t owners_per_peer_max;   /* sessions of one peer with the same rule; 0: no limit */
};

/* Forwarder and responder, lifetimes of 1 to 3600 s, 65536 sessions, 16384 of one peer and 1000 of
 * a stranger, 8 with the same rule. */
struct natfw_node_config natfw_node_config_default(void);

enum natfw_session_state { /* RFC 5973 3.2.8 */
    NATFW_PENDING,
    NATFW_ESTABLISHED,
    NATFW_TRANSITORY,
    NATFW_DEAD
};

enum natfw_role { NATFW_INITIATOR, NATFW_FORWARDER, NATFW_RESPONDER };

struct natfw_session_view {
    struct gist_session_id id;
    enum natfw_role role;
    enum natfw_session_state state;
    struct natfw_policy_rule rule; /* the active one, or the remembered one while Pending */
    bool rule_installed;           /* in the middlebox: forwarder only */
    bool secure;                   /* its messages go between nodes that are authenticated */
    uint32_t lifetime_s;           /* granted, or asked for while Pending */
    uint64_t expires_ms;
    uint32_t sequence_number;    /* the MSN stored last */
    enum natfw_code last_answer; /* initiator: of the latest RESPONSE; NATFW_NO_CODE before it */
};

enum natfw_event_kind {
    NATFW_EVENT_REQUESTED, /* a request was accepted and sent on, or answered */
    NATFW_EVENT_ESTABLISHED,
    NATFW_EVENT_REFRESHED,
    NATFW_EVENT_UPDATED,
    NATFW_EVENT_REFUSED,  /* a RESPONSE of an error class was sent or received: info */
    NATFW_EVENT_NOTIFIED, /* a NOTIFY was received: info */
    NATFW_EVENT_DELETED,  /* by a request of lifetime 0 */
    NATFW_EVENT_EXPIRED,
    NATFW_EVENT_DISCARDED, /* a message was dropped: why */
    NATFW_EVENT_UNSENT,    /* a message of this node could not be sent: info, if it has one; why */
    NATFW_EVENT_ROUTE_CHANGED /* this node noticed that the session's path may have changed: why */
};

struct natfw_event {
    enum natfw_event_kind kind;
    struct gist_session_id session_id;
    struct natfw_info info;
    const char *why;          /* a short reason for the log, in static memory, or NULL */
    struct gist_address peer; /* of a message refused or dropped: its sender; else version 0 */
    /* As it is now, or was when it ended just before; NULL: this node has none of that id. */
    const struct natfw_session_view *session;
};

struct natfw_counters {
    uint64_t sessions_refused; /* beyond the share of who asked */
    uint64_t owners_refused;   /* likewise: of a rule that has other owners */
    uint64_t messages_unsent;  /* that GIST would not take; each is told by NATFW_EVENT_UNSENT */
};

/* Told of everything that happens to a session; may look at sessions, must not change them. */
struct natfw_observer {
    void *context;
    void (*event)(void *context, uint64_t now_ms, const struct natfw_event *event);
};

struct natfw_seams {
    struct base_allocator allocator;
    struct base_crypto crypto;
    struct natfw_middlebox middlebox;
    struct natfw_policy policy;
    struct natfw_observer observer;
    /* The node wants natfw_node_tick at this time; each call replaces the last. */
    void *deadline_context;
    void (*set_deadline)(void *deadline_context, uint64_t deadline_ms);
};

/* Returns a node that the caller destroys, or NULL without memory or randomness. Configuration and
 * seams are copied; their contexts have to outlive the node. */
struct natfw_node *natfw_node_create(
    const struct natfw_node_config *config, const struct natfw_seams *seams);
/* Takes another configuration over: it counts for what is asked from now on, and sessions that it
 * would not have let begin live on. Which roles the node has stays as it was. */
void natfw_node_configure(struct natfw_node *node, const struct natfw_node_config *config);
/* Forgets all sessions and tells nobody: what the middlebox has of them stays until it expires.
 * NULL is allowed. Destroy the GIST node first, whose calls end here. */
void natfw_node_destroy(struct natfw_node *node);

/* What GIST calls: goes into the seams of the GIST node. */
struct gist_application natfw_node_application(struct natfw_node *node);

/* The GIST node that carries our messages, made with natfw_node_application; and its transport,
 * to tell which addresses are ours. Once, before anything arrives. */
void natfw_node_attach(
    struct natfw_node *node, struct gist_node *gist, const struct gist_transport *transport);

/* Ends what has expired and refreshes what is due; early or repeated calls do no harm. Where that
 * is very much, it asks to be called again at once. */
void natfw_node_tick(struct natfw_node *node, uint64_t now_ms);

/* The answer to a change of the data plane that was asked for with a handle; once for each, and not
 * from within the middlebox's functions. One that nobody waits for any more is ignored. */
void natfw_node_middlebox_done(struct natfw_node *node, uint64_t now_ms, natfw_handle handle,
    enum natfw_middlebox_result result);

/* NI: opens a session for a flow; later requests refresh it before its lifetime ends. The MRI of
 * the rule has the data sender as source and the data receiver as destination. */
struct natfw_open {
    struct natfw_policy_rule rule;
    uint32_t lifetime_s; /* above 0 */
    bool refresh;        /* keep it alive until closed */
    bool secure;         /* only by nodes that have authenticated each other */
};

enum natfw_result {
    NATFW_OK,
    NATFW_NO_SESSION, /* none of this id that this node began */
    NATFW_NO_MEMORY,  /* or more sessions than sessions_max */
    NATFW_NO_RANDOMNESS,
    NATFW_INVALID, /* the rule or the lifetime cannot be asked for */
    NATFW_NO_ROUTE
};

/* Sends a CREATE. Sets session_id where NATFW_OK; otherwise nothing is left behind. The RESPONSE is
 * told by the observer. */
enum natfw_result natfw_node_open(struct natfw_node *node, uint64_t now_ms,
    const struct natfw_open *open, struct gist_session_id *session_id);
/* NI: changes the rule, the lifetime or both: an update, or a refresh at once. RFC 5973 3.10. */
enum natfw_result natfw_node_change(struct natfw_node *node, uint64_t now_ms,
    const struct gist_session_id *session_id, const struct natfw_open *open);
/* NI: deletes the session by a request of lifetime 0. RFC 5973 3.7.4. */
enum natfw_result natfw_node_close(
    struct natfw_node *node, uint64_t now_ms, const struct gist_session_id *session_id);

/* Ends every session for good: rules go, and each peer is told by one NOTIFY for all (1/0x05),
 * inbound and outbound; what this node began is deleted as by natfw_node_close. A transport that
 * writes later has to have its turn before it is destroyed. RFC 5973 3.7.5. */
void natfw_node_end_sessions(struct natfw_node *node, uint64_t now_ms);
/* Tells each peer that this node goes down soon (1/0x03); sessions and rules stay. Peers then hold
 * their sessions for a while only, and ask the path anew. RFC 5973 3.7.5. */
void natfw_node_warn_peers(struct natfw_node *node, uint64_t now_ms);

/*
 * This host's routing may have changed, in whatever way. Each session whose flow now leaves this
 * host by another interface, with another local address, by another next hop or not at all has its
 * next node found anew (RFC 5971 7.1.2, local trigger). A forwarder then tells its peers by NOTIFY
 * 1/0x01, an initiator asks the path anew (RFC 5973 3.7.5, 3.9). A flow that does not cross the
 * firewall any more has its rule taken away.
 *
 * Call it as often as there is news, at any time but from within the seams: the call itself only
 * asks for a tick, sessions are looked at some at a time in natfw_node_tick, and each is so again
 * after the last call. Needs no call where nothing has changed.
 */
void natfw_node_routes_changed(struct natfw_node *node, uint64_t now_ms);

/* Fills in the view and returns true, or returns false when there is no such session. */
bool natfw_node_session(const struct natfw_node *node, const struct gist_session_id *session_id,
    struct natfw_session_view *view);
/* Whether this event is the outcome of what an initiator asked for last: that a request was sent,
 * a message dropped or not sent is none, nor is a NOTIFY that has left the session alive. */
bool natfw_node_has_answered(const struct natfw_node *node, const struct natfw_event *event);

/* A copy of the counters as they stand. */
struct natfw_counters natfw_node_counters(const struct natfw_node *node);

/* Calls visit for each session, in no order. The view is valid during the call; visit must not
 * change sessions. */
void natfw_node_each_session(const struct natfw_node *node,
    void (*visit)(void *context, const struct natfw_session_view *view), void *context);

/* The same in portions, between which sessions may change: what begins or ends meanwhile is left
 * out. A walk is ended before the node is destroyed. */
struct natfw_walk;
/* NULL without memory. */
struct natfw_walk *natfw_node_walk_begin(struct natfw_node *node);
/* Visits count more of them, or fewer where fewer are left. Returns false when none is left. */
bool natfw_node_walk_on(struct natfw_walk *walk, size_t count,
    void (*visit)(void *context, const struct natfw_session_view *view), void *context);
void natfw_node_walk_end(struct natfw_walk *walk);

#endif

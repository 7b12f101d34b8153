/*
 * A NATFW node on the bench: GIST, middlebox, policy, randomness and clock are played by the test,
 * so that each message and each change of the data plane can be looked at.
 *
 * It stands in for gist_send_message, gist_set_state_lifetime and gist_invalidate_routing_state: do
 * not link it with core/gist's node.
 */
#ifndef NATFW_TESTS_BENCH_H
#define NATFW_TESTS_BENCH_H

#include "core/natfw/message/message.h"
#include "core/natfw/node.h"
#include "core/spec/tests/verify.h"

enum {
    BENCH_SENT_MAX = 32,
    BENCH_RULES_MAX = 16,
    BENCH_HANDLES_MAX = 16,
    BENCH_EVENTS_MAX = 64,
    BENCH_GIVEN_UP_MS = 10000
};

struct bench_sent {
    struct gist_send_request request;
    uint8_t octets[512];
    struct natfw_message message; /* parsed from octets */
    bool well_formed;
};

struct bench_rule {
    struct gist_session_id owner;
    struct natfw_policy_rule rule;
    uint64_t expires_ms; /* 0: only set aside */
};

struct bench {
    struct natfw_node *node;
    uint64_t now_ms;
    uint64_t deadline_ms;
    bool flow_ends_here;
    bool middlebox_waits; /* answers only by bench_answer_middlebox */
    enum natfw_middlebox_result remember_result;
    enum natfw_middlebox_result install_result;
    enum gist_send_result send_result;
    enum gist_send_result explicit_result; /* of what is routed explicitly */
    enum natfw_code authentication;
    enum natfw_code permission;
    uint32_t one_armed_interface; /* by which flows may leave that came in by it */
    bool no_route;
    struct gist_route detour; /* where not zero: what leads outside in place of interface 2 */
    size_t routes_asked;
    bool takeover; /* another peer may speak for a session */
    size_t takeovers_asked;
    size_t permissions_asked[2];      /* by whether it is an update */
    size_t allocations;               /* that live */
    size_t allocations_until_failure; /* 0: never fails */
    uint8_t random_octet;             /* the next one drawn */
    bool no_randomness;

    struct bench_sent sent[BENCH_SENT_MAX];
    size_t sent_count;
    struct bench_rule rules[BENCH_RULES_MAX];
    size_t rule_count;
    size_t removals; /* that the middlebox was asked for */
    natfw_handle handles[BENCH_HANDLES_MAX];
    size_t handle_count;
    struct natfw_event events[BENCH_EVENTS_MAX];
    struct natfw_session_view sessions_seen[BENCH_EVENTS_MAX]; /* of each event that has one */
    size_t event_count;
    /* Routing state that the node gives up: how often, by upstream, and the time that it leaves;
     * and the state that it keeps longer than BENCH_GIVEN_UP_MS: for how long. */
    size_t given_up[2];
    uint64_t given_up_after_ms;
    struct gist_mri given_up_flow;
    struct gist_mri kept_flow[2];
    uint64_t kept_ms[2];
    size_t invalidations[2]; /* of routing state, by the status that it is to have */
    struct gist_mri invalidated_flow;
};

extern struct bench bench;

/* A node made with this configuration at time 2^40 ms. */
void bench_start(const struct natfw_node_config *config);
void bench_start_default(void);
/* Ends the node that runs, and starts another with this configuration. */
void bench_restart(const struct natfw_node_config *config);
void bench_stop(void);

/* 192.0.2.1:4000 to 203.0.113.1:5000 by UDP. */
struct gist_mri bench_flow(void);
struct gist_session_id bench_session(uint8_t number);

/* A CREATE of lifetime and sequence number, allow, no sub_ports. */
struct natfw_message bench_create(uint32_t lifetime_s, uint32_t sequence_number);
struct natfw_message bench_response(enum natfw_code code, uint32_t sequence_number);
struct natfw_message bench_success(uint32_t lifetime_s, uint32_t sequence_number);
struct natfw_message bench_notify(enum natfw_code code);

/* What arrives: built, or as octets. Downstream messages come from peer 1, upstream ones from peer
 * 2, over an association. */
void bench_receive(uint8_t session, bool upstream, const struct natfw_message *message);
void bench_receive_octets(uint8_t session, bool upstream, const uint8_t *octets, size_t length);
void bench_receive_as(const struct gist_received *received);
struct gist_received bench_received(
    uint8_t session, bool upstream, const uint8_t *octets, size_t length);
/* The message is from this peer: 198.51.100.PEER, its identity one octet, its handle the same. */
void bench_name_peer(struct gist_received *received, uint8_t peer);

/* A CREATE for session 1, and an answer to it; a success grants 60 seconds. */
void bench_request(uint32_t lifetime_s, uint32_t sequence_number);
void bench_respond(enum natfw_code code, uint32_t sequence_number);
/* A session with sequence number 1 and 60 seconds to live; what was sent for it is forgotten. */
void bench_establish(uint8_t session);

/* Lets time pass, with every tick that is due. */
void bench_advance(uint64_t milliseconds);
void bench_answer_middlebox(enum natfw_middlebox_result result);
/* GIST tells that what was sent with this handle did not get on. */
void bench_undelivered(gist_message_handle handle);

/* The last message sent in a direction, or NULL. */
const struct bench_sent *bench_last(bool upstream);
size_t bench_count(bool upstream);
void bench_forget_sent(void);

/* The last message in a direction is a RESPONSE or NOTIFY with this NATFW_INFO. */
bool bench_answered(bool upstream, unsigned error_class, unsigned code, uint16_t object_type);

bool bench_rule_acts(uint8_t session); /* installed, and not expired */
size_t bench_rules(void);              /* installed or set aside */
bool bench_happened(enum natfw_event_kind kind);
size_t bench_times(enum natfw_event_kind kind);
/* The last event is of this kind, for this session, and gives this reason, which may be NULL. */
bool bench_told(enum natfw_event_kind kind, const struct gist_session_id *id, const char *why);
bool bench_state(uint8_t session, enum natfw_session_state state);
bool bench_knows(uint8_t session);

#endif

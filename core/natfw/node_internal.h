/*
 * What the files of core/natfw share about a node and about the message that it handles.
 * Private to core/natfw.
 */
#ifndef NATFW_NATFW_NODE_INTERNAL_H
#define NATFW_NATFW_NODE_INTERNAL_H

#include "core/natfw/message.h"
#include "core/natfw/node.h"
#include "core/natfw/session_table.h"

/* The longest NSLP-Data object: 4095 words. RFC 5971 A.2. */
enum { NATFW_PAYLOAD_MAX = 4095 * 4 };

/* A request inside a Query that is to be refused; piggyback.c. */
struct natfw_piggybacked {
    struct gist_session_id session_id;
    uint32_t sequence_number;
    bool is_due;
};

/* More would only be kept for those who never finish a handshake. */
enum { NATFW_PIGGYBACKED_MAX = 32 };

struct natfw_node {
    struct natfw_node_config config;
    struct natfw_seams seams;
    struct gist_node *gist;
    struct gist_transport transport;
    struct natfw_session_table sessions;
    struct natfw_piggybacked piggybacked[NATFW_PIGGYBACKED_MAX];
    size_t piggybacked_next;
    uint8_t scratch[NATFW_PAYLOAD_MAX]; /* the message being built */
};

/* A message being handled. */
struct natfw_incoming {
    uint64_t now_ms;
    const struct gist_received *received;
    struct natfw_message message;
};

/* node.c: what every role needs. */

/* Recomputes when the session needs attention next, and asks to be called then. */
void natfw_node_schedule(struct natfw_node *node, struct natfw_session *session);
/* Ends the session: takes its rules away, gives up its routing state, forgets it. */
void natfw_node_end_session(struct natfw_node *node, uint64_t now_ms, struct natfw_session *session,
    enum natfw_session_input input);
void natfw_node_tell(struct natfw_node *node, uint64_t now_ms, enum natfw_event_kind kind,
    const struct gist_session_id *id, struct natfw_info info, const char *why);
void natfw_node_discard(
    struct natfw_node *node, const struct natfw_incoming *incoming, const char *why);
/* The rule that a request asks for. */
struct natfw_policy_rule natfw_node_rule_of(const struct natfw_incoming *incoming);

/* reply.c: messages on their way. */

enum gist_send_result natfw_send(struct natfw_node *node, uint64_t now_ms,
    const struct natfw_message *message, struct gist_send_request *request);
/* Answers a request with an error RESPONSE, and tells the observer. */
void natfw_refuse(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_info info);
/* Sends a RESPONSE of a session towards its initiator. lifetime_s counts when has_lifetime. */
struct natfw_answer {
    struct natfw_info info;
    uint32_t sequence_number;
    bool has_lifetime;
    uint32_t lifetime_s;
};
void natfw_answer(struct natfw_node *node, uint64_t now_ms, const struct natfw_session *session,
    const struct gist_mri *flow, const struct natfw_answer *answer);
/* Sends a NOTIFY of class 1 on a session, inbound (upstream) or outbound. */
void natfw_notify(struct natfw_node *node, uint64_t now_ms, const struct natfw_session *session,
    bool inbound, uint8_t code);

/* The checks that a request passes before a role handles it. RFC 5973 3.3, 3.6, ruling A11. */
bool natfw_check_authentication(struct natfw_node *node, const struct natfw_incoming *incoming);
bool natfw_check_authorization(
    struct natfw_node *node, const struct natfw_incoming *incoming, bool is_update);
bool natfw_check_sequence(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_session *session);
/* What to refuse the rule with; class 0 when there is nothing against it. */
struct natfw_info natfw_judge_rule(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_policy_rule *rule, uint32_t lifetime_s, bool is_update);

/* forwarder.c, responder.c, initiator.c, aggregate.c, notification.c: one for each role or
 * message. session is NULL when this node knows none of that id. */
void natfw_forwarder_request(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session);
void natfw_forwarder_response(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session);
void natfw_forwarder_unreachable(
    struct natfw_node *node, uint64_t now_ms, struct natfw_session *session);
void natfw_forwarder_installed(struct natfw_node *node, uint64_t now_ms,
    struct natfw_session *session, enum natfw_middlebox_result result);
void natfw_responder_request(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session);
void natfw_responder_response(struct natfw_node *node, const struct natfw_incoming *incoming);
void natfw_initiator_response(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session);
void natfw_initiator_unreachable(
    struct natfw_node *node, uint64_t now_ms, struct natfw_session *session);
/* Sends the session's request anew, with the next sequence number. */
void natfw_initiator_refresh(
    struct natfw_node *node, uint64_t now_ms, struct natfw_session *session);
void natfw_aggregate_request(struct natfw_node *node, const struct natfw_incoming *incoming);
void natfw_notification(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session);

/* piggyback.c: what came inside a Query, and the refusal once there is somebody to send it to. */
void natfw_piggyback_remember(struct natfw_node *node, const struct natfw_incoming *incoming);
void natfw_piggyback_refuse(struct natfw_node *node, uint64_t now_ms, const struct gist_mri *mri,
    const struct gist_session_id *session_id);

/* The answer that tells of a middlebox's refusal. */
struct natfw_info natfw_info_of_middlebox(enum natfw_middlebox_result result);

#endif

/* Messages on their way, and the RESPONSEs that this node makes. RFC 5973 3.2.7, 3.5, 4.3.3.
 * Private to core/natfw. */
#ifndef NATFW_NATFW_REPLY_H
#define NATFW_NATFW_REPLY_H

#include "core/natfw/session/incoming.h"
#include "core/natfw/session/node_state.h"

/* Tells the observer that a message of this node could not be sent, and counts it. */
void natfw_tell_unsent(struct natfw_node *node, uint64_t now_ms,
    const struct gist_send_request *request, struct natfw_info info, enum gist_send_result result);

/* Builds the message into the request, and sends it. That it could not be sent is told to the
 * observer and counted; what else it means is the caller's to know. */
enum gist_send_result natfw_send(struct natfw_node *node, uint64_t now_ms,
    const struct natfw_message *message, struct gist_send_request *request);
/* The same of a message that was built before. */
enum gist_send_result natfw_send_built(
    struct natfw_node *node, uint64_t now_ms, const struct gist_send_request *request);

/* Answers a request with an error RESPONSE, and tells the observer. */
void natfw_refuse(
    struct natfw_node *node, const struct natfw_incoming *incoming, enum natfw_code code);
/* The same, with a reason for the log. */
void natfw_refuse_because(struct natfw_node *node, const struct natfw_incoming *incoming,
    enum natfw_code code, const char *why);
/* The same, about an object. */
void natfw_refuse_info(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_info info);

struct natfw_answer {
    enum natfw_code code;
    uint16_t object_type; /* at fault, or 0 */
    uint32_t sequence_number;
    bool has_lifetime;
    uint32_t lifetime_s;
};

/* Sends a RESPONSE of a session towards its initiator. */
void natfw_answer(struct natfw_node *node, uint64_t now_ms, const struct natfw_session *session,
    const struct gist_mri *flow, const struct natfw_answer *answer);

/* The session ends while requests of it are under way: they are answered by 7/0x01. RFC 5973 3.7.1,
 * ruling A54. */
void natfw_answer_unfinished(
    struct natfw_node *node, uint64_t now_ms, const struct natfw_session *session);

#endif

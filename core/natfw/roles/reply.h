/* Messages on their way, and RESPONSE and NOTIFY that this node makes. RFC 5973 3.2.7, 3.5, 4.3.3,
 * 4.3.4. Private to core/natfw. */
#ifndef NATFW_NATFW_REPLY_H
#define NATFW_NATFW_REPLY_H

#include "core/natfw/session/incoming.h"
#include "core/natfw/session/node_state.h"

/* Builds the message into the request, and sends it. */
enum gist_send_result natfw_send(struct natfw_node *node, uint64_t now_ms,
    const struct natfw_message *message, struct gist_send_request *request);

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

/* Sends a NOTIFY on a session, inbound (upstream) or outbound. */
void natfw_notify(struct natfw_node *node, uint64_t now_ms, const struct natfw_session *session,
    bool inbound, enum natfw_code code);

#endif

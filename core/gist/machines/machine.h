/* What the two routing state machines share: events, the rows of their tables, and back-off. RFC
 * 5971 5.3.3, 6. */
#ifndef NATFW_GIST_MACHINE_H
#define NATFW_GIST_MACHINE_H

#include "core/gist/state/routing_state.h"

enum gist_event_kind {
    GIST_RX_QUERY,
    GIST_RX_RESPONSE,
    GIST_RX_CONFIRM,
    GIST_RX_DATA,
    GIST_TG_NSLP_DATA,
    GIST_ER_NO_RSM,
    GIST_TO_NO_RESPONSE,
    GIST_TO_NO_CONFIRM,
    GIST_TO_REFRESH_QNODE,
    GIST_TO_INACTIVE_QNODE,
    GIST_TO_EXPIRE_RNODE
};

struct gist_event {
    enum gist_event_kind kind;
    const struct gist_reception *reception;   /* of rx_ events */
    const struct gist_cookie_content *cookie; /* of rx_Confirm: what the cookie brought back */
    const struct gist_outgoing *outgoing;     /* of tg_NSLPData */
    uint64_t give_up_ms;                      /* of tg_NSLPData; 0: no limit */
    enum gist_send_result result;             /* of tg_NSLPData: set by the rules */
};

typedef void gist_rule(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event);

/* A row of Figure 7 or 8: in this state, this event is answered by this rule. */
struct gist_transition {
    unsigned from; /* gist_querying_state or gist_responding_state */
    enum gist_event_kind event;
    gist_rule *rule;
    unsigned to;
};

/* Carries out the row that fits; an event without a row is ignored. */
void gist_machine_event(const struct gist_transition transitions[], size_t count,
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event);

/* 5.3.3: each wait for an answer is `factor` times the one before, up to T2. */
void gist_machine_back_off(
    const struct gist_node *node, struct gist_handshake *handshake, uint32_t factor);

#endif

/* MA-SM: the messaging association state machine. RFC 5971 6.4, Figure 9, row for row. */
#include "core/gist/association.h"

#include "core/gist/node_state.h"
#include "core/gist/outbound.h"
#include "core/gist/routing_state.h"
#include "core/spec/spec.h"

enum { HELLO_INTERVAL_MIN_MS = 250 };

static void start_send_hello(struct gist_node *node, struct gist_association *association)
{
    uint64_t moment =
        SPEC_VALUE("RFC5971-4.4.5-12", 1, gist_refresh_moment(node, association->peer_hold_ms),
            node->now_ms + association->peer_hold_ms / 2);
    if (moment < node->now_ms + HELLO_INTERVAL_MIN_MS)
        moment = node->now_ms + HELLO_INTERVAL_MIN_MS;
    if (!association->dead)
        gist_timer_start(&node->timers, &association->send_hello, moment);
}

static void start_unused(struct gist_node *node, struct gist_association *association)
{
    if (!association->users && !association->dead)
        gist_timer_start(
            &node->timers, &association->unused, node->now_ms + node->config.association_hold_ms);
}

/* The message itself is written by gist_association_send, after the transition. */
static void rule_1(struct gist_node *node, struct gist_association *association, uint32_t hello_id)
{
    (void)hello_id;
    gist_timer_stop(&node->timers, &association->no_hello);
    start_send_hello(node, association);
    start_unused(node, association);
}

/* The message itself is passed on by the node, after the transition. */
static void rule_2(struct gist_node *node, struct gist_association *association, uint32_t hello_id)
{
    (void)hello_id;
    gist_timer_stop(&node->timers, &association->no_hello);
    if (!association->send_hello.running)
        start_send_hello(node, association);
    start_unused(node, association);
}

static void rule_3(struct gist_node *node, struct gist_association *association, uint32_t hello_id)
{
    if (hello_id != 0 && SPEC_ACT("RFC5971-5.1-20b", 1)) {
        gist_send_hello(node, association, hello_id);
        start_send_hello(node, association);
    }
}

static void rule_4(struct gist_node *node, struct gist_association *association, uint32_t hello_id)
{
    (void)hello_id;
    gist_send_hello(node, association, SPEC_VALUE("RFC5971-5.2.2-9a", 1, 0, 1));
    start_send_hello(node, association);
}

/* gist_association_send queues the message. */
static void rule_5(struct gist_node *node, struct gist_association *association, uint32_t hello_id)
{
    (void)node;
    (void)association;
    (void)hello_id;
}

static void rule_6(struct gist_node *node, struct gist_association *association, uint32_t hello_id)
{
    (void)hello_id;
    gist_timer_stop(&node->timers, &association->connecting);
    start_send_hello(node, association);
    start_unused(node, association);
    for (struct gist_queued_message *queued;
         !association->dead && (queued = gist_queue_take(&association->queue));) {
        bool written = node->transport.association_write(
            node->transport.context, association->id, queued->message.data, queued->message.length);
        gist_message_handle handle = queued->message.handle;
        gist_queue_release(node, queued);
        if (written)
            continue;
        gist_report_status(node, handle, GIST_STATUS_CONNECT_FAILED);
        gist_association_fail(node, association);
    }
}

static void rule_7(struct gist_node *node, struct gist_association *association, uint32_t hello_id)
{
    (void)hello_id;
    gist_timer_stop(&node->timers, &association->send_hello);
    gist_timer_start(
        &node->timers, &association->no_hello, node->now_ms + node->config.association_hold_ms);
}

static void report_to_users(
    struct gist_node *node, struct gist_association *association, enum gist_message_status status)
{
    while (association->users) {
        struct gist_routing_state *state = association->users;
        gist_routing_state_use_association(node, state, NULL);
        if (SPEC_ACT("RFC5971-6.4-4", 1))
            gist_notify(node, state, GIST_NOTIFY_COMMUNICATION_FAILURE);
        if (!state->dead && status == GIST_STATUS_CONNECT_FAILED)
            gist_queue_fail(node, &state->queue, status);
    }
    gist_queue_fail(node, &association->queue, status);
}

static void rule_8(struct gist_node *node, struct gist_association *association, uint32_t hello_id)
{
    (void)hello_id;
    bool connected = association->state != GIST_AWAITING_CONNECTION;
    gist_association_destroy(node, association);
    report_to_users(
        node, association, connected ? GIST_STATUS_ASSOCIATION_LOST : GIST_STATUS_CONNECT_FAILED);
}

static void rule_9(struct gist_node *node, struct gist_association *association, uint32_t hello_id)
{
    if (hello_id != 0 && SPEC_ACT("RFC5971-5.1-20b", 2))
        gist_send_hello(node, association, hello_id);
    /* Who has confirmed nothing yet does not keep an association by saying so. */
    if (!association->dead && association->peer)
        gist_timer_start(
            &node->timers, &association->no_hello, node->now_ms + node->config.association_hold_ms);
}

typedef void rule(struct gist_node *, struct gist_association *, uint32_t);

static const struct {
    enum gist_association_state from;
    enum gist_association_event event;
    rule *rule;
    enum gist_association_state to;
} transitions[] = {
    {GIST_AWAITING_CONNECTION, GIST_TG_RAW_DATA, rule_5, GIST_AWAITING_CONNECTION},
    {GIST_AWAITING_CONNECTION, GIST_TG_CONNECTED, rule_6, GIST_CONNECTED},
    {GIST_AWAITING_CONNECTION, GIST_ER_MA_CONNECT, rule_8, GIST_ASSOCIATION_DEATH},
    {GIST_CONNECTED, GIST_TG_RAW_DATA, rule_1, GIST_CONNECTED},
    {GIST_CONNECTED, GIST_RX_MESSAGE, rule_2, GIST_CONNECTED},
    {GIST_CONNECTED, GIST_RX_MA_HELLO, rule_3, GIST_CONNECTED},
    {GIST_CONNECTED, GIST_TO_SEND_HELLO, rule_4, GIST_CONNECTED},
    {GIST_CONNECTED, GIST_TG_MA_IDLE, rule_7, GIST_IDLE},
    {GIST_CONNECTED, GIST_ER_MA_FAILURE, rule_8, GIST_ASSOCIATION_DEATH},
    {GIST_IDLE, GIST_TG_RAW_DATA, rule_1, GIST_CONNECTED},
    {GIST_IDLE, GIST_RX_MESSAGE, rule_2, GIST_CONNECTED},
    {GIST_IDLE, GIST_RX_MA_HELLO, rule_9, GIST_IDLE},
    {GIST_IDLE, GIST_TO_NO_HELLO, rule_8, GIST_ASSOCIATION_DEATH},
    {GIST_IDLE, GIST_ER_MA_FAILURE, rule_8, GIST_ASSOCIATION_DEATH},
};

void gist_association_event(struct gist_node *node, struct gist_association *association,
    enum gist_association_event event, uint32_t hello_id)
{
    for (size_t i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++) {
        if (transitions[i].from != association->state || transitions[i].event != event)
            continue;
        if (transitions[i].to != GIST_ASSOCIATION_DEATH)
            association->state = transitions[i].to;
        transitions[i].rule(node, association, hello_id);
        return;
    }
}

bool gist_association_send(struct gist_node *node, struct gist_association *association,
    const struct gist_outgoing *message)
{
    if (association->dead)
        return false;
    gist_association_event(node, association, GIST_TG_RAW_DATA, 0);
    if (association->state == GIST_AWAITING_CONNECTION)
        return gist_queue_put(node, &association->queue, message);
    if (SPEC_NEVER("RFC5971-5.4-1", 1)) /* kept for a next message, which sends none either */
        return gist_queue_put(node, &association->queue, message);
    if (SPEC_NEVER("RFC5971-4.1.2-1", 1))
        node->transport.association_write(
            node->transport.context, association->id, message->data, message->length);
    if (node->transport.association_write(
            node->transport.context, association->id, message->data, message->length))
        return true;
    gist_association_fail(node, association);
    return false;
}

/* MA-SM: the messaging association state machine. RFC 5971 6.4, Figure 9, row for row. */
#include "core/gist/transport/association_machine.h"

#include "core/gist/message/message_build.h"
#include "core/gist/state/message_status.h"
#include "core/gist/state/node_share.h"
#include "core/gist/state/routing_state.h"
#include "core/gist/state/upcall.h"
#include "core/gist/state/validity.h"
#include "core/gist/transport/mutants.h"
#include "core/spec/spec.h"

enum { HELLO_INTERVAL_MIN_MS = 250 };

static bool write_octets(struct gist_node *node, const struct gist_association *association,
    const uint8_t *octets, size_t length)
{
    return node->transport.association_write(
        node->transport.context, association->id, octets, length);
}

static void start_send_hello(struct gist_node *node, struct gist_association *association)
{
    uint64_t hold_ms = SPEC_VALUE(
        "RFC5971-4.4.5-11", 1, association->peer_hold_ms, 2 * (uint64_t)association->peer_hold_ms);
    uint64_t moment = SPEC_VALUE("RFC5971-4.4.5-12", 1, gist_refresh_moment(node, hold_ms),
        node->now_ms + association->peer_hold_ms / 2);
    if (moment < node->now_ms + HELLO_INTERVAL_MIN_MS)
        moment = node->now_ms + HELLO_INTERVAL_MIN_MS;
    if (!association->dead)
        base_timer_start(&node->timers, &association->send_hello, moment);
}

static void start_no_hello(struct gist_node *node, struct gist_association *association)
{
    base_timer_start(
        &node->timers, &association->no_hello, node->now_ms + node->config.association_hold_ms);
}

static void start_unused(struct gist_node *node, struct gist_association *association)
{
    if (!association->users && !association->dead)
        base_timer_start(
            &node->timers, &association->unused, node->now_ms + node->config.association_hold_ms);
}

/* Written directly: a keepalive is no use of the association. */
static void send_hello(
    struct gist_node *node, struct gist_association *association, uint32_t hello_id)
{
    struct gist_message hello = {
        .header = {.version = GIST_VERSION,
            .hop_count = GIST_DIRECT_HOPS,
            .type = GIST_MA_HELLO,
            .source_is_peer = true},
        .hello_id = hello_id,
    };
    gist_message_add(&hello, GIST_OBJECT_HELLO_ID);
    if (association->peer) {
        SPEC_NEVER("RFC5971-5.1-19", 1) {
            gist_mutant_send_as_datagram(node, association->peer, &hello);
            return;
        }
    }
    size_t length = gist_message_build(&hello, node->scratch, sizeof(node->scratch));
    if (!write_octets(node, association, node->scratch, length))
        gist_association_fail(node, association);
}

/* Rule 1. The message itself is written by gist_association_send, after the transition. */
static void note_sent(
    struct gist_node *node, struct gist_association *association, uint32_t hello_id)
{
    (void)hello_id;
    base_timer_stop(&node->timers, &association->no_hello);
    start_send_hello(node, association);
    start_unused(node, association);
}

/* Rule 2. The message itself is passed on by the node, after the transition. */
static void note_received(
    struct gist_node *node, struct gist_association *association, uint32_t hello_id)
{
    (void)hello_id;
    base_timer_stop(&node->timers, &association->no_hello);
    if (!association->send_hello.running)
        start_send_hello(node, association);
    start_unused(node, association);
}

/* Rule 3. */
static void answer_hello(
    struct gist_node *node, struct gist_association *association, uint32_t hello_id)
{
    if (hello_id != 0) {
        SPEC_DO("RFC5971-5.1-20b", 1) {
            send_hello(node, association, hello_id);
            start_send_hello(node, association);
        }
    }
}

/* Rule 4. */
static void keep_alive(
    struct gist_node *node, struct gist_association *association, uint32_t hello_id)
{
    (void)hello_id;
    send_hello(node, association, SPEC_VALUE("RFC5971-5.2.2-9a", 1, 0, 1));
    start_send_hello(node, association);
}

/* Rule 5: gist_association_send queues the message. */
static void wait_for_connection(
    struct gist_node *node, struct gist_association *association, uint32_t hello_id)
{
    (void)node;
    (void)association;
    (void)hello_id;
}

/* Rule 6. */
static void send_queued(
    struct gist_node *node, struct gist_association *association, uint32_t hello_id)
{
    (void)hello_id;
    base_timer_stop(&node->timers, &association->connecting);
    start_send_hello(node, association);
    start_unused(node, association);
    for (struct gist_queued_message *queued;
         !association->dead && (queued = gist_queue_take(&association->queue));) {
        bool written =
            write_octets(node, association, queued->message.data, queued->message.length);
        gist_message_handle handle = queued->message.handle;
        gist_queue_release(&node->queued, queued);
        if (written)
            continue;
        gist_report_status(node, handle, GIST_STATUS_CONNECT_FAILED);
        gist_association_fail(node, association);
    }
}

/* Rule 7. */
static void fall_idle(
    struct gist_node *node, struct gist_association *association, uint32_t hello_id)
{
    (void)hello_id;
    base_timer_stop(&node->timers, &association->send_hello);
    start_no_hello(node, association);
}

static void report_to_users(
    struct gist_node *node, struct gist_association *association, enum gist_message_status status)
{
    while (association->users) {
        struct gist_routing_state *state = association->users;
        gist_routing_state_use_association(node, state, NULL);
        SPEC_DO("RFC5971-6.4-4", 1) {
            gist_notify(node, state,
                SPEC_VALUE("RFC5971-4.1.2-3", 1, GIST_NOTIFY_COMMUNICATION_FAILURE,
                    GIST_NOTIFY_ROUTE_DELETED));
        }
        if (!state->dead && status == GIST_STATUS_CONNECT_FAILED)
            gist_queue_fail(node, &state->queue, status);
    }
    gist_queue_fail(node, &association->queue, status);
}

/* Rule 8. */
static void end_association(
    struct gist_node *node, struct gist_association *association, uint32_t hello_id)
{
    (void)hello_id;
    bool connected = association->state != GIST_AWAITING_CONNECTION;
    gist_association_destroy(node, association);
    report_to_users(
        node, association, connected ? GIST_STATUS_ASSOCIATION_LOST : GIST_STATUS_CONNECT_FAILED);
}

/* Rule 9. */
static void stay_idle(
    struct gist_node *node, struct gist_association *association, uint32_t hello_id)
{
    if (hello_id != 0) {
        SPEC_DO("RFC5971-5.1-20b", 2) {
            send_hello(node, association, hello_id);
        }
    }
    /* Who has confirmed nothing yet does not keep an association by saying so. */
    if (!association->dead && association->peer) {
        SPEC_DO("RFC5971-4.4.5-1", 1) {
            start_no_hello(node, association);
        }
    }
}

typedef void rule(struct gist_node *, struct gist_association *, uint32_t);

static const struct {
    enum gist_association_state from;
    enum gist_association_event event;
    rule *rule;
    enum gist_association_state to;
} transitions[] = {
    {GIST_AWAITING_CONNECTION, GIST_TG_RAW_DATA, wait_for_connection, GIST_AWAITING_CONNECTION},
    {GIST_AWAITING_CONNECTION, GIST_TG_CONNECTED, send_queued, GIST_CONNECTED},
    {GIST_AWAITING_CONNECTION, GIST_ER_MA_CONNECT, end_association, GIST_ASSOCIATION_DEATH},
    {GIST_CONNECTED, GIST_TG_RAW_DATA, note_sent, GIST_CONNECTED},
    {GIST_CONNECTED, GIST_RX_MESSAGE, note_received, GIST_CONNECTED},
    {GIST_CONNECTED, GIST_RX_MA_HELLO, answer_hello, GIST_CONNECTED},
    {GIST_CONNECTED, GIST_TO_SEND_HELLO, keep_alive, GIST_CONNECTED},
    {GIST_CONNECTED, GIST_TG_MA_IDLE, fall_idle, GIST_IDLE},
    {GIST_CONNECTED, GIST_ER_MA_FAILURE, end_association, GIST_ASSOCIATION_DEATH},
    {GIST_IDLE, GIST_TG_RAW_DATA, note_sent, GIST_CONNECTED},
    {GIST_IDLE, GIST_RX_MESSAGE, note_received, GIST_CONNECTED},
    {GIST_IDLE, GIST_RX_MA_HELLO, stay_idle, GIST_IDLE},
    {GIST_IDLE, GIST_TO_NO_HELLO, end_association, GIST_ASSOCIATION_DEATH},
    {GIST_IDLE, GIST_ER_MA_FAILURE, end_association, GIST_ASSOCIATION_DEATH},
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

static void expire_connecting(void *node, void *owner)
{
    gist_association_event(node, owner, GIST_ER_MA_CONNECT, 0);
}

static void expire_send_hello(void *node, void *owner)
{
    gist_association_event(node, owner, GIST_TO_SEND_HELLO, 0);
}

static void expire_no_hello(void *node, void *owner)
{
    gist_association_event(node, owner, GIST_TO_NO_HELLO, 0);
}

static void expire_unused(void *node, void *owner)
{
    gist_association_event(node, owner, GIST_TG_MA_IDLE, 0);
}

/* A message that means nothing does not keep it: only a Confirm does. */
static void expire_unconfirmed(void *context, void *owner)
{
    struct gist_node *node = context;
    node->counters.associations_unconfirmed++;
    gist_association_fail(node, owner);
}

/* The oldest inbound one of a stranger that has confirmed nothing, or that nobody here uses; it has
 * to have come by this interface, unless that is 0. */
static struct gist_association *oldest_of_no_use(
    const struct gist_node *node, bool confirmed, uint32_t interface)
{
    struct gist_association *oldest = node->inbound;
    while (
        oldest && (oldest->holder.known || oldest->users || (oldest->peer != NULL) != confirmed ||
                      (interface && oldest->interface != interface)))
        oldest = oldest->inbound_next;
    return oldest;
}

/* Returns false when every association is of use, or a known peer's. */
static bool displace_stranger(struct gist_node *node, uint32_t interface)
{
    struct gist_association *oldest = oldest_of_no_use(node, false, interface);
    if (!oldest)
        oldest = oldest_of_no_use(node, true, interface);
    if (!oldest)
        return false;
    node->counters.associations_displaced++;
    gist_association_fail(node, oldest);
    return true;
}

static struct gist_association *create_association(struct gist_node *node, enum gist_stack stack)
{
    struct gist_association *association = gist_association_create(node, stack);
    if (!association && displace_stranger(node, 0))
        association = gist_association_create(node, stack);
    if (!association)
        return NULL;
    association->connecting = (struct base_timer){.expire = expire_connecting};
    association->send_hello = (struct base_timer){.expire = expire_send_hello};
    association->no_hello = (struct base_timer){.expire = expire_no_hello};
    association->unused = (struct base_timer){.expire = expire_unused};
    association->unconfirmed = (struct base_timer){.expire = expire_unconfirmed};
    association->connecting.owner = association->send_hello.owner = association->no_hello.owner =
        association->unused.owner = association->unconfirmed.owner = association;
    return association;
}

struct gist_association *gist_association_open(struct gist_node *node, struct gist_peer *peer,
    enum gist_stack stack, uint16_t port, uint32_t peer_hold_ms)
{
    struct gist_association *association = create_association(node, stack);
    if (!association)
        return NULL;
    gist_association_join(association, peer, peer_hold_ms);
    base_timer_start(
        &node->timers, &association->connecting, node->now_ms + GIST_CONNECT_TIMEOUT_MS);
    struct gist_endpoint endpoint = {.address = peer->address, .port = port};
    if (node->transport.association_open(
            node->transport.context, association->id, stack, &endpoint))
        return association;
    association->told_closed = true;
    gist_association_destroy(node, association);
    return NULL;
}

static bool take_share(struct gist_node *node, const struct gist_share_holder *holder)
{
    enum gist_share_answer answer =
        gist_node_share_take(node, holder, GIST_SHARE_OF_ASSOCIATIONS, 1);
    if (answer == GIST_SHARE_CROWDED &&
        displace_stranger(node, holder->known ? 0 : holder->interface))
        answer = gist_node_share_take(node, holder, GIST_SHARE_OF_ASSOCIATIONS, 1);
    node->counters.associations_refused += answer != GIST_SHARE_TAKEN;
    return answer == GIST_SHARE_TAKEN;
}

struct gist_association *gist_association_accept(struct gist_node *node, enum gist_stack stack,
    const struct gist_address *address, uint32_t interface)
{
    struct gist_share_holder holder = gist_node_holder(node, address, interface);
    if (!take_share(node, &holder))
        return NULL;
    struct gist_association *association = create_association(node, stack);
    if (!association) {
        gist_node_share_give_back(node, &holder, GIST_SHARE_OF_ASSOCIATIONS, 1);
        return NULL;
    }
    association->interface = interface;
    gist_association_admit(node, association, &holder);
    if (node->config.association_confirm_ms > 0)
        base_timer_start(&node->timers, &association->unconfirmed,
            node->now_ms + node->config.association_confirm_ms);
    gist_association_event(node, association, GIST_TG_CONNECTED, 0);
    return association;
}

void gist_association_fail(struct gist_node *node, struct gist_association *association)
{
    gist_association_event(node, association,
        association->state == GIST_AWAITING_CONNECTION ? GIST_ER_MA_CONNECT : GIST_ER_MA_FAILURE,
        0);
}

bool gist_association_send(struct gist_node *node, struct gist_association *association,
    const struct gist_message *message, gist_message_handle handle,
    const struct gist_share_holder *holder)
{
    struct gist_outgoing outgoing = {.data = node->scratch, .handle = handle};
    if (holder)
        outgoing.holder = *holder;
    outgoing.length = gist_message_build(message, node->scratch, sizeof(node->scratch));
    if (outgoing.length == 0 || association->dead)
        return false;
    gist_association_event(node, association, GIST_TG_RAW_DATA, 0);
    if (association->state == GIST_AWAITING_CONNECTION)
        return gist_queue_put(&node->queued, &association->queue, &outgoing);
    SPEC_NEVER("RFC5971-5.4-1", 1) { /* kept for a next message, which sends none either */
        return gist_queue_put(&node->queued, &association->queue, &outgoing);
    }
    SPEC_NEVER("RFC5971-4.1.2-1", 1) {
        write_octets(node, association, outgoing.data, outgoing.length);
    }
    if (write_octets(node, association, outgoing.data, outgoing.length))
        return true;
    gist_association_fail(node, association);
    return false;
}

/* Messages out of associations; see hearing.h. */
#include "core/gist/node/hearing.h"

#include "core/gist/node/inbound.h"
#include "core/gist/state/node_share.h"
#include "core/gist/transport/association_machine.h"

enum { PAUSE_MS = 50 };

static const struct gist_address *address_of(const struct gist_association *association)
{
    return association->is_inbound || !association->peer ? &association->holder.address
                                                         : &association->peer->address;
}

/* A message costs before it is read, as an octet that was taken cannot be given back. */
static bool may_speak(struct gist_node *node, struct gist_association *association)
{
    if (association->has_share)
        return true;
    struct gist_share_holder holder =
        gist_node_holder(node, address_of(association), association->interface);
    association->has_share =
        gist_node_share_take(node, &holder,
            association->is_inbound ? GIST_SHARE_OF_MESSAGES : GIST_SHARE_OF_ANSWERS,
            1) == GIST_SHARE_TAKEN;
    return association->has_share;
}

/* Returns how many octets are left, for which there is no share. */
static size_t take_messages(struct gist_node *node, struct gist_association *association,
    const uint8_t *octets, size_t length)
{
    const uint8_t *message;
    size_t message_length;
    while (!association->dead && (length == 0 || may_speak(node, association))) {
        enum gist_stream_result result =
            gist_association_next(node, association, &octets, &length, &message, &message_length);
        if (result == GIST_STREAM_NO_MEMORY)
            gist_association_fail(node, association);
        if (result != GIST_STREAM_MESSAGE)
            return 0;
        association->has_share = false;
        gist_inbound_stream(node, association, message, message_length);
    }
    return association->dead ? 0 : length;
}

static void pause(struct gist_node *node, struct gist_association *association, bool pauses)
{
    if (node->transport.association_pause)
        node->transport.association_pause(node->transport.context, association->id, pauses);
}

static void go_on(void *context, void *owner)
{
    struct gist_node *node = context;
    struct gist_association *association = owner;
    size_t length = association->waiting_length;
    size_t left = take_messages(node, association, association->waiting, length);
    if (association->dead)
        return;
    if (!gist_association_heard(node, association, length - left))
        gist_association_fail(node, association);
    else if (left > 0)
        base_timer_start(&node->timers, &association->pause, node->now_ms + PAUSE_MS);
    else
        pause(node, association, false);
}

static void begin_pause(struct gist_node *node, struct gist_association *association)
{
    node->counters.associations_paused++;
    association->pause.expire = go_on;
    association->pause.owner = association;
    base_timer_start(&node->timers, &association->pause, node->now_ms + PAUSE_MS);
    pause(node, association, true);
}

void gist_hear(struct gist_node *node, struct gist_association *association, const uint8_t *octets,
    size_t length)
{
    bool pauses = association->waiting_length > 0;
    size_t left = pauses ? length : take_messages(node, association, octets, length);
    if (left == 0)
        return;
    if (!gist_association_wait(node, association, octets + (length - left), left))
        gist_association_fail(node, association);
    else if (!pauses)
        begin_pause(node, association);
}

/*
 * Deleting many sessions at once; see aggregate.h. RFC 5973 3.7.4, rulings A32, A44, A89. Ownership
 * of the sessions is shown by the association that the request came over.
 */
#include "core/natfw/roles/aggregate.h"

#include "core/natfw/roles/mutants.h"
#include "core/natfw/roles/reply.h"
#include "core/natfw/session/observer.h"
#include "core/natfw/session/sequence.h"
#include "core/natfw/session/session_life.h"
#include "core/spec/spec.h"

#include <utlist.h>

static bool covers_address(const struct gist_address *wide, uint8_t wide_prefix,
    const struct gist_address *address, uint8_t prefix)
{
    return prefix >= wide_prefix && gist_address_matches(wide, address, wide_prefix);
}

/* What the wide one leaves open covers anything, also what is left open. */
static bool covers_value(bool wide_has, uint32_t wide, bool has, uint32_t value)
{
    return !wide_has || (has && value == wide);
}

bool natfw_aggregate_covers(const struct gist_mri *wide, const struct gist_mri *flow)
{
    return covers_address(&wide->source, wide->source_prefix, &flow->source, flow->source_prefix) &&
           covers_address(&wide->destination, wide->destination_prefix, &flow->destination,
               flow->destination_prefix) &&
           covers_value(wide->has_protocol, wide->protocol, flow->has_protocol, flow->protocol) &&
           covers_value(wide->has_source_port, wide->source_port, flow->has_source_port,
               flow->source_port) &&
           covers_value(wide->has_destination_port, wide->destination_port,
               flow->has_destination_port, flow->destination_port) &&
           covers_value(wide->has_spi, wide->spi, flow->has_spi, flow->spi);
}

static const struct gist_mri *flow_of(const struct natfw_session *session)
{
    return &natfw_rules_newest(&session->rules)->flow;
}

static bool is_affected(const struct natfw_incoming *incoming, const struct natfw_session *session)
{
    return session->role != NATFW_INITIATOR &&
           natfw_peer_sent(&session->inbound_peer, incoming->received) &&
           natfw_aggregate_covers(&incoming->received->mri, flow_of(session));
}

/* The nodes further on know the sessions, not the aggregate. */
static void delete_outbound(
    struct natfw_node *node, uint64_t now_ms, const struct natfw_session *session)
{
    struct natfw_message message = {
        .type = NATFW_CREATE,
        .sequence_number = natfw_sequence_next(session->request.sequence_number),
        .efi = {.action = NATFW_ALLOW},
    };
    natfw_message_add(&message, NATFW_LT);
    natfw_message_add(&message, NATFW_EFI);
    natfw_message_add(&message, NATFW_MSN);
    struct gist_send_request request = {
        .session_id = session->id,
        .mri = *flow_of(session),
        .attributes = {.reliable = true, .secure = session->attributes.secure},
    };
    request.mri.upstream = false;
    natfw_send(node, now_ms, &message, &request);
}

static void delete_affected(struct natfw_node *node, const struct natfw_incoming *incoming)
{
    struct natfw_session *session, *next;
    DL_FOREACH_SAFE(node->sessions.all, session, next) {
        if (!is_affected(incoming, session))
            continue;
        struct gist_session_id id = session->id;
        SPEC_NEVER("RFC5973-3.7.4-4a", 1) {
            natfw_mutant_propagate(node, incoming, session);
        }
        if (session->role == NATFW_FORWARDER)
            delete_outbound(node, incoming->now_ms, session);
        natfw_session_end(node, incoming->now_ms, session, NATFW_INPUT_DELETION);
        natfw_tell_info(node, incoming->now_ms, NATFW_EVENT_DELETED, &id, (struct natfw_info){0},
            "by an aggregate");
    }
}

static bool is_authorized(const struct natfw_incoming *incoming)
{
    return incoming->message.lifetime_s == 0 &&
           SPEC_HOLDS("RFC5973-3.7.4-3", 1, incoming->received->association != 0);
}

void natfw_aggregate_request(struct natfw_node *node, const struct natfw_incoming *incoming)
{
    SPEC_ENSURE("RFC5973-3.7.4-2", 1, is_authorized(incoming)) {
        natfw_refuse(node, incoming, NATFW_AUTHORIZATION_FAILED);
        return;
    }
    delete_affected(node, incoming);
}

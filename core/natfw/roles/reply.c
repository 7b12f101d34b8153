/*
 * Sending, and RESPONSEs: who gets them, and what they carry; see reply.h. RFC 5973 3.2.7, 3.5,
 * 4.3.3.
 */
#include "core/natfw/roles/reply.h"

#include "core/natfw/message/message_build.h"
#include "core/natfw/session/observer.h"
#include "core/spec/spec.h"

void natfw_tell_unsent(struct natfw_node *node, uint64_t now_ms,
    const struct gist_send_request *request, struct natfw_info info, enum gist_send_result result)
{
    static const char *const reasons[] = {
        [GIST_SEND_TO_SELF] = "this node is its destination",
        [GIST_SEND_NO_ROUTE] = "no way to its receiver is known",
        [GIST_SEND_TOO_LARGE] = "it is longer than GIST carries",
        [GIST_SEND_NO_MEMORY] = "there is no memory for it",
        [GIST_SEND_INVALID] = "GIST cannot carry it",
    };
    node->counters.messages_unsent++;
    natfw_tell_info(node, now_ms, NATFW_EVENT_UNSENT, &request->session_id, info, reasons[result]);
}

static enum gist_send_result send_octets(struct natfw_node *node, uint64_t now_ms,
    const struct gist_send_request *request, struct natfw_info info)
{
    enum gist_send_result result =
        request->length > 0 ? gist_send_message(node->gist, now_ms, request) : GIST_SEND_INVALID;
    if (result != GIST_SENT)
        natfw_tell_unsent(node, now_ms, request, info, result);
    return result;
}

enum gist_send_result natfw_send(struct natfw_node *node, uint64_t now_ms,
    const struct natfw_message *message, struct gist_send_request *request)
{
    request->length = natfw_message_build(message, node->scratch, sizeof(node->scratch));
    request->data = node->scratch;
    return send_octets(node, now_ms, request, message->info);
}

enum gist_send_result natfw_send_built(
    struct natfw_node *node, uint64_t now_ms, const struct gist_send_request *request)
{
    return send_octets(node, now_ms, request, (struct natfw_info){0});
}

static struct natfw_message response(struct natfw_info info, uint32_t sequence_number)
{
    struct natfw_message message = {.type = NATFW_RESPONSE, .info = info};
    message.sequence_number = SPEC_VALUE("RFC5973-3.5-5", 1, sequence_number, sequence_number + 1);
    natfw_message_add(&message, NATFW_MSN);
    natfw_message_add(&message, NATFW_INFO);
    return message;
}

/* The same message routing method and flow, the other way. RFC 5973 4.3.3. */
static struct gist_mri towards_initiator(const struct gist_mri *flow)
{
    struct gist_mri mri = *flow;
    mri.upstream = true;
    mri.mrm = SPEC_VALUE("RFC5973-4.3.3-2", 1, flow->mrm, GIST_MRM_LOOSE_END);
    return mri;
}

static void refuse(struct natfw_node *node, const struct natfw_incoming *incoming,
    struct natfw_info info, const char *why)
{
    const struct gist_received *received = incoming->received;
    struct natfw_message message = response(info, incoming->message.sequence_number);
    struct gist_send_request request = {
        .session_id = received->session_id,
        .mri = towards_initiator(&received->mri),
        .attributes = received->attributes,
        /* A session id of zero has no routing state: only its sender's address (ruling A89). */
        .sii_handle = gist_session_id_is_zero(&received->session_id) ? received->sii_handle : 0,
    };
    natfw_send(node, incoming->now_ms, &message, &request);
    natfw_tell_of(node, incoming, NATFW_EVENT_REFUSED, info, why);
}

void natfw_refuse_info(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_info info)
{
    refuse(node, incoming, info, NULL);
}

void natfw_refuse_because(struct natfw_node *node, const struct natfw_incoming *incoming,
    enum natfw_code code, const char *why)
{
    refuse(node, incoming, (struct natfw_info){.code = code}, why);
}

void natfw_refuse(
    struct natfw_node *node, const struct natfw_incoming *incoming, enum natfw_code code)
{
    natfw_refuse_info(node, incoming, (struct natfw_info){.code = code});
}

void natfw_answer(struct natfw_node *node, uint64_t now_ms, const struct natfw_session *session,
    const struct gist_mri *flow, const struct natfw_answer *answer)
{
    struct natfw_info info = {.code = answer->code, .object_type = answer->object_type};
    struct natfw_message message = response(info, answer->sequence_number);
    if (answer->has_lifetime) {
        message.lifetime_s = answer->lifetime_s;
        natfw_message_add(&message, NATFW_LT);
    }
    struct gist_send_request request = {
        .session_id = session->id,
        .mri = towards_initiator(flow),
        .attributes = session->attributes,
    };
    natfw_send(node, now_ms, &message, &request);
}

void natfw_answer_unfinished(
    struct natfw_node *node, uint64_t now_ms, const struct natfw_session *session)
{
    struct natfw_answer answer = {.code = NATFW_TERMINATED_ASYNCHRONOUSLY};
    if (session->role != NATFW_FORWARDER)
        return;
    if (session->held.octets) {
        answer.sequence_number = session->held.sequence_number;
        natfw_answer(node, now_ms, session, &session->rules.current.flow, &answer);
    }
    if (session->request.awaits_response) {
        answer.sequence_number = session->request.sequence_number;
        natfw_answer(node, now_ms, session, &natfw_rules_newest(&session->rules)->flow, &answer);
    }
}

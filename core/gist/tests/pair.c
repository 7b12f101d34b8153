/* Nodes in a row; see pair.h. */
#include "core/gist/tests/pair.h"
#include "core/gist/message/message_build.h"
#include "core/gist/message/message_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void send_on(struct row_node *node, uint64_t now_ms, const struct gist_received *received,
    struct gist_mri mri, bool keeps_hop_count)
{
    struct gist_send_request request = {
        .data = received->data,
        .length = received->length,
        .session_id = received->session_id,
        .mri = mri,
        .attributes = received->attributes,
        .has_hop_count = keeps_hop_count,
        .hop_count = received->hop_count,
    };
    gist_send_message(node->gist, now_ms, &request);
}

static enum gist_peering receive(
    void *context, uint64_t now_ms, const struct gist_received *received)
{
    struct row_node *node = context;
    if (received->routing_state_check) {
        node->asked++;
        node->last_asked = *received;
        return node->peering;
    }
    if (node->heard_count < HEARD_MAX) {
        struct heard *heard = &node->heard[node->heard_count++];
        heard->received = *received;
        size_t length = received->length < HEARD_DATA_MAX ? received->length : HEARD_DATA_MAX;
        if (length > 0)
            memcpy(heard->data, received->data, length);
    }
    if (node->replies)
        send_on(node, now_ms, received, gist_mri_reversed(&received->mri), false);
    if (node->relays)
        send_on(node, now_ms, received, received->mri, true);
    return GIST_PEER;
}

static void message_status(
    void *context, uint64_t now_ms, gist_message_handle handle, enum gist_message_status status)
{
    (void)now_ms;
    struct row_node *node = context;
    if (node->told_count < HEARD_MAX)
        node->told[node->told_count++] = (struct told){handle, status};
}

static void network_notification(void *context, uint64_t now_ms, const struct gist_mri *mri,
    const struct gist_session_id *session_id, enum gist_notification notification)
{
    (void)now_ms;
    (void)mri;
    (void)session_id;
    ((struct row_node *)context)->notifications[notification]++;
}

static bool knows(
    void *context, uint64_t now_ms, const struct gist_address *peer, uint32_t interface)
{
    (void)now_ms;
    (void)interface;
    const struct row_node *node = context;
    return gist_address_equal(peer, &node->known);
}

static struct seen *see(struct row *row, const uint8_t *octets, size_t length)
{
    static struct seen overflow;
    struct seen *seen = row->seen_count < WIRE_MAX ? &row->seen[row->seen_count++] : &overflow;
    *seen = (struct seen){.length = length, .time_ms = network_now_ms(row->network)};
    if (length > sizeof(seen->octets))
        seen->length = sizeof(seen->octets);
    memcpy(seen->octets, octets, seen->length);
    struct gist_fault fault;
    seen->parsed = gist_message_parse(seen->octets, seen->length, &seen->message, &fault);
    return seen;
}

static bool on_datagram(void *context, struct network_datagram *datagram)
{
    struct row *row = context;
    struct seen *seen =
        see(row, datagram->payload + GIST_MAGIC_LENGTH, datagram->length - GIST_MAGIC_LENGTH);
    seen->d_mode = true;
    seen->q_mode = datagram->q_mode;
    seen->from = datagram->from->number;
    seen->to = datagram->to->number;
    seen->source = datagram->source;
    return row->spoil && row->spoil(row, seen, datagram->payload + GIST_MAGIC_LENGTH);
}

static bool on_segment(void *context, struct network_segment *segment)
{
    struct row *row = context;
    struct seen *seen = see(row, segment->octets, segment->length);
    seen->secure = segment->secure;
    seen->from = segment->from->number;
    seen->to = segment->to->number;
    return row->spoil && row->spoil(row, seen, segment->octets);
}

struct gist_node_config row_config(void)
{
    struct gist_node_config config = gist_node_config_default();
    config.association_port = 4000;
    return config;
}

static struct gist_address address_of(size_t i)
{
    return gist_address_v4(0xc0000201 + (uint32_t)i);
}

static void wire_up(struct row *row, size_t i)
{
    struct network_place *place = row->nodes[i].place;
    for (size_t j = 0; j < row->count; j++) {
        if (j == i)
            continue;
        struct network_place *next = row->nodes[j < i ? i - 1 : i + 1].place;
        network_give_route(place, address_of(j), 32, next, j < i ? 1 : 2, address_of(i));
    }
    if (row->count < 2)
        return;
    network_give_route(
        place, address_of(0), 0, row->nodes[i > 0 ? i - 1 : 1].place, i > 0 ? 1 : 2, address_of(i));
}

static void start(struct row *row, size_t i, const struct gist_node_config *common)
{
    struct row_node *node = &row->nodes[i];
    struct gist_node_config config = *common;
    config.peer_identity_length =
        (size_t)snprintf((char *)config.peer_identity, GIST_PEER_IDENTITY_MAX, "node-%zu", i);
    struct gist_seams seams = network_seams(node->place);
    seams.application = (struct gist_application){
        .context = node,
        .receive = receive,
        .message_status = message_status,
        .network_notification = network_notification,
        .knows = knows,
    };
    node->gist = gist_node_create(&config, &seams, network_now_ms(row->network));
    node->place->node = node->gist;
}

struct row *row_create_failing(size_t count, const struct gist_node_config *config, size_t fail_at)
{
    struct row *row = calloc(1, sizeof(*row));
    if (!row || count > ROW_MAX)
        abort();
    struct network_options options = {.seed = 1,
        .latency_ms = 5,
        .on_datagram = on_datagram,
        .on_segment = on_segment,
        .context = row};
    row->network = network_create(&options);
    network_memory(row->network)->fail_at = fail_at;
    row->count = count;
    for (size_t i = 0; i < count; i++) {
        row->nodes[i].row = row;
        row->nodes[i].address = address_of(i);
        row->nodes[i].place = network_add(row->network);
        network_give_address(row->nodes[i].place, address_of(i));
    }
    for (size_t i = 0; i < count; i++)
        wire_up(row, i);
    for (size_t i = 0; i < count; i++)
        start(row, i, config);
    return row;
}

struct row *row_create(size_t count, const struct gist_node_config *config)
{
    return row_create_failing(count, config, 0);
}

void row_destroy(struct row *row)
{
    for (size_t i = 0; i < row->count; i++)
        gist_node_destroy(row->nodes[i].gist);
    network_destroy(row->network);
    free(row);
}

struct gist_mri row_mri(const struct row *row)
{
    return (struct gist_mri){
        .mrm = GIST_MRM_PATH_COUPLED,
        .source = row->nodes[0].address,
        .destination = row->nodes[row->count - 1].address,
        .source_prefix = 32,
        .destination_prefix = 32,
        .has_protocol = true,
        .protocol = 17,
        .has_destination_port = true,
        .destination_port = 5004,
    };
}

struct gist_session_id row_session(uint8_t number)
{
    struct gist_session_id id = {{0x5e, 0x55, number, 1}};
    return id;
}

enum gist_send_result row_send(struct row *row, size_t from, const struct gist_mri *mri,
    const struct gist_session_id *session_id, const char *text, bool reliable)
{
    uint8_t data[HEARD_DATA_MAX] = {0};
    size_t length = strlen(text);
    memcpy(data, text, length);
    struct gist_send_request request = {
        .data = data,
        .length = (length + 3) / 4 * 4,
        .session_id = *session_id,
        .mri = *mri,
        .attributes = {.reliable = reliable},
        .handle = 7,
    };
    return gist_send_message(row->nodes[from].gist, network_now_ms(row->network), &request);
}

const struct seen *row_seen(const struct row *row, enum gist_message_type type, size_t n)
{
    for (size_t i = 0; i < row->seen_count; i++)
        if (row->seen[i].message.header.type == type && n-- == 0)
            return &row->seen[i];
    return NULL;
}

size_t row_seen_count(const struct row *row, enum gist_message_type type)
{
    size_t count = 0;
    for (size_t i = 0; i < row->seen_count; i++)
        count += row->seen[i].message.header.type == type;
    return count;
}

const struct seen *row_error(const struct row *row)
{
    size_t count = row_seen_count(row, GIST_ERROR);
    return count > 0 ? row_seen(row, GIST_ERROR, count - 1) : NULL;
}

struct gist_message row_message(const struct row *row, enum gist_message_type type)
{
    struct gist_message message = {
        .header = {.version = 1,
            .hop_count = 5,
            .nslp_id = 33,
            .type = (uint8_t)type,
            .context_free = type == GIST_QUERY,
            .source_is_peer = true,
            .reply_requested = type == GIST_QUERY},
        .mri = row_mri(row),
        .session_id = row_session(1),
        .nli = {.validity_ms = 1000, .interface_address = row->nodes[0].address},
        .query_cookie = {(const uint8_t *)"abcd", 4},
        .responder_cookie = {(const uint8_t *)"an invented cookie of 28 oct", 28},
        .nslp_data = {(const uint8_t *)"data", 4},
    };
    gist_message_add(&message, GIST_OBJECT_MRI);
    gist_message_add(&message, GIST_OBJECT_SESSION_ID);
    gist_message_add(&message, GIST_OBJECT_NLI);
    if (type == GIST_QUERY || type == GIST_RESPONSE)
        gist_message_add(&message, GIST_OBJECT_QUERY_COOKIE);
    if (type == GIST_CONFIRM)
        gist_message_add(&message, GIST_OBJECT_RESPONDER_COOKIE);
    if (type == GIST_DATA)
        gist_message_add(&message, GIST_OBJECT_NSLP_DATA);
    return message;
}

bool row_refused(const struct row *row, unsigned code, unsigned subcode)
{
    const struct seen *error = row_error(row);
    return error && error->parsed && error->message.error.code == code &&
           error->message.error.subcode == subcode;
}

void row_inject_octets(struct row *row, size_t to, const uint8_t *octets, size_t length,
    struct gist_address source, bool q_mode)
{
    uint8_t payload[4096] = {0x4e, 0x04, 0xbd, 0xa5};
    memcpy(payload + GIST_MAGIC_LENGTH, octets, length);
    struct gist_arrival arrival = {
        .source = {source, GIST_PORT},
        .destination = {row->nodes[to].address, GIST_PORT},
        .interface = 1,
        .ip_ttl = 63,
        .q_mode = q_mode,
    };
    network_inject(row->nodes[to].place, &arrival, payload, GIST_MAGIC_LENGTH + length);
}

void row_inject(struct row *row, size_t to, const struct gist_message *message,
    struct gist_address source, bool q_mode)
{
    uint8_t octets[4000];
    size_t length = gist_message_write(message, octets, sizeof(octets));
    row_inject_octets(row, to, octets, length, source, q_mode);
}

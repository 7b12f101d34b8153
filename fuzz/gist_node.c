/*
 * Fuzzes a whole node: NATFW over GIST, as a firewall and a responder, with what may happen to it
 * as the input. RFC 5971 6, RFC 5973 3.
 *
 * The input is a list of steps. Each begins with an octet for what happens, and most have a length
 * (one octet, in words) and as many octets:
 *
 *     0 datagram     1 Q-mode datagram     2 octets of a stream     3 inbound connection
 *     4 connection is up, by an interface  5 connection ends        6 time passes
 *     7 the middlebox answers              8 this node opens a session   9 closes it
 *     10 flows are routed elsewhere
 *
 * In what arrives, cookies are replaced by those that the node sent last, where there is one of
 * that kind; thus handshakes get through.
 *
 * Asserted: what the node sends parses; it keeps within its limits; once it is gone, all its memory
 * is released, each block with its right length.
 */
#include "core/gist/message/message.h"
#include "core/gist/message/message_parse.h"
#include "core/natfw/message/message.h"
#include "core/natfw/message/message_parse.h"
#include "core/natfw/node.h"
#include "fuzz/target.h"

#include <string.h>

enum { STEPS_MAX = 64, LIMIT = 8, OCTETS_MAX = 4 * 255, HANDLES_MAX = 16, ASSOCIATIONS_MAX = 16 };

struct cookie {
    uint8_t octets[64];
    size_t length;
};

struct bench {
    struct gist_node *gist;
    struct natfw_node *natfw;
    uint64_t now_ms;
    uint64_t random;
    size_t blocks; /* of memory, that live */
    uint64_t gist_deadline_ms;
    uint64_t natfw_deadline_ms;
    struct cookie query_cookie;
    struct cookie responder_cookie;
    gist_association_id associations[ASSOCIATIONS_MAX];
    size_t association_count;
    natfw_handle handles[HANDLES_MAX];
    size_t handle_count;
    struct gist_session_id opened;
    uint8_t way; /* of flows that go outside; see find_route */
};

static struct bench bench;

/* Memory: each block begins with its length. */

static void *allocate(void *context, size_t length)
{
    (void)context;
    size_t *block = calloc(1, sizeof(max_align_t) + length);
    if (!block)
        return NULL;
    *block = length;
    bench.blocks++;
    return (uint8_t *)block + sizeof(max_align_t);
}

static void release(void *context, void *memory, size_t length)
{
    (void)context;
    if (!memory)
        return;
    size_t *block = (size_t *)(void *)((uint8_t *)memory - sizeof(max_align_t));
    CHECK(*block == length);
    bench.blocks--;
    free(block);
}

/* Crypto that is the same every time. */

static bool draw(void *context, uint8_t *octets, size_t length)
{
    (void)context;
    for (size_t i = 0; i < length; i++) {
        bench.random = bench.random * UINT64_C(6364136223846793005) + 1;
        octets[i] = (uint8_t)(bench.random >> 56);
    }
    return true;
}

static bool compute_mac(void *context, const uint8_t key[BASE_KEY_LENGTH], const uint8_t *data,
    size_t length, uint8_t mac[BASE_MAC_LENGTH])
{
    (void)context;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ data[i]) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < BASE_MAC_LENGTH; i++)
        mac[i] = (uint8_t)(hash >> 8 * (i % 8)) ^ key[i];
    return true;
}

/* What leaves the node. */

static void keep_cookie(struct cookie *cookie, struct gist_octets value)
{
    if (value.length == 0 || value.length > sizeof(cookie->octets))
        return;
    memcpy(cookie->octets, value.octets, value.length);
    cookie->length = value.length;
}

static void check_sent(const uint8_t *octets, size_t length)
{
    struct gist_message message;
    struct gist_fault fault;
    CHECK(gist_message_parse(octets, length, &message, &fault));
    if (message.header.type == GIST_QUERY)
        keep_cookie(&bench.query_cookie, message.query_cookie);
    if (message.header.type == GIST_RESPONSE)
        keep_cookie(&bench.responder_cookie, message.responder_cookie);
    if (message.nslp_data.length == 0)
        return;
    struct natfw_message natfw;
    struct natfw_info info;
    CHECK(natfw_message_parse(message.nslp_data.octets, message.nslp_data.length, &natfw, &info));
}

static bool send_datagram(
    void *context, const struct gist_endpoint *peer, const uint8_t *payload, size_t length)
{
    (void)context, (void)peer;
    CHECK(length > GIST_MAGIC_LENGTH);
    check_sent(payload + GIST_MAGIC_LENGTH, length - GIST_MAGIC_LENGTH);
    return true;
}

static bool send_query(
    void *context, const struct gist_query_route *route, const uint8_t *payload, size_t length)
{
    (void)context, (void)route;
    CHECK(length > GIST_MAGIC_LENGTH);
    check_sent(payload + GIST_MAGIC_LENGTH, length - GIST_MAGIC_LENGTH);
    return true;
}

static bool forward_query(
    void *context, const struct gist_arrival *arrival, const uint8_t *payload, size_t length)
{
    (void)context, (void)arrival;
    CHECK(payload && length > GIST_MAGIC_LENGTH);
    return true;
}

static void keep_association(gist_association_id id)
{
    if (id != 0 && bench.association_count < ASSOCIATIONS_MAX)
        bench.associations[bench.association_count++] = id;
}

static bool association_open(
    void *context, gist_association_id id, enum gist_stack stack, const struct gist_endpoint *peer)
{
    (void)context, (void)stack, (void)peer;
    if (bench.association_count == ASSOCIATIONS_MAX)
        return false;
    keep_association(id);
    return true;
}

/* The node writes whole messages. */
static bool association_write(
    void *context, gist_association_id id, const uint8_t *octets, size_t length)
{
    (void)context, (void)id;
    check_sent(octets, length);
    return true;
}

static void association_close(void *context, gist_association_id id)
{
    (void)context;
    for (size_t i = 0; i < bench.association_count; i++)
        if (bench.associations[i] == id)
            bench.associations[i] = bench.associations[--bench.association_count];
}

static bool is_local(void *context, const struct gist_address *address)
{
    (void)context;
    return address->version == 4 && address->octets[3] == 1;
}

/* The way outside is by interface 2, or else by another or none, with another address of ours, or
 * by a router. */
static bool find_route(
    void *context, const struct gist_address *destination, struct gist_route *route)
{
    (void)context;
    static const uint32_t outside[] = {2, 3, 1, 0};
    if (destination->version != 4)
        return false;
    *route = (struct gist_route){.local = gist_address_v4(0xc0000201), .interface = 1};
    if (destination->octets[0] % 2 == 0)
        return true;
    route->interface = outside[bench.way % 4];
    if (bench.way & 4)
        route->local = gist_address_v4(0xc0000301);
    if (bench.way & 8)
        route->next_hop = gist_address_v4(0xc00002fe);
    return route->interface != 0;
}

static void set_gist_deadline(void *context, uint64_t deadline_ms)
{
    (void)context;
    bench.gist_deadline_ms = deadline_ms;
}

static void set_natfw_deadline(void *context, uint64_t deadline_ms)
{
    (void)context;
    bench.natfw_deadline_ms = deadline_ms;
}

/* The middlebox refuses a rule for port 1, and answers when the input says so. */

static enum natfw_middlebox_result remember(
    void *context, const struct gist_session_id *owner, const struct natfw_policy_rule *rule)
{
    (void)context, (void)owner;
    return rule->flow.destination_port == 1 ? NATFW_MIDDLEBOX_CONFLICT : NATFW_MIDDLEBOX_OK;
}

static void keep_handle(natfw_handle handle)
{
    if (handle != NATFW_NO_HANDLE && bench.handle_count < HANDLES_MAX)
        bench.handles[bench.handle_count++] = handle;
}

static void install(void *context, const struct gist_session_id *owner,
    const struct natfw_policy_rule *rule, uint64_t expires_ms, natfw_handle handle)
{
    (void)context, (void)owner, (void)rule, (void)expires_ms;
    keep_handle(handle);
}

static void replace(void *context, const struct gist_session_id *owner,
    const struct natfw_policy_rule *old_rule, const struct natfw_policy_rule *new_rule,
    uint64_t expires_ms, natfw_handle handle)
{
    (void)context, (void)owner, (void)old_rule, (void)new_rule, (void)expires_ms;
    keep_handle(handle);
}

static void take_away(
    void *context, const struct gist_session_id *owner, const struct natfw_policy_rule *rule)
{
    (void)context, (void)owner, (void)rule;
}

static bool never_takes_over(
    void *context, const struct natfw_policy_question *question, const struct natfw_peer *former)
{
    (void)context, (void)question, (void)former;
    return false;
}

static bool never_turns_back(void *context, uint32_t interface)
{
    (void)context, (void)interface;
    return false;
}

static enum natfw_code allow(void *context, const struct natfw_policy_question *question)
{
    (void)context, (void)question;
    return NATFW_NO_CODE;
}

static void ignore_event(void *context, uint64_t now_ms, const struct natfw_event *event)
{
    (void)context, (void)now_ms, (void)event;
}

/* Some flows are anybody's, some nobody's. */
static bool authorises(void *context, gist_association_id id, const struct gist_address *peer,
    const struct gist_mri *mri)
{
    (void)context, (void)id, (void)peer;
    return !mri || mri->destination_port % 8 != 7;
}

/* The node's life. */

static void start(void)
{
    memset(&bench, 0, sizeof(bench));
    bench.now_ms = 1000000;
    bench.gist_deadline_ms = bench.natfw_deadline_ms = GIST_NO_DEADLINE;
    struct natfw_seams natfw_seams = {
        .allocator = {NULL, allocate, release},
        .crypto = {NULL, draw, compute_mac},
        .middlebox = {NULL, remember, install, replace, take_away},
        .policy = {NULL, allow, allow, never_takes_over, never_turns_back, NULL},
        .observer = {NULL, ignore_event},
        .set_deadline = set_natfw_deadline,
    };
    struct natfw_node_config natfw_config = natfw_node_config_default();
    natfw_config.forwarder = natfw_config.responder = true;
    natfw_config.sessions_max = LIMIT;
    bench.natfw = natfw_node_create(&natfw_config, &natfw_seams);
    CHECK(bench.natfw);

    struct gist_seams gist_seams = {
        .allocator = natfw_seams.allocator,
        .crypto = natfw_seams.crypto,
        .transport = {NULL, send_datagram, send_query, forward_query, association_open,
            association_write, association_close, NULL, authorises, find_route, is_local,
            set_gist_deadline},
        .application = natfw_node_application(bench.natfw),
    };
    struct gist_node_config gist_config = gist_node_config_default();
    gist_config.nslp_id = NATFW_NSLP_ID;
    gist_config.router_alert_v4 = NATFW_ROUTER_ALERT_V4;
    gist_config.router_alert_v6 = NATFW_ROUTER_ALERT_V6;
    memcpy(gist_config.peer_identity, "fuzzed", 6);
    gist_config.peer_identity_length = 6;
    gist_config.association_port = 30270;
    gist_config.secure_association_port = 30271;
    gist_config.opens_secure = true;
    gist_config.answer_invalid_cookie = true;
    gist_config.routing_states_max = gist_config.associations_max = LIMIT;
    bench.gist = gist_node_create(&gist_config, &gist_seams, bench.now_ms);
    CHECK(bench.gist);
    natfw_node_attach(bench.natfw, bench.gist, &gist_seams.transport);
}

static void count_session(void *context, const struct natfw_session_view *view)
{
    (void)view;
    ++*(size_t *)context;
}

static void check_limits(void)
{
    struct gist_counters counters = gist_node_counters(bench.gist);
    CHECK(counters.routing_states <= LIMIT);
    CHECK(counters.associations <= LIMIT);
    size_t sessions = 0;
    natfw_node_each_session(bench.natfw, count_session, &sessions);
    CHECK(sessions <= LIMIT);
}

static void stop(void)
{
    gist_node_destroy(bench.gist);
    natfw_node_destroy(bench.natfw);
    CHECK(bench.blocks == 0);
}

/* What happens to it. */

static void echo_cookies(uint8_t *octets, size_t length)
{
    struct wire_reader reader = wire_reader_over(octets, length);
    wire_skip(&reader, GIST_COMMON_HEADER_LENGTH);
    bool response = length > 6 && (octets[6] & 0x7f) == GIST_RESPONSE;
    while (wire_remaining(&reader) >= GIST_OBJECT_HEADER_LENGTH) {
        struct gist_object object = gist_object_read(&reader);
        if (reader.failed)
            return;
        const struct cookie *cookie = NULL;
        if (object.type == GIST_OBJECT_RESPONDER_COOKIE && !response)
            cookie = &bench.responder_cookie;
        if (object.type == GIST_OBJECT_QUERY_COOKIE && response)
            cookie = &bench.query_cookie;
        if (cookie && cookie->length == object.value.length)
            memcpy(octets + (object.value.data - octets), cookie->octets, cookie->length);
    }
}

/* From the address that its NLI tells, if it has one: 4.4.1 wants them to agree. */
static struct gist_endpoint source_of(const uint8_t *octets, size_t length)
{
    struct gist_message message;
    struct gist_fault fault;
    struct gist_endpoint source = {gist_address_v4(0xc000020a), GIST_PORT};
    gist_message_parse(octets, length, &message, &fault);
    if (gist_message_has(&message, GIST_OBJECT_NLI))
        source.address = message.nli.interface_address;
    return source;
}

static void receive_datagram(uint8_t *octets, size_t length, bool q_mode)
{
    static uint8_t payload[GIST_MAGIC_LENGTH + OCTETS_MAX];
    struct wire_writer writer = wire_writer_over(payload, sizeof(payload));
    wire_put_u32(&writer, GIST_MAGIC);
    wire_put_bytes(&writer, octets, length);
    struct gist_arrival arrival = {.source = source_of(octets, length),
        .destination = {gist_address_v4(q_mode ? 0xcb00710a : 0xc0000201), GIST_PORT},
        .interface = 1,
        .ip_ttl = 64,
        .q_mode = q_mode};
    gist_node_receive_datagram(bench.gist, bench.now_ms, &arrival, payload, wire_written(&writer));
}

static void pass_time(uint8_t amount)
{
    bench.now_ms += (uint64_t)amount * amount; /* up to 65 s */
    if (bench.gist_deadline_ms <= bench.now_ms || amount % 2)
        gist_node_tick(bench.gist, bench.now_ms);
    if (bench.natfw_deadline_ms <= bench.now_ms || amount % 2)
        natfw_node_tick(bench.natfw, bench.now_ms);
}

static void open_session(uint8_t port)
{
    struct natfw_open open = {.lifetime_s = 60, .refresh = true};
    open.rule.action = NATFW_ALLOW;
    open.rule.flow = (struct gist_mri){.source = gist_address_v4(0xc0000201),
        .destination = gist_address_v4(0xcb00710a),
        .source_prefix = 32,
        .destination_prefix = 32,
        .has_protocol = true,
        .protocol = 17,
        .has_source_port = true,
        .has_destination_port = true,
        .source_port = 4000,
        .destination_port = port};
    natfw_node_open(bench.natfw, bench.now_ms, &open, &bench.opened);
}

/* A step without octets; which tells of what it is about. */
static void step_plain(uint8_t step, uint8_t which)
{
    gist_association_id id =
        bench.association_count ? bench.associations[which % bench.association_count] : 0;
    struct gist_endpoint peer = {gist_address_v4(0xc000020a), 40000};
    struct gist_endpoint local = {gist_address_v4(0xc0000201), 30270};
    switch (step) {
    case 3:
        keep_association(gist_node_association_accepted(bench.gist, bench.now_ms,
            which % 2 ? GIST_STACK_TLS_TCP : GIST_STACK_TCP, &peer, &local, 1));
        break;
    case 4:
        gist_node_association_connected(bench.gist, bench.now_ms, id, 1 + which / 128);
        break;
    case 5:
        association_close(NULL, id);
        gist_node_association_closed(bench.gist, bench.now_ms, id);
        break;
    case 6:
        pass_time(which);
        break;
    case 7:
        if (bench.handle_count > 0)
            natfw_node_middlebox_done(bench.natfw, bench.now_ms,
                bench.handles[--bench.handle_count],
                (enum natfw_middlebox_result)(which % 8 ? 0 : which / 8 % 5));
        break;
    case 8:
        open_session(which);
        break;
    case 10:
        bench.way = which;
        natfw_node_routes_changed(bench.natfw, bench.now_ms);
        break;
    default:
        natfw_node_close(bench.natfw, bench.now_ms, &bench.opened);
    }
}

static void step_octets(uint8_t step, uint8_t *octets, size_t length)
{
    echo_cookies(octets, length);
    if (step < 2)
        receive_datagram(octets, length, step == 1);
    else if (bench.association_count > 0)
        gist_node_association_received(bench.gist, bench.now_ms,
            bench.associations[bench.association_count - 1], octets, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
    struct wire_reader input = wire_reader_over(octets, length);
    start();
    for (unsigned i = 0; i < STEPS_MAX && wire_remaining(&input) > 1; i++) {
        uint8_t step = wire_read_u8(&input) % 11;
        uint8_t which = wire_read_u8(&input);
        if (step > 2) {
            step_plain(step, which);
        } else {
            uint8_t copy[OCTETS_MAX];
            size_t wanted = 4 * (size_t)which;
            size_t there = wire_remaining(&input);
            size_t taken = wanted < there ? wanted : there;
            wire_read_bytes(&input, copy, taken);
            step_octets(step, copy, taken);
        }
        check_limits();
    }
    stop();
    return 0;
}

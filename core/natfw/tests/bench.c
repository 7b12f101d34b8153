/* A NATFW node on the bench; see bench.h. */
#include "core/natfw/tests/bench.h"
#include "core/natfw/message/message_build.h"
#include "core/natfw/message/message_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench bench;

enum gist_send_result gist_send_message(
    struct gist_node *node, uint64_t now_ms, const struct gist_send_request *request)
{
    (void)node, (void)now_ms;
    if (bench.send_result != GIST_SENT)
        return bench.send_result;
    if (request->sii_handle != 0 && bench.explicit_result != GIST_SENT)
        return bench.explicit_result;
    if (request->has_hop_count && request->hop_count == 0)
        return GIST_SEND_HOP_LIMIT;
    cr_assert(bench.sent_count < BENCH_SENT_MAX, "more messages than the bench keeps");
    struct bench_sent *sent = &bench.sent[bench.sent_count++];
    struct natfw_info fault;
    cr_assert(request->length <= sizeof(sent->octets), "a message longer than the bench keeps");
    sent->request = *request;
    memcpy(sent->octets, request->data, request->length);
    sent->request.data = sent->octets;
    sent->well_formed = natfw_message_parse(sent->octets, request->length, &sent->message, &fault);
    return GIST_SENT;
}

void gist_set_state_lifetime(struct gist_node *node, uint64_t now_ms, const struct gist_mri *mri,
    const struct gist_session_id *session_id, uint64_t lifetime_ms)
{
    (void)node, (void)now_ms, (void)session_id;
    if (lifetime_ms > BENCH_GIVEN_UP_MS) {
        bench.kept_flow[mri->upstream] = *mri;
        bench.kept_ms[mri->upstream] = lifetime_ms;
        return;
    }
    bench.given_up[mri->upstream]++;
    bench.given_up_after_ms = lifetime_ms;
    bench.given_up_flow = *mri;
}

void gist_invalidate_routing_state(struct gist_node *node, uint64_t now_ms,
    const struct gist_mri *mri, const struct gist_session_id *session_id,
    enum gist_routing_status status)
{
    (void)node, (void)now_ms, (void)session_id;
    bench.invalidations[status]++;
    bench.invalidated_flow = *mri;
}

static void *allocate(void *context, size_t length)
{
    (void)context;
    if (bench.allocations_until_failure > 0 && --bench.allocations_until_failure == 0)
        return NULL;
    bench.allocations++;
    return calloc(1, length);
}

static void release(void *context, void *memory, size_t length)
{
    (void)context, (void)length;
    if (memory)
        bench.allocations--;
    free(memory);
}

static bool draw(void *context, uint8_t *octets, size_t length)
{
    (void)context;
    for (size_t i = 0; i < length; i++)
        octets[i] = bench.random_octet++;
    return !bench.no_randomness;
}

static struct bench_rule *rule_of(
    const struct gist_session_id *owner, const struct natfw_policy_rule *rule)
{
    for (size_t i = 0; i < bench.rule_count; i++)
        if (gist_session_id_equal(&bench.rules[i].owner, owner) &&
            natfw_policy_rule_equal(&bench.rules[i].rule, rule))
            return &bench.rules[i];
    return NULL;
}

static enum natfw_middlebox_result remember(
    void *context, const struct gist_session_id *owner, const struct natfw_policy_rule *rule)
{
    (void)context;
    if (bench.remember_result != NATFW_MIDDLEBOX_OK)
        return bench.remember_result;
    cr_assert(bench.rule_count < BENCH_RULES_MAX, "more rules than the bench keeps");
    bench.rules[bench.rule_count++] = (struct bench_rule){.owner = *owner, .rule = *rule};
    return NATFW_MIDDLEBOX_OK;
}

static void expect_answer(natfw_handle handle)
{
    if (handle == NATFW_NO_HANDLE)
        return;
    cr_assert(bench.handle_count < BENCH_HANDLES_MAX, "more handles than the bench keeps");
    bench.handles[bench.handle_count++] = handle;
}

static void install(void *context, const struct gist_session_id *owner,
    const struct natfw_policy_rule *rule, uint64_t expires_ms, natfw_handle handle)
{
    (void)context;
    struct bench_rule *kept = rule_of(owner, rule);
    cr_assert(kept, "a rule is installed that was not set aside");
    if (bench.install_result == NATFW_MIDDLEBOX_OK)
        kept->expires_ms = expires_ms;
    expect_answer(handle);
}

static void take_away(
    void *context, const struct gist_session_id *owner, const struct natfw_policy_rule *rule)
{
    (void)context;
    bench.removals++;
    struct bench_rule *kept = rule_of(owner, rule);
    if (kept)
        *kept = bench.rules[--bench.rule_count];
}

static void replace(void *context, const struct gist_session_id *owner,
    const struct natfw_policy_rule *old_rule, const struct natfw_policy_rule *new_rule,
    uint64_t expires_ms, natfw_handle handle)
{
    take_away(context, owner, old_rule);
    install(context, owner, new_rule, expires_ms, handle);
}

static enum natfw_code authenticate(void *context, const struct natfw_policy_question *question)
{
    (void)context, (void)question;
    return bench.authentication;
}

static enum natfw_code permit(void *context, const struct natfw_policy_question *question)
{
    (void)context;
    bench.permissions_asked[question->is_update]++;
    return bench.permission;
}

static bool may_take_over(
    void *context, const struct natfw_policy_question *question, const struct natfw_peer *former)
{
    (void)context, (void)question, (void)former;
    bench.takeovers_asked++;
    return bench.takeover;
}

static bool may_turn_back(void *context, uint32_t interface)
{
    (void)context;
    return interface != 0 && bench.one_armed_interface == interface;
}

static void observe(void *context, uint64_t now_ms, const struct natfw_event *event)
{
    (void)context, (void)now_ms;
    cr_assert(bench.event_count < BENCH_EVENTS_MAX, "more events than the bench keeps");
    if (event->session)
        bench.sessions_seen[bench.event_count] = *event->session;
    bench.events[bench.event_count++] = *event;
}

static void set_deadline(void *context, uint64_t deadline_ms)
{
    (void)context;
    bench.deadline_ms = deadline_ms;
}

static bool is_local(void *context, const struct gist_address *address)
{
    (void)context, (void)address;
    return bench.flow_ends_here;
}

/* The inside is 192.0.2.0/24, by interface 1; everything else is behind interface 2. */
static bool find_route(
    void *context, const struct gist_address *destination, struct gist_route *route)
{
    (void)context;
    struct gist_address inside = gist_address_v4(0xc0000200);
    bool is_inside = gist_address_matches(destination, &inside, 24);
    *route = is_inside ? (struct gist_route){.local = gist_address_v4(0xc00002fe), .interface = 1}
                       : (struct gist_route){.local = gist_address_v4(0xcb0071fe), .interface = 2};
    if (!is_inside && bench.detour.local.version != 0)
        *route = bench.detour;
    bench.routes_asked++;
    return !bench.no_route;
}

void bench_start(const struct natfw_node_config *config)
{
    struct natfw_seams seams = {
        .allocator = {.allocate = allocate, .release = release},
        .crypto = {.random = draw},
        .middlebox = {.remember = remember,
            .install = install,
            .replace = replace,
            .remove = take_away},
        .policy = {.authenticate = authenticate,
            .permit = permit,
            .may_take_over = may_take_over,
            .may_turn_back = may_turn_back},
        .observer = {.event = observe},
        .set_deadline = set_deadline,
    };
    struct gist_transport transport = {.route = find_route, .is_local = is_local};
    bench.now_ms = UINT64_C(1) << 40;
    bench.random_octet = 0x51;
    bench.node = natfw_node_create(config, &seams);
    if (bench.node)
        natfw_node_attach(bench.node, NULL, &transport);
}

void bench_start_default(void)
{
    struct natfw_node_config config = natfw_node_config_default();
    config.sessions_max = 16;
    bench_start(&config);
}

void bench_stop(void)
{
    natfw_node_destroy(bench.node);
    if (bench.allocations == 0)
        return;
    fprintf(stderr, "%zu allocations are not given back\n", bench.allocations);
    abort(); /* Criterion does not count an assertion that fails after the test */
}

struct gist_mri bench_flow(void)
{
    return (struct gist_mri){
        .source = gist_address_v4(0xc0000201),
        .destination = gist_address_v4(0xcb007101),
        .source_prefix = 32,
        .destination_prefix = 32,
        .has_protocol = true,
        .has_source_port = true,
        .has_destination_port = true,
        .protocol = 17,
        .source_port = 4000,
        .destination_port = 5000,
    };
}

struct gist_session_id bench_session(uint8_t number)
{
    struct gist_session_id id = {{0}};
    if (number > 0)
        memset(id.octets, 0xa0 + number, sizeof(id.octets));
    return id;
}

struct natfw_message bench_create(uint32_t lifetime_s, uint32_t sequence_number)
{
    struct natfw_message message = {.type = NATFW_CREATE,
        .lifetime_s = lifetime_s,
        .sequence_number = sequence_number,
        .efi = {.action = NATFW_ALLOW}};
    natfw_message_add(&message, NATFW_LT);
    natfw_message_add(&message, NATFW_EFI);
    natfw_message_add(&message, NATFW_MSN);
    return message;
}

struct natfw_message bench_response(enum natfw_code code, uint32_t sequence_number)
{
    struct natfw_message message = {
        .type = NATFW_RESPONSE, .sequence_number = sequence_number, .info = {.code = code}};
    natfw_message_add(&message, NATFW_MSN);
    natfw_message_add(&message, NATFW_INFO);
    return message;
}

struct natfw_message bench_success(uint32_t lifetime_s, uint32_t sequence_number)
{
    struct natfw_message message = bench_response(NATFW_ALL_PROCESSED, sequence_number);
    message.lifetime_s = lifetime_s;
    natfw_message_add(&message, NATFW_LT);
    return message;
}

struct natfw_message bench_notify(enum natfw_code code)
{
    struct natfw_message message = {.type = NATFW_NOTIFY, .info = {.code = code}};
    natfw_message_add(&message, NATFW_INFO);
    return message;
}

struct gist_received bench_received(
    uint8_t session, bool upstream, const uint8_t *octets, size_t length)
{
    struct gist_received received = {
        .data = octets,
        .length = length,
        .nslp_id = NATFW_NSLP_ID,
        .session_id = bench_session(session),
        .mri = bench_flow(),
        .attributes = {.reliable = true},
        .association = upstream ? 2 : 1,
        .peer_was_queried = upstream,
        .interface = upstream ? 2 : 1,
        .routing_state_validated = true,
        .hop_count = 30,
    };
    received.mri.upstream = upstream;
    bench_name_peer(&received, upstream ? 2 : 1);
    return received;
}

void bench_name_peer(struct gist_received *received, uint8_t peer)
{
    static uint8_t identities[256];
    identities[peer] = peer;
    received->sii_handle = peer;
    received->peer = gist_address_v4(0xc6336400 + peer);
    received->peer_identity = &identities[peer];
    received->peer_identity_length = 1;
}

void bench_receive_as(const struct gist_received *received)
{
    struct gist_application application = natfw_node_application(bench.node);
    application.receive(application.context, bench.now_ms, received);
    if (!bench.middlebox_waits)
        bench_answer_middlebox(bench.install_result);
}

void bench_receive_octets(uint8_t session, bool upstream, const uint8_t *octets, size_t length)
{
    struct gist_received received = bench_received(session, upstream, octets, length);
    bench_receive_as(&received);
}

void bench_receive(uint8_t session, bool upstream, const struct natfw_message *message)
{
    uint8_t octets[512];
    size_t length = natfw_message_write(message, octets, sizeof(octets));
    cr_assert_gt(length, 0, "the test's own message cannot be built");
    bench_receive_octets(session, upstream, octets, length);
}

void bench_request(uint32_t lifetime_s, uint32_t sequence_number)
{
    struct natfw_message create = bench_create(lifetime_s, sequence_number);
    bench_receive(1, false, &create);
}

void bench_respond(enum natfw_code code, uint32_t sequence_number)
{
    struct natfw_message response = natfw_class_of(code) == NATFW_SUCCESS
                                        ? bench_success(60, sequence_number)
                                        : bench_response(code, sequence_number);
    bench_receive(1, true, &response);
}

void bench_establish(uint8_t session)
{
    struct natfw_message create = bench_create(60, 1);
    struct natfw_message success = bench_success(60, 1);
    bench_receive(session, false, &create);
    bench_receive(session, true, &success);
    cr_assert(bench_state(session, NATFW_ESTABLISHED));
    bench_forget_sent();
}

void bench_advance(uint64_t milliseconds)
{
    uint64_t until_ms = bench.now_ms + milliseconds;
    while (bench.deadline_ms <= until_ms) {
        bench.now_ms = bench.deadline_ms;
        natfw_node_tick(bench.node, bench.now_ms);
    }
    bench.now_ms = until_ms;
}

void bench_answer_middlebox(enum natfw_middlebox_result result)
{
    size_t count = bench.handle_count;
    bench.handle_count = 0;
    for (size_t i = 0; i < count; i++)
        natfw_node_middlebox_done(bench.node, bench.now_ms, bench.handles[i], result);
}

void bench_undelivered(gist_message_handle handle)
{
    struct gist_application application = natfw_node_application(bench.node);
    application.message_status(application.context, bench.now_ms, handle, GIST_STATUS_NO_NEXT_NODE);
}

const struct bench_sent *bench_last(bool upstream)
{
    for (size_t i = bench.sent_count; i > 0; i--)
        if (bench.sent[i - 1].request.mri.upstream == upstream)
            return &bench.sent[i - 1];
    return NULL;
}

size_t bench_count(bool upstream)
{
    size_t count = 0;
    for (size_t i = 0; i < bench.sent_count; i++)
        count += bench.sent[i].request.mri.upstream == upstream;
    return count;
}

void bench_forget_sent(void)
{
    bench.sent_count = 0;
}

bool bench_answered(bool upstream, unsigned error_class, unsigned code, uint16_t object_type)
{
    const struct bench_sent *sent = bench_last(upstream);
    return sent && natfw_message_has(&sent->message, NATFW_INFO) &&
           (unsigned)sent->message.info.code == NATFW_CODE(error_class, code) &&
           sent->message.info.object_type == object_type;
}

bool bench_rule_acts(uint8_t session)
{
    struct gist_session_id id = bench_session(session);
    for (size_t i = 0; i < bench.rule_count; i++)
        if (gist_session_id_equal(&bench.rules[i].owner, &id) &&
            bench.rules[i].expires_ms > bench.now_ms)
            return true;
    return false;
}

size_t bench_rules(void)
{
    return bench.rule_count;
}

bool bench_happened(enum natfw_event_kind kind)
{
    return bench_times(kind) > 0;
}

size_t bench_times(enum natfw_event_kind kind)
{
    size_t times = 0;
    for (size_t i = 0; i < bench.event_count; i++)
        times += bench.events[i].kind == kind;
    return times;
}

bool bench_told(enum natfw_event_kind kind, const struct gist_session_id *id, const char *why)
{
    if (bench.event_count == 0)
        return false;
    const struct natfw_event *event = &bench.events[bench.event_count - 1];
    bool same_reason = why && event->why ? strcmp(why, event->why) == 0 : why == event->why;
    return event->kind == kind && gist_session_id_equal(&event->session_id, id) && same_reason;
}

bool bench_state(uint8_t session, enum natfw_session_state state)
{
    struct gist_session_id id = bench_session(session);
    struct natfw_session_view view;
    return natfw_node_session(bench.node, &id, &view) && view.state == state;
}

bool bench_knows(uint8_t session)
{
    struct gist_session_id id = bench_session(session);
    struct natfw_session_view view;
    return natfw_node_session(bench.node, &id, &view);
}

void bench_restart(const struct natfw_node_config *config)
{
    bench_stop();
    memset(&bench, 0, sizeof(bench));
    bench_start(config);
}

/* Sessions that the node on the bench begins itself; see begun.h. */
#include "core/natfw/tests/begun.h"

#include "core/natfw/message/message_build.h"

struct natfw_open begun_request = {.lifetime_s = 60, .refresh = true};

struct gist_session_id begun_session(void)
{
    struct gist_session_id id;
    begun_request.rule = (struct natfw_policy_rule){.action = NATFW_ALLOW, .flow = bench_flow()};
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &begun_request, &id), NATFW_OK);
    return id;
}

void begun_receive(const struct gist_session_id *id, const struct natfw_message *message)
{
    uint8_t octets[256];
    size_t length = natfw_message_build(message, octets, sizeof(octets));
    struct gist_received received = bench_received(1, true, octets, length);
    received.session_id = *id;
    bench_receive_as(&received);
}

void begun_answer(const struct gist_session_id *id, enum natfw_code code)
{
    uint32_t number = bench_last(false)->message.sequence_number;
    struct natfw_message message = natfw_class_of(code) == NATFW_SUCCESS
                                       ? bench_success(begun_request.lifetime_s, number)
                                       : bench_response(code, number);
    begun_receive(id, &message);
}

struct natfw_session_view begun_view(const struct gist_session_id *id)
{
    struct natfw_session_view view;
    cr_assert(natfw_node_session(bench.node, id, &view), "the session is gone");
    return view;
}

bool begun_is_known(const struct gist_session_id *id)
{
    struct natfw_session_view view;
    return natfw_node_session(bench.node, id, &view);
}

/* The NSLP forwarder at a firewall. RFC 5973 3.3, 3.6, 3.7.1, 3.7.4, 4.2, 4.3.3. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/bench.h"
#include "core/natfw/tests/octets.h"

TestSuite(forwarder, .init = bench_start_default, .fini = bench_stop);

static void receive_hex(const char *hex)
{
    struct octets octets = octets_of(hex);
    bench_receive_octets(1, false, octets.data, octets.length);
}

Test(forwarder, a_create_is_remembered_and_passed_on)
{
    VERIFIES("RFC5973-3.7.1-7", "RFC5973-4.2.4-1", "RFC5973-4.3.1-3");
    bench_request(60, 1);
    REQUIRE("RFC5973-4.2.4-1", bench_count(false) == 1);
    REQUIRE("RFC5973-3.7.1-7", !bench_rule_acts(1));
    const struct gist_mri *mri = &bench_last(false)->request.mri;
    REQUIRE("RFC5973-4.3.1-3", mri->mrm == GIST_MRM_PATH_COUPLED && !mri->upstream);
    struct gist_mri flow = bench_flow();
    cr_assert(gist_mri_equal(mri, &flow));
    cr_assert(bench_state(1, NATFW_PENDING));
}

Test(forwarder, a_success_response_installs_the_rule_before_it_goes_on)
{
    VERIFIES("RFC5973-3.7.1-i22", "RFC5973-4.2.4-1");
    bench_request(60, 1);
    bench.middlebox_waits = true;
    bench_respond(NATFW_ALL_PROCESSED, 1);
    REQUIRE("RFC5973-3.7.1-i22", bench_count(true) == 0);
    bench_answer_middlebox(NATFW_MIDDLEBOX_OK);
    REQUIRE("RFC5973-3.7.1-i22", bench_answered(true, 2, 0x01, 0));
    REQUIRE("RFC5973-4.2.4-1", bench_rule_acts(1));
}

Test(forwarder, a_response_goes_on_with_what_is_unknown_here)
{
    VERIFIES("RFC5973-4.2-i5");
    bench_request(60, 7);
    struct octets octets = octets_of("03000000 " LT MSN "00100001 02010000 80ff0001 cafebabe");
    bench_receive_octets(1, true, octets.data, octets.length);
    const struct bench_sent *sent = bench_last(true);
    REQUIRE("RFC5973-4.2-i5", sent->request.length == octets.length);
    REQUIRE("RFC5973-4.2-i5", memcmp(sent->octets + octets.length - 4, "\xca\xfe\xba\xbe", 4) == 0);
}

Test(forwarder, an_error_response_discards_the_remembered_rule)
{
    VERIFIES("RFC5973-3.7.1-7", "RFC5973-3.7.1-i23");
    bench_request(60, 1);
    bench_respond(NATFW_AUTHORIZATION_FAILED, 1);
    REQUIRE("RFC5973-3.7.1-i23", bench_answered(true, 5, 0x02, 0));
    REQUIRE("RFC5973-3.7.1-7", !bench_rule_acts(1));
    REQUIRE("RFC5973-3.7.1-i23", bench_rules() == 0);
    REQUIRE("RFC5973-3.7.1-i23", !bench_knows(1));
}

Test(forwarder, an_error_response_lets_no_rule_act)
{
    VERIFIES("RFC5973-3.7.1-7");
    bench.middlebox_waits = true;
    bench_request(60, 1);
    bench_respond(NATFW_AUTHORIZATION_FAILED, 1);
    bool any_installed = false;
    for (size_t i = 0; i < BENCH_RULES_MAX; i++)
        any_installed = any_installed || bench.rules[i].expires_ms > 0;
    REQUIRE("RFC5973-3.7.1-7", !any_installed);
}

Test(forwarder, a_response_of_another_session_installs_nothing)
{
    VERIFIES("RFC5973-3.7.1-7");
    bench_request(60, 1);
    struct natfw_message success = bench_success(60, 1);
    bench_receive(2, true, &success);
    REQUIRE("RFC5973-3.7.1-7", !bench_rule_acts(1));
}

Test(forwarder, without_a_next_node_it_answers_5_07)
{
    VERIFIES("RFC5973-3.7.1-2");
    bench_request(60, 1);
    struct gist_application application = natfw_node_application(bench.node);
    application.message_status(application.context, bench.now_ms, bench_last(false)->request.handle,
        GIST_STATUS_NO_NEXT_NODE);
    REQUIRE("RFC5973-3.7.1-2", bench_answered(true, 5, 0x07, 0));
    cr_assert_not(bench_knows(1));
    cr_assert_eq(bench_rules(), 0);
}

Test(forwarder, a_rule_in_conflict_is_refused_with_7_04)
{
    VERIFIES("RFC5973-3.7.1-i18");
    bench.remember_result = NATFW_MIDDLEBOX_CONFLICT;
    bench_request(60, 1);
    REQUIRE("RFC5973-3.7.1-i18", bench_answered(true, 7, 0x04, 0));
    REQUIRE("RFC5973-3.7.1-i18", bench_count(false) == 0);
}

Test(forwarder, what_the_middlebox_has_no_room_for_is_4_01)
{
    VERIFIES("RFC5973-4.2.5-i33");
    bench.remember_result = NATFW_MIDDLEBOX_EXHAUSTED;
    bench_request(60, 1);
    REQUIRE("RFC5973-4.2.5-i33", bench_answered(true, 4, 0x01, 0));
}

Test(forwarder, a_rule_that_cannot_be_installed_ends_the_session_with_5_04)
{
    VERIFIES("RFC5973-4.2.5-i36");
    bench_request(60, 1);
    bench.install_result = NATFW_MIDDLEBOX_FAILED;
    bench_respond(NATFW_ALL_PROCESSED, 1);
    REQUIRE("RFC5973-4.2.5-i36", bench_answered(true, 5, 0x04, 0));
    cr_assert(bench_answered(false, 1, 0x05, 0), "the nodes beyond are told");
    cr_assert_not(bench_knows(1));
}

Test(forwarder, a_message_with_a_fault_is_answered_and_not_passed_on)
{
    VERIFIES("RFC5973-3.3-i6", "RFC5973-4.3-2");
    receive_hex(CREATE_HEADER LT EFI);
    REQUIRE("RFC5973-4.3-2", bench_answered(true, 3, 0x04, NATFW_MSN));
    REQUIRE("RFC5973-3.3-i6", bench_count(false) == 0);
    cr_assert_eq(bench_last(true)->message.sequence_number, 0);
}

Test(forwarder, a_fault_in_a_response_or_notify_is_never_answered)
{
    VERIFIES("RFC5973-3.2.7-1");
    receive_hex("03000000 " LT);
    receive_hex("04000000 " LT);
    REQUIRE("RFC5973-3.2.7-1", bench.sent_count == 0);
}

Test(forwarder, a_sender_that_is_not_authenticated_is_refused)
{
    VERIFIES("RFC5973-3.6-1");
    bench.authentication = NATFW_AUTHENTICATION_FAILED;
    bench_request(60, 1);
    REQUIRE("RFC5973-3.6-1", bench_answered(true, 5, 0x01, 0));
    REQUIRE("RFC5973-3.6-1", bench_count(false) == 0);
}

Test(forwarder, a_rule_that_policy_forbids_is_refused_with_its_code)
{
    bench.permission = NATFW_PROTOCOL_NOT_SUPPORTED;
    bench_request(60, 1);
    cr_assert(bench_answered(true, 7, 0x09, 0));
    cr_assert_eq(bench_count(false), 0);
    cr_assert_not(bench_knows(1));
}

Test(forwarder, a_create_that_denies_opens_nothing_and_is_not_passed_on)
{
    VERIFIES("RFC5973-4.2.4-2");
    struct natfw_message create = bench_create(60, 1);
    create.efi.action = NATFW_DENY;
    bench_receive(1, false, &create);
    REQUIRE("RFC5973-4.2.4-2", bench_count(false) == 0);
    REQUIRE("RFC5973-4.2.4-2", bench_answered(true, 7, 0x06, NATFW_EFI));
}

Test(forwarder, an_answer_takes_the_method_and_flow_of_the_request)
{
    VERIFIES("RFC5973-4.3.3-2");
    bench.remember_result = NATFW_MIDDLEBOX_CONFLICT;
    bench_request(60, 1);
    struct gist_mri flow = bench_flow();
    struct gist_mri expected = gist_mri_upstream(&flow);
    REQUIRE("RFC5973-4.3.3-2", gist_mri_equal(&bench.sent[0].request.mri, &expected));
}

Test(forwarder, a_deletion_removes_the_rule_at_once_and_is_passed_on)
{
    VERIFIES("RFC5973-3.7.4-1", "RFC5973-3.7.4-i5", "RFC5973-3.7.4-i6");
    bench_establish(1);
    bench_request(0, 2);
    REQUIRE("RFC5973-3.7.4-1", bench_rules() == 0);
    REQUIRE("RFC5973-3.7.4-i5", bench_count(false) == 1);
    REQUIRE("RFC5973-3.7.4-i5", bench_last(false)->message.lifetime_s == 0);
    REQUIRE("RFC5973-3.7.4-i6", bench_count(true) == 0);
    cr_assert_not(bench_knows(1));
}

Test(forwarder, a_deletion_of_an_unknown_session_is_passed_on_without_state)
{
    bench_request(0, 2);
    cr_assert_eq(bench_count(false), 1);
    cr_assert_eq(bench_count(true), 0);
    cr_assert_not(bench_knows(1));
}

Test(forwarder, two_ports_from_the_last_one_on_are_refused_with_7_08)
{
    uint8_t octets[64];
    struct natfw_message create = bench_create(60, 1);
    create.efi.sub_ports = 1;
    size_t length = natfw_message_build(&create, octets, sizeof(octets));
    struct gist_received received = bench_received(1, false, octets, length);
    received.mri.destination_port = 65535;
    bench_receive_as(&received);
    cr_assert(bench_answered(true, 7, 0x08, NATFW_EFI));
    received.mri.destination_port = 65534;
    bench_receive_as(&received);
    cr_assert(bench_knows(1));
}

Test(forwarder, an_external_is_answered_5_06_where_no_reservation_is_made)
{
    struct octets octets = octets_of("02000000 " LT EFI MSN "00130002 00000000 00000000");
    bench_receive_octets(1, false, octets.data, octets.length);
    cr_assert(bench_answered(true, 5, 0x06, 0));
}

Test(forwarder, a_response_of_class_1_is_dropped)
{
    bench_request(60, 1);
    bench_respond(NATFW_ROUTE_CHANGE, 1);
    cr_assert_eq(bench_count(true), 0);
    cr_assert(bench_state(1, NATFW_PENDING));
}

Test(forwarder, a_full_table_is_4_01)
{
    struct natfw_message create = bench_create(60, 1);
    bench.middlebox_waits = true;
    for (uint8_t session = 1; session <= 16; session++) {
        bench_receive(session, false, &create);
        bench_forget_sent();
    }
    bench.rule_count = 0;
    bench_receive(17, false, &create);
    cr_assert(bench_answered(true, 4, 0x01, 0));
    cr_assert_eq(bench_rules(), 0, "what was set aside for it is given back");
}

Test(forwarder, memory_that_runs_out_is_an_error_never_a_leak)
{
    for (size_t failing = 1; failing <= 3; failing++) {
        bench.allocations_until_failure = failing;
        bench_request(60, (uint32_t)failing * 10);
        bench_respond(NATFW_ALL_PROCESSED, (uint32_t)failing * 10);
        bench.allocations_until_failure = 0;
        if (failing < 3)
            cr_assert(bench_answered(true, 4, 0x01, 0));
        bench_request(0, (uint32_t)failing * 10 + 1);
        bench_forget_sent();
        cr_assert_eq(bench_rules(), 0);
        cr_assert_not(bench_knows(1));
    }
}

Test(forwarder, a_create_that_travels_against_its_flow_is_discarded)
{
    struct natfw_message create = bench_create(60, 1);
    bench_receive(1, true, &create);
    cr_assert_eq(bench.sent_count, 0);
    cr_assert_not(bench_knows(1));
}

static void receive_explicitly(const struct natfw_message *message, bool upstream, uint8_t peer)
{
    uint8_t octets[128];
    size_t length = natfw_message_build(message, octets, sizeof(octets));
    struct gist_received received = bench_received(1, upstream, octets, length);
    received.explicitly_routed = true;
    received.routing_state_validated = received.peer_was_queried = false;
    bench_name_peer(&received, peer);
    bench_receive_as(&received);
}

Test(forwarder, what_is_routed_explicitly_counts_only_from_a_peer_of_the_session)
{
    bench_establish(1);
    struct natfw_message deletion = bench_create(0, 2);
    struct natfw_message notify = bench_notify(NATFW_SESSION_TERMINATED);
    receive_explicitly(&deletion, false, 99);
    receive_explicitly(&notify, true, 99);
    cr_assert(bench_rule_acts(1));
    cr_assert_eq(bench.sent_count, 0);
    receive_explicitly(&notify, true, 2);
    cr_assert_not(bench_knows(1));
}

Test(forwarder, a_node_that_is_no_forwarder_refuses_with_5_02)
{
    struct natfw_node_config config = natfw_node_config_default();
    config.forwarder = false;
    bench_restart(&config);
    bench_request(60, 1);
    cr_assert(bench_answered(true, 5, 0x02, 0));
    cr_assert_not(bench_knows(1));
}

Test(forwarder, a_deletion_that_is_not_authorized_is_refused)
{
    VERIFIES("RFC5973-3.6-1");
    bench_establish(1);
    bench.permission = NATFW_AUTHORIZATION_FAILED;
    bench_request(0, 2);
    REQUIRE("RFC5973-3.6-1", bench_answered(true, 5, 0x02, 0));
    REQUIRE("RFC5973-3.6-1", bench_knows(1) && bench_rule_acts(1));
}

Test(forwarder, authorization_comes_before_lifetime_and_sequence)
{
    struct natfw_node_config config = natfw_node_config_default();
    config.lifetime_min_s = 10;
    bench_restart(&config);
    bench.permission = NATFW_AUTHORIZATION_FAILED;
    bench_request(5, 1);
    cr_assert(bench_answered(true, 5, 0x02, 0));
}

Test(forwarder, a_request_outside_the_sessions_association_is_discarded)
{
    bench_establish(1);
    uint8_t octets[64];
    struct natfw_message deletion = bench_create(0, 2);
    size_t length = natfw_message_build(&deletion, octets, sizeof(octets));
    struct gist_received received = bench_received(1, false, octets, length);
    received.association = 0;
    received.attributes.reliable = false;
    bench_receive_as(&received);
    cr_assert(bench_rule_acts(1));
    cr_assert_eq(bench.sent_count, 0);
}

Test(forwarder, a_session_that_the_middlebox_ends_is_told_to_both_sides)
{
    bench_establish(1);
    bench_request(60, 2);
    bench.install_result = NATFW_MIDDLEBOX_FAILED;
    bench_forget_sent();
    bench_respond(NATFW_ALL_PROCESSED, 2);
    cr_assert_eq(bench_count(true), 2, "a RESPONSE and a NOTIFY");
    cr_assert(bench_answered(true, 1, 0x05, 0));
    cr_assert(bench_answered(false, 1, 0x05, 0));
    cr_assert_not(bench_knows(1));
}

/* A message for session 1 over an association of this security. */
static void receive_secured(const struct natfw_message *message, bool upstream, bool secure)
{
    uint8_t octets[128];
    size_t length = natfw_message_build(message, octets, sizeof(octets));
    struct gist_received received = bench_received(1, upstream, octets, length);
    received.attributes.secure = secure;
    bench_receive_as(&received);
}

Test(forwarder, what_came_secured_goes_on_and_back_secured_and_nothing_else_does)
{
    static const enum natfw_code answers[] = {NATFW_ALL_PROCESSED, NATFW_AUTHORIZATION_FAILED};
    uint32_t sequence_number = 0;
    for (size_t i = 0; i < 2 * sizeof(answers) / sizeof(answers[0]); i++) {
        bool secure = i >= 2;
        enum natfw_code answer = answers[i % 2];
        struct natfw_message create = bench_create(60, ++sequence_number);
        struct natfw_message response = i % 2 == 0 ? bench_success(60, sequence_number)
                                                   : bench_response(answer, sequence_number);
        receive_secured(&create, false, secure);
        cr_assert_eq(bench_last(false)->request.attributes.secure, secure, "row %zu", i);
        cr_assert(bench_last(false)->request.attributes.reliable, "row %zu", i);
        receive_secured(&response, true, true); /* more than was asked for does no harm */
        cr_assert_eq(bench_last(true)->message.info.code, answer, "row %zu", i);
        cr_assert_eq(bench_last(true)->request.attributes.secure, secure, "row %zu", i);
        cr_assert(bench_last(true)->request.attributes.reliable, "row %zu", i);
        bench_forget_sent();
    }
}

static bool is_taken(const struct gist_mri *flow, uint16_t sub_ports)
{
    uint8_t octets[64];
    struct natfw_message create = bench_create(60, 1);
    create.efi.sub_ports = sub_ports;
    size_t length = natfw_message_build(&create, octets, sizeof(octets));
    struct gist_received received = bench_received(1, false, octets, length);
    received.mri = *flow;
    bench_receive_as(&received);
    bool known = bench_knows(1);
    cr_assert(known || bench_answered(true, 7, 0x08, NATFW_EFI));
    bench_request(0, 2);
    bench_forget_sent();
    return known;
}

/* Ruling A19: a second port needs a first one that is named. */
Test(forwarder, a_second_port_needs_a_first_one)
{
    struct gist_mri flow = bench_flow();
    cr_assert(is_taken(&flow, 1));
    flow.destination_port = 1;
    cr_assert(is_taken(&flow, 1));
    flow.destination_port = 0;
    cr_assert_not(is_taken(&flow, 1), "port 0 is no port");
    cr_assert(is_taken(&flow, 0));
    flow = bench_flow();
    flow.has_destination_port = false;
    cr_assert_not(is_taken(&flow, 1), "a port that is not given");
    flow = bench_flow();
    flow.has_protocol = false;
    cr_assert_not(is_taken(&flow, 1), "ports of no protocol");
}

/* Ruling A28: types of ICMP are of ICMP, or of every protocol. */
Test(forwarder, icmp_types_of_another_protocol_are_refused_with_3_09)
{
    static const struct {
        bool has_protocol;
        uint8_t protocol;
        bool taken;
    } rows[] = {
        {true, 1, true}, {false, 0, true}, {true, 17, false}, {true, 0, false}, {true, 58, false}};
    for (uint8_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t octets[64];
        struct natfw_message create = bench_create(60, 1);
        create.icmp_types = (struct natfw_icmp_types){1, (const uint8_t *)"\x08"};
        natfw_message_add(&create, NATFW_ICMP_TYPES);
        size_t length = natfw_message_build(&create, octets, sizeof(octets));
        struct gist_received received = bench_received((uint8_t)(i + 1), false, octets, length);
        received.mri.has_protocol = rows[i].has_protocol;
        received.mri.protocol = rows[i].protocol;
        received.mri.has_source_port = received.mri.has_destination_port = false;
        bench_receive_as(&received);
        cr_assert_eq(bench_knows((uint8_t)(i + 1)), rows[i].taken, "row %d", i);
        if (!rows[i].taken)
            cr_assert(bench_answered(true, 3, 0x09, NATFW_ICMP_TYPES), "row %d", i);
    }
}

Test(forwarder, another_configuration_counts_for_what_is_asked_from_then_on)
{
    struct natfw_node_config config = natfw_node_config_default();
    bench_establish(1);
    config.lifetime_max_s = 10;
    config.sessions_max = 1;
    config.forwarder = config.responder = false;
    natfw_node_configure(bench.node, &config);
    cr_assert(bench_rule_acts(1), "what was granted lives on");
    bench_request(60, 2);
    cr_assert_eq(bench_last(false)->message.lifetime_s, 10, "and it forwards still");
    struct natfw_message second = bench_create(60, 1);
    bench_receive(2, false, &second);
    cr_assert(bench_answered(true, NATFW_TRANSIENT_FAILURE, 1, 0));
}

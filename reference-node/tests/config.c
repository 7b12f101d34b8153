/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every fault of a configuration file is told with its file, line and key, and what to do. */
#include "reference-node/config/config.h"
#include "reference-node/config/config_file.h"
#include "reference-node/config/wildcards.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROLES     "roles = {\"initiator\"}\n"
#define TWO_SIDES "interface \"a\" { side = internal }\ninterface \"b\" { side = external }\n"

/* Reads a file of this text; message gets what was said, to be freed. */
static struct config *read_text(const char *text, const char *path, char **message)
{
    size_t length;
    FILE *file = fopen(path, "we");
    FILE *errors = open_memstream(message, &length);
    cr_assert(file && errors);
    fputs(text, file);
    fclose(file);
    struct config *config = config_read(path, errors);
    fclose(errors);
    unlink(path);
    return config;
}

static void make_path(char path[64])
{
    snprintf(path, 64, "/tmp/natfwd-test-%d.conf", (int)getpid());
}

static const struct {
    const char *text;
    const char *expected; /* after the file's name */
} faults[] = {
    {ROLES "lifetme = 3\n", ":2: no such option 'lifetme'; natfwd.conf(5)"},
    {"# one\n# two\n" ROLES "# three\nlifetme = 3\n", ":5: no such option 'lifetme'"},
    {"// one\n/* two\n \"three */\n" ROLES "lifetme = 3\n", ":5: no such option 'lifetme'"},
    {ROLES "peer_identity = \"a # b /* c\" # d\nlifetme = 3\n", ":3: no such option 'lifetme'"},
    {ROLES "# }\ninterface \"x{\" {\n side = internal # }\n", ":4: a { has no }"},
    {"roles = {\"initiator\", \"respnder\"}", ":1: roles: unknown value \"respnder\"; choose"},
    {"", ": roles: none given; name"},
    {ROLES "association_port = 70000\n", ":2: association_port: 70000 is out of range; give 0"},
    {ROLES "association_port = -1\n", ":2: association_port: -1 is out of range"},
    {ROLES "association_port = tcp\n", ":2: invalid integer value for option 'association_port'"},
    {ROLES "\nquery_timer_ms = 5\n", ":3: query_timer_ms: 5 is out of range; give 10 to"},
    {ROLES "query_timer_max_ms = 100\n", ": query_timer_max_ms: below query_timer_ms; raise"},
    {ROLES "lifetime_min_s = 100\nlifetime_max_s = 50\n", ": lifetime_min_s: above"},
    {ROLES "transitory_hold_s = 29\n", ":2: transitory_hold_s: 29 is out of range; give 30"},
    {ROLES "router_alert_required = maybe\n", ":2: invalid boolean value for option 'router_al"},
    {ROLES "refresh = sometimes\n", ":2: refresh: unknown value \"sometimes\"; choose one of"},
    {ROLES "table_owner = me\n", ":2: table_owner: unknown value \"me\"; choose one of: auto, na"},
    {ROLES "log = paper\n", ":2: log: unknown value \"paper\"; choose one of: stderr, syslog"},
    {ROLES "log_level = loud\n", ":2: log_level: unknown value \"loud\"; choose one of: error, w"},
    {ROLES "control_socket = \"run/x\"\n", ":2: control_socket: \"run/x\" cannot be used; give"},
    {ROLES "nft_table = \"a b\"\n", ":2: nft_table: \"a b\" is no table name; give"},
    {ROLES "peer_identity = \"\"\n", ":2: peer_identity: 0 octets; give 1 to 64"},
    {ROLES "interface \"eth0\" {\n}\n", ":3: side: missing in interface \"eth0\"; give"},
    {ROLES "interface \"eth0\" {\n side = left\n}\n", ":3: side: unknown value \"left\"; choose"},
    {ROLES "interface \"an-interface-too-long\" {\n side = internal\n}\n",
        ":4: interface: \"an-interface-too-long\" cannot be an interface"},
    {"roles = {\"forwarder\"}\ninterface \"a\" { side = internal }\n",
        ": interface: a forwarder needs one on side internal and one on side external"},
    {ROLES "policy {\n default_internal = never\n}\n", ":3: default_internal: unknown answer"},
    {ROLES "policy {\n default_external = \"2/1\"\n}\n", ":3: default_external: unknown answer"},
    {ROLES "policy {\n peer \"10.0.0.0/33\" { answer = allow }\n}\n", ":3: peer: \"10.0.0.0/33\""},
    {ROLES "policy {\n peer any { }\n}\n", ":3: answer: missing in peer \"any\"; give allow"},
    {ROLES "policy {\n peer any { answer = allow\n take_over = all\n}\n}\n",
        ":4: take_over: unknown value \"all\"; choose one of: none, same-identity, any"},
    {ROLES "policy {\n rule x {\n ports = 9-3\n}\n}\n", ":4: ports: \"9-3\" is no range; give"},
    {ROLES "policy {\n rule x {\n protocol = ipx\n}\n}\n", ":4: protocol: unknown \"ipx\"; give"},
    {ROLES "policy {\n rule x {\n source = here\n}\n}\n", ":4: source: \"here\" is no prefix"},
    {ROLES "policy {\n rule x {\n lifetime_max_s = -1\n}\n}\n", ":4: lifetime_max_s: -1 is out"},
    {ROLES "policy {\n rule x {\n wildcards = {\"source\", \"all\"}\n}\n}\n",
        ":4: wildcards: unknown value \"all\"; choose one of: source, destination, source-ports"},
    {ROLES "interface \"eth0\" {\n one_armed = both\n}\n", ":3: invalid boolean value"},
    {ROLES "policy {\n rule x {\n ports = 5\n}\n}\n", ":5: answer: missing in rule \"x\"; give"},
    {ROLES "policy {\n # }\n", ":3: a { has no }; close the section"},
    {ROLES "tls {\n port = 70000\n}\n", ":3: port: 70000 is out of range; give 0 to 65535"},
    {ROLES "tls {\n certificate = \"cert.pem\"\n}\n", ":3: certificate: \"cert.pem\" cannot be"},
    {ROLES "tls {\n key_log = \"x\"\n}\n", ":3: key_log: \"x\" cannot be used; give an absolute"},
    {ROLES "tls {\n peer \"\" { answer = allow }\n}\n", ":3: peer: \"\" is no identity; give"},
    {ROLES "tls {\n peer \"a\" { }\n}\n", ":3: answer: missing in peer \"a\"; give allow or deny"},
    {ROLES "tls {\n peer \"a\" {\n answer = yes }\n}\n", ":4: answer: unknown value \"yes\""},
    {ROLES "tls {\n peer \"a\" {\n namespace = x }\n}\n", ":4: namespace: unknown value \"x\""},
    {ROLES "tls {\n peer \"a\" {\n address = x }\n}\n", ":4: address: \"x\" is no prefix"},
    {ROLES "tls {\n peer \"a\" {\n source = x }\n}\n", ":4: source: \"x\" is no prefix"},
    {ROLES "tls {\n peer \"a\" {\n destination = x }\n}\n", ":4: destination: \"x\" is no"},
    {ROLES "policy {\n peer any { answer = allow }\n peer any { }\n}\n",
        ":4: answer: missing in peer"},
    {ROLES "tls {\n peer a { answer = allow }\n peer a { }\n}\n",
        ":4: answer: missing in peer \"a\""},
    {ROLES "tls { required = true }\n", ": tls: certificate: missing; name ours, or shared_keys"},
    {ROLES "tls { peer a { answer = allow } }\n", ": tls: certificate: missing; name ours"},
    {ROLES "tls { authorities = \"/a\" }\n", ": tls: certificate: missing; name ours"},
    {ROLES "tls { key = \"/k\" shared_keys = \"/s\" }\n", ": tls: key: certificate and key go"},
    {ROLES "tls { certificate = \"/c\" }\n", ": tls: key: certificate and key go together"},
    {ROLES "tls { certificate = \"/c\" key = \"/k\" }\n", ": tls: authorities: missing; name who"},
    {ROLES "tls { shared_keys = \"/s\" revocations = \"/r\" }\n", ": tls: revocations: of no use"},
    {ROLES "tls { shared_keys = \"/s\" }\n", ": tls: peer: nobody is authorised; add a peer"},
    {ROLES "tls { shared_keys = \"/s\" port = 30270 peer a { answer = allow } }\n",
        ": tls: port: association_port has it; give another"},
    {ROLES "= = =\n", ":2: unexpected token '='; natfwd.conf(5) lists"},
};

Test(config, says_file_line_and_key_of_every_fault)
{
    char path[64], expected[256];
    make_path(path);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        char *message;
        struct config *config = read_text(faults[i].text, path, &message);
        snprintf(expected, sizeof(expected), "%s%s", path, faults[i].expected);
        cr_expect(!config, "taken: %s", faults[i].text);
        cr_expect(strncmp(message, expected, strlen(expected)) == 0, "said: %s expected: %s",
            message, expected);
        config_free(config);
        free(message);
    }
}

static void expect_unreadable(const char *path, const char *expected)
{
    char *message;
    size_t length;
    FILE *errors = open_memstream(&message, &length);
    cr_assert(!config_read(path, errors));
    fclose(errors);
    cr_assert(strstr(message, expected), "%s", message);
    free(message);
}

Test(config, says_that_a_file_is_missing)
{
    expect_unreadable("/nowhere/natfwd.conf", "/nowhere/natfwd.conf: cannot be read: No such file");
}

Test(config, says_that_a_folder_is_no_file)
{
    expect_unreadable("/tmp", "/tmp: cannot be read: Is a directory");
}

Test(config, says_that_an_interface_is_missing)
{
    char path[64], *message, *missing;
    size_t length;
    make_path(path);
    struct config *config =
        read_text("roles = {\"forwarder\"}\ninterface \"lo\" { side = internal }\n"
                  "interface \"nowhere0\" {\n side = external\n}\n",
            path, &message);
    cr_assert(config, "%s", message);
    FILE *errors = open_memstream(&missing, &length);
    struct config former = {0};
    cr_assert(!config_check_interfaces(config, &former, errors));
    fclose(errors);
    cr_assert(strstr(missing, ":5: interface: there is no \"nowhere0\"; create it"), "%s", missing);
    cr_assert(!strstr(missing, "\"lo\""));
    cr_assert(config_check_interfaces(config, config, stderr), "it was there before");
    config_free(config);
    free(message);
    free(missing);
}

Test(config, takes_the_share_of_each)
{
    char path[64], *message;
    make_path(path);
    struct config *config = read_text(ROLES
        "interface_queries_per_second = 11\nstranger_queries_per_second = 12\n"
        "known_queries_per_second = 13\nrouting_states_per_stranger_max = 14\n"
        "routing_states_per_peer_max = 15\nassociations_per_peer_max = 16\n"
        "association_confirm_ms = 17\nstream_octets_max = 18\nstream_octets_per_peer_max = 19\n"
        "sessions_per_stranger_max = 20\nsessions_per_peer_max = 21\nowners_per_peer_max = 22\n"
        "datagrams_in_per_second = 23\ndatagrams_in_burst = 24\n"
        "datagrams_out_per_second = 25\ndatagrams_out_burst = 26\n"
        "log_lines_per_kind = 27\nlog_lines_per_peer = 28\n"
        "queued_octets_per_peer_max = 29\ninterface_messages_per_second = 30\n"
        "stranger_messages_per_second = 31\nknown_messages_per_second = 32\n"
        "session_messages_per_second = 33\n",
        path, &message);
    cr_assert(config, "%s", message);
    const struct gist_node_config *gist = &config->gist;
    cr_assert_eq(gist->interface_queries_per_second, 11);
    cr_assert_eq(gist->stranger_queries_per_second, 12);
    cr_assert_eq(gist->known_queries_per_second, 13);
    cr_assert_eq(gist->routing_states_per_stranger_max, 14);
    cr_assert_eq(gist->routing_states_per_peer_max, 15);
    cr_assert_eq(gist->associations_per_peer_max, 16);
    cr_assert_eq(gist->association_confirm_ms, 17);
    cr_assert_eq(gist->stream_octets_max, 18);
    cr_assert_eq(gist->stream_octets_per_peer_max, 19);
    cr_assert_eq(config->natfw.sessions_per_stranger_max, 20);
    cr_assert_eq(config->natfw.sessions_per_peer_max, 21);
    cr_assert_eq(config->natfw.owners_per_peer_max, 22);
    cr_assert(config->datagrams_in_per_second == 23 && config->datagrams_in_burst == 24);
    cr_assert(gist->datagrams_per_second == 25 && gist->datagram_burst == 26);
    cr_assert_eq(gist->queued_octets_per_peer_max, 29);
    cr_assert_eq(gist->interface_messages_per_second, 30);
    cr_assert_eq(gist->stranger_messages_per_second, 31);
    cr_assert_eq(gist->known_messages_per_second, 32);
    cr_assert_eq(gist->session_messages_per_second, 33);
    cr_assert(config->log_lines_per_kind == 27 && config->log_lines_per_peer == 28);
    config_free(config);
    free(message);
}

Test(config, takes_every_kind_of_value)
{
    char path[64], *message;
    make_path(path);
    struct config *config = read_text(
        "roles = {\"forwarder\", \"responder\"}\npeer_identity = \"fw1\"\n" TWO_SIDES
        "association_port = 4711\nquery_attempts = 3\nsessions_max = 77\n"
        "router_alert_required = yes\nrefresh = in-place\ntable_owner = anybody\nmark = 0x20\n"
        "policy {\n default_external = \"7/0x04\"\n"
        " peer \"192.0.2.0/24\" { side = internal take_over = same-identity answer = \"5/0x01\" }\n"
        " peer \"198.51.100.0/24\" { take_over = any answer = allow }\n peer any { answer = allow "
        "}\n"
        " rule web { protocol = tcp ports = \"80-443\" destination = \"198.51.100.0/24\""
        " lifetime_max_s = 60 wildcards = {\"source-ports\", \"protocol\"} answer = allow }\n}\n"
        "interface \"c\" { side = internal one_armed = true }\n",
        path, &message);
    cr_assert(config, "%s", message);
    cr_assert(config->natfw.forwarder && config->natfw.responder && !config->initiator);
    cr_assert(config->gist.association_port == 4711 && config->gist.query_attempts_max == 3);
    cr_assert(config->natfw.sessions_max == 77 && config->mark == 0x20);
    cr_assert(config->router_alert_required && config->refresh == CONFIG_REFRESH_IN_PLACE);
    cr_assert(config->ownership == CONFIG_UNOWNED && config->drop_privileges);
    cr_assert(config->gist.peer_identity_length == 3);
    cr_assert(config->interface_count == 3 && config->interfaces[1].default_deny);
    cr_assert(config->interfaces[2].one_armed && !config->interfaces[1].one_armed);
    cr_assert(config->policy.default_external == NATFW_POLICY_CONFLICT);
    cr_assert(config->policy.peers[0].refusal == NATFW_AUTHENTICATION_FAILED);
    cr_assert(config->policy.peers[0].take_over == CONFIG_TAKES_SAME_IDENTITY);
    cr_assert(config->policy.peers[1].take_over == CONFIG_TAKES_ANY);
    cr_assert(config->policy.peers[2].take_over == CONFIG_TAKES_NONE);
    const struct config_rule *rule = &config->policy.rules[0];
    cr_assert(rule->protocol == 6 && rule->port_low == 80 && rule->port_high == 443);
    cr_assert(rule->destination.bits == 24 && rule->source.address.version == 0);
    cr_assert(rule->wildcards == (WILDCARD_SOURCE_PORTS | WILDCARD_PROTOCOL));
    cr_assert(rule->lifetime_max_s == 60 && rule->refusal == NATFW_NO_CODE);
    config_free(config);
    free(message);
}

/* Index 1 is the loopback's in every namespace. */
Test(config, knows_an_interface_by_its_index_as_long_as_it_is_there)
{
    struct known_interface inside = {.name = "inside", .is_there = true, .indexes = {1}};
    struct known_interfaces known = {.each = &inside, .count = 1};
    struct config_interface listed = {.name = "inside"};
    struct config config = {.interfaces = &listed, .interface_count = 1, .known = &known};
    cr_assert_eq(config_interface_of(&config, 1), &listed, "the kernel is not asked");
    inside.is_there = false;
    cr_assert_null(config_interface_of(&config, 1), "another has the index now");
}

static struct config *read_whole_text(const char *text)
{
    struct config *config = config_read_text("natfwd.conf", text, stderr);
    cr_assert(config);
    return config;
}

Test(config, keeps_entries_of_one_title_apart_and_in_their_order)
{
    struct config *config = read_whole_text(ROLES
        "policy {\npeer \"10.0.0.0/8\" {\nside = internal\nanswer = \"5/0x02\"\n}\n"
        "peer any { answer = allow }\npeer \"10.0.0.0/8\" {\nside = external\nanswer = "
        "allow\n}\n}\n"
        "tls {\nshared_keys = \"/keys\"\npeer left {\nsource = \"10.0.0.0/8\"\nanswer = deny\n}\n"
        "peer left { answer = allow }\npeer \"*\" { answer = deny }\n}\n");
    cr_assert(config->policy.peer_count == 3 && config->tls.peer_count == 3);
    cr_assert(config->policy.peers[0].refusal == NATFW_AUTHORIZATION_FAILED);
    cr_assert(config->policy.peers[0].side == CONFIG_SIDE_INTERNAL);
    cr_assert(config->policy.peers[1].prefix.address.version == 0);
    cr_assert(config->policy.peers[2].side == CONFIG_SIDE_EXTERNAL);
    cr_assert(config->policy.peers[2].prefix.bits == 8);
    cr_assert_str_eq(config->tls.peers[0].identity, "left");
    cr_assert(!config->tls.peers[0].is_allowed && config->tls.peers[0].source.bits == 8);
    cr_assert_str_eq(config->tls.peers[1].identity, "left");
    cr_assert(config->tls.peers[1].is_allowed && config->tls.peers[1].source.bits == 0);
    cr_assert_str_eq(config->tls.peers[2].identity, "*");
    config_free(config);
}

Test(config, has_tls_beside_plain_tcp_or_in_its_place)
{
    struct config *none = read_whole_text(ROLES);
    cr_assert(!none->gist.opens_secure && none->gist.opens_plain);
    cr_assert(none->gist.association_port == 30270 && none->gist.secure_association_port == 0);
    struct config *beside = read_whole_text(
        ROLES "tls { shared_keys = \"/keys\" port = 4711 peer a { answer = allow } }\n");
    cr_assert(beside->gist.opens_secure && beside->gist.opens_plain);
    cr_assert(beside->gist.association_port == 30270);
    cr_assert(beside->gist.secure_association_port == 4711);
    struct config *alone = read_whole_text(
        ROLES "tls { shared_keys = \"/keys\" required = true peer a { answer = allow } }\n");
    cr_assert(alone->gist.opens_secure && !alone->gist.opens_plain);
    cr_assert(alone->gist.association_port == 0 && alone->gist.secure_association_port == 30271);
    config_free(none);
    config_free(beside);
    config_free(alone);
}

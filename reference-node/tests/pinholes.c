/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pinholes in a real kernel: elements, owners, the group commit, both ways to refresh. */
#include "reference-node/netfilter/pinholes.h"

#include "reference-node/base/clock.h"
#include "reference-node/netfilter/kernel_filter.h"
#include "reference-node/netfilter/nft_compiler.h"
#include "reference-node/netfilter/pinhole_class.h"
#include "reference-node/netfilter/ruleset.h"
#include "reference-node/tests/namespaces.h"
#include "reference-node/tests/udp_rule.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { HANDLES_MAX = 512 };

/* A firewall without its daemon: pinholes over a loaded ruleset. */
struct firewall {
    struct nft_socket *socket;
    struct kernel_filter kernel;
    struct packet_filter filter;
    struct pinholes *pinholes;
    struct natfw_middlebox middlebox;
    enum natfw_middlebox_result results[HANDLES_MAX]; /* by handle */
    bool answered[HANDLES_MAX];
    unsigned pending;
};

static void on_pending(void *context)
{
    struct firewall *firewall = context;
    firewall->pending++;
}

static void on_done(void *context, natfw_handle handle, enum natfw_middlebox_result result)
{
    struct firewall *firewall = context;
    cr_assert(handle < HANDLES_MAX);
    firewall->results[handle] = result;
    firewall->answered[handle] = true;
}

static void firewall_start(struct firewall *firewall, enum nft_refresh refresh, unsigned size)
{
    namespace_enter_new();
    struct config config = path_firewall_config();
    config.pinholes_max = size;
    char *text = ruleset_text(&config);
    cr_assert(nft_load(text, stderr));
    free(text);
    memset(firewall, 0, sizeof(*firewall));
    firewall->socket = nft_socket_open(NFT_TRANSACTION_SIZE);
    firewall->kernel.batch = nft_batch_create(firewall->socket, "natfw", refresh);
    firewall->filter = kernel_filter_seam(&firewall->kernel);
    cr_assert(firewall->kernel.batch);
    struct pinholes_listener listener = {
        .context = firewall, .pending = on_pending, .done = on_done};
    firewall->pinholes = pinholes_create(&firewall->filter, 100000, &listener);
    firewall->middlebox = pinholes_middlebox(firewall->pinholes);
}

static void firewall_stop(struct firewall *firewall)
{
    pinholes_destroy(firewall->pinholes);
    nft_batch_destroy(firewall->kernel.batch);
    nft_socket_close(firewall->socket);
}

static struct gist_session_id session(uint8_t number)
{
    return (struct gist_session_id){.octets = {0xa0, [15] = number}};
}

static void install(struct firewall *firewall, uint8_t owner, uint16_t port, uint64_t lifetime_ms,
    natfw_handle handle)
{
    struct gist_session_id id = session(owner);
    struct natfw_policy_rule rule = udp_rule(port);
    firewall->middlebox.install(
        firewall->middlebox.context, &id, &rule, clock_now_ms() + lifetime_ms, handle);
}

static void remove_owner(struct firewall *firewall, uint8_t owner, uint16_t port)
{
    struct gist_session_id id = session(owner);
    struct natfw_policy_rule rule = udp_rule(port);
    firewall->middlebox.remove(firewall->middlebox.context, &id, &rule);
}

static void commit(struct firewall *firewall)
{
    pinholes_commit_all(firewall->pinholes, clock_now_ms());
}

/* Seconds that the element for this destination port has left: -1 when it is not there. */
static json_int_t seconds_left(const char *set, uint16_t port)
{
    char *text = output_of("nft -j list set inet natfw %s", set);
    json_t *root = json_loads(text, 0, NULL);
    json_int_t left = -1;
    size_t index;
    json_t *item, *element;
    json_array_foreach(json_object_get(root, "nftables"), index, item) {
        size_t place;
        json_array_foreach(json_object_get(json_object_get(item, "set"), "elem"), place, element) {
            json_t *body = json_object_get(element, "elem");
            json_t *fields = json_object_get(json_object_get(body, "val"), "concat");
            json_t *last = json_array_get(fields, json_array_size(fields) - 1);
            if (json_integer_value(last) == port)
                left = json_integer_value(json_object_get(body, "expires"));
        }
    }
    json_decref(root);
    free(text);
    return left;
}

static void require_left(uint16_t port, json_int_t low, json_int_t high)
{
    json_int_t left = seconds_left("pinholes", port);
    cr_assert(left >= low && left <= high, "port %u has %lld s left, not %lld to %lld", port,
        (long long)left, (long long)low, (long long)high);
}

ParameterizedTestParameters(pinholes, are_put_extended_shortened_and_deleted)
{
    static enum nft_refresh modes[] = {NFT_REFRESH_IN_PLACE, NFT_REFRESH_REPLACE};
    return cr_make_param_array(enum nft_refresh, modes, 2);
}

ParameterizedTest(enum nft_refresh *mode, pinholes, are_put_extended_shortened_and_deleted)
{
    struct firewall firewall;
    firewall_start(&firewall, *mode, 1000);
    install(&firewall, 1, 5000, 60000, 1);
    cr_assert(!firewall.answered[1], "answered before the kernel had it");
    commit(&firewall);
    cr_assert(firewall.answered[1] && firewall.results[1] == NATFW_MIDDLEBOX_OK);
    require_left(5000, 50, 60);
    install(&firewall, 1, 5000, 3600000, 2);
    commit(&firewall);
    require_left(5000, 3500, 3600);
    install(&firewall, 1, 5000, 100000, 3);
    commit(&firewall);
    require_left(5000, 90, 100);
    cr_assert(firewall.results[2] == NATFW_MIDDLEBOX_OK && firewall.answered[3]);
    remove_owner(&firewall, 1, 5000);
    commit(&firewall);
    require_left(5000, -1, -1);
    firewall_stop(&firewall);
}

ParameterizedTestParameters(pinholes, last_as_long_as_their_longest_owner_and_go_with_the_last)
{
    static enum nft_refresh modes[] = {NFT_REFRESH_IN_PLACE, NFT_REFRESH_REPLACE};
    return cr_make_param_array(enum nft_refresh, modes, 2);
}

ParameterizedTest(
    enum nft_refresh *mode, pinholes, last_as_long_as_their_longest_owner_and_go_with_the_last)
{
    struct firewall firewall;
    firewall_start(&firewall, *mode, 1000);
    install(&firewall, 1, 5000, 600000, 1);
    install(&firewall, 2, 5000, 60000, 2);
    commit(&firewall);
    require_left(5000, 590, 600);
    remove_owner(&firewall, 1, 5000);
    commit(&firewall);
    require_left(5000, 50, 60);
    remove_owner(&firewall, 2, 5000);
    commit(&firewall);
    require_left(5000, -1, -1);
    cr_assert(pinholes_counters(firewall.pinholes).elements == 0);
    firewall_stop(&firewall);
}

/* As when the table could not be put anew: the kernel has lost nothing. */
Test(pinholes, what_ends_before_all_is_installed_again_is_taken_out_all_the_same)
{
    struct firewall firewall;
    firewall_start(&firewall, NFT_REFRESH_IN_PLACE, 1000);
    install(&firewall, 1, 5000, 60000, 1);
    install(&firewall, 1, 5001, 60000, 2);
    commit(&firewall);
    cr_assert_eq(pinholes_reinstall(firewall.pinholes), 2);
    remove_owner(&firewall, 1, 5000);
    commit(&firewall);
    require_left(5000, -1, -1);
    require_left(5001, 50, 60);
    firewall_stop(&firewall);
}

ParameterizedTestParameters(pinholes, counters_go_on_when_they_are_refreshed)
{
    static enum nft_refresh modes[] = {NFT_REFRESH_IN_PLACE, NFT_REFRESH_REPLACE};
    return cr_make_param_array(enum nft_refresh, modes, 2);
}

ParameterizedTest(enum nft_refresh *mode, pinholes, counters_go_on_when_they_are_refreshed)
{
    struct firewall firewall;
    struct nft_traffic traffic;
    struct natfw_policy_rule rule = udp_rule(5000);
    firewall_start(&firewall, *mode, 1000);
    cr_assert(!pinholes_traffic(firewall.pinholes, &rule, &traffic));
    install(&firewall, 1, 5000, 60000, 1);
    install(&firewall, 1, 5001, 60000, 2);
    commit(&firewall);
    run("nft add rule inet natfw untracked_out ip saddr . ip daddr . meta l4proto . th sport . "
        "th dport @pinholes");
    run("ip addr add 192.0.2.2/24 dev lo; ip addr add 198.51.100.2/24 dev lo");
    for (size_t turn = 1; turn <= 3; turn++) {
        run("python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
            "s.bind((\"192.0.2.2\", 4000)); [s.sendto(b\"data\", (\"198.51.100.2\", 5000)) for i "
            "in range(7)]'");
        cr_assert(pinholes_traffic(firewall.pinholes, &rule, &traffic));
        cr_assert(traffic.packets == 7 * turn, "%u", (unsigned)traffic.packets);
        cr_assert(traffic.octets == 32 * traffic.packets);
        install(&firewall, 1, 5000, 60000 + turn * 1000, 3);
        commit(&firewall);
    }
    rule.sub_ports = 1;
    cr_assert(pinholes_traffic(firewall.pinholes, &rule, &traffic) && traffic.packets == 21,
        "both ports");
    rule.sub_ports = 0;
    remove_owner(&firewall, 1, 5000);
    commit(&firewall);
    cr_assert(!pinholes_traffic(firewall.pinholes, &rule, &traffic));
    firewall_stop(&firewall);
}

Test(pinholes, a_new_timeout_equal_to_the_old_one_starts_anew)
{
    struct firewall firewall;
    firewall_start(&firewall, NFT_REFRESH_IN_PLACE, 1000);
    struct nft_change change = {
        .kind = NFT_CHANGE_PUT, .set = "pinholes", .key_length = 20, .timeout_ms = 3000};
    change.key[17] = 99;
    nft_batch_commit(firewall.kernel.batch, &change, 1);
    uint64_t start_ms = clock_now_ms();
    while (clock_now_ms() - start_ms < 2000)
        poll(NULL, 0, 50);
    nft_batch_commit(firewall.kernel.batch, &change, 1);
    while (clock_now_ms() - start_ms < 4000)
        poll(NULL, 0, 50);
    change.kind = NFT_CHANGE_DELETE;
    char *text = output_of("nft list set inet natfw pinholes");
    cr_assert(strstr(text, "expires"), "it ended by its first timeout");
    free(text);
    firewall_stop(&firewall);
}

Test(pinholes, of_one_turn_are_one_commit_and_a_culprit_takes_no_other_down)
{
    struct firewall firewall;
    firewall_start(&firewall, NFT_REFRESH_IN_PLACE, 100);
    for (uint16_t i = 0; i < 101; i++)
        install(&firewall, (uint8_t)i, (uint16_t)(5000 + i), 60000, i + 1u);
    cr_assert(firewall.pending == 1);
    commit(&firewall);
    size_t failed = 0;
    for (natfw_handle handle = 1; handle <= 101; handle++) {
        cr_assert(firewall.answered[handle]);
        failed += firewall.results[handle] == NATFW_MIDDLEBOX_FAILED;
    }
    cr_assert(failed == 1, "%zu failed in a set with room for all but one", failed);
    cr_assert(count_elements() == 100);
    cr_assert(pinholes_counters(firewall.pinholes).commits == 1);
    cr_assert(pinholes_counters(firewall.pinholes).elements == 100);
    firewall_stop(&firewall);
}

Test(pinholes, a_change_of_a_set_that_is_missing_fails_alone)
{
    struct firewall firewall;
    firewall_start(&firewall, NFT_REFRESH_REPLACE, 1000);
    struct nft_change changes[101];
    for (uint8_t i = 0; i < 101; i++) {
        changes[i] = (struct nft_change){.kind = NFT_CHANGE_PUT,
            .set = i == 50 ? "nowhere" : "pinholes",
            .key = {192, 0, 2, i, 198, 51, 100, 2, 17, 0, 0, 0, 1, 1, 0, 0, 2, 2, 0, 0},
            .key_length = 20,
            .timeout_ms = 60000};
    }
    nft_batch_commit(firewall.kernel.batch, changes, 101);
    for (size_t i = 0; i < 101; i++)
        cr_assert((changes[i].error != 0) == (i == 50), "change %zu: %d", i, changes[i].error);
    cr_assert(count_elements() == 100);
    firewall_stop(&firewall);
}

Test(pinholes, one_that_has_just_expired_is_deleted_without_losing_the_batch)
{
    struct firewall firewall;
    firewall_start(&firewall, NFT_REFRESH_IN_PLACE, 1000);
    install(&firewall, 1, 5000, 50, 1);
    commit(&firewall);
    for (unsigned tries = 0; count_elements() > 0; tries++)
        cr_assert(tries < 1000, "the element does not expire");
    remove_owner(&firewall, 1, 5000);
    install(&firewall, 2, 5001, 60000, 2);
    commit(&firewall);
    cr_assert(firewall.results[2] == NATFW_MIDDLEBOX_OK && firewall.answered[2]);
    require_left(5001, 50, 60);
    require_left(5000, -1, -1);
    firewall_stop(&firewall);
}

Test(pinholes, say_which_session_they_belong_to)
{
    struct firewall firewall;
    firewall_start(&firewall, NFT_REFRESH_IN_PLACE, 1000);
    install(&firewall, 7, 5000, 60000, 1);
    commit(&firewall);
    char *text = output_of("nft --numeric-protocol list set inet natfw pinholes");
    cr_assert(strstr(text, "192.0.2.2 . 198.51.100.2 . 17 . 4000 . 5000"), "%s", text);
    cr_assert(strstr(text, "a0000000000000000000000000000007"), "%s", text);
    free(text);
    firewall_stop(&firewall);
}

Test(pinholes, with_a_second_port_are_two_elements)
{
    struct firewall firewall;
    firewall_start(&firewall, NFT_REFRESH_IN_PLACE, 1000);
    struct gist_session_id id = session(1);
    struct natfw_policy_rule rule = udp_rule(5004);
    rule.sub_ports = 1;
    firewall.middlebox.install(firewall.middlebox.context, &id, &rule, clock_now_ms() + 60000, 1);
    commit(&firewall);
    require_left(5004, 50, 60);
    require_left(5005, 50, 60);
    firewall.middlebox.remove(firewall.middlebox.context, &id, &rule);
    commit(&firewall);
    cr_assert(count_elements() == 0);
    firewall_stop(&firewall);
}

Test(pinholes, each_class_of_wildcards_has_its_set)
{
    struct firewall firewall;
    firewall_start(&firewall, NFT_REFRESH_IN_PLACE, 1000);
    for (size_t i = 0; i < PINHOLE_CLASS_COUNT; i++) {
        const struct pinhole_class *class = &pinhole_classes[i];
        struct gist_session_id id = session((uint8_t)i);
        struct natfw_policy_rule rule = udp_rule(5000);
        rule.flow.source_prefix = class->has_source ? 32 : 0;
        rule.flow.has_protocol = class->has_protocol;
        rule.flow.has_source_port = class->has_source_port;
        rule.flow.has_destination_port = class->has_destination_port;
        cr_assert(pinhole_class_of(&rule) == class);
        cr_assert(firewall.middlebox.remember(firewall.middlebox.context, &id, &rule) ==
                  NATFW_MIDDLEBOX_OK);
        firewall.middlebox.install(
            firewall.middlebox.context, &id, &rule, clock_now_ms() + 60000, i + 1);
        commit(&firewall);
        cr_assert(firewall.answered[i + 1] && firewall.results[i + 1] == NATFW_MIDDLEBOX_OK);
        char *text = output_of("nft list set inet natfw %s", class->allow_set);
        cr_assert(strstr(text, "expires"), "%s", text);
        free(text);
    }
    firewall_stop(&firewall);
}

Test(pinholes, are_remembered_without_being_installed_and_refused_against_a_denial)
{
    struct firewall firewall;
    firewall_start(&firewall, NFT_REFRESH_IN_PLACE, 1000);
    struct gist_session_id denier = session(1), asker = session(2);
    struct natfw_policy_rule denied = udp_rule(5000), wanted = udp_rule(5000);
    denied.action = NATFW_DENY;
    cr_assert(firewall.middlebox.remember(firewall.middlebox.context, &denier, &denied) ==
              NATFW_MIDDLEBOX_OK);
    commit(&firewall);
    cr_assert(count_elements() == 0);
    cr_assert(firewall.middlebox.remember(firewall.middlebox.context, &asker, &wanted) ==
              NATFW_MIDDLEBOX_CONFLICT);
    firewall.middlebox.remove(firewall.middlebox.context, &denier, &denied);
    cr_assert(firewall.middlebox.remember(firewall.middlebox.context, &asker, &wanted) ==
              NATFW_MIDDLEBOX_OK);
    wanted.flow.source_prefix = 24;
    cr_assert(firewall.middlebox.remember(firewall.middlebox.context, &asker, &wanted) ==
              NATFW_MIDDLEBOX_CONFLICT);
    firewall_stop(&firewall);
}

Test(pinholes, the_way_to_refresh_is_found_by_trying)
{
    struct firewall firewall;
    firewall_start(&firewall, NFT_REFRESH_REPLACE, 1000);
    cr_assert(nft_batch_probe_refresh(firewall.kernel.batch, "pinholes", 20));
    cr_assert(count_elements() == 0);
    install(&firewall, 1, 5000, 60000, 1);
    commit(&firewall);
    install(&firewall, 1, 5000, 600000, 2);
    commit(&firewall);
    require_left(5000, 590, 600);
    cr_assert(!nft_batch_probe_refresh(firewall.kernel.batch, "nowhere", 20));
    firewall_stop(&firewall);
}

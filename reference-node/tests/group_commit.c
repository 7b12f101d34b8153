/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The group commit over a filter that only takes notes: how much at once, and what together. */
#include "reference-node/netfilter/group_commit.h"
#include "reference-node/netfilter/pinholes.h"
#include "reference-node/tests/udp_rule.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

enum { PINHOLES_MAX = 2000, FIRST_PORT = 5000, SOON_MS = 60000 };

static struct {
    size_t commits;
    size_t largest;
    size_t parted;        /* commits that took a port of old out, and did not put new in */
    uint16_t old;         /* 0: not looked for */
    uint16_t new;         /* likewise */
    uint16_t refused;     /* by the filter; 0: none */
    bool has[UINT16_MAX]; /* by destination port */
} filter;

static struct {
    struct pinholes *pinholes;
    struct natfw_middlebox middlebox;
    enum natfw_middlebox_result results[PINHOLES_MAX]; /* by handle */
    bool answered[PINHOLES_MAX];
    size_t answers;
    unsigned pending;
} wall;

static uint16_t port_of(const struct nft_change *change)
{
    return (uint16_t)(change->key[16] << 8 | change->key[17]);
}

static void note_commit(void *context, struct nft_change *changes, size_t count)
{
    bool took_old = false, put_new = false;
    (void)context;
    for (size_t i = 0; i < count; i++) {
        uint16_t port = port_of(&changes[i]);
        bool is_put = changes[i].kind == NFT_CHANGE_PUT;
        changes[i].error = port == filter.refused ? EEXIST : 0;
        if (!changes[i].error)
            filter.has[port] = is_put;
        took_old |= port == filter.old && !is_put;
        put_new |= port == filter.new &&is_put;
    }
    filter.commits++;
    filter.parted += filter.old != 0 && took_old != put_new;
    if (count > filter.largest)
        filter.largest = count;
}

static bool forget(void *context, const struct conntrack_flow *flows, size_t count)
{
    (void)context;
    (void)flows;
    (void)count;
    return true;
}

/* An element that is in has counted as many packets as its port's number. */
static bool count_packets(
    void *context, const struct nft_change *element, struct nft_traffic *traffic)
{
    (void)context;
    uint16_t port = port_of(element);
    if (filter.has[port])
        traffic->packets += port;
    return filter.has[port];
}

static const struct packet_filter seam = {
    .commit = note_commit, .forget = forget, .count = count_packets};

static void on_pending(void *context)
{
    (void)context;
    wall.pending++;
}

static void on_done(void *context, natfw_handle handle, enum natfw_middlebox_result result)
{
    (void)context;
    cr_assert(handle < PINHOLES_MAX && !wall.answered[handle]);
    wall.answered[handle] = true;
    wall.results[handle] = result;
    wall.answers++;
}

static void start(void)
{
    struct pinholes_listener listener = {.pending = on_pending, .done = on_done};
    memset(&filter, 0, sizeof(filter));
    memset(&wall, 0, sizeof(wall));
    wall.pinholes = pinholes_create(&seam, PINHOLES_MAX, &listener);
    wall.middlebox = pinholes_middlebox(wall.pinholes);
}

static void stop(void)
{
    pinholes_destroy(wall.pinholes);
}

TestSuite(group_commit, .init = start, .fini = stop);

static struct gist_session_id session(unsigned number)
{
    return (struct gist_session_id){
        .octets = {0xa0, [14] = (uint8_t)(number >> 8), [15] = (uint8_t)number}};
}

static struct natfw_policy_rule rule_for(unsigned number)
{
    return udp_rule((uint16_t)(FIRST_PORT + number));
}

/* The session of this number, with the port of this number, waits by the handle of this number. */
static void install(unsigned number, uint64_t expires_ms)
{
    struct gist_session_id id = session(number);
    struct natfw_policy_rule rule = rule_for(number);
    wall.middlebox.install(wall.middlebox.context, &id, &rule, expires_ms, number);
}

static void install_many(unsigned first, unsigned end)
{
    for (unsigned number = first; number < end; number++)
        install(number, SOON_MS);
}

static void replace(unsigned number, unsigned instead)
{
    struct gist_session_id id = session(number);
    struct natfw_policy_rule rule = rule_for(number), other = rule_for(instead);
    filter.old = rule.flow.destination_port;
    filter.new = other.flow.destination_port;
    wall.middlebox.replace(wall.middlebox.context, &id, &rule, &other, SOON_MS, instead);
}

Test(group_commit, takes_no_more_in_one_turn_than_one_transaction)
{
    install_many(1, 1001);
    unsigned turns = 1;
    while (pinholes_commit(wall.pinholes, 1)) {
        cr_assert(wall.answers > 0 && !wall.answered[1000], "who waits longest is first");
        cr_assert(wall.answered[1]);
        turns++;
    }
    cr_assert(filter.largest <= GROUP_COMMIT_MAX, "%zu at once", filter.largest);
    cr_assert(turns >= 1000 / GROUP_COMMIT_MAX && turns <= 5, "%u turns", turns);
    cr_assert(wall.answers == 1000 && wall.pending == 1);
    install(1001, SOON_MS);
    cr_assert(wall.pending == 2, "asked for again when all is done");
    cr_assert(!pinholes_commit(wall.pinholes, 1) && wall.answered[1001]);
}

Test(group_commit, answers_nobody_before_his_element_is_in)
{
    install_many(1, 1001);
    bool is_left = true;
    while (is_left) {
        is_left = pinholes_commit(wall.pinholes, 1);
        for (unsigned number = 1; number < 1001; number++)
            cr_assert(wall.answered[number] == filter.has[FIRST_PORT + number]);
    }
}

Test(group_commit, never_parts_what_one_change_of_a_rule_changes)
{
    for (unsigned before = GROUP_COMMIT_MAX - 6; before <= GROUP_COMMIT_MAX + 2; before++) {
        stop();
        start();
        install(1, SOON_MS);
        pinholes_commit_all(wall.pinholes, 1);
        install_many(2, 2 + before);
        replace(1, 1500);
        pinholes_commit_all(wall.pinholes, 1);
        cr_assert(filter.parted == 0, "parted after %u others", before);
        cr_assert(filter.has[FIRST_PORT + 1500] && !filter.has[FIRST_PORT + 1]);
    }
}

Test(group_commit, never_parts_it_where_the_old_rule_stands_in_line_already)
{
    install(1, SOON_MS);
    pinholes_commit_all(wall.pinholes, 1);
    memset(wall.answered, 0, sizeof(wall.answered));
    install(1, 2 * SOON_MS);
    install_many(2, 600);
    replace(1, 1500);
    pinholes_commit_all(wall.pinholes, 1);
    cr_assert(filter.parted == 0 && filter.commits > 2);
    cr_assert(wall.answered[1] && wall.answered[1500]);
}

Test(group_commit, failure_is_told_to_whom_it_concerns_in_every_turn)
{
    static const unsigned refused[] = {1, 300, 600};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        stop();
        start();
        filter.refused = (uint16_t)(FIRST_PORT + refused[i]);
        install_many(1, 601);
        pinholes_commit_all(wall.pinholes, 1);
        for (unsigned number = 1; number < 601; number++)
            cr_assert((wall.results[number] == NATFW_MIDDLEBOX_FAILED) == (number == refused[i]));
        cr_assert(pinholes_counters(wall.pinholes).failures == 1);
        cr_assert(pinholes_counters(wall.pinholes).elements == 599);
    }
}

/* Session 1 asks for port number 1 and the next one. */
static void install_two_ports(natfw_handle handle)
{
    struct gist_session_id id = session(1);
    struct natfw_policy_rule rule = rule_for(1);
    rule.sub_ports = 1;
    wall.middlebox.install(wall.middlebox.context, &id, &rule, SOON_MS, handle);
}

Test(group_commit, failure_of_either_port_is_a_failure_of_the_rule)
{
    for (uint16_t number = 1; number <= 2; number++) {
        stop();
        start();
        filter.refused = (uint16_t)(FIRST_PORT + number);
        install_two_ports(7);
        pinholes_commit_all(wall.pinholes, 1);
        cr_assert(wall.answered[7] && wall.results[7] == NATFW_MIDDLEBOX_FAILED, "%u", number);
        cr_assert(!filter.has[FIRST_PORT + 1] && !filter.has[FIRST_PORT + 2]);
        cr_assert(pinholes_counters(wall.pinholes).elements == 0);
    }
}

/* The session of this number asks for port number 1. */
static void share(unsigned number, uint64_t expires_ms)
{
    struct gist_session_id id = session(number);
    struct natfw_policy_rule rule = rule_for(1);
    wall.middlebox.install(wall.middlebox.context, &id, &rule, expires_ms, number);
}

Test(group_commit, failure_is_over_when_the_kernel_has_what_is_asked_for)
{
    share(1, SOON_MS);
    pinholes_commit_all(wall.pinholes, 1);
    filter.refused = FIRST_PORT + 1;
    share(2, 2 * SOON_MS);
    pinholes_commit_all(wall.pinholes, 1);
    cr_assert(wall.answered[2] && wall.results[2] == NATFW_MIDDLEBOX_FAILED);
    uint64_t changes = pinholes_counters(wall.pinholes).changes;
    share(3, SOON_MS);
    pinholes_commit_all(wall.pinholes, 1);
    cr_assert(wall.answered[3] && wall.results[3] == NATFW_MIDDLEBOX_OK);
    cr_assert(pinholes_counters(wall.pinholes).changes == changes, "nothing was to be changed");
}

Test(group_commit, traffic_of_two_ports_is_known_when_that_of_both_is)
{
    struct nft_traffic traffic;
    struct natfw_policy_rule rule = rule_for(1);
    rule.sub_ports = 1;
    cr_assert(!pinholes_traffic(wall.pinholes, &rule, &traffic));
    for (unsigned number = 1; number <= 2; number++) {
        stop();
        start();
        install(number, SOON_MS);
        pinholes_commit_all(wall.pinholes, 1);
        cr_assert(!pinholes_traffic(wall.pinholes, &rule, &traffic), "only of number %u", number);
    }
    install(1, SOON_MS);
    pinholes_commit_all(wall.pinholes, 1);
    cr_assert(pinholes_traffic(wall.pinholes, &rule, &traffic));
    cr_assert(traffic.packets == 2 * FIRST_PORT + 3, "of both together");
}

Test(group_commit, of_a_kernel_that_has_lost_everything_leaves_turns_to_others)
{
    install_many(1, 1001);
    pinholes_commit_all(wall.pinholes, 1);
    memset(filter.has, 0, sizeof(filter.has));
    filter.commits = 0;
    cr_assert(pinholes_reinstall(wall.pinholes) == 1000 && wall.pending == 2);
    cr_assert(pinholes_commit(wall.pinholes, 1), "not all in one turn");
    install(1001, SOON_MS);
    pinholes_commit_all(wall.pinholes, 1);
    for (unsigned number = 1; number <= 1001; number++)
        cr_assert(filter.has[FIRST_PORT + number]);
    cr_assert(filter.largest <= GROUP_COMMIT_MAX && filter.commits <= 5 && wall.answered[1001]);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sessions' file: what is put is found again, whatever ended in between. */
#include "reference-node/journal/journal.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/natfwd-journal-XXXXXX";
static const struct record_time now = {
    .node_ms = UINT64_C(1) << 41, .wall_ms = UINT64_C(1800000000000)};

static void make_file(void)
{
    int descriptor = mkstemp(path);
    cr_assert(descriptor >= 0);
    close(descriptor);
}

static void remove_file(void)
{
    unlink(path);
}

TestSuite(journal, .init = make_file, .fini = remove_file);

static struct natfw_peer peer(uint8_t number, uint8_t identity_length)
{
    struct natfw_peer peer = {.address = gist_address_v4(0xc0000200 + number),
        .interface = number,
        .identity_length = identity_length};
    memset(peer.identity, number, identity_length);
    return peer;
}

static struct natfw_snapshot snapshot(uint8_t number)
{
    return (struct natfw_snapshot){.id = {.octets = {number, [15] = 7}},
        .role = NATFW_FORWARDER,
        .rule = {.action = NATFW_ALLOW,
            .sub_ports = 1,
            .flow = {.source = gist_address_v4(0xc0000202),
                .destination = gist_address_v4(0xc6336402),
                .source_prefix = 32,
                .destination_prefix = 32,
                .has_protocol = true,
                .protocol = 17,
                .has_source_port = true,
                .source_port = 4000,
                .has_destination_port = true,
                .destination_port = 5000}},
        .lifetime_s = 3600,
        .expires_ms = now.node_ms + 1800000,
        .sequence_number = 0xfffffffe,
        .inbound_peer = peer(2, 3),
        .outbound_peer = peer(9, 0),
        .reliable = true,
        .secure = true,
        .keeps_alive = number % 2,
        .refresh_lifetime_s = 600};
}

/* Every part can hold its most at once. */
static struct natfw_snapshot longest(void)
{
    struct natfw_snapshot longest = snapshot(200);
    struct gist_address address = {.version = 6};
    memset(address.octets, 0xab, sizeof(address.octets));
    longest.rule.flow.source = longest.rule.flow.destination = address;
    longest.rule.flow.source_prefix = longest.rule.flow.destination_prefix = 128;
    longest.rule.icmp_type_count = 255;
    memset(longest.rule.icmp_types, 200, 255);
    longest.inbound_peer = peer(200, 255);
    longest.outbound_peer = peer(201, 255);
    longest.inbound_peer.address = longest.outbound_peer.address = address;
    longest.inbound_peer.interface = longest.outbound_peer.interface = UINT32_MAX;
    longest.lifetime_s = longest.refresh_lifetime_s = UINT32_MAX;
    longest.expires_ms = INT64_MAX / 2;
    return longest;
}

static struct journal *opened(void)
{
    struct journal *journal = journal_open(path, now, stderr);
    cr_assert(journal);
    return journal;
}

static void put(struct journal *journal, const struct natfw_snapshot *snapshot)
{
    cr_assert(journal_put(journal, snapshot, now));
}

static bool same_peer(const struct natfw_peer *one, const struct natfw_peer *other)
{
    return gist_address_equal(&one->address, &other->address) &&
           one->interface == other->interface && one->handle == other->handle &&
           one->identity_length == other->identity_length &&
           memcmp(one->identity, other->identity, one->identity_length) == 0;
}

static void expect_found(const struct journal *journal, const struct natfw_snapshot *wanted)
{
    size_t count;
    const struct natfw_snapshot *found = journal_found(journal, &count);
    for (size_t i = 0; i < count; i++) {
        if (!gist_session_id_equal(&found[i].id, &wanted->id))
            continue;
        cr_assert(natfw_policy_rule_equal(&found[i].rule, &wanted->rule));
        cr_assert(found[i].role == wanted->role && found[i].lifetime_s == wanted->lifetime_s);
        cr_assert(found[i].expires_ms == wanted->expires_ms);
        cr_assert(found[i].sequence_number == wanted->sequence_number);
        cr_assert(found[i].keeps_alive == wanted->keeps_alive);
        cr_assert(found[i].reliable == wanted->reliable);
        cr_assert(found[i].secure == wanted->secure);
        cr_assert(found[i].refresh_lifetime_s == wanted->refresh_lifetime_s);
        cr_assert(same_peer(&found[i].inbound_peer, &wanted->inbound_peer));
        cr_assert(same_peer(&found[i].outbound_peer, &wanted->outbound_peer));
        return;
    }
    cr_assert_fail("session %u is not found", wanted->id.octets[0]);
}

static size_t count_found(const struct journal *journal)
{
    size_t count;
    journal_found(journal, &count);
    return count;
}

Test(journal, what_is_put_is_found_with_all_that_it_says)
{
    struct journal *journal = opened();
    struct natfw_snapshot first = snapshot(1), second = snapshot(2), third = longest();
    second.reliable = second.secure = false;
    second.rule.action = NATFW_DENY;
    put(journal, &first);
    put(journal, &second);
    put(journal, &third);
    second.sequence_number = 5;
    second.expires_ms += 1000;
    put(journal, &second);
    journal_close(journal);
    journal = opened();
    cr_assert(journal_is_of_this_boot(journal));
    cr_assert(count_found(journal) == 3);
    expect_found(journal, &first);
    expect_found(journal, &second);
    expect_found(journal, &third);
    journal_close(journal);
}

Test(journal, what_is_dropped_is_gone_and_its_place_is_used_again)
{
    struct stat before, after;
    struct journal *journal = opened();
    for (uint8_t i = 0; i < 10; i++) {
        struct natfw_snapshot one = snapshot(i);
        put(journal, &one);
    }
    cr_assert(stat(path, &before) == 0);
    for (uint8_t i = 0; i < 100; i++) {
        struct natfw_snapshot gone = snapshot(i), new = snapshot((uint8_t)(i + 10));
        cr_assert(journal_drop(journal, &gone.id));
        cr_assert(journal_drop(journal, &gone.id), "what is not there is dropped too");
        put(journal, &new);
    }
    cr_assert(stat(path, &after) == 0);
    cr_assert(after.st_size == before.st_size);
    journal_close(journal);
    journal = opened();
    cr_assert(count_found(journal) == 10);
    for (uint8_t i = 100; i < 110; i++) {
        struct natfw_snapshot one = snapshot(i);
        expect_found(journal, &one);
    }
    journal_close(journal);
}

Test(journal, what_is_found_and_not_put_again_leaves_the_file)
{
    struct journal *journal = opened();
    struct natfw_snapshot first = snapshot(1), second = snapshot(2);
    put(journal, &first);
    put(journal, &second);
    journal_close(journal);
    journal = opened();
    put(journal, &second);
    journal_forget_found(journal);
    journal_close(journal);
    journal = opened();
    cr_assert(count_found(journal) == 1);
    expect_found(journal, &second);
    journal_close(journal);
}

static void spoil(const char *format, long line)
{
    FILE *file = fopen(path, "r+e");
    cr_assert(file && fseek(file, line * RECORD_MAX, SEEK_SET) == 0);
    fprintf(file, "%s", format);
    fclose(file);
}

Test(journal, a_spoilt_line_is_told_by_its_number_and_loses_no_other)
{
    char *said = NULL;
    size_t length;
    struct journal *journal = opened();
    for (uint8_t i = 0; i < 3; i++) {
        struct natfw_snapshot one = snapshot(i);
        put(journal, &one);
    }
    journal_close(journal);
    spoil("{\"session\": 3", 2);
    FILE *errors = open_memstream(&said, &length);
    journal = journal_open(path, now, errors);
    fclose(errors);
    cr_assert(journal && count_found(journal) == 2);
    cr_assert(strstr(said, ":3: no session"), "%s", said);
    journal_close(journal);
    free(said);
}

Test(journal, a_line_that_was_cut_off_is_left_out)
{
    struct journal *journal = opened();
    struct natfw_snapshot first = snapshot(1), second = snapshot(2);
    put(journal, &first);
    put(journal, &second);
    journal_close(journal);
    cr_assert(truncate(path, 2 * RECORD_MAX + 100) == 0);
    journal = opened();
    cr_assert(count_found(journal) == 1);
    put(journal, &second);
    journal_close(journal);
    journal = opened();
    cr_assert(count_found(journal) == 1 + 1);
    journal_close(journal);
}

/* One more line, whatever there is of its session. */
static void add_line(const struct natfw_snapshot *snapshot, long line)
{
    char text[RECORD_MAX + 1] = "";
    cr_assert(record_write(snapshot, now, text) > 0);
    spoil(text, line);
}

Test(journal, of_two_lines_of_a_session_the_later_one_counts_wherever_it_stands)
{
    for (long newer_line = 1; newer_line <= 2; newer_line++) {
        struct natfw_snapshot older = snapshot(1), newer = snapshot(1), other = snapshot(2);
        newer.sequence_number = 1; /* serial numbers begin anew */
        newer.lifetime_s = 7200;
        cr_assert(truncate(path, 0) == 0);
        journal_close(opened());
        add_line(&newer, newer_line);
        add_line(&older, 3 - newer_line);
        add_line(&other, 3);
        struct journal *journal = opened();
        cr_assert_eq(count_found(journal), 2);
        expect_found(journal, &newer);
        expect_found(journal, &other);
        put(journal, &newer);
        put(journal, &other);
        cr_assert(journal_drop(journal, &newer.id));
        journal_close(journal);
        journal = opened();
        cr_assert_eq(count_found(journal), 1, "one of the two is there still");
        journal_close(journal);
    }
}

Test(journal, after_a_boot_the_times_are_the_walls)
{
    struct journal *journal = opened();
    struct natfw_snapshot one = snapshot(1);
    put(journal, &one);
    journal_close(journal);
    spoil("natfwd sessions 1, boot another-one", 0);
    struct record_time later = {.node_ms = 5000, .wall_ms = now.wall_ms + 600000};
    journal = journal_open(path, later, stderr);
    cr_assert(journal && !journal_is_of_this_boot(journal));
    one.expires_ms = 5000 + 1200000;
    expect_found(journal, &one);
    journal_close(journal);
}

Test(journal, a_clock_that_was_set_back_prolongs_nothing)
{
    struct journal *journal = opened();
    struct natfw_snapshot one = snapshot(1);
    put(journal, &one);
    journal_close(journal);
    spoil("natfwd sessions 1, boot another-one", 0);
    struct record_time back = {.node_ms = 5000, .wall_ms = 1000};
    journal = journal_open(path, back, stderr);
    one.expires_ms = 5000 + UINT64_C(3600000);
    expect_found(journal, &one);
    journal_close(journal);
}

Test(journal, is_one_natfwds_at_a_time_and_no_other_file_is_written_over)
{
    char *said = NULL;
    size_t length;
    struct journal *journal = opened();
    FILE *errors = open_memstream(&said, &length);
    cr_assert_null(journal_open(path, now, errors));
    journal_close(journal);
    spoil("#!/bin/sh a script of somebody", 0);
    cr_assert_null(journal_open(path, now, errors));
    cr_assert_null(journal_open("/proc/nowhere/sessions", now, errors));
    fclose(errors);
    cr_assert(strstr(said, "another natfwd uses it"), "%s", said);
    cr_assert(strstr(said, ":1: not a file of natfwd's sessions"), "%s", said);
    cr_assert(strstr(said, "/proc/nowhere/sessions: No such file"), "%s", said);
    free(said);
}

static mode_t mode_of(const char *name)
{
    struct stat what;
    cr_assert(lstat(name, &what) == 0);
    return what.st_mode & 07777;
}

Test(journal, is_for_its_owner_only_whatever_else_is_allowed_to_others)
{
    char name[sizeof(path) + sizeof("/sessions")];
    umask(0);
    unlink(path);
    snprintf(name, sizeof(name), "%s/sessions", path);
    struct journal *journal = journal_open(name, now, stderr);
    cr_assert(journal && mode_of(name) == 0600 && mode_of(path) == 0700);
    journal_close(journal);
    unlink(name);
    rmdir(path);
}

/* Who can write to its folder could have another file written over. */
Test(journal, follows_no_link)
{
    char link[sizeof(path) + sizeof(".link")], *said = NULL;
    size_t length;
    snprintf(link, sizeof(link), "%s.link", path);
    cr_assert(symlink(path, link) == 0);
    FILE *errors = open_memstream(&said, &length);
    struct journal *journal = journal_open(link, now, errors);
    fclose(errors);
    unlink(link);
    cr_assert_null(journal);
    cr_assert(strstr(said, "symbolic links"), "%s", said);
    free(said);
}

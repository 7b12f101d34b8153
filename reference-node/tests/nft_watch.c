/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the kernel tells of our table: by whom it is changed, and when too much is told. */
#include "reference-node/netfilter/nft_watch.h"

#include "reference-node/base/clock.h"
#include "reference-node/netfilter/nft_batch.h"
#include "reference-node/netfilter/nft_socket.h"
#include "reference-node/tests/namespaces.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { PATIENCE_MS = 20000, TURN_MS = 10, PUT_MS = 600000 };

/* Somebody who changes tables: us, or not. */
struct writer {
    struct nft_socket *socket;
    struct nft_batch *batch;
};

static struct writer us, others;
static struct nft_watch *watch;

static struct writer writer_of(const char *table)
{
    struct writer writer = {.socket = nft_socket_open(NFT_TRANSACTION_SIZE)};
    cr_assert(writer.socket);
    writer.batch = nft_batch_create(writer.socket, table, NFT_REFRESH_IN_PLACE);
    cr_assert(writer.batch);
    return writer;
}

static void let_go(struct writer *writer)
{
    nft_batch_destroy(writer->batch);
    nft_socket_close(writer->socket);
}

static void start(void)
{
    namespace_enter_new();
    for (const char *const *table = (const char *const[]){"natfw", "other", NULL}; *table; table++)
        run("nft add table inet %s; nft add set inet %s hosts '{ type ipv4_addr; flags timeout; }'",
            *table, *table);
    us = writer_of("natfw");
    others = writer_of("natfw");
    watch = nft_watch_open("natfw", nft_socket_port(us.socket));
    cr_assert(watch);
}

static void stop(void)
{
    nft_watch_close(watch);
    let_go(&us);
    let_go(&others);
}

TestSuite(nft_watch, .init = start, .fini = stop);

static void put(const struct writer *writer, uint64_t timeout_ms)
{
    struct nft_change change = {.kind = NFT_CHANGE_PUT,
        .set = "hosts",
        .key = {192, 0, 2, 1},
        .key_length = 4,
        .timeout_ms = timeout_ms};
    nft_batch_commit(writer->batch, &change, 1);
    cr_assert(change.error == 0);
}

static bool hears(struct nft_culprit *culprit)
{
    *culprit = (struct nft_culprit){.process = UINT32_MAX};
    return nft_watch_hear(watch, culprit);
}

Test(nft_watch, tells_what_others_change_from_what_we_do)
{
    struct nft_culprit culprit;
    put(&us, PUT_MS);
    cr_assert(!hears(&culprit), "it is ours");
    put(&others, PUT_MS);
    cr_assert(hears(&culprit));
    cr_assert(culprit.process != 0 && culprit.process != UINT32_MAX && culprit.name[0] != '\0');
    put(&us, PUT_MS);
    cr_assert(!hears(&culprit), "the other one has been told");
    put(&others, PUT_MS);
    put(&us, PUT_MS);
    cr_assert(hears(&culprit), "whoever came last");
    cr_assert(!hears(&culprit));
}

Test(nft_watch, knows_who_runs_nft)
{
    struct nft_culprit culprit;
    run("nft flush set inet natfw hosts");
    cr_assert(!hears(&culprit), "nothing was in it");
    put(&us, PUT_MS);
    run("nft flush set inet natfw hosts");
    cr_assert(hears(&culprit));
    cr_assert_str_eq(culprit.name, "nft");
    run("nft add chain inet other somewhere");
    cr_assert(!hears(&culprit), "of another table");
}

Test(nft_watch, hears_of_nobody_who_ends_what_has_its_time)
{
    struct nft_culprit culprit;
    uint64_t start_ms = clock_now_ms();
    put(&us, 100);
    for (bool is_there = true; is_there;) {
        char *text = output_of("nft list set inet natfw hosts");
        is_there = strstr(text, "192.0.2.1") != NULL;
        free(text);
        cr_assert(clock_now_ms() - start_ms < PATIENCE_MS);
        poll(NULL, 0, TURN_MS);
    }
    put(&us, PUT_MS); /* the kernel tidies up meanwhile */
    cr_assert(!hears(&culprit));
}

/* More than the watch has room for, by one transaction. */
static void change_much(const char *table)
{
    enum { SMALL = 1 };
    cr_assert(setsockopt(nft_watch_descriptor(watch), SOL_SOCKET, SO_RCVBUF, &(int){SMALL},
                  sizeof(int)) == 0);
    run("{ for i in $(seq 2 250); do echo \"add element inet %s hosts { 192.0.2.$i }\"; done; } |"
        " nft -f -",
        table);
}

/* Of another table, and yet: what was lost could have been of ours. */
Test(nft_watch, takes_for_a_change_what_was_too_much_to_be_told)
{
    struct nft_culprit culprit;
    change_much("other");
    cr_assert(hears(&culprit));
    cr_assert_eq(culprit.process, 0);
    cr_assert(!hears(&culprit), "once");
}

Test(nft_watch, lays_to_nobody_what_others_changed_when_too_much_was_told)
{
    struct nft_culprit culprit;
    change_much("natfw");
    cr_assert(hears(&culprit));
    put(&us, PUT_MS);
    cr_assert(!hears(&culprit), "it is ours, whatever has not been told to its end");
}

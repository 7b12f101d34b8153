/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table through our own socket: compiled, put, owned, taken over, put anew. */
#include "reference-node/netfilter/nft_table.h"

#include "reference-node/netfilter/nft_batch.h"
#include "reference-node/netfilter/nft_compiler.h"
#include "reference-node/netfilter/ruleset.h"
#include "reference-node/tests/namespaces.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What the loader does. */
static struct nft_ruleset compile(const struct config *config)
{
    char draft[RULESET_NAME_MAX];
    struct nft_ruleset ruleset;
    char *text = ruleset_draft(config, draft);
    cr_assert(nft_compile(text, draft, config->table, &ruleset, stderr));
    free(text);
    return ruleset;
}

struct holder {
    struct nft_socket *socket;
    struct nft_table *table;
};

static struct holder hold(enum config_ownership ownership)
{
    struct holder holder = {.socket = nft_socket_open(NFT_TRANSACTION_SIZE)};
    holder.table = nft_table_create(holder.socket, "natfw", ownership);
    cr_assert(holder.socket && holder.table);
    return holder;
}

static void let_go(struct holder *holder)
{
    nft_table_destroy(holder->table);
    nft_socket_close(holder->socket);
}

/* Without what tells the owner. */
#define LIST "nft list table inet natfw | sed -e 's/ # progname.*//' -e '/flags owner/d' -e '/^$/d'"

Test(nft_table, is_put_exactly_as_nft_would_load_it)
{
    namespace_enter_new();
    struct config config = path_firewall_config();
    config.datagrams_in_per_second = 10;
    config.datagrams_in_burst = 5;
    config.router_alert_required = config.pass_other_signalling = true;
    struct nft_ruleset ruleset = compile(&config);
    char *text = ruleset_text(&config);
    cr_assert(nft_load(text, stderr));
    char *loaded = output_of(LIST);
    run("nft delete table inet natfw");
    struct holder holder = hold(CONFIG_OWNED_AUTO);
    cr_assert(nft_table_put(holder.table, &ruleset) == NFT_PUT_ANEW);
    char *put = output_of(LIST);
    cr_assert_str_eq(put, loaded);
    cr_assert(strlen(put) > 1000);
    run("test \"$(nft list tables)\" = 'table inet natfw'");
    let_go(&holder);
    free(loaded);
    free(put);
    free(text);
    nft_ruleset_free(&ruleset);
}

static void add_element(const struct holder *holder)
{
    struct nft_batch *batch = nft_batch_create(holder->socket, "natfw", NFT_REFRESH_IN_PLACE);
    struct nft_change change = {.kind = NFT_CHANGE_PUT,
        .set = "pinholes",
        .key = {192, 0, 2, 2},
        .key_length = 20,
        .timeout_ms = 60000};
    nft_batch_commit(batch, &change, 1);
    cr_assert(change.error == 0);
    nft_batch_destroy(batch);
}

static bool has_element(void)
{
    char *text = output_of("nft list set inet natfw pinholes");
    bool has = strstr(text, "192.0.2.2") != NULL;
    free(text);
    return has;
}

Test(nft_table, belongs_to_its_socket_alone_and_outlives_it)
{
    namespace_enter_new();
    struct config config = path_firewall_config();
    struct nft_ruleset ruleset = compile(&config);
    struct holder first = hold(CONFIG_OWNED);
    cr_assert(nft_table_put(first.table, &ruleset) == NFT_PUT_ANEW);
    cr_assert(nft_table_is_owned(first.table));
    run("nft flush ruleset");
    run("! nft delete table inet natfw 2>/dev/null");
    add_element(&first);
    struct holder second = hold(CONFIG_OWNED);
    cr_assert(nft_table_put(second.table, &ruleset) == NFT_PUT_FAILED && errno == EPERM);
    cr_assert(nft_table_delete(second.table) == EPERM);
    let_go(&first);
    cr_assert(has_element());
    cr_assert(nft_table_put(second.table, &ruleset) == NFT_PUT_KEEPING);
    cr_assert(has_element());
    run("! nft delete table inet natfw 2>/dev/null");
    cr_assert(nft_table_put(second.table, &ruleset) == NFT_PUT_KEEPING, "its own, again");
    cr_assert(has_element());
    cr_assert(nft_table_delete(second.table) == 0);
    cr_assert(nft_table_delete(second.table) == ENOENT);
    let_go(&second);
    nft_ruleset_free(&ruleset);
}

static int write_alone(struct holder *holder, const struct nft_ruleset *ruleset)
{
    nft_socket_begin(holder->socket);
    return nft_table_write(holder->table, ruleset) ? nft_socket_commit(holder->socket, NULL, NULL)
                                                   : EMSGSIZE;
}

Test(nft_table, of_nobody_keeps_its_elements_too_unless_it_is_written_anew)
{
    namespace_enter_new();
    struct config config = path_firewall_config();
    struct nft_ruleset ruleset = compile(&config);
    struct holder holder = hold(CONFIG_UNOWNED);
    cr_assert(nft_table_put(holder.table, &ruleset) == NFT_PUT_ANEW);
    cr_assert(!nft_table_is_owned(holder.table));
    add_element(&holder);
    run("nft insert rule inet natfw guarded accept");
    cr_assert(nft_table_put(holder.table, &ruleset) == NFT_PUT_KEEPING);
    cr_assert(has_element());
    char *chain = output_of("nft list chain inet natfw guarded | grep -c 'accept$' || true");
    cr_assert_str_eq(chain, "0\n", "a rule of somebody else is there still");
    cr_assert_eq(write_alone(&holder, &ruleset), 0);
    cr_assert(!has_element());
    run("nft delete table inet natfw");
    cr_assert_eq(write_alone(&holder, &ruleset), 0, "nothing has to be there");
    let_go(&holder);
    free(chain);
    nft_ruleset_free(&ruleset);
}

/* From a natfwd that owned nothing to one that does, and back. */
Test(nft_table, changes_its_owner_in_one_transaction)
{
    namespace_enter_new();
    struct config config = path_firewall_config();
    struct nft_ruleset ruleset = compile(&config);
    struct holder nobody = hold(CONFIG_UNOWNED), owner = hold(CONFIG_OWNED);
    cr_assert(nft_table_put(nobody.table, &ruleset) == NFT_PUT_ANEW);
    cr_assert(nft_table_put(owner.table, &ruleset) == NFT_PUT_ANEW);
    cr_assert(nft_table_put(nobody.table, &ruleset) == NFT_PUT_FAILED);
    let_go(&owner);
    cr_assert(nft_table_put(nobody.table, &ruleset) == NFT_PUT_ANEW);
    run("nft delete table inet natfw");
    let_go(&nobody);
    nft_ruleset_free(&ruleset);
}

Test(nft_table, sets_of_another_shape_make_it_anew_and_a_bad_ruleset_changes_nothing)
{
    namespace_enter_new();
    struct config config = path_firewall_config();
    struct nft_ruleset small = compile(&config);
    config.pinholes_max = 2000;
    struct nft_ruleset large = compile(&config);
    struct holder holder = hold(CONFIG_OWNED_AUTO);
    cr_assert(nft_table_put(holder.table, &small) == NFT_PUT_ANEW);
    add_element(&holder);
    struct nft_ruleset broken = {.messages = small.messages, .length = small.length};
    struct nlmsghdr *first = (struct nlmsghdr *)(void *)broken.messages;
    first->nlmsg_type ^= 0x20; /* no message of nf_tables */
    cr_assert_neq(write_alone(&holder, &broken), 0);
    cr_assert(has_element());
    cr_assert(!nft_table_put_keeping(holder.table, &large) && errno == ENOTEMPTY);
    cr_assert(has_element());
    cr_assert(nft_table_put(holder.table, &large) == NFT_PUT_ANEW);
    cr_assert(!has_element());
    let_go(&holder);
    nft_ruleset_free(&small);
    nft_ruleset_free(&large);
}

/* The kernel's answers find no room: what is in is asked. */
Test(nft_table, lost_answers_are_reconciled_with_the_kernel)
{
    enum { COUNT = 60, SMALL = 1 };
    namespace_enter_new();
    struct config config = path_firewall_config();
    struct nft_ruleset ruleset = compile(&config);
    struct holder holder = hold(CONFIG_OWNED_AUTO);
    cr_assert(nft_table_put(holder.table, &ruleset) == NFT_PUT_ANEW);
    struct nft_batch *batch = nft_batch_create(holder.socket, "natfw", NFT_REFRESH_IN_PLACE);
    setsockopt(
        nft_socket_descriptor(holder.socket), SOL_SOCKET, SO_RCVBUF, &(int){SMALL}, sizeof(int));
    struct nft_change changes[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        changes[i] = (struct nft_change){.kind = NFT_CHANGE_PUT,
            .set = i == 7 ? "nowhere" : "pinholes",
            .key = {192, 0, 2, (uint8_t)i},
            .key_length = 20,
            .timeout_ms = 60000};
    nft_batch_commit(batch, changes + 8, COUNT - 8);
    for (size_t i = 8; i < COUNT; i++)
        cr_assert(changes[i].error == 0, "%zu: %s", i, strerror(changes[i].error));
    nft_batch_commit(batch, changes, 8);
    cr_assert(changes[7].error != 0);
    char *text = output_of("nft list set inet natfw pinholes | grep -o '192.0.2' | wc -l");
    long there = strtol(text, NULL, 10);
    long told = 0;
    for (size_t i = 0; i < COUNT; i++)
        told += changes[i].error == 0;
    cr_assert(there == told, "%ld are there, %ld were told to be", there, told);
    free(text);
    nft_batch_destroy(batch);
    let_go(&holder);
    nft_ruleset_free(&ruleset);
}

struct lead {
    struct nft_table *table;
    const struct nft_ruleset *ruleset;
};

static bool write_lead(void *context)
{
    const struct lead *lead = context;
    return nft_table_write(lead->table, lead->ruleset);
}

Test(nft_table, leads_its_elements_in_one_transaction_even_if_one_of_them_is_at_fault)
{
    namespace_enter_new();
    struct config config = path_firewall_config();
    struct nft_ruleset ruleset = compile(&config);
    struct holder holder = hold(CONFIG_UNOWNED);
    struct nft_batch *batch = nft_batch_create(holder.socket, "natfw", NFT_REFRESH_IN_PLACE);
    struct lead lead = {holder.table, &ruleset};
    struct nft_change changes[2];
    for (size_t i = 0; i < 2; i++)
        changes[i] = (struct nft_change){.kind = NFT_CHANGE_PUT,
            .set = i == 0 ? "nowhere" : "pinholes",
            .key = {192, 0, 2, 2},
            .key_length = 20,
            .timeout_ms = 60000};
    nft_batch_lead(batch, &(struct nft_lead){&lead, write_lead});
    nft_batch_commit(batch, changes, 1);
    cr_assert(changes[0].error != 0);
    cr_assert(!nft_batch_end_lead(batch), "the only element was at fault");
    run("test -z \"$(nft list tables)\"");
    nft_batch_lead(batch, &(struct nft_lead){&lead, write_lead});
    nft_batch_commit(batch, changes, 2);
    cr_assert(changes[0].error != 0 && changes[1].error == 0);
    cr_assert(nft_batch_end_lead(batch));
    cr_assert(has_element());
    nft_batch_commit(batch, changes + 1, 1);
    cr_assert(has_element());
    nft_batch_destroy(batch);
    let_go(&holder);
    nft_ruleset_free(&ruleset);
}

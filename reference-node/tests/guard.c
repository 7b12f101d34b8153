/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Our table made anew with its pinholes, and put back when somebody changes it. */
#include "reference-node/netfilter/guard.h"

#include "reference-node/base/clock.h"
#include "reference-node/base/log.h"
#include "reference-node/netfilter/nft_compiler.h"
#include "reference-node/netfilter/renewal.h"
#include "reference-node/netfilter/ruleset.h"
#include "reference-node/tests/namespaces.h"
#include "reference-node/tests/udp_rule.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { PINHOLES = 2, FIRST_PORT = 5000, LIFETIME_MS = 600000, PATIENCE_MS = 20000, TURN_MS = 10 };

static struct config config;
static struct nft_ruleset ruleset;
static struct data_plane plane;
static struct pinholes *pinholes;

static unsigned refusals; /* of the next transactions */

/* Stands before that of libmnl. */
ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *req, size_t siz)
{
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (refusals > 0 && ((const struct nlmsghdr *)req)->nlmsg_type == NFNL_MSG_BATCH_BEGIN) {
        refusals--;
        errno = ENOMEM;
        return -1;
    }
    return sendto(
        mnl_socket_get_fd(nl), req, siz, 0, (const struct sockaddr *)&kernel, sizeof(kernel));
}

static void on_pending(void *context)
{
    (void)context;
}

static void compile(void)
{
    char draft[RULESET_NAME_MAX];
    char *text = ruleset_draft(&config, draft);
    cr_assert(nft_compile(text, draft, config.table, &ruleset, stderr));
    free(text);
}

static void install(uint16_t port)
{
    struct natfw_middlebox middlebox = pinholes_middlebox(pinholes);
    struct gist_session_id id = {.octets = {0xa0, [15] = (uint8_t)port}};
    struct natfw_policy_rule rule = udp_rule(port);
    middlebox.install(middlebox.context, &id, &rule, clock_now_ms() + LIFETIME_MS, NATFW_NO_HANDLE);
}

/* A firewall without its daemon, whose table is anybody's. */
static void start(void)
{
    struct pinholes_listener listener = {.pending = on_pending};
    log_up_to(LOG_LEVEL_ERROR);
    namespace_enter_new();
    config = path_firewall_config();
    config.ownership = CONFIG_UNOWNED;
    compile();
    plane = (struct data_plane){.config = &config, .ruleset = &ruleset};
    plane.socket = nft_socket_open(NFT_TRANSACTION_SIZE);
    plane.table = nft_table_create(plane.socket, config.table, config.ownership);
    cr_assert(nft_table_put(plane.table, &ruleset) == NFT_PUT_ANEW);
    plane.kernel.batch = nft_batch_create(plane.socket, config.table, NFT_REFRESH_IN_PLACE);
    plane.filter = kernel_filter_seam(&plane.kernel);
    pinholes = pinholes_create(&plane.filter, config.pinholes_max, &listener);
    for (uint16_t i = 0; i < PINHOLES; i++)
        install((uint16_t)(FIRST_PORT + i));
    pinholes_commit_all(pinholes, clock_now_ms());
}

static void stop(void)
{
    pinholes_destroy(pinholes);
    data_plane_stop(&plane);
    nft_ruleset_free(&ruleset);
}

TestSuite(renewal, .init = start, .fini = stop);
TestSuite(guard, .init = start, .fini = stop);

Test(renewal, brings_every_pinhole_each_time)
{
    for (unsigned time = 1; time <= 3; time++) {
        size_t count;
        run("nft delete table inet natfw");
        cr_assert(renewal_run(&plane, &ruleset, pinholes, &count));
        cr_assert_eq(count, PINHOLES);
        cr_assert_eq(count_elements(), PINHOLES, "time %u", time);
    }
}

Test(renewal, that_the_kernel_refuses_with_its_pinholes_brings_them_after_the_table)
{
    size_t count;
    run("nft delete table inet natfw");
    refusals = 1;
    cr_assert(renewal_run(&plane, &ruleset, pinholes, &count));
    cr_assert_eq(count_elements(), 0);
    pinholes_commit_all(pinholes, clock_now_ms());
    cr_assert_eq(count_elements(), PINHOLES);
}

Test(renewal, that_the_kernel_refuses_altogether_leaves_all_as_it_was)
{
    size_t count;
    refusals = 2;
    cr_assert(!renewal_run(&plane, &ruleset, pinholes, &count) && errno == ENOMEM);
    cr_assert_eq(count_elements(), PINHOLES);
    pinholes_commit_all(pinholes, clock_now_ms());
    cr_assert_eq(count_elements(), PINHOLES);
}

/* Somebody takes the table away as soon as it is there. */
static void take_away(struct event_base *base, struct nft_table *somebodys)
{
    uint64_t start_ms = clock_now_ms();
    while (nft_table_delete(somebodys) != 0) {
        struct timeval wait = {.tv_usec = TURN_MS * 1000};
        cr_assert(clock_now_ms() - start_ms < PATIENCE_MS, "the table is not put back");
        event_base_loopexit(base, &wait);
        event_base_dispatch(base);
    }
}

Test(guard, puts_the_table_back_so_often_at_once_and_then_in_its_time)
{
    enum { AT_ONCE = 10 };
    struct event_base *base = event_base_new();
    struct guard *guard = guard_create(base, &plane, pinholes);
    struct nft_socket *socket = nft_socket_open(NFT_TRANSACTION_SIZE);
    struct nft_table *somebodys = nft_table_create(socket, config.table, CONFIG_UNOWNED);
    cr_assert(guard && somebodys);
    uint64_t start_ms = clock_now_ms();
    for (unsigned time = 0; time < AT_ONCE + 2; time++)
        take_away(base, somebodys);
    cr_assert(clock_now_ms() - start_ms >= 900, "nobody keeps it busy");
    nft_table_destroy(somebodys);
    nft_socket_close(socket);
    guard_destroy(guard);
    event_base_free(base);
}

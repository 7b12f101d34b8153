/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Table and pinholes at once; see renewal.h. */
#include "reference-node/netfilter/renewal.h"

#include "reference-node/base/clock.h"

#include <errno.h>

struct renewal {
    struct nft_table *table;
    const struct nft_ruleset *ruleset;
};

static bool write_table(void *context)
{
    const struct renewal *renewal = context;
    return nft_table_write(renewal->table, renewal->ruleset);
}

static bool put_with_pinholes(
    struct nft_batch *batch, struct renewal *renewal, struct pinholes *pinholes)
{
    nft_batch_lead(batch, &(struct nft_lead){renewal, write_table});
    pinholes_commit(pinholes, clock_now_ms());
    return nft_batch_end_lead(batch);
}

static bool put_alone(struct nft_socket *socket, struct renewal *renewal)
{
    nft_socket_begin(socket);
    errno = write_table(renewal) ? nft_socket_commit(socket, NULL, NULL) : EMSGSIZE;
    return errno == 0;
}

bool renewal_run(struct data_plane *plane, const struct nft_ruleset *ruleset,
    struct pinholes *pinholes, size_t *count)
{
    struct renewal renewal = {plane->table, ruleset};
    *count = pinholes_reinstall(pinholes);
    if (plane->kernel.batch && put_with_pinholes(plane->kernel.batch, &renewal, pinholes))
        return true;
    /* There are none, or the kernel refused one of them. */
    bool is_put = put_alone(plane->socket, &renewal);
    int error = errno;
    pinholes_reinstall(pinholes);
    errno = error;
    return is_put;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Putting our table back; see guard.h. */
#include "reference-node/netfilter/guard.h"

#include "core/base/token_bucket.h"
#include "reference-node/base/clock.h"
#include "reference-node/base/log.h"
#include "reference-node/netfilter/nft_watch.h"
#include "reference-node/netfilter/renewal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Who changes the table without end shall not keep us busy with nothing else. */
enum { A_SECOND = 1, AT_ONCE = 10 };

struct guard {
    struct data_plane *plane;
    struct pinholes *pinholes;
    struct nft_watch *watch;
    struct event *heard;
    struct event *again;
    struct nft_culprit culprit;
    struct base_token_bucket turns; /* of putting back */
};

static void put_back(struct guard *guard)
{
    const char *table = guard->plane->config->table;
    const struct nft_culprit *culprit = &guard->culprit;
    size_t count;
    if (!renewal_run(guard->plane, guard->plane->ruleset, guard->pinholes, &count)) {
        log_line(LOG_LEVEL_ERROR,
            "table inet %s was changed by %s (process %u) and cannot be put"
            " back: %s",
            table, culprit->name, culprit->process, strerror(errno));
        return;
    }
    if (culprit->process)
        log_line(LOG_LEVEL_WARNING,
            "table inet %s was changed by %s (process %u): it is put back with %zu pinholes", table,
            culprit->name, culprit->process, count);
    else
        log_line(LOG_LEVEL_WARNING,
            "table inet %s may have been changed: it is put back with %zu pinholes", table, count);
}

static void put_back_in_turn(struct guard *guard)
{
    if (event_pending(guard->again, EV_TIMEOUT, NULL))
        return;
    if (base_token_bucket_take(&guard->turns, clock_now_ms())) {
        put_back(guard);
        return;
    }
    struct timeval wait = clock_timeval(base_token_bucket_wait_ms(&guard->turns));
    event_add(guard->again, &wait);
}

static void on_again(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    put_back_in_turn(context);
}

static void on_heard(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    struct guard *guard = context;
    if (nft_watch_hear(guard->watch, &guard->culprit))
        put_back_in_turn(guard);
}

struct guard *guard_create(
    struct event_base *base, struct data_plane *plane, struct pinholes *pinholes)
{
    struct guard *guard = calloc(1, sizeof(*guard));
    if (!guard)
        return NULL;
    guard->plane = plane;
    guard->pinholes = pinholes;
    guard->turns = base_token_bucket_full(A_SECOND, AT_ONCE, clock_now_ms());
    guard->watch = nft_watch_open(plane->config->table, nft_socket_port(plane->socket));
    if (guard->watch) {
        guard->heard = event_new(
            base, nft_watch_descriptor(guard->watch), EV_READ | EV_PERSIST, on_heard, guard);
        guard->again = evtimer_new(base, on_again, guard);
    }
    if (guard->heard && guard->again && event_add(guard->heard, NULL) == 0)
        return guard;
    int error = errno;
    guard_destroy(guard);
    errno = error;
    return NULL;
}

void guard_destroy(struct guard *guard)
{
    if (!guard)
        return;
    if (guard->heard)
        event_free(guard->heard);
    if (guard->again)
        event_free(guard->again);
    nft_watch_close(guard->watch);
    free(guard);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The firewall as the core's middlebox.
 *
 * Changes are gathered while the loop turns and committed together by pinholes_commit; only then
 * are the core's handles answered. Without a filter nothing is installed and everything is granted:
 * that is a host, which has no data plane to open.
 */
#ifndef NATFWD_PINHOLES_H
#define NATFWD_PINHOLES_H

#include "core/natfw/middlebox.h"
#include "reference-node/netfilter/packet_filter.h"

struct pinholes;

struct pinholes_listener {
    void *context;
    /* There is something to commit; called once until everything is committed. */
    void (*pending)(void *context);
    /* A change is in, or has failed. May ask for further changes. */
    void (*done)(void *context, natfw_handle handle, enum natfw_middlebox_result result);
};

/* The filter, which may be NULL, stays the caller's. Returns NULL without memory. */
struct pinholes *pinholes_create(const struct packet_filter *filter, size_t elements_max,
    const struct pinholes_listener *listener);
void pinholes_destroy(struct pinholes *pinholes);

struct natfw_middlebox pinholes_middlebox(struct pinholes *pinholes);

/* So many elements from now on. */
void pinholes_limit(struct pinholes *pinholes, size_t elements_max);

/* The kernel may have lost every element: those that have owners are installed again by the next
 * commits, those that have none any more are taken out all the same. Returns how many are to be
 * open. */
size_t pinholes_reinstall(struct pinholes *pinholes);

/* Brings the kernel up to date, as far as one transaction goes, and answers the handles of what is
 * in. Returns whether more is left, for which it is to be called in the next turn of the loop. */
bool pinholes_commit(struct pinholes *pinholes, uint64_t now_ms);
/* The same, however long it takes: for the beginning and the end. */
void pinholes_commit_all(struct pinholes *pinholes, uint64_t now_ms);

/* What has passed by this rule's elements so far, which all its owners share. Returns false where
 * it is not known. */
bool pinholes_traffic(const struct pinholes *pinholes, const struct natfw_policy_rule *rule,
    struct nft_traffic *traffic);

struct pinholes_counters {
    uint64_t elements; /* now in the kernel, or about to be */
    uint64_t commits;
    uint64_t changes;
    uint64_t failures;
};
struct pinholes_counters pinholes_counters(const struct pinholes *pinholes);

#endif

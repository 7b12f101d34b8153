/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The group commit: brings the kernel to what the owners of elements want, as many elements at once
 * as one transaction takes. More of them wait for the next turn of the loop, so that nobody waits
 * long for his own turn.
 */
#ifndef NATFWD_GROUP_COMMIT_H
#define NATFWD_GROUP_COMMIT_H

#include "reference-node/base/text.h"
#include "reference-node/netfilter/owned_elements.h"

enum { GROUP_COMMIT_MAX = 256 }; /* elements of one commit */

struct group_commit {
    struct owned_element *elements[GROUP_COMMIT_MAX]; /* the changes' first, in their order */
    struct nft_change changes[GROUP_COMMIT_MAX];
    struct conntrack_flow gone[GROUP_COMMIT_MAX];
    char comments[GROUP_COMMIT_MAX][TEXT_SID_SIZE];
    size_t count;        /* of elements */
    size_t change_count; /* of those for whom the kernel has to change */
    size_t gone_count;
};

/* Commits what has been due longest, and takes it out of the line; what one operation changes is
 * never parted. The elements are there, with their results, until group_commit_release. */
void group_commit_run(struct group_commit *commit, struct owned_elements *elements,
    const struct packet_filter *filter, uint64_t now_ms);
/* Lets go of the elements that nobody wants any more. */
void group_commit_release(struct group_commit *commit, struct owned_elements *elements);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pinholes that are in the kernel when we start: what a natfwd before us installed, as far as
 * it has not ended since. What the journal says is true only where the kernel agrees.
 */
#ifndef NATFWD_KERNEL_ELEMENTS_H
#define NATFWD_KERNEL_ELEMENTS_H

#include "core/natfw/policy_rule.h"
#include "reference-node/netfilter/nft_socket.h"

struct kernel_elements;

/* Reads them all; none where there is no such table. Returns NULL with errno set. */
struct kernel_elements *kernel_elements_read(struct nft_socket *socket, const char *table);
void kernel_elements_free(struct kernel_elements *elements);

size_t kernel_elements_count(const struct kernel_elements *elements);

/* Whether the rule is there, with all its ports, and for how much longer, counted from when it was
 * read. */
bool kernel_elements_hold(const struct kernel_elements *elements,
    const struct natfw_policy_rule *rule, uint64_t *left_ms);

#endif

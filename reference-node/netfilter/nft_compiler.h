/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From the ruleset's text to messages that any socket can send: nft(8) loads the text in a network
 * namespace where nothing is, and what it made is read from there.
 */
#ifndef NATFWD_NFT_COMPILER_H
#define NATFWD_NFT_COMPILER_H

#include "reference-node/netfilter/nft_ruleset.h"

#include <stdio.h>

/* Moves this process into an empty network namespace for good: of the user that it is, or of a user
 * namespace of its own. Returns false with errno set. */
bool nft_compiler_enter(void);

/* Loads a text by "nft -f -", as it is. Returns false after saying on errors what nft said. */
bool nft_load(const char *text, FILE *errors);

/* Works on the network namespace that this process is in. Returns false after saying on errors what
 * went wrong. The ruleset is to be freed. */
bool nft_compile(const char *text, const char *table, struct nft_ruleset *ruleset, FILE *errors);

#endif

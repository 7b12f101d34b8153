/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From the ruleset's text to messages that any socket can send: nft(8) loads the text as a dormant
 * table, which no packet meets, and what it made is read from there.
 */
#ifndef NATFWD_NFT_COMPILER_H
#define NATFWD_NFT_COMPILER_H

#include "reference-node/netfilter/nft_ruleset.h"

#include <stdio.h>

/* Loads a text by "nft -f -", as it is. Returns false after saying on errors what nft said. */
bool nft_load(const char *text, FILE *errors);

/* The text makes the table draft; the ruleset, to be freed, makes the same of the table. The draft
 * is gone afterwards. Returns false after saying on errors what went wrong. */
bool nft_compile(const char *text, const char *draft, const char *table,
    struct nft_ruleset *ruleset, FILE *errors);

#endif

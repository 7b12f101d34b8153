/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The static nftables ruleset: made once from the configuration, loaded by nft(8). All that changes
 * later is elements of its sets.
 */
#ifndef NATFWD_RULESET_H
#define NATFWD_RULESET_H

#include "reference-node/config/config.h"

/* The text of the ruleset, to be freed; NULL without memory. */
char *ruleset_text(const struct config *config);

/* Loads a ruleset by "nft -f -". Returns false after saying on errors what nft said. */
bool ruleset_load(const char *text, FILE *errors);

#endif

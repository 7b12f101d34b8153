/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The static nftables ruleset: made from the configuration, put in by nft_table.h. All that changes
 * while it stands is elements of its sets.
 */
#ifndef NATFWD_RULESET_H
#define NATFWD_RULESET_H

#include "reference-node/config/config.h"

bool ruleset_is_needed(const struct config *config);

/* The text of the ruleset, to be freed; NULL without memory. */
char *ruleset_text(const struct config *config);

#endif

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

/* The same as a table of another name, which it sets, that no packet meets. */
enum { RULESET_NAME_MAX = CONFIG_NAME_MAX + 8 };
char *ruleset_draft(const struct config *config, char name[RULESET_NAME_MAX]);

#endif

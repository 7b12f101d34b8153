/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a running natfwd cannot take over from another configuration: what it is, and what it had to
 * open before it gave up its rights. */
#ifndef NATFWD_FIXED_KEYS_H
#define NATFWD_FIXED_KEYS_H

#include "reference-node/config/config.h"

/* Returns false after naming on errors each such key that differs. */
bool config_fixed_keys_agree(
    const struct config *running, const struct config *wanted, FILE *errors);

#endif

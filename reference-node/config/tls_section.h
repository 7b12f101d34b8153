/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The section tls of natfwd.conf: credentials, and the authorised peer database. RFC 5971 4.4.2. */
#ifndef NATFWD_TLS_SECTION_H
#define NATFWD_TLS_SECTION_H

#include "reference-node/config/config.h"

#include <confuse.h>

extern cfg_opt_t config_tls_options[];

void config_check_tls(cfg_t *cfg);

/* Copies what the section says, and what follows from it for GIST. Returns false after a message:
 * keys that do not go together, or no memory. */
bool config_take_tls(cfg_t *cfg, struct config *config, FILE *errors);

#endif

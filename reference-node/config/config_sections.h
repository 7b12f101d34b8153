/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sections of natfwd.conf: interface, and policy with its peers and rules. */
#ifndef NATFWD_CONFIG_SECTIONS_H
#define NATFWD_CONFIG_SECTIONS_H

#include "reference-node/config/config.h"

#include <confuse.h>

extern cfg_opt_t config_interface_options[];
extern cfg_opt_t config_policy_options[];

/* Sets the checks of all sections. */
void config_check_sections(cfg_t *cfg);

/* Copies what the sections say. Returns false after a message without memory. */
bool config_take_sections(cfg_t *cfg, struct config *config, FILE *errors);

/* A check for libconfuse: the value given last is one of these words. */
int config_check_word(cfg_t *cfg, cfg_opt_t *opt, const char *const *words);

#endif

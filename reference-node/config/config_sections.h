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

/* Checks for libconfuse: the value given last is one of these words; "any" or a prefix; an absolute
 * path, or empty. */
int config_check_word(cfg_t *cfg, cfg_opt_t *opt, const char *const *words);
int config_check_prefix(cfg_t *cfg, cfg_opt_t *opt);
int config_check_path(cfg_t *cfg, cfg_opt_t *opt);

/* libconfuse takes a second section of the same title for more of the first. For entries whose
 * order counts, and that may repeat: to be called of the last, once it is whole. Returns false
 * without memory. */
bool config_keep_apart(cfg_opt_t *opt);
/* The title of one that was kept apart. */
void config_title_of(cfg_t *section, char *title, size_t size);

/* "any" or a prefix; returns false for anything else. */
bool config_read_prefix(const char *text, struct config_prefix *prefix);

#endif

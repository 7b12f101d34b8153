/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files of certificates and keys as texts: the loader reads them, who serves gets them of it.
 */
#ifndef NATFWD_CREDENTIALS_H
#define NATFWD_CREDENTIALS_H

#include "reference-node/config/config.h"

struct credentials {
    struct credential {
        char *text; /* NULL: none; else with a NUL behind it */
        size_t length;
    } each[CONFIG_CREDENTIALS];
};

/* Returns false after saying on errors which file cannot be read, and why. */
bool credentials_read(const struct config_tls *tls, struct credentials *credentials, FILE *errors);
bool credentials_are_equal(const struct credentials *one, const struct credentials *other);
/* Leaves nothing of them in memory. */
void credentials_free(struct credentials *credentials);

#endif

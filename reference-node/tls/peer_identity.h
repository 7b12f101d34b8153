/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whom a secure association has authenticated, whatever has done so. RFC 5971 5.7.3.1. */
#ifndef NATFWD_PEER_IDENTITY_H
#define NATFWD_PEER_IDENTITY_H

#include "reference-node/config/config.h"

enum { PEER_IDENTITY_TEXT_SIZE = 320 };

struct peer_identity {
    const void *context;
    /* Whether this identity is one of its own; "*" is one of everybody's who has any in the
     * namespace. */
    bool (*is)(const void *context, enum config_namespace namespace, const char *identity);
    /* As it shows itself, for a log: printable. */
    void (*write)(const void *context, char text[PEER_IDENTITY_TEXT_SIZE]);
};

#endif

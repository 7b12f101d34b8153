/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which capabilities this process has, and those that it runs. */
#ifndef NATFWD_PRIVILEGES_H
#define NATFWD_PRIVILEGES_H

#include <stdbool.h>

/* Keeps CAP_NET_ADMIN (elements, conntrack) and CAP_NET_RAW (Queries) only, for this process and
 * all that it may ever run. Returns false with errno set. */
bool privileges_drop(void);

/* Lets programs that this process runs have a capability that it has itself, whatever its user.
 * Returns false with errno set. */
bool privileges_hand_on(unsigned capability);

#endif

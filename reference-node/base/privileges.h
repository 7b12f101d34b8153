/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gives up every capability that the running daemon does not need. */
#ifndef NATFWD_PRIVILEGES_H
#define NATFWD_PRIVILEGES_H

#include <stdbool.h>

/* Keeps CAP_NET_ADMIN (elements, conntrack) and CAP_NET_RAW (Queries) only, for this process and
 * all that it may ever run. Returns false with errno set. */
bool privileges_drop(void);

#endif

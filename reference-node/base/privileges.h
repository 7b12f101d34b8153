/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gives up what the running daemon does not need: its user, the files that it sees, capabilities.
 */
#ifndef NATFWD_PRIVILEGES_H
#define NATFWD_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

struct privileges_user {
    uid_t user;
    gid_t group;
};

/* Finds a user by name or number; a number without an entry is its own group. Returns false when
 * there is none. */
bool privileges_find_user(const char *name, struct privileges_user *user);

/* Whether this process has what natfwd needs to start: CAP_NET_ADMIN and CAP_NET_RAW. */
bool privileges_suffice(void);

/* From now on no file can be opened by a path, for the root is an empty folder that nobody can
 * write to. Returns false with errno set. */
bool privileges_empty_root(void);

/* The same for those who may not change the root: nothing can be opened, made or removed by a path,
 * where the kernel has Landlock. For whom privileges_drop has denied new ones. Returns false with
 * errno set. */
bool privileges_close_files(void);

/* Becomes this user, where this process is root's, and keeps CAP_NET_ADMIN (elements, conntrack)
 * and CAP_NET_RAW (Queries) only, for itself and all that it may ever run. Returns false with errno
 * set. */
bool privileges_drop(const struct privileges_user *user);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session's snapshot as one line of JSON, and back. */
#ifndef NATFWD_RECORD_H
#define NATFWD_RECORD_H

#include "core/natfw/snapshot.h"

/* Octets of the longest line: two identities of 255 octets, 255 ICMP types, IPv6. */
enum { RECORD_MAX = 2560 };

/* Both clocks at one moment: the one that the node runs on, and that of the wall, which goes on
 * over a boot. */
struct record_time {
    uint64_t node_ms;
    uint64_t wall_ms;
};

/* Returns the length of the line, without newline or NUL; 0 without memory. */
size_t record_write(
    const struct natfw_snapshot *snapshot, struct record_time now, char line[RECORD_MAX]);

/* Returns false when the line is no record. With same_boot false its times are read by the wall's
 * clock. */
bool record_read(
    const char *line, struct record_time now, bool same_boot, struct natfw_snapshot *snapshot);

#endif

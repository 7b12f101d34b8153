/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What natfwctl exits with; natfwctl(1) promises these. */
#ifndef NATFWCTL_EXIT_STATUS_H
#define NATFWCTL_EXIT_STATUS_H

enum exit_status {
    EXIT_OK = 0,
    EXIT_REFUSED = 1, /* or no answer */
    EXIT_USAGE = 2,
    EXIT_NOT_RUNNING = 3,
    EXIT_NOT_ALLOWED = 4,
    EXIT_GONE = 5 /* natfwd ended while it was asked or watched */
};

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ends the daemons of a test that has failed: they outlive it, for the kernel drops a wish to die
 * with one's parent when natfwd becomes another user. */
#ifndef NATFWD_TESTS_UNDERTAKER_H
#define NATFWD_TESTS_UNDERTAKER_H

#include <sys/types.h>

/* Returns where to tell it. It ends by itself when the test does. */
int undertaker_start(void);

/* A process that is to end with the test, and one that has ended and was waited for. */
void undertaker_watch(int undertaker, pid_t process);
void undertaker_forget(int undertaker, pid_t process);

#endif

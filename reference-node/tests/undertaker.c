/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A process that reads what lives, until its writer is gone; see undertaker.h. */
#include "reference-node/tests/undertaker.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { WATCHED_MAX = 16 };

static void replace(pid_t watched[WATCHED_MAX], pid_t old, pid_t new)
{
    for (size_t i = 0; i < WATCHED_MAX; i++)
        if (watched[i] == old) {
            watched[i] = new;
            return;
        }
}

static void watch_until_the_end(int told)
{
    pid_t watched[WATCHED_MAX] = {0}, process;
    while (read(told, &process, sizeof(process)) == sizeof(process)) {
        if (process > 0)
            replace(watched, 0, process);
        else
            replace(watched, -process, 0);
    }
    for (size_t i = 0; i < WATCHED_MAX; i++)
        if (watched[i] > 0)
            kill(watched[i], SIGKILL);
}

int undertaker_start(void)
{
    int pipes[2];
    cr_assert(pipe2(pipes, O_CLOEXEC) == 0);
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        close(pipes[1]);
        watch_until_the_end(pipes[0]);
        _exit(0);
    }
    close(pipes[0]);
    return pipes[1];
}

static void tell(int undertaker, pid_t process)
{
    cr_assert(write(undertaker, &process, sizeof(process)) == sizeof(process));
}

void undertaker_watch(int undertaker, pid_t process)
{
    tell(undertaker, process);
}

void undertaker_forget(int undertaker, pid_t process)
{
    tell(undertaker, -process);
}

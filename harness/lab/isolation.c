/* Namespaces of the lab; see isolation.h. */
#define _GNU_SOURCE
#include "isolation.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child;
static volatile sig_atomic_t ended_by;
static volatile sig_atomic_t *terminal_is_given; /* shared by parent and child */

void isolation_give_terminal(bool is_given)
{
    *terminal_is_given = is_given;
}

/* The first process of a namespace hears no signal that it has no handler for, but for this one;
 * with it all that the namespaces hold goes. */
static void end_child(int number)
{
    if (number == SIGINT && *terminal_is_given)
        return;
    ended_by = number;
    kill(child, SIGKILL);
}

static void wait_and_exit(void)
{
    int status;
    signal(SIGINT, end_child);
    signal(SIGTERM, end_child);
    signal(SIGHUP, end_child);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            _exit(3);
    if (ended_by)
        _exit(128 + ended_by);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static int mount_own_view(const char **what)
{
    *what = "making the mounts private";
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -errno;
    *what = "mounting /proc";
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        return -errno;
    *what = "mounting /run";
    if (mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
        return -errno;
    return 0;
}

int isolation_enter(const char **what)
{
    int parent_lives[2]; /* only the parent holds the end for writing */
    *what = "memory for parent and child";
    terminal_is_given = mmap(NULL, sizeof(*terminal_is_given), PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (terminal_is_given == MAP_FAILED)
        return -errno;
    *what = "new namespaces (are you root?)";
    if (unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
        return -errno;
    *what = "fork";
    if (pipe2(parent_lives, O_CLOEXEC) < 0)
        return -errno;
    child = fork();
    if (child < 0)
        return -errno;
    if (child > 0)
        wait_and_exit();
    close(parent_lives[1]);
    *what = "tying the lab to its parent";
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return -errno;
    /* Of one that died before the call above no signal comes. */
    struct pollfd parent = {.fd = parent_lives[0]};
    if (poll(&parent, 1, 0) != 0)
        _exit(3);
    close(parent_lives[0]);
    return mount_own_view(what);
}

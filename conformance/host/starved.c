/* What the kernel's scheduler says of a process: how long it ran, how long it was ready and did
 * not, and whether it is ready now; see starved.h. */
#include "starved.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The kernel counts a wait when it is over. Until then it shows as a process that is ready and does
 * not run. */
static struct {
    int schedstat_fd;
    int stat_fd;
    unsigned long long ran_ns;
    unsigned long long waited_ns;
    double ready_since_ms; /* negative where it runs, or sleeps */
} watch = {.schedstat_fd = -1, .stat_fd = -1, .ready_since_ms = -1};

static int open_in(const char *folder, const char *name)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    return length > 0 && length < (int)sizeof path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}

static bool read_whole(int fd, char *text, size_t size)
{
    ssize_t length = pread(fd, text, size - 1, 0);
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

static bool read_times(unsigned long long *ran_ns, unsigned long long *waited_ns)
{
    char text[128], *end = text;
    if (!read_whole(watch.schedstat_fd, text, sizeof text)) {
        return false;
    }
    *ran_ns = strtoull(text, &end, 10);
    *waited_ns = strtoull(end, &end, 10);
    return *end == ' ';
}

/* The state stands behind the name, which may hold anything. */
static bool is_ready(void)
{
    char text[512];
    const char *end = read_whole(watch.stat_fd, text, sizeof text) ? strrchr(text, ')') : NULL;
    return end && strncmp(end, ") R", 3) == 0;
}

bool starved_watch(const char *folder)
{
    if (watch.schedstat_fd >= 0) {
        close(watch.schedstat_fd);
    }
    if (watch.stat_fd >= 0) {
        close(watch.stat_fd);
    }
    watch.schedstat_fd = open_in(folder, "schedstat");
    watch.stat_fd = open_in(folder, "stat");
    watch.ready_since_ms = -1;
    return watch.stat_fd >= 0 && read_times(&watch.ran_ns, &watch.waited_ns);
}

struct span starved_look(double now_ms)
{
    struct span wait = {.from_ms = now_ms, .to_ms = now_ms};
    unsigned long long ran_ns, waited_ns;
    if (watch.schedstat_fd < 0 || !read_times(&ran_ns, &waited_ns)) {
        return wait;
    }
    wait.from_ms -= (double)(waited_ns - watch.waited_ns) / 1e6;
    if (!is_ready() || ran_ns != watch.ran_ns) {
        watch.ready_since_ms = -1;
    } else if (watch.ready_since_ms < 0) {
        watch.ready_since_ms = now_ms;
    } else if (watch.ready_since_ms < wait.from_ms) {
        wait.from_ms = watch.ready_since_ms;
    }
    watch.ran_ns = ran_ns;
    watch.waited_ns = waited_ns;
    return wait;
}

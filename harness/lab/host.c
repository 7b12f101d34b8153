/* Hosts as network namespaces; see host.h. */
#define _GNU_SOURCE
#include "host.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int home_fd = -1;

bool host_name_is_valid(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > HOST_NAME_MAX_LENGTH)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '-')
            return false;
    return true;
}

int host_remember_home(void)
{
    home_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    return home_fd < 0 ? -errno : 0;
}

void host_leave(void)
{
    if (setns(home_fd, CLONE_NEWNET) < 0)
        abort(); /* going on in the wrong namespace would touch somebody else's network */
}

int host_enter(const struct host *host)
{
    return setns(host->namespace_fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

static int raise_loopback(void)
{
    struct ifreq request = {.ifr_flags = IFF_UP | IFF_RUNNING};
    strcpy(request.ifr_name, "lo");
    int handle = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int result = handle < 0 || ioctl(handle, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
    if (handle >= 0)
        close(handle);
    return result;
}

static int bind_name(const char *name)
{
    char path[64];
    snprintf(path, sizeof(path), "/run/hosts/%s", name);
    mkdir("/run/hosts", 0755);
    int handle = open(path, O_CREAT | O_EXCL | O_RDONLY | O_CLOEXEC, 0444);
    if (handle < 0)
        return -errno;
    close(handle);
    return mount("/proc/thread-self/ns/net", path, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
}

int host_create(struct host *host, const char *name)
{
    strcpy(host->name, name);
    if (unshare(CLONE_NEWNET) < 0)
        return -errno;
    host->namespace_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    int result = host->namespace_fd < 0 ? -errno : raise_loopback();
    if (result == 0)
        result = bind_name(name);
    host_leave();
    return result;
}

void host_destroy(struct host *host)
{
    char path[64];
    snprintf(path, sizeof(path), "/run/hosts/%s", host->name);
    umount2(path, MNT_DETACH);
    unlink(path);
    close(host->namespace_fd);
}

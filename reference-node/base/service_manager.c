/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a service manager hears; see service_manager.h. */
#include "reference-node/base/service_manager.h"

#include "reference-node/base/clock.h"
#include "reference-node/base/log.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct service_manager {
    int socket;
    struct event *watchdog; /* NULL: not wanted */
    struct timeval interval;
};

/* Returns a connected socket, or -1 with errno set. A name that begins with @ is abstract. */
static int connect_to(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    if (length == 0 || length >= sizeof(address.sun_path) || !strchr("/@", name[0])) {
        errno = EINVAL;
        return -1;
    }
    memcpy(address.sun_path, name, length);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (descriptor >= 0 && connect(descriptor, (struct sockaddr *)&address, size) == 0)
        return descriptor;
    int error = errno;
    if (descriptor >= 0)
        close(descriptor);
    errno = error;
    return -1;
}

/* A datagram that the manager has no room for is lost: it must not hold up the loop. */
static void say(const struct service_manager *manager, const char *text)
{
    if (send(manager->socket, text, strlen(text), MSG_NOSIGNAL) < 0)
        log_line(LOG_LEVEL_WARNING, "NOTIFY_SOCKET: %s", strerror(errno));
}

static void on_watchdog(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    say(context, "WATCHDOG=1");
}

/* Microseconds between signs of life, 0 where none are wanted of this process. */
static unsigned long long watchdog_interval_us(void)
{
    const char *period = getenv("WATCHDOG_USEC"), *process = getenv("WATCHDOG_PID");
    if (!period || (process && strtoll(process, NULL, 10) != getpid()))
        return 0;
    return strtoull(period, NULL, 10) / 2;
}

struct service_manager *service_manager_create(struct event_base *base)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct service_manager *manager = name ? calloc(1, sizeof(*manager)) : NULL;
    if (!manager)
        return NULL;
    unsigned long long interval_us = watchdog_interval_us();
    manager->socket = connect_to(name);
    if (manager->socket < 0) {
        log_line(LOG_LEVEL_WARNING, "NOTIFY_SOCKET %s: %s", name, strerror(errno));
        free(manager);
        return NULL;
    }
    manager->interval.tv_sec = (time_t)(interval_us / 1000000);
    manager->interval.tv_usec = (suseconds_t)(interval_us % 1000000);
    if (interval_us > 0)
        manager->watchdog = event_new(base, -1, EV_PERSIST, on_watchdog, manager);
    return manager;
}

void service_manager_destroy(struct service_manager *manager)
{
    if (!manager)
        return;
    if (manager->watchdog)
        event_free(manager->watchdog);
    close(manager->socket);
    free(manager);
}

void service_manager_tell(struct service_manager *manager, enum service_state state)
{
    char reloading[64];
    if (!manager)
        return;
    if (state == SERVICE_RELOADING) {
        snprintf(reloading, sizeof(reloading), "RELOADING=1\nMONOTONIC_USEC=%llu000",
            (unsigned long long)clock_now_ms());
        say(manager, reloading);
        return;
    }
    say(manager, state == SERVICE_READY ? "READY=1" : "STOPPING=1");
    if (state == SERVICE_READY && manager->watchdog)
        event_add(manager->watchdog, &manager->interval);
}

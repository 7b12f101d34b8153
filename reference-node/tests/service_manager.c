/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What comes out of NOTIFY_SOCKET, with the test as the service manager. */
#include "reference-node/base/service_manager.h"

#include "reference-node/base/clock.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000 };

/* Listens as a manager does, and names the socket in the environment. */
static int manager_socket(bool is_abstract)
{
    char name[64];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(
        name, sizeof(name), "%s/tmp/natfwd-test-notify-%d", is_abstract ? "@" : "", (int)getpid());
    memcpy(address.sun_path, name, strlen(name));
    if (is_abstract)
        address.sun_path[0] = '\0';
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    unlink(name);
    cr_assert(bind(descriptor, (struct sockaddr *)&address, size) == 0);
    setenv("NOTIFY_SOCKET", name, 1);
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return descriptor;
}

static void expect_heard(int descriptor, const char *expected)
{
    char heard[128] = "";
    struct pollfd wait = {.fd = descriptor, .events = POLLIN};
    cr_assert(poll(&wait, 1, PATIENCE_MS) == 1, "nothing is said, not %s", expected);
    cr_assert(recv(descriptor, heard, sizeof(heard) - 1, 0) > 0);
    cr_assert(strncmp(heard, expected, strlen(expected)) == 0, "%s", heard);
}

static bool is_silent(int descriptor)
{
    char heard[128];
    return recv(descriptor, heard, sizeof(heard), MSG_DONTWAIT) < 0;
}

static void tell_all(bool is_abstract)
{
    int descriptor = manager_socket(is_abstract);
    struct event_base *base = event_base_new();
    struct service_manager *manager = service_manager_create(base);
    cr_assert(manager && is_silent(descriptor));
    service_manager_tell(manager, SERVICE_READY);
    expect_heard(descriptor, "READY=1");
    service_manager_tell(manager, SERVICE_RELOADING);
    expect_heard(descriptor, "RELOADING=1\nMONOTONIC_USEC=");
    service_manager_tell(manager, SERVICE_READY);
    expect_heard(descriptor, "READY=1");
    service_manager_tell(manager, SERVICE_STOPPING);
    expect_heard(descriptor, "STOPPING=1");
    service_manager_destroy(manager);
    event_base_free(base);
    unlink(getenv("NOTIFY_SOCKET"));
}

Test(service_manager, hears_when_the_daemon_is_ready_reloads_and_stops)
{
    tell_all(false);
    tell_all(true);
}

Test(service_manager, may_not_be_there)
{
    struct event_base *base = event_base_new();
    unsetenv("NOTIFY_SOCKET");
    cr_assert(!service_manager_create(base));
    setenv("NOTIFY_SOCKET", "/nowhere/notify", 1);
    cr_assert(!service_manager_create(base));
    setenv("NOTIFY_SOCKET", "relative", 1);
    cr_assert(!service_manager_create(base));
    service_manager_tell(NULL, SERVICE_READY);
    service_manager_destroy(NULL);
    event_base_free(base);
}

/* Runs the loop until something is said or the time is over. */
static void run_loop(struct event_base *base, int descriptor, uint64_t within_ms)
{
    struct pollfd wait = {.fd = descriptor, .events = POLLIN};
    uint64_t start_ms = clock_now_ms();
    while (poll(&wait, 1, 0) == 0 && clock_now_ms() - start_ms < within_ms)
        event_base_loop(base, EVLOOP_NONBLOCK);
}

Test(service_manager, hears_signs_of_life_from_the_loop_once_it_is_ready)
{
    int descriptor = manager_socket(false);
    setenv("WATCHDOG_USEC", "100000", 1);
    struct event_base *base = event_base_new();
    struct service_manager *manager = service_manager_create(base);
    run_loop(base, descriptor, 150);
    cr_assert(is_silent(descriptor), "before it is ready");
    service_manager_tell(manager, SERVICE_READY);
    expect_heard(descriptor, "READY=1");
    uint64_t start_ms = clock_now_ms(), last_ms = start_ms, shortest_ms = PATIENCE_MS;
    for (unsigned i = 1; i <= 10; i++) {
        run_loop(base, descriptor, PATIENCE_MS);
        expect_heard(descriptor, "WATCHDOG=1");
        uint64_t now_ms = clock_now_ms();
        cr_assert(now_ms - start_ms >= 50 * i - 5, "too often");
        shortest_ms = now_ms - last_ms < shortest_ms ? now_ms - last_ms : shortest_ms;
        last_ms = now_ms;
    }
    cr_assert(shortest_ms < 75, "not twice within 100 ms, whatever else the machine does");
    service_manager_destroy(manager);
    event_base_free(base);
    unlink(getenv("NOTIFY_SOCKET"));
}

Test(service_manager, hears_no_sign_of_life_that_another_process_is_asked_for)
{
    int descriptor = manager_socket(false);
    setenv("WATCHDOG_USEC", "20000", 1);
    setenv("WATCHDOG_PID", "1", 1);
    struct event_base *base = event_base_new();
    struct service_manager *manager = service_manager_create(base);
    service_manager_tell(manager, SERVICE_READY);
    expect_heard(descriptor, "READY=1");
    run_loop(base, descriptor, 100);
    cr_assert(is_silent(descriptor));
    service_manager_destroy(manager);
    event_base_free(base);
    unlink(getenv("NOTIFY_SOCKET"));
}

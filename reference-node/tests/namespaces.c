/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Network namespaces for tests; see namespaces.h. */
#include "reference-node/tests/namespaces.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COMMAND_MAX = 1024 };

void run(const char *format, ...)
{
    char command[COMMAND_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    cr_assert(system(command) == 0, "failed: %s", command);
}

char *output_of(const char *format, ...)
{
    char command[COMMAND_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    FILE *stream = popen(command, "re");
    cr_assert(stream);
    char *text = NULL;
    size_t length;
    FILE *copy = open_memstream(&text, &length);
    cr_assert(copy);
    for (int c; (c = fgetc(stream)) != EOF;)
        fputc(c, copy);
    fclose(copy);
    cr_assert(pclose(stream) == 0, "failed: %s", command);
    return text;
}

int namespace_enter_new(void)
{
    cr_assert(unshare(CLONE_NEWNET) == 0, "kernel tests need root (CAP_SYS_ADMIN): run them so");
    int descriptor = open("/proc/self/ns/net", O_RDONLY);
    cr_assert(descriptor >= 0);
    run("ip link set lo up");
    return descriptor;
}

void namespace_enter(int descriptor)
{
    cr_assert(setns(descriptor, CLONE_NEWNET) == 0);
}

static void join(int descriptor, const char *name, const char *address, const char *gateway)
{
    namespace_enter(descriptor);
    run("ip addr add %s/24 dev %s && ip link set %s up", address, name, name);
    if (gateway)
        run("ip route add default via %s", gateway);
}

void path_connect_left(const struct path *path)
{
    namespace_enter(path->middle);
    run("ip link add inside type veth peer name wire netns /proc/%d/fd/%d", getpid(), path->left);
    join(path->middle, "inside", "192.0.2.1", NULL);
    join(path->left, "wire", "192.0.2.2", "192.0.2.1");
    namespace_enter(path->middle);
}

void path_connect_right(const struct path *path)
{
    namespace_enter(path->middle);
    run("ip link add outside type veth peer name wire netns /proc/%d/fd/%d", getpid(), path->right);
    join(path->middle, "outside", "198.51.100.1", NULL);
    join(path->right, "wire", "198.51.100.2", "198.51.100.1");
    namespace_enter(path->middle);
}

struct path path_make(void)
{
    struct path path = {.left = namespace_enter_new(), .right = namespace_enter_new()};
    path.middle = namespace_enter_new();
    run("echo 1 >/proc/sys/net/ipv4/ip_forward");
    path_connect_left(&path);
    path_connect_right(&path);
    return path;
}

struct config path_firewall_config(void)
{
    static struct config_interface interfaces[] = {
        {.name = "inside", .side = CONFIG_SIDE_INTERNAL, .default_deny = true},
        {.name = "outside", .side = CONFIG_SIDE_EXTERNAL, .default_deny = true}};
    struct config config = {.interfaces = interfaces,
        .interface_count = 2,
        .table = "natfw",
        .mark = 0x10e,
        .route_table = 270,
        .pinholes_max = 1000};
    config.natfw.forwarder = true;
    config.gist.association_port = 30270;
    return config;
}

size_t count_elements(void)
{
    char *text = output_of("nft list set inet natfw pinholes");
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, "expires")); at++)
        count++;
    free(text);
    return count;
}

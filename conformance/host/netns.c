/* Network namespaces: opened by path, entered to make a socket, left at once. */
#define _GNU_SOURCE
#include "netns.h"

#include "binding.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int home = -1;

struct host_netns *host_check_netns(lua_State *L, int index)
{
    return luaL_checkudata(L, index, HOST_NETNS);
}

bool host_enter(const struct host_netns *netns)
{
    return setns(netns->fd, CLONE_NEWNET) == 0;
}

void host_leave(void)
{
    if (setns(home, CLONE_NEWNET) != 0) {
        /* Every later socket would be in the wrong stack: nothing sensible can follow. */
        static const char text[] = "natfw-conform: cannot return to the first network namespace\n";
        (void)!write(STDERR_FILENO, text, sizeof text - 1);
        _exit(3);
    }
}

int host_socket_in(const struct host_netns *netns, int type, int protocol)
{
    if (!host_enter(netns)) {
        return -1;
    }
    int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    int error = errno;
    host_leave();
    errno = error;
    return fd;
}

struct sockaddr_in host_address(lua_State *L, int address_index, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    const char *text = luaL_checkstring(L, address_index);
    if (inet_pton(AF_INET, text, &address.sin_addr) != 1) {
        luaL_error(L, "'%s' is not an IPv4 address", text);
    }
    return address;
}

static int netns_open(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return host_fail(L, path);
    }
    struct host_netns probe = {.fd = fd};
    if (!host_enter(&probe)) {
        host_fail(L, path);
        close(fd);
        return 2;
    }
    host_leave();
    struct host_netns *netns = lua_newuserdatauv(L, sizeof *netns, 0);
    netns->fd = fd;
    netns->claim = -1;
    luaL_setmetatable(L, HOST_NETNS);
    return 1;
}

static int netns_close(lua_State *L)
{
    struct host_netns *netns = host_check_netns(L, 1);
    if (netns->fd >= 0) {
        close(netns->fd);
        netns->fd = -1;
    }
    if (netns->claim >= 0) {
        close(netns->claim);
        netns->claim = -1;
    }
    return 0;
}

static void run_ip(const struct host_netns *netns, int output, char *const *arguments)
{
    if (host_enter(netns) && dup2(output, STDERR_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0) {
        execvp("ip", arguments);
        dprintf(output, "ip: %s", strerror(errno));
    }
    _exit(127);
}

/* Runs it there, and waits. Returns its status, or -1 and errno; what it says goes to text. */
static int wait_for_ip(
    const struct host_netns *netns, char *const *arguments, char *text, size_t size)
{
    int ends[2];
    int status = -1;
    text[0] = '\0';
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -1;
    }
    pid_t child = fork();
    if (child == 0) {
        run_ip(netns, ends[1], arguments);
    }
    int error = errno;
    close(ends[1]);
    if (child > 0) {
        ssize_t length = read(ends[0], text, size - 1);
        text[length > 0 ? length : 0] = '\0';
        waitpid(child, &status, 0);
    }
    close(ends[0]);
    errno = error;
    return status;
}

/* netns:ip("route", "add", …) runs iproute2 there: true, or nil and what it said. */
static int netns_ip(lua_State *L)
{
    struct host_netns *netns = host_check_netns(L, 1);
    enum { MOST = 24 };
    char text[512];
    char *arguments[MOST + 2] = {(char[]){"ip"}};
    int count = lua_gettop(L) - 1;
    luaL_argcheck(L, count <= MOST, 2, "too many arguments");
    for (int i = 0; i < count; i++) {
        /* A copy that Lua frees, whatever happens: exec does not take a constant. */
        size_t length;
        const char *word = luaL_checklstring(L, i + 2, &length);
        arguments[i + 1] = memcpy(lua_newuserdatauv(L, length + 1, 0), word, length + 1);
    }
    int status = wait_for_ip(netns, arguments, text, sizeof text);
    if (status < 0) {
        return host_fail(L, "ip");
    }
    if (status == 0) {
        lua_pushboolean(L, 1);
        return 1;
    }
    luaL_pushfail(L);
    lua_pushstring(L, text);
    return 2;
}

/* netns:claim(): true, or nil and why where another runner plays in this namespace. An abstract
 * socket is of its namespace, and goes with its process. */
static int netns_claim(lua_State *L)
{
    struct host_netns *netns = host_check_netns(L, 1);
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0natfw-conform"};
    if (!host_enter(netns)) {
        return host_fail(L, "cannot enter the namespace");
    }
    netns->claim = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool is_ours =
        netns->claim >= 0 && bind(netns->claim, (struct sockaddr *)&name, sizeof name) == 0;
    int error = errno;
    host_leave();
    if (is_ours) {
        lua_pushboolean(L, true);
        return 1;
    }
    errno = error;
    return error == EADDRINUSE ? host_fail(L, "another natfw-conform plays here")
                               : host_fail(L, "cannot claim the namespace");
}

void host_open_netns(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"close", netns_close}, {"ip", netns_ip}, {"claim", netns_claim}, {NULL, NULL}};
    home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    host_class(L, HOST_NETNS, methods);
    lua_pushcfunction(L, netns_open);
    lua_setfield(L, -2, "netns");
}

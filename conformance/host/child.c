/* Children behind the shim protocol; see child.h, and docs/shim-protocol.md for the frames. */
#include "child.h"

#include "binding.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HEADER_LENGTH = 4, FRAME_MAX = 1048576 }; /* octets */
enum { PATIENCE_MS = 2000 };                     /* between being told to end and being killed */

struct child {
    pid_t process; /* 0: none */
    int fd;        /* both directions */
    size_t filled;
    size_t taken; /* octets of `octets` that were handed out */
    uint8_t octets[HEADER_LENGTH + FRAME_MAX];
};

static struct child *check_child(lua_State *L)
{
    return luaL_checkudata(L, 1, "host.child");
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static _Noreturn void run_command(const char *command, int fd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0); /* what it starts is ended with it */
    signal(SIGPIPE, SIG_DFL);
    dup2(fd, STDIN_FILENO);
    dup2(fd, STDOUT_FILENO);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

static int child_start(lua_State *L)
{
    /* exec: the shell itself must not be what is ended and waited for. */
    const char *command = lua_pushfstring(L, "exec %s", luaL_checkstring(L, 1));
    struct child *child = lua_newuserdatauv(L, sizeof *child, 0);
    child->process = 0;
    child->filled = child->taken = 0;
    luaL_setmetatable(L, "host.child");
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return host_fail(L, "socketpair");
    }
    child->process = fork();
    if (child->process < 0) {
        child->process = 0;
        close(pair[0]);
        close(pair[1]);
        return host_fail(L, "fork");
    }
    if (child->process == 0) {
        run_command(command, pair[1]);
    }
    close(pair[1]);
    child->fd = pair[0];
    return 1;
}

/* Whether a whole frame lies in the buffer; a length that is none is whole, too. */
static bool has_frame(const struct child *child, uint32_t *length)
{
    const uint8_t *at = child->octets + child->taken;
    size_t left = child->filled - child->taken;
    if (left < HEADER_LENGTH) {
        return false;
    }
    *length = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    return *length == 0 || *length > FRAME_MAX || left >= HEADER_LENGTH + (size_t)*length;
}

static int instead_of_frame(lua_State *L, const char *what)
{
    lua_pushnil(L);
    lua_pushstring(L, what);
    return 2;
}

/* A child may write before it has read all: its octets are taken in the meantime. */
static bool wait_to_send(struct child *child, int64_t until_ms)
{
    bool has_room = child->filled < sizeof child->octets;
    struct pollfd wait = {.fd = child->fd, .events = has_room ? POLLIN | POLLOUT : POLLOUT};
    int64_t left_ms = until_ms - now_ms();
    if (left_ms <= 0 || poll(&wait, 1, (int)left_ms) <= 0) {
        return false;
    }
    if (wait.revents & POLLIN) {
        ssize_t got = recv(child->fd, child->octets + child->filled,
            sizeof child->octets - child->filled, MSG_DONTWAIT);
        child->filled += got > 0 ? (size_t)got : 0;
    }
    return true;
}

static int child_send(lua_State *L)
{
    struct child *child = check_child(L);
    size_t length;
    const char *octets = luaL_checklstring(L, 2, &length);
    int64_t until_ms = now_ms() + (int64_t)(luaL_checknumber(L, 3) * 1000);
    while (child->process != 0 && length > 0) {
        ssize_t written = send(child->fd, octets, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (written > 0) {
            octets += written;
            length -= (size_t)written;
        } else if (errno != EINTR && errno != EAGAIN) {
            return instead_of_frame(L, "end");
        } else if (errno == EAGAIN && !wait_to_send(child, until_ms)) {
            return instead_of_frame(L, "silence");
        }
    }
    if (child->process == 0) {
        return instead_of_frame(L, "end");
    }
    lua_pushboolean(L, true);
    return 1;
}

/* Reads once, within the time that is left. Returns NULL, or what came instead of octets. */
static const char *read_more(struct child *child, int64_t until_ms)
{
    memmove(child->octets, child->octets + child->taken, child->filled - child->taken);
    child->filled -= child->taken;
    child->taken = 0;
    int64_t left_ms = until_ms - now_ms();
    struct pollfd wait = {.fd = child->fd, .events = POLLIN};
    int ready = left_ms > 0 ? poll(&wait, 1, (int)left_ms) : 0;
    if (ready == 0) {
        return "silence";
    }
    if (ready < 0) {
        return errno == EINTR ? "signal" : "end";
    }
    ssize_t got =
        recv(child->fd, child->octets + child->filled, sizeof child->octets - child->filled, 0);
    if (got > 0) {
        child->filled += (size_t)got;
    }
    return got > 0 || (got < 0 && errno == EINTR) ? NULL : "end";
}

static int child_receive(lua_State *L)
{
    struct child *child = check_child(L);
    int64_t until_ms = now_ms() + (int64_t)(luaL_checknumber(L, 2) * 1000);
    uint32_t length;
    if (child->process == 0) {
        return instead_of_frame(L, "end");
    }
    while (!has_frame(child, &length)) {
        const char *instead = read_more(child, until_ms);
        if (instead) { /* the caller knows whether the signal matters */
            return instead_of_frame(L, instead);
        }
    }
    if (length == 0 || length > FRAME_MAX) {
        instead_of_frame(L, "length");
        lua_pushinteger(L, length);
        return 3;
    }
    const uint8_t *body = child->octets + child->taken + HEADER_LENGTH;
    lua_pushinteger(L, body[0]);
    lua_pushlstring(L, (const char *)body + 1, length - 1);
    child->taken += HEADER_LENGTH + length;
    return 2;
}

/* Whether octets have come that nobody has asked for. */
static int child_pending(lua_State *L)
{
    struct child *child = check_child(L);
    char octet;
    lua_pushboolean(
        L, child->taken < child->filled ||
               (child->process != 0 && recv(child->fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) > 0));
    return 1;
}

/* Waits for the end of a process that may have been told to end. */
static bool wait_for_end(pid_t process, int *status, int64_t until_ms)
{
    for (;;) {
        pid_t ended = waitpid(process, status, WNOHANG);
        if (ended != 0) {
            return ended == process;
        }
        if (now_ms() >= until_ms) {
            return false;
        }
        poll(NULL, 0, 1);
    }
}

static int child_close(lua_State *L)
{
    struct child *child = check_child(L);
    int status = 0;
    if (child->process == 0) {
        return 0;
    }
    close(child->fd);
    if (!wait_for_end(child->process, &status, now_ms() + PATIENCE_MS)) {
        kill(child->process, SIGKILL);
        waitpid(child->process, &status, 0);
    }
    kill(-child->process, SIGKILL);
    child->process = 0;
    if (WIFSIGNALED(status)) {
        lua_pushfstring(L, "signal %d, %s", WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else {
        lua_pushfstring(L, "exit status %d", WEXITSTATUS(status));
    }
    return 1;
}

void host_open_child(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"send", child_send},
        {"receive", child_receive},
        {"pending", child_pending},
        {"close", child_close},
        {NULL, NULL},
    };
    host_class(L, "host.child", methods);
    lua_pushcfunction(L, child_start);
    lua_setfield(L, -2, "child");
}

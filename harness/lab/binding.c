/* The lab's functions for Lua; see binding.h. Each returns nil and a message when it fails. */
#define _GNU_SOURCE
#include "binding.h"

#include "host.h"
#include "isolation.h"
#include "process.h"
#include "socket.h"
#include "wire.h"

#include <errno.h>
#include <lauxlib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ARGUMENTS_MAX = 64, PROCESSES_MAX = 256 };

static struct process *processes[PROCESSES_MAX];

static int failure(lua_State *lua, const char *what, int error)
{
    lua_pushnil(lua);
    lua_pushfstring(lua, "%s: %s", what, strerror(error));
    return 2;
}

static int new_host(lua_State *lua)
{
    const char *name = luaL_checkstring(lua, 1);
    if (!host_name_is_valid(name))
        return luaL_error(lua, "'%s' is no name for a host: letters, digits, dashes, at most %d",
            name, HOST_NAME_MAX_LENGTH);
    struct host *host = lua_newuserdatauv(lua, sizeof(*host), 0);
    int result = host_create(host, name);
    if (result < 0)
        return failure(lua, name, -result);
    luaL_setmetatable(lua, "host");
    return 1;
}

static const struct host *host_or_null(lua_State *lua, int index)
{
    return lua_isnoneornil(lua, index) ? NULL : luaL_checkudata(lua, index, "host");
}

static int new_wire(lua_State *lua)
{
    struct wire_end ends[2] = {
        {.host = luaL_checkudata(lua, 1, "host"), .interface = luaL_checkstring(lua, 2)},
        {.host = luaL_checkudata(lua, 3, "host"), .interface = luaL_checkstring(lua, 4)},
    };
    const char *what = "memory";
    struct wire *wire = wire_create(ends, luaL_optstring(lua, 5, NULL), &what);
    if (!wire)
        return failure(lua, what, errno);
    *(struct wire **)lua_newuserdatauv(lua, sizeof(wire), 0) = wire;
    luaL_setmetatable(lua, "wire");
    return 1;
}

static double number_field(lua_State *lua, const char *name)
{
    lua_getfield(lua, 2, name);
    double value = luaL_optnumber(lua, -1, 0);
    lua_pop(lua, 1);
    return value;
}

static int impair(lua_State *lua)
{
    struct wire **wire = luaL_checkudata(lua, 1, "wire");
    luaL_checktype(lua, 2, LUA_TTABLE);
    struct wire_impairment impairment = {
        .loss = number_field(lua, "loss"),
        .duplication = number_field(lua, "duplication"),
        .reordering = number_field(lua, "reordering"),
        .corruption = number_field(lua, "corruption"),
        .delay_ms = (unsigned)number_field(lua, "delay_ms"),
        .jitter_ms = (unsigned)number_field(lua, "jitter_ms"),
    };
    lua_getfield(lua, 2, "cut");
    impairment.cut = lua_toboolean(lua, -1);
    wire_impair(*wire, &impairment);
    return 0;
}

static int counters(lua_State *lua)
{
    struct wire **wire = luaL_checkudata(lua, 1, "wire");
    struct wire_counters now = wire_counters_of(*wire);
    lua_pushinteger(lua, (lua_Integer)now.carried);
    lua_pushinteger(lua, (lua_Integer)now.lost);
    return 2;
}

static void read_arguments(lua_State *lua, int index, const char *arguments[ARGUMENTS_MAX + 1])
{
    luaL_checktype(lua, index, LUA_TTABLE);
    size_t count = lua_rawlen(lua, index);
    luaL_argcheck(lua, count > 0 && count <= ARGUMENTS_MAX, index, "1 to 64 arguments");
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(lua, index, (lua_Integer)i + 1);
        arguments[i] = luaL_checkstring(lua, -1);
        lua_pop(lua, 1); /* the table keeps the string */
    }
    arguments[count] = NULL;
}

static int start(lua_State *lua)
{
    const char *arguments[ARGUMENTS_MAX + 1];
    const struct host *host = host_or_null(lua, 1);
    read_arguments(lua, 2, arguments);
    size_t place = 0;
    while (place < PROCESSES_MAX && processes[place])
        place++;
    if (place == PROCESSES_MAX)
        return luaL_error(lua, "more than %d programs", PROCESSES_MAX);
    struct process *process = calloc(1, sizeof(*process));
    if (!process)
        return failure(lua, arguments[0], ENOMEM);
    char *words[ARGUMENTS_MAX + 1];
    memcpy(words, arguments, sizeof(words)); /* exec does not write to them */
    int result = process_start(process, host, words, lua_toboolean(lua, 3), lua_toboolean(lua, 4));
    if (result < 0) {
        free(process);
        return failure(lua, arguments[0], -result);
    }
    processes[place] = process;
    *(struct process **)lua_newuserdatauv(lua, sizeof(process), 0) = process;
    luaL_setmetatable(lua, "process");
    return 1;
}

static struct process *process_at(lua_State *lua)
{
    struct process *process = *(struct process **)luaL_checkudata(lua, 1, "process");
    luaL_argcheck(lua, process, 1, "a process that is forgotten");
    return process;
}

/* A scenario of many programs makes room for the next. One that runs is ended. */
static int forget(lua_State *lua)
{
    struct process *process = process_at(lua);
    for (size_t i = 0; i < PROCESSES_MAX; i++)
        if (processes[i] == process)
            processes[i] = NULL;
    process_destroy(process);
    free(process);
    *(struct process **)lua_touserdata(lua, 1) = NULL;
    return 0;
}

/* wait(process, text or nil, from position, timeout in seconds) */
static int wait_for(lua_State *lua)
{
    struct process *process = process_at(lua);
    const char *text = luaL_optstring(lua, 2, NULL);
    size_t position = (size_t)luaL_optinteger(lua, 3, 0);
    double timeout_s = luaL_optnumber(lua, 4, 10);
    lua_pushboolean(lua, process_wait(process, text, position, (unsigned)(timeout_s * 1000)));
    return 1;
}

static int output(lua_State *lua)
{
    struct process *process = process_at(lua);
    process_wait(process, NULL, 0, 0);
    lua_pushlstring(lua, process->output ? process->output : "", process->output_length);
    return 1;
}

static int status(lua_State *lua)
{
    struct process *process = process_at(lua);
    process_wait(process, NULL, 0, 0);
    if (!process->ended)
        return 0;
    lua_pushinteger(lua, process->status);
    return 1;
}

static int send_signal(lua_State *lua)
{
    process_signal(process_at(lua), (int)luaL_checkinteger(lua, 2));
    return 0;
}

static int process_id(lua_State *lua)
{
    lua_pushinteger(lua, process_at(lua)->pid);
    return 1;
}

void binding_end_processes(void)
{
    for (size_t i = 0; i < PROCESSES_MAX; i++)
        if (processes[i])
            process_signal(processes[i], SIGTERM);
    for (size_t i = 0; i < PROCESSES_MAX; i++)
        if (processes[i])
            process_destroy(processes[i]);
}

static int now(lua_State *lua)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    lua_pushnumber(lua, (double)time.tv_sec + (double)time.tv_nsec / 1e9);
    return 1;
}

static int pause_for(lua_State *lua)
{
    double seconds = luaL_checknumber(lua, 1);
    struct timespec time = {
        .tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&time, NULL);
    return 0;
}

static int open_socket(lua_State *lua)
{
    const struct host *host = luaL_checkudata(lua, 1, "host");
    static const char *const kinds[] = {"udp", "tcp", NULL};
    int kind = luaL_checkoption(lua, 2, NULL, kinds);
    const char *address = luaL_checkstring(lua, 3);
    int port = (int)luaL_checkinteger(lua, 4);
    int handle = lab_socket_open(host, kind == 1, address, port);
    if (handle < 0)
        return failure(lua, address, -handle);
    lua_pushinteger(lua, handle);
    return 1;
}

static int answer(lua_State *lua, int result, const char *what)
{
    if (result < 0)
        return failure(lua, what, -result);
    lua_pushinteger(lua, result);
    return 1;
}

static int socket_listen(lua_State *lua)
{
    return answer(lua, lab_socket_listen((int)luaL_checkinteger(lua, 1)), "listen");
}

static int socket_accept(lua_State *lua)
{
    unsigned timeout_ms = (unsigned)(luaL_checknumber(lua, 2) * 1000);
    return answer(lua, lab_socket_accept((int)luaL_checkinteger(lua, 1), timeout_ms), "accept");
}

static int socket_connect(lua_State *lua)
{
    unsigned timeout_ms = (unsigned)(luaL_checknumber(lua, 4) * 1000);
    return answer(lua,
        lab_socket_connect((int)luaL_checkinteger(lua, 1), luaL_checkstring(lua, 2),
            (int)luaL_checkinteger(lua, 3), timeout_ms),
        "connect");
}

static int socket_send(lua_State *lua)
{
    size_t length;
    const char *data = luaL_checklstring(lua, 2, &length);
    int result = lab_socket_send((int)luaL_checkinteger(lua, 1), data, length,
        luaL_optstring(lua, 3, NULL), (int)luaL_optinteger(lua, 4, 0));
    return answer(lua, result, "send");
}

static int socket_receive(lua_State *lua)
{
    char data[65536];
    unsigned timeout_ms = (unsigned)(luaL_checknumber(lua, 2) * 1000);
    int length = lab_socket_receive((int)luaL_checkinteger(lua, 1), data, sizeof(data), timeout_ms);
    if (length < 0)
        return failure(lua, "receive", -length);
    lua_pushlstring(lua, data, (size_t)length);
    return 1;
}

static int socket_close(lua_State *lua)
{
    lab_socket_close((int)luaL_checkinteger(lua, 1));
    return 0;
}

static int give_terminal(lua_State *lua)
{
    isolation_give_terminal(lua_toboolean(lua, 1));
    return 0;
}

int binding_open(lua_State *lua)
{
    static const luaL_Reg functions[] = {{"host", new_host}, {"wire", new_wire}, {"impair", impair},
        {"counters", counters}, {"start", start}, {"forget", forget}, {"wait", wait_for},
        {"output", output}, {"status", status}, {"signal", send_signal}, {"pid", process_id},
        {"now", now}, {"pause", pause_for}, {"socket", open_socket}, {"listen", socket_listen},
        {"accept", socket_accept}, {"connect", socket_connect}, {"send", socket_send},
        {"receive", socket_receive}, {"close", socket_close}, {"give_terminal", give_terminal},
        {NULL, NULL}};
    luaL_newmetatable(lua, "host");
    luaL_newmetatable(lua, "wire");
    luaL_newmetatable(lua, "process");
    luaL_newlib(lua, functions);
    return 1;
}

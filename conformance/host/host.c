/* The module `host`: the loop, timers, signals, random octets, hashes and files. */
#include "host.h"

#include <errno.h>
#include <glob.h>
#include <openssl/evp.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct event_base *base;
static int kept_error = LUA_NOREF;

struct timer {
    struct event *event;
    lua_State *L;
    int function;
    int self;
};

struct event_base *host_base(void)
{
    return base;
}

double host_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int add_traceback(lua_State *L)
{
    luaL_traceback(L, L, lua_tostring(L, 1), 1);
    return 1;
}

void host_call(lua_State *L, int ref, int count)
{
    if (ref == LUA_NOREF || kept_error != LUA_NOREF) {
        lua_pop(L, count);
        return;
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
    lua_insert(L, -count - 1);
    int handler = lua_gettop(L) - count;
    lua_pushcfunction(L, add_traceback);
    lua_insert(L, handler);
    if (lua_pcall(L, count, 0, handler) != LUA_OK) {
        kept_error = luaL_ref(L, LUA_REGISTRYINDEX);
        event_base_loopbreak(base);
    }
    lua_remove(L, handler);
}

int host_ref_function(lua_State *L, int index)
{
    luaL_checktype(L, index, LUA_TFUNCTION);
    lua_pushvalue(L, index);
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

void host_unref(lua_State *L, int *ref)
{
    if (*ref != LUA_NOREF) {
        luaL_unref(L, LUA_REGISTRYINDEX, *ref);
        *ref = LUA_NOREF;
    }
}

void host_class(lua_State *L, const char *name, const luaL_Reg *methods)
{
    luaL_newmetatable(L, name);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    if (lua_getfield(L, -1, "close") == LUA_TFUNCTION) {
        lua_setfield(L, -2, "__gc");
    } else {
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

int host_fail(lua_State *L, const char *what)
{
    int error = errno;
    luaL_pushfail(L);
    lua_pushfstring(L, "%s: %s", what, strerror(error));
    return 2;
}

/* Timers ------------------------------------------------------------------------------------- */

static int timer_cancel(lua_State *L)
{
    struct timer *timer = luaL_checkudata(L, 1, "host.timer");
    if (timer->event) {
        event_free(timer->event);
        timer->event = NULL;
    }
    host_unref(L, &timer->function);
    host_unref(L, &timer->self);
    return 0;
}

static void timer_fired(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct timer *timer = argument;
    lua_State *L = timer->L;
    int function = timer->function;
    timer->function = LUA_NOREF;
    event_free(timer->event);
    timer->event = NULL;
    host_unref(L, &timer->self);
    host_call(L, function, 0);
    host_unref(L, &function);
}

static int host_after(lua_State *L)
{
    double delay_ms = luaL_checknumber(L, 1);
    int function = host_ref_function(L, 2);
    struct timer *timer = lua_newuserdatauv(L, sizeof *timer, 0);
    lua_getfield(L, LUA_REGISTRYINDEX, "host.main");
    lua_State *main_state = lua_tothread(L, -1);
    lua_pop(L, 1);
    *timer = (struct timer){.L = main_state, .function = function, .self = LUA_NOREF};
    luaL_setmetatable(L, "host.timer");
    timer->event = evtimer_new(base, timer_fired, timer);
    if (!timer->event) {
        return luaL_error(L, "no memory for a timer");
    }
    long whole_us = delay_ms > 0 ? (long)(delay_ms * 1e3) : 0;
    struct timeval delay = {.tv_sec = whole_us / 1000000, .tv_usec = whole_us % 1000000};
    evtimer_add(timer->event, &delay);
    lua_pushvalue(L, -1);
    timer->self = luaL_ref(L, LUA_REGISTRYINDEX);
    return 1;
}

/* The loop ----------------------------------------------------------------------------------- */

static int host_run(lua_State *L)
{
    event_base_dispatch(base);
    if (kept_error != LUA_NOREF) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, kept_error);
        host_unref(L, &kept_error);
        return lua_error(L);
    }
    return 0;
}

static int host_stop(lua_State *L)
{
    (void)L;
    event_base_loopbreak(base);
    return 0;
}

static int host_now(lua_State *L)
{
    lua_pushnumber(L, host_now_ms());
    return 1;
}

static void signalled(evutil_socket_t number, short what, void *argument)
{
    (void)what;
    lua_State *L = argument;
    if (lua_getfield(L, LUA_REGISTRYINDEX, "host.on_signal") != LUA_TFUNCTION) {
        lua_pop(L, 1);
        return;
    }
    int function = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushinteger(L, number);
    host_call(L, function, 1);
    luaL_unref(L, LUA_REGISTRYINDEX, function);
}

static int host_on_signal(lua_State *L)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_setfield(L, LUA_REGISTRYINDEX, "host.on_signal");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct event *event = evsignal_new(base, numbers[i], signalled, L);
        if (!event || event_add(event, NULL) != 0) {
            return luaL_error(L, "cannot watch for signal %d", numbers[i]);
        }
    }
    return 0;
}

/* Helpers ------------------------------------------------------------------------------------ */

static int host_random(lua_State *L)
{
    char octets[256];
    lua_Integer count = luaL_checkinteger(L, 1);
    luaL_argcheck(L, count >= 0 && count <= (lua_Integer)sizeof octets, 1, "out of range");
    if (getrandom(octets, (size_t)count, 0) != (ssize_t)count) {
        return luaL_error(L, "no random octets");
    }
    lua_pushlstring(L, octets, (size_t)count);
    return 1;
}

static int host_sha256(lua_State *L)
{
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_size = 0;
    if (!EVP_Digest(text, size, digest, &digest_size, EVP_sha256(), NULL)) {
        return luaL_error(L, "cannot compute SHA-256");
    }
    luaL_Buffer hex;
    luaL_buffinit(L, &hex);
    for (unsigned i = 0; i < digest_size; i++) {
        luaL_addchar(&hex, "0123456789abcdef"[digest[i] >> 4]);
        luaL_addchar(&hex, "0123456789abcdef"[digest[i] & 15]);
    }
    luaL_pushresult(&hex);
    return 1;
}

/* The files that match a pattern, sorted. */
static int host_glob(lua_State *L)
{
    glob_t found = {0};
    int result = glob(luaL_checkstring(L, 1), 0, NULL, &found);
    lua_newtable(L);
    for (size_t i = 0; result == 0 && i < found.gl_pathc; i++) {
        lua_pushstring(L, found.gl_pathv[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    globfree(&found);
    return 1;
}

/* Makes the folder unless it is there: true, or nil and why. */
static int host_make_folder(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        return host_fail(L, path);
    }
    lua_pushboolean(L, 1);
    return 1;
}

static int host_is_terminal(lua_State *L)
{
    lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
    return 1;
}

int host_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"now", host_now}, {"after", host_after},
        {"run", host_run}, {"stop", host_stop}, {"on_signal", host_on_signal},
        {"random", host_random}, {"sha256", host_sha256}, {"glob", host_glob},
        {"make_folder", host_make_folder}, {"is_terminal", host_is_terminal}, {NULL, NULL}};
    static const luaL_Reg timer_methods[] = {
        {"cancel", timer_cancel}, {"close", timer_cancel}, {NULL, NULL}};

    signal(SIGPIPE, SIG_IGN);
    struct event_config *config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    base = event_base_new_with_config(config);
    event_config_free(config);
    if (!base) {
        return luaL_error(L, "cannot make an event loop");
    }
    lua_pushthread(L);
    lua_setfield(L, LUA_REGISTRYINDEX, "host.main");
    host_class(L, "host.timer", timer_methods);
    luaL_newlib(L, functions);
    host_open_netns(L);
    host_open_udp(L);
    host_open_tcp(L);
    host_open_capture(L);
    host_open_sandbox(L);
    return 1;
}

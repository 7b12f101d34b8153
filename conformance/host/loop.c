/* The event loop, the clock and signals. */
#include "loop.h"

#include "binding.h"

#include <signal.h>
#include <time.h>

static struct event_base *base;
static int kept_error = LUA_NOREF;

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

static int loop_run(lua_State *L)
{
    event_base_dispatch(base);
    if (kept_error != LUA_NOREF) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, kept_error);
        host_unref(L, &kept_error);
        return lua_error(L);
    }
    return 0;
}

static int loop_stop(lua_State *L)
{
    (void)L;
    event_base_loopbreak(base);
    return 0;
}

static int loop_now(lua_State *L)
{
    lua_pushnumber(L, host_now_ms());
    return 1;
}

/* host.wall_ms(): the time of day, which may jump. */
static int loop_wall_ms(lua_State *L)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    lua_pushnumber(L, (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6);
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

static int loop_on_signal(lua_State *L)
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

void host_open_loop(lua_State *L)
{
    static const luaL_Reg functions[] = {{"now", loop_now}, {"wall_ms", loop_wall_ms},
        {"run", loop_run}, {"stop", loop_stop}, {"on_signal", loop_on_signal}, {NULL, NULL}};
    struct event_config *config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    base = event_base_new_with_config(config);
    event_config_free(config);
    if (!base) {
        luaL_error(L, "cannot make an event loop");
    }
    luaL_setfuncs(L, functions, 0);
}

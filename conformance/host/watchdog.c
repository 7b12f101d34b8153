/* Notices code in Lua that runs for long, at no cost while none does: a hook that counts
 * instructions makes all of them slower, so it is set only once a watched coroutine is seen at a
 * tick of the processor time that the program has used. */
#include "watchdog.h"

#include "binding.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/time.h>

enum { TICK_S = 1 };

/* The coroutine that is watched now; none while what runs is the runner's own. */
static _Atomic(lua_State *) watched;

static const char alarm_key; /* its address is a key of Lua's registry */

/* The next instruction of a coroutine that was seen at a tick. */
static void raise_alarm(lua_State *L, lua_Debug *where)
{
    (void)where;
    lua_sethook(L, NULL, 0, 0);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &alarm_key);
    lua_call(L, 0, 0);
}

/* A signal's handler: of Lua, only lua_sethook may be called here. */
static void on_tick(int number)
{
    (void)number;
    lua_State *seen = atomic_exchange(&watched, NULL);
    if (seen) {
        lua_sethook(seen, raise_alarm, LUA_MASKCOUNT, 1);
    }
}

/* watch(is_on): this coroutine is watched from now on, or none is. */
static int watch(lua_State *L)
{
    atomic_store(&watched, lua_toboolean(L, 1) ? L : NULL);
    return 0;
}

/* host.watchdog(alarm): a function that watches the coroutine that calls it with true, and nobody
 * when called with false. alarm() is called in one that was found to be running, once. It has to be
 * called with false before a coroutine waits or ends. */
static int watchdog(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_pushvalue(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &alarm_key);
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    struct itimerval ticks = {.it_interval = {.tv_sec = TICK_S}, .it_value = {.tv_sec = TICK_S}};
    if (sigaction(SIGVTALRM, &action, NULL) != 0 || setitimer(ITIMER_VIRTUAL, &ticks, NULL) != 0) {
        return host_fail(L, "setitimer");
    }
    lua_pushcfunction(L, watch);
    return 1;
}

void host_open_watchdog(lua_State *L)
{
    lua_pushcfunction(L, watchdog);
    lua_setfield(L, -2, "watchdog");
}

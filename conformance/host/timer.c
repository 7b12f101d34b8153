/* Timers: a function called once, later. */
#include "timer.h"

#include "binding.h"
#include "loop.h"

struct timer {
    struct event *event;
    lua_State *L;
    int function;
    int self;
};

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

/* host.after(milliseconds, function): a timer that cancel() ends. */
static int timer_after(lua_State *L)
{
    double delay_ms = luaL_checknumber(L, 1);
    int function = host_ref_function(L, 2);
    struct timer *timer = lua_newuserdatauv(L, sizeof *timer, 0);
    *timer = (struct timer){.L = host_main_state(L), .function = function, .self = LUA_NOREF};
    luaL_setmetatable(L, "host.timer");
    timer->event = evtimer_new(host_base(), timer_fired, timer);
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

void host_open_timer(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"cancel", timer_cancel}, {"close", timer_cancel}, {NULL, NULL}};
    host_class(L, "host.timer", methods);
    lua_pushcfunction(L, timer_after);
    lua_setfield(L, -2, "after");
}

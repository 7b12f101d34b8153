/*
 * The one event loop of the runner, the clock, and how an event reaches Lua.
 */
#ifndef NATFW_CONFORM_LOOP_H
#define NATFW_CONFORM_LOOP_H

#include <event2/event.h>
#include <lua.h>

struct event_base *host_base(void);

/* Milliseconds of a clock that never jumps. */
double host_now_ms(void);

/* Calls the Lua function behind `ref` with the `count` arguments on top of the stack. An error in
 * it is kept, and ends the loop: host.run() raises it. */
void host_call(lua_State *L, int ref, int count);

/* Makes the loop, and adds `now`, `run`, `stop` and `on_signal` to the table on top of the stack.
 */
void host_open_loop(lua_State *L);

#endif

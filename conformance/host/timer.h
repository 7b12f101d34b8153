/* Timers: a function called once, later. */
#ifndef NATFW_CONFORM_TIMER_H
#define NATFW_CONFORM_TIMER_H

#include <lua.h>

/* Registers the class of timers, and adds `after` to the table on top of the stack. */
void host_open_timer(lua_State *L);

#endif

/* Stalls: how long the loop did not come round, because the machine or the runner was busy. */
#ifndef NATFW_CONFORM_STALL_H
#define NATFW_CONFORM_STALL_H

#include <lua.h>

/* Adds `watch_stalls` and `stalled` to the table on top of the stack. */
void host_open_stall(lua_State *L);

#endif

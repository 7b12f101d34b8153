/* Notices code in Lua that runs for long; see watchdog.c. */
#ifndef NATFW_CONFORM_WATCHDOG_H
#define NATFW_CONFORM_WATCHDOG_H

#include <lua.h>

void host_open_watchdog(lua_State *L);

#endif

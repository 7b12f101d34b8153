/* Loads a file of settings in Lua syntax without trusting it. */
#ifndef NATFW_CONFORM_SANDBOX_H
#define NATFW_CONFORM_SANDBOX_H

#include <lua.h>

/* Adds `load_settings` to the table on top of the stack. */
void host_open_sandbox(lua_State *L);

#endif

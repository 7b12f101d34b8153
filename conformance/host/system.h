/* What Lua gets of the system besides time and the network: random octets, hashes and files. */
#ifndef NATFW_CONFORM_SYSTEM_H
#define NATFW_CONFORM_SYSTEM_H

#include <lua.h>

/* Adds `random`, `sha256`, `glob`, `make_folder` and `is_terminal` to the table on top of the
 * stack. */
void host_open_system(lua_State *L);

#endif

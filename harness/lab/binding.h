/* What scenarios in Lua can do: hosts, wires, programs and sockets of the lab. */
#ifndef NATFW_LAB_BINDING_H
#define NATFW_LAB_BINDING_H

#include <lua.h>

/* Opens the module "native"; lua/lab.lua builds on it. */
int binding_open(lua_State *lua);

/* Ends every program that is still running. */
void binding_end_processes(void);

#endif

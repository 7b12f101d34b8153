/* The module `host`: what the Lua part of the runner gets from the world. No protocol here. */
#ifndef NATFW_CONFORM_HOST_H
#define NATFW_CONFORM_HOST_H

#include <lua.h>

/* Opens the module and leaves it on the stack. */
int host_open(lua_State *L);

#endif

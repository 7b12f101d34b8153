/* Captures: live ones, recorded per case. */
#ifndef NATFW_CONFORM_CAPTURE_H
#define NATFW_CONFORM_CAPTURE_H

#include <lua.h>

/* Gives namespaces the method `capture`. */
void host_open_capture(lua_State *L);

#endif

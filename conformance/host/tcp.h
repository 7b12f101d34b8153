/* TCP: listeners and connections in a namespace, for messaging associations and data flows. */
#ifndef NATFW_CONFORM_TCP_H
#define NATFW_CONFORM_TCP_H

#include <lua.h>

/* Gives namespaces the methods `listen` and `connect`. */
void host_open_tcp(lua_State *L);

#endif

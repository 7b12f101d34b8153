/* Datagrams: plain UDP sockets for data flows, raw sockets for GIST in D-mode and Q-mode. */
#ifndef NATFW_CONFORM_UDP_H
#define NATFW_CONFORM_UDP_H

#include <lua.h>

/* Gives namespaces the methods `udp`, `raw` and `gist`. */
void host_open_udp(lua_State *L);

#endif

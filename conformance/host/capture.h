/* Captures: live ones, recorded per case; and files of others, read packet by packet. */
#ifndef NATFW_CONFORM_CAPTURE_H
#define NATFW_CONFORM_CAPTURE_H

#include <lua.h>

/* Gives namespaces the method `capture`, and adds `read_pcap` to the table on top of the stack. */
void host_open_capture(lua_State *L);

#endif

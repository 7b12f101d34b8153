/* Captures of others, read from files. */
#ifndef NATFW_CONFORM_CAPTURE_FILE_H
#define NATFW_CONFORM_CAPTURE_FILE_H

#include <lua.h>

/* Adds `open_capture` and `packet_filter` to the table on top of the stack. */
void host_open_capture_file(lua_State *L);

#endif

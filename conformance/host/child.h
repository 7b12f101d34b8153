/* A child process behind the shim protocol: frames over its standard input and output. */
#ifndef NATFW_CONFORM_CHILD_H
#define NATFW_CONFORM_CHILD_H

#include <lua.h>

/*
 * Registers the class of children, and adds `child` to the table on top of the stack.
 *
 * host.child(command) starts a command by the shell: a child, or nil and why not.
 * child:send(octets, limit_s) writes all of them: true, or nil and "silence" or "end".
 * child:receive(limit_s) waits for one frame: its kind and its body, or nil and what came instead:
 *     "silence", "end" or "length", the last with the number.
 * child:close() ends it, and returns in words how it ended.
 */
void host_open_child(lua_State *L);

#endif

/*
 * What the Lua part of the runner gets from the world: time, sockets in network namespaces,
 * captures and a few helpers, as the Lua module `host`. No protocol here.
 */
#ifndef NATFW_CONFORM_HOST_H
#define NATFW_CONFORM_HOST_H

#include <event2/event.h>
#include <lauxlib.h>
#include <lua.h>
#include <netinet/in.h>
#include <stdbool.h>

/* A registry reference that is not one. */
#define HOST_NO_REF LUA_NOREF

struct event_base *host_base(void);

/* Milliseconds of a clock that never jumps. */
double host_now_ms(void);

/* Calls the Lua function behind `ref` with the `count` arguments on top of the stack. An error in
 * it is kept, and ends the loop: host.run() raises it. */
void host_call(lua_State *L, int ref, int count);

/* A reference to the value at `index`, which must be a function. */
int host_ref_function(lua_State *L, int index);

void host_unref(lua_State *L, int *ref);

/* Registers a class of userdata with these methods; "close" serves as __gc and __close too. */
void host_class(lua_State *L, const char *name, const luaL_Reg *methods);

/* nil and a message made from errno. */
int host_fail(lua_State *L, const char *what);

struct sockaddr_in host_address(lua_State *L, int address_index, int port);

/* Network namespaces: `host_enter` moves the thread into it, `host_leave` back. */
struct host_netns {
    int fd;
};
struct host_netns *host_check_netns(lua_State *L, int index);
bool host_enter(const struct host_netns *netns);
void host_leave(void);

/* A socket made in the namespace, non-blocking; -1 with errno. */
int host_socket_in(const struct host_netns *netns, int type, int protocol);

void host_open_netns(lua_State *L);
void host_open_udp(lua_State *L);
void host_open_tcp(lua_State *L);
void host_open_capture(lua_State *L);
void host_open_sandbox(lua_State *L);

/* The methods that a namespace gets from the other files. */
int host_netns_udp(lua_State *L);
int host_netns_raw(lua_State *L);
int host_netns_gist(lua_State *L);
int host_netns_listen(lua_State *L);
int host_netns_connect(lua_State *L);
int host_netns_capture(lua_State *L);

/* Opens the module `host` and leaves it on the stack. */
int host_open(lua_State *L);

#endif

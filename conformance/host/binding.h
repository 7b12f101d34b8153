/*
 * What every file that shows something to Lua needs: classes of userdata, references to functions,
 * and an error of the system as Lua's functions tell one.
 */
#ifndef NATFW_CONFORM_BINDING_H
#define NATFW_CONFORM_BINDING_H

#include <lauxlib.h>
#include <lua.h>

/* Registers a class of userdata with these methods; "close" serves as __gc and __close too. */
void host_class(lua_State *L, const char *name, const luaL_Reg *methods);

/* More methods for a class that is registered. */
void host_extend_class(lua_State *L, const char *name, const luaL_Reg *methods);

/* A reference to the value at `index`, which must be a function. */
int host_ref_function(lua_State *L, int index);

void host_unref(lua_State *L, int *ref);

/* Keeps this state as the main one: callbacks run there, for the coroutine that asked for them may
 * be gone by then. */
void host_set_main_state(lua_State *L);
lua_State *host_main_state(lua_State *L);

/* nil and a message made from errno. */
int host_fail(lua_State *L, const char *what);

#endif

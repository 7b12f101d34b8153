/* Classes of userdata, references to functions, and errors of the system, for Lua. */
#include "binding.h"

#include <errno.h>
#include <string.h>

void host_class(lua_State *L, const char *name, const luaL_Reg *methods)
{
    luaL_newmetatable(L, name);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    if (lua_getfield(L, -1, "close") == LUA_TFUNCTION) {
        lua_setfield(L, -2, "__gc");
    } else {
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

void host_extend_class(lua_State *L, const char *name, const luaL_Reg *methods)
{
    luaL_getmetatable(L, name);
    luaL_setfuncs(L, methods, 0);
    lua_pop(L, 1);
}

int host_ref_function(lua_State *L, int index)
{
    luaL_checktype(L, index, LUA_TFUNCTION);
    lua_pushvalue(L, index);
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

void host_unref(lua_State *L, int *ref)
{
    if (*ref != LUA_NOREF) {
        luaL_unref(L, LUA_REGISTRYINDEX, *ref);
        *ref = LUA_NOREF;
    }
}

void host_set_main_state(lua_State *L)
{
    lua_pushthread(L);
    lua_setfield(L, LUA_REGISTRYINDEX, "host.main");
}

lua_State *host_main_state(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, "host.main");
    lua_State *state = lua_tothread(L, -1);
    lua_pop(L, 1);
    return state;
}

int host_fail(lua_State *L, const char *what)
{
    int error = errno;
    luaL_pushfail(L);
    lua_pushfstring(L, "%s: %s", what, strerror(error));
    return 2;
}

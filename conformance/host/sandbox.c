/* Loads a file of settings in Lua syntax without trusting it: a state of its own with no library,
 * bounded memory and a bounded number of instructions; only its plain data comes over. */
#include "sandbox.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OCTETS = 8 << 20, MOST_INSTRUCTIONS = 1000000, MOST_DEPTH = 16, MOST_VALUES = 100000 };

struct budget {
    size_t used;
};

static void *bounded_allocator(void *argument, void *old, size_t old_size, size_t new_size)
{
    struct budget *budget = argument;
    size_t before = old ? old_size : 0;
    if (new_size == 0) {
        budget->used -= before;
        free(old);
        return NULL;
    }
    if (new_size > before && budget->used + (new_size - before) > MOST_OCTETS) {
        return NULL;
    }
    void *memory = realloc(old, new_size);
    if (memory) {
        budget->used = budget->used - before + new_size;
    }
    return memory;
}

static void too_long(lua_State *sandbox, lua_Debug *where)
{
    lua_getinfo(sandbox, "Sl", where);
    luaL_error(sandbox, "%s:%d: takes too many instructions for a file of settings",
        where->short_src, where->currentline);
}

/* Copies the value on top of `from` to `to`; false for what is no plain data, or more than the
 * values that are left: a table that stands in many places is copied in each. */
static bool copy_value(lua_State *from, lua_State *to, int depth, int *left)
{
    if (!lua_checkstack(from, 4) || !lua_checkstack(to, 4) || depth > MOST_DEPTH || --*left < 0) {
        return false;
    }
    switch (lua_type(from, -1)) {
    case LUA_TNIL:
        lua_pushnil(to);
        return true;
    case LUA_TBOOLEAN:
        lua_pushboolean(to, lua_toboolean(from, -1));
        return true;
    case LUA_TNUMBER:
        if (lua_isinteger(from, -1)) {
            lua_pushinteger(to, lua_tointeger(from, -1));
        } else {
            lua_pushnumber(to, lua_tonumber(from, -1));
        }
        return true;
    case LUA_TSTRING: {
        size_t size;
        const char *text = lua_tolstring(from, -1, &size);
        lua_pushlstring(to, text, size);
        return true;
    }
    case LUA_TTABLE:
        break;
    default:
        return false;
    }
    lua_newtable(to);
    lua_pushnil(from);
    while (lua_next(from, -2)) {
        lua_pushvalue(from, -2);
        bool copied = copy_value(from, to, depth + 1, left);
        lua_pop(from, 1);
        copied = copied && copy_value(from, to, depth + 1, left);
        if (!copied) {
            return false;
        }
        lua_rawset(to, -3);
        lua_pop(from, 1);
    }
    return true;
}

static int fail(lua_State *L, lua_State *sandbox, const char *message)
{
    luaL_pushfail(L);
    lua_pushstring(L, message);
    lua_close(sandbox);
    return 2;
}

/* host.load_settings(path): the table that the file returns, or nil and a message with the line. */
static int load_settings(lua_State *L)
{
    struct budget budget = {0};
    const char *path = luaL_checkstring(L, 1);
    lua_State *sandbox = lua_newstate(bounded_allocator, &budget);
    if (!sandbox) {
        return luaL_error(L, "no memory for %s", path);
    }
    lua_sethook(sandbox, too_long, LUA_MASKCOUNT, MOST_INSTRUCTIONS);
    if (luaL_loadfilex(sandbox, path, "t") != LUA_OK || lua_pcall(sandbox, 0, 1, 0) != LUA_OK) {
        const char *message = lua_tostring(sandbox, -1);
        return fail(L, sandbox, message ? message : "cannot be loaded");
    }
    int top = lua_gettop(L), left = MOST_VALUES;
    if (!lua_istable(sandbox, -1) || !copy_value(sandbox, L, 0, &left)) {
        lua_settop(L, top);
        lua_pushfstring(L,
            left < 0 ? "%s: returns more values than any settings have"
                     : "%s: returns no table of plain values",
            path);
        return fail(L, sandbox, lua_tostring(L, -1));
    }
    lua_close(sandbox);
    return 1;
}

void host_open_sandbox(lua_State *L)
{
    lua_pushcfunction(L, load_settings);
    lua_setfield(L, -2, "load_settings");
}

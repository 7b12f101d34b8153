/*
 * natfw-conform: judges an implementation of the NATFW NSLP from outside.
 *
 * This file finds the suite's Lua files and hands the command line to runner/main.lua. The host/
 * files are what Lua needs of the world; all protocol, cases and verdicts are in Lua.
 */
#include "host/host.h"
#include "host/pool.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, EXIT_BROKEN = 3 };

enum { PATH_SIZE = 4096 };

static bool has_suite(const char *data_dir)
{
    char probe[PATH_SIZE + sizeof "/runner/main.lua"];
    snprintf(probe, sizeof probe, "%s/runner/main.lua", data_dir);
    return access(probe, R_OK) == 0;
}

/* The suite that belongs to this program: beside the source, for one that stands in the build tree,
 * whatever else is installed; the one that was installed with it, wherever both were moved to
 * since; or the one of the prefix that it was built for. */
static const char *own_suite(void)
{
    static char path[PATH_SIZE];
    ssize_t length = readlink("/proc/self/exe", path, PATH_SIZE - sizeof NATFW_CONFORM_BESIDE - 1);
    if (length <= 0) {
        return NATFW_CONFORM_INSTALLED;
    }
    path[length] = '\0';
    if (strncmp(path, NATFW_CONFORM_BUILD "/", sizeof NATFW_CONFORM_BUILD) == 0) {
        return NATFW_CONFORM_SOURCE;
    }
    strcpy(strrchr(path, '/') + 1, NATFW_CONFORM_BESIDE);
    return has_suite(path) ? path : NATFW_CONFORM_INSTALLED;
}

/* --data-dir DIR or --data-dir=DIR, wherever it stands. */
static const char *data_dir_of(int count, char **arguments)
{
    static const char option[] = "--data-dir";
    size_t size = sizeof option - 1;
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], option) == 0) {
            return i + 1 < count ? arguments[i + 1] : "";
        }
        if (strncmp(arguments[i], option, size) == 0 && arguments[i][size] == '=') {
            return arguments[i] + size + 1;
        }
    }
    const char *environment = getenv("NATFW_CONFORM_DATA");
    if (environment && *environment) {
        return environment;
    }
    return own_suite();
}

static void set_search_path(lua_State *L, const char *data_dir)
{
    lua_getglobal(L, "package");
    lua_pushfstring(L, "%s/?.lua", data_dir);
    lua_setfield(L, -2, "path");
    lua_pushliteral(L, "");
    lua_setfield(L, -2, "cpath");
    lua_pop(L, 1);
}

static int run(lua_State *L)
{
    int count = (int)lua_tointeger(L, 1);
    char **arguments = lua_touserdata(L, 2);
    const char *data_dir = lua_touserdata(L, 3);
    set_search_path(L, data_dir);
    luaL_requiref(L, "host", host_open, 0);
    lua_pop(L, 1);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "runner.main");
    lua_call(L, 1, 1);
    lua_newtable(L);
    for (int i = 1; i < count; i++) {
        lua_pushstring(L, arguments[i]);
        lua_rawseti(L, -2, i);
    }
    lua_pushstring(L, data_dir);
    lua_pushstring(L, NATFW_VERSION);
    lua_call(L, 3, 1);
    return 1;
}

static int explain(lua_State *L)
{
    luaL_traceback(L, L, lua_tostring(L, 1), 1);
    return 1;
}

int main(int count, char **arguments)
{
    const char *data_dir = data_dir_of(count, arguments);
    if (!has_suite(data_dir)) {
        fprintf(stderr,
            "natfw-conform: no suite in '%s': give its folder by --data-dir or "
            "NATFW_CONFORM_DATA\n",
            data_dir);
        return EXIT_USAGE;
    }
    static struct pool pool;
    lua_State *L = lua_newstate(pool_allocate, &pool);
    if (!L) {
        fprintf(stderr, "natfw-conform: no memory\n");
        return EXIT_BROKEN;
    }
    luaL_openlibs(L);
    lua_pushcfunction(L, explain);
    lua_pushcfunction(L, run);
    lua_pushinteger(L, count);
    lua_pushlightuserdata(L, arguments);
    lua_pushlightuserdata(L, (void *)(uintptr_t)data_dir);
    int status = EXIT_BROKEN;
    if (lua_pcall(L, 3, 1, 1) == LUA_OK) {
        status = (int)lua_tointeger(L, -1);
    } else {
        fprintf(stderr, "natfw-conform: %s\n", lua_tostring(L, -1));
    }
    lua_close(L);
    pool_free(&pool);
    return status;
}

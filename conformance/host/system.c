/* Random octets, hashes, packing, files, the terminal, the cores and signals that end a run. */
#define _GNU_SOURCE
#include "system.h"

#include "binding.h"

#include <errno.h>
#include <glob.h>
#include <openssl/evp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static int system_random(lua_State *L)
{
    char octets[256];
    lua_Integer count = luaL_checkinteger(L, 1);
    luaL_argcheck(L, count >= 0 && count <= (lua_Integer)sizeof octets, 1, "out of range");
    if (getrandom(octets, (size_t)count, 0) != (ssize_t)count) {
        return luaL_error(L, "no random octets");
    }
    lua_pushlstring(L, octets, (size_t)count);
    return 1;
}

static int system_sha256(lua_State *L)
{
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_size = 0;
    if (!EVP_Digest(text, size, digest, &digest_size, EVP_sha256(), NULL)) {
        return luaL_error(L, "cannot compute SHA-256");
    }
    luaL_Buffer hex;
    luaL_buffinit(L, &hex);
    for (unsigned i = 0; i < digest_size; i++) {
        luaL_addchar(&hex, "0123456789abcdef"[digest[i] >> 4]);
        luaL_addchar(&hex, "0123456789abcdef"[digest[i] & 15]);
    }
    luaL_pushresult(&hex);
    return 1;
}

/* The files that match a pattern, sorted. */
static int system_glob(lua_State *L)
{
    glob_t found = {0};
    int result = glob(luaL_checkstring(L, 1), 0, NULL, &found);
    lua_newtable(L);
    for (size_t i = 0; result == 0 && i < found.gl_pathc; i++) {
        lua_pushstring(L, found.gl_pathv[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    globfree(&found);
    return 1;
}

/* Makes the folder unless it is there: true, or nil and why. */
static int system_make_folder(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        return host_fail(L, path);
    }
    lua_pushboolean(L, 1);
    return 1;
}

static int system_is_terminal(lua_State *L)
{
    lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
    return 1;
}

/* host.pack(text): compressed as zlib does, in base64. */
static int system_pack(lua_State *L)
{
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    uLongf packed_size = compressBound(size);
    unsigned char *packed = lua_newuserdatauv(L, packed_size, 0);
    if (compress2(packed, &packed_size, (const unsigned char *)text, size, Z_BEST_COMPRESSION) !=
        Z_OK) {
        return luaL_error(L, "no memory to compress");
    }
    size_t letters = (packed_size + 2) / 3 * 4;
    unsigned char *encoded = lua_newuserdatauv(L, letters + 1, 0);
    EVP_EncodeBlock(encoded, packed, (int)packed_size);
    lua_pushlstring(L, (const char *)encoded, letters);
    return 1;
}

/* host.cores(): how many this process may run on. */
static int system_cores(lua_State *L)
{
    cpu_set_t allowed;
    bool is_known = sched_getaffinity(0, sizeof allowed, &allowed) == 0;
    lua_pushinteger(L, is_known ? CPU_COUNT(&allowed) : 1);
    return 1;
}

static volatile sig_atomic_t caught;

static void catch_signal(int number)
{
    caught = number;
}

/* host.catch_signals(): from here on SIGINT and SIGTERM end nothing, but are remembered. */
static int system_catch_signals(lua_State *L)
{
    struct sigaction action = {.sa_handler = catch_signal}; /* what waits is woken */
    (void)L;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return 0;
}

/* host.has_caught_signal() */
static int system_has_caught_signal(lua_State *L)
{
    lua_pushboolean(L, caught != 0);
    return 1;
}

void host_open_system(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"random", system_random},
        {"sha256", system_sha256},
        {"glob", system_glob},
        {"make_folder", system_make_folder},
        {"is_terminal", system_is_terminal},
        {"cores", system_cores},
        {"pack", system_pack},
        {"catch_signals", system_catch_signals},
        {"has_caught_signal", system_has_caught_signal},
        {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}

/*
 * natfw-lab: networks of namespaces on one machine, described and driven in Lua.
 *
 * This file reads the command line, isolates the lab, and hands over to lua/main.lua.
 */
#include "binding.h"
#include "host.h"
#include "isolation.h"
#include "schedule.h"
#include "wire.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <lauxlib.h>
#include <lualib.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_LAB = 3 };

static const char usage[] =
    "usage: natfw-lab [OPTION]... COMMAND\n"
    "\n"
    "commands:\n"
    "  list                 the topologies and scenarios there are\n"
    "  run SCENARIO [ARG]...  build its topology, run it, and take everything down\n"
    "  up TOPOLOGY [-- PROGRAM [ARG]...]\n"
    "                       build it, start its nodes, and run a shell or PROGRAM in the\n"
    "                       middle of it; 'on HOST PROGRAM' runs one in a host\n"
    "\n"
    "options:\n"
    "  --pcap DIRECTORY     record every wire to DIRECTORY/WIRE.pcap, and what each natfwd logs "
    "to\n"
    "                       DIRECTORY/HOST.log\n"
    "  --seed NUMBER        of every chance that wires take (default 1)\n"
    "  --bin DIRECTORY[:DIRECTORY]...\n"
    "                       where natfwd, natfwctl and natfw-conform are (default: the build that\n"
    "                       this program is in, then the search path)\n"
    "  --data DIRECTORY     where the lab's Lua files are\n"
    "  -h, --help, --version\n"
    "\n"
    "exit status: 0 all was as the scenario expects, 1 it was not, 2 bad usage, 3 the lab itself\n"
    "failed, 128 and the number of the signal that ended it; with up, that of the program. See\n"
    "natfw-lab(1).\n";

struct options {
    const char *pcap;
    const char *bin;
    const char *data;
    const char *build; /* the one that this program stands in, or NULL when it is installed */
    unsigned long seed;
};

static unsigned long number(const char *text)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (isdigit((unsigned char)*text) && *end == '\0' && errno == 0)
        return value;
    fprintf(stderr, "natfw-lab: --seed %s: is no number\n", text);
    exit(EXIT_USAGE);
}

/* DIRECTORY[:DIRECTORY]...: each has to be there, or other programs would run than those meant. */
static const char *directories(const char *text)
{
    char *list = strdup(text), *rest = list;
    const char *path;
    while ((path = strsep(&rest, ":"))) {
        struct stat status;
        int trouble = stat(path, &status) < 0 ? errno : S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
        if (trouble == 0)
            continue;
        fprintf(stderr, "natfw-lab: --bin %s: %s\n", path, strerror(trouble));
        exit(EXIT_USAGE);
    }
    free(list);
    return text;
}

static int parse(int count, char **arguments, struct options *options)
{
    static const struct option known[] = {{"pcap", required_argument, NULL, 'p'},
        {"seed", required_argument, NULL, 's'}, {"bin", required_argument, NULL, 'b'},
        {"data", required_argument, NULL, 'd'}, {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'}, {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(count, arguments, "+h", known, NULL)) >= 0) {
        switch (option) {
        case 'p':
            options->pcap = optarg;
            break;
        case 's':
            options->seed = number(optarg);
            break;
        case 'b':
            options->bin = directories(optarg);
            break;
        case 'd':
            options->data = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        case 'v':
            puts("natfw-lab " NATFW_VERSION);
            exit(0);
        default:
            fputs("natfw-lab: see natfw-lab --help\n", stderr);
            exit(EXIT_USAGE);
        }
    }
    return optind;
}

/* To be asked before the lab is isolated: its own mounts may give this program another path. */
static const char *own_build(void)
{
    char path[sizeof(NATFW_LAB_BUILD) + 1];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    bool is_built = length > 0 && strncmp(path, NATFW_LAB_BUILD "/", sizeof(NATFW_LAB_BUILD)) == 0;
    return is_built ? NATFW_LAB_BUILD : NULL;
}

static const char *data_directory(const struct options *options)
{
    const char *chosen = options->data ? options->data : getenv("NATFW_LAB_DATA");
    if (chosen)
        return chosen;
    return options->build ? NATFW_LAB_SOURCE : NATFW_LAB_INSTALLED;
}

/* Programs of the same build come first, then those that are installed. */
static void set_search_path(const struct options *options)
{
    char path[8192];
    if (options->bin)
        snprintf(path, sizeof(path), "/run/bin:%s:%s", options->bin, getenv("PATH"));
    else if (options->build)
        snprintf(path, sizeof(path), "/run/bin:%s/reference-node:%s/conformance:%s", options->build,
            options->build, getenv("PATH"));
    else
        snprintf(
            path, sizeof(path), "/run/bin:%s:%s:%s", NATFW_LAB_BIN, NATFW_LAB_SBIN, getenv("PATH"));
    setenv("PATH", path, 1);
}

static void set_field(lua_State *lua, const char *name, const char *value)
{
    lua_pushstring(lua, value);
    lua_setfield(lua, -2, name);
}

static int traced(lua_State *lua)
{
    luaL_traceback(lua, lua, lua_tostring(lua, 1), 1);
    return 1;
}

/* Calls lua/main.lua with the options and the remaining words; it returns the exit status. */
static int run_lua(const struct options *options, int count, char **words)
{
    char path[4096];
    const char *data = data_directory(options);
    lua_State *lua = luaL_newstate();
    luaL_openlibs(lua);
    luaL_requiref(lua, "native", binding_open, 0);
    lua_getglobal(lua, "package");
    snprintf(path, sizeof(path), "%s/lua/?.lua", data);
    set_field(lua, "path", path);
    lua_settop(lua, 0);
    lua_pushcfunction(lua, traced);
    snprintf(path, sizeof(path), "%s/lua/main.lua", data);
    if (luaL_loadfile(lua, path) != LUA_OK) {
        fprintf(stderr, "natfw-lab: %s\n", lua_tostring(lua, -1));
        return EXIT_LAB;
    }
    lua_newtable(lua);
    set_field(lua, "data", data);
    set_field(lua, "pcap", options->pcap);
    lua_newtable(lua);
    for (int i = 0; i < count; i++) {
        lua_pushstring(lua, words[i]);
        lua_rawseti(lua, -2, i + 1);
    }
    int result = EXIT_LAB;
    if (lua_pcall(lua, 2, 1, 1) == LUA_OK)
        result = (int)lua_tointeger(lua, -1);
    else
        fprintf(stderr, "natfw-lab: %s\n", lua_tostring(lua, -1));
    binding_end_processes();
    lua_close(lua);
    return result;
}

int main(int count, char **arguments)
{
    struct options options = {.seed = 1, .build = own_build()};
    int first = parse(count, arguments, &options);
    if (first == count) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (options.pcap && mkdir(options.pcap, 0777) < 0 && errno != EEXIST) {
        fprintf(stderr, "natfw-lab: %s: %s\n", options.pcap, strerror(errno));
        return EXIT_USAGE;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    set_search_path(&options);
    const char *what = "remembering the network namespace";
    int result = 0;
    if (strcmp(arguments[first], "list") != 0) {
        result = isolation_enter(&what);
        if (result == 0)
            result = host_remember_home();
        if (result == 0) {
            schedule_promptly(false);
            what = "starting the wires";
            result = wire_start(options.seed);
        }
    }
    if (result < 0) {
        fprintf(stderr, "natfw-lab: %s: %s\n", what, strerror(-result));
        return EXIT_LAB;
    }
    return run_lua(&options, count - first, arguments + first);
}

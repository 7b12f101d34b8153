/* A beat in the loop, and the times at which it came late; see stall.h. */
#include "stall.h"

#include "binding.h"
#include "loop.h"
#include "starved.h"

#include <stdbool.h>

enum { BEAT_MS = 5, NOTICED_MS = 20, KEPT = 4096 };

static struct {
    struct event *beat;
    double last_ms;
    struct span stalls[KEPT]; /* the last of them, in turn */
    unsigned long count;
} watch;

/* What ends now: since the last beat, or since the IUT is starved, where that is longer. */
static struct span latest(void)
{
    double now_ms = host_now_ms();
    struct span own = {.from_ms = watch.last_ms + BEAT_MS, .to_ms = now_ms};
    struct span starved = starved_look(now_ms);
    return starved.from_ms < own.from_ms ? starved : own;
}

static bool is_noticed(const struct span *stall)
{
    return stall->to_ms - stall->from_ms > NOTICED_MS;
}

/* Keeps a stall; one that goes on takes the place of its beginning. */
static void keep(struct span stall)
{
    struct span *last = &watch.stalls[(watch.count - 1) % KEPT];
    if (watch.count > 0 && stall.from_ms <= last->to_ms) {
        last->to_ms = stall.to_ms;
        last->from_ms = stall.from_ms < last->from_ms ? stall.from_ms : last->from_ms;
        return;
    }
    watch.stalls[watch.count++ % KEPT] = stall;
}

static void beat(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    (void)argument;
    struct span stall = latest();
    if (is_noticed(&stall)) {
        keep(stall);
    }
    watch.last_ms = host_now_ms();
}

/* host.watch_stalls([process]): from here on, as long as the loop runs; of the IUT's process, too,
 * where its folder is given. Returns nothing, or why the kernel does not tell of that. */
static int host_watch_stalls(lua_State *L)
{
    const char *process = luaL_optstring(L, 1, "");
    struct timeval interval = {.tv_usec = BEAT_MS * 1000};
    watch.last_ms = host_now_ms();
    if (!watch.beat) {
        watch.beat = event_new(host_base(), -1, EV_PERSIST, beat, NULL);
    }
    if (!watch.beat || event_add(watch.beat, &interval) != 0) {
        return luaL_error(L, "cannot watch for stalls");
    }
    if (*process && !starved_watch(process)) {
        return lua_pushfstring(L, "%s: no process whose waiting the kernel counts", process), 1;
    }
    return 0;
}

static double overlap_ms(const struct span *stall, double from_ms, double to_ms)
{
    double from = stall->from_ms > from_ms ? stall->from_ms : from_ms;
    double to = stall->to_ms < to_ms ? stall->to_ms : to_ms;
    return to > from ? to - from : 0;
}

/* host.stalled(from, to): for how many milliseconds between these times the runner was deaf, or the
 * IUT's process starved. */
static int host_stalled(lua_State *L)
{
    double from_ms = luaL_checknumber(L, 1);
    double to_ms = luaL_checknumber(L, 2);
    double total_ms = 0;
    struct span last = latest();
    if (watch.beat && is_noticed(&last)) {
        keep(last);
    }
    for (unsigned long i = 0; i < watch.count && i < KEPT; i++) {
        total_ms += overlap_ms(&watch.stalls[i], from_ms, to_ms);
    }
    lua_pushnumber(L, total_ms);
    return 1;
}

void host_open_stall(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"watch_stalls", host_watch_stalls}, {"stalled", host_stalled}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}

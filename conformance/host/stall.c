/* A beat in the loop, and the times at which it came late; see stall.h. */
#include "stall.h"

#include "binding.h"
#include "loop.h"

#include <stdbool.h>

enum { BEAT_MS = 5, NOTICED_MS = 20, KEPT = 4096 };

struct stall {
    double from_ms;
    double to_ms;
};

static struct {
    struct event *beat;
    double last_ms;
    struct stall stalls[KEPT]; /* the last of them, in turn */
    unsigned long count;
} watch;

/* What begins with the last beat and ends now. */
static struct stall since_last_beat(void)
{
    return (struct stall){.from_ms = watch.last_ms + BEAT_MS, .to_ms = host_now_ms()};
}

static bool is_noticed(const struct stall *stall)
{
    return stall->to_ms - stall->from_ms > NOTICED_MS;
}

static void beat(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    (void)argument;
    struct stall stall = since_last_beat();
    if (is_noticed(&stall)) {
        watch.stalls[watch.count++ % KEPT] = stall;
    }
    watch.last_ms = host_now_ms();
}

/* host.watch_stalls(): from here on, as long as the loop runs. */
static int host_watch_stalls(lua_State *L)
{
    struct timeval interval = {.tv_usec = BEAT_MS * 1000};
    watch.last_ms = host_now_ms();
    if (!watch.beat) {
        watch.beat = event_new(host_base(), -1, EV_PERSIST, beat, NULL);
    }
    if (!watch.beat || event_add(watch.beat, &interval) != 0) {
        return luaL_error(L, "cannot watch for stalls");
    }
    return 0;
}

static double overlap_ms(const struct stall *stall, double from_ms, double to_ms)
{
    double from = stall->from_ms > from_ms ? stall->from_ms : from_ms;
    double to = stall->to_ms < to_ms ? stall->to_ms : to_ms;
    return to > from ? to - from : 0;
}

/* host.stalled(from, to): for how many milliseconds between these times the runner was deaf. */
static int host_stalled(lua_State *L)
{
    double from_ms = luaL_checknumber(L, 1);
    double to_ms = luaL_checknumber(L, 2);
    struct stall last = since_last_beat();
    double total_ms = watch.beat && is_noticed(&last) ? overlap_ms(&last, from_ms, to_ms) : 0;
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

/* The module `host`, put together from the files beneath: each adds its functions to the module's
 * table, and sockets and captures add their methods to the namespaces that they are made in. */
#include "host.h"

#include "binding.h"
#include "capture.h"
#include "capture_file.h"
#include "child.h"
#include "loop.h"
#include "netns.h"
#include "sandbox.h"
#include "stall.h"
#include "stamp.h"
#include "system.h"
#include "tcp.h"
#include "timer.h"
#include "udp.h"
#include "watchdog.h"

#include <signal.h>

int host_open(lua_State *L)
{
    signal(SIGPIPE, SIG_IGN);
    host_set_main_state(L);
    lua_newtable(L);
    host_open_loop(L);
    host_open_timer(L);
    host_open_stall(L);
    host_open_system(L);
    host_open_netns(L);
    host_open_stamp(L);
    host_open_udp(L);
    host_open_tcp(L);
    host_open_capture(L);
    host_open_capture_file(L);
    host_open_sandbox(L);
    host_open_child(L);
    host_open_watchdog(L);
    return 1;
}

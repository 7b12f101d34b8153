/* Arrival times of datagrams, from the kernel; see stamp.h. */
#define _GNU_SOURCE
#include "stamp.h"

#include "binding.h"
#include "loop.h"
#include "netns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

bool stamp_enable(int fd)
{
    int on = 1;
    return setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0;
}

static double ms_of(const struct timespec *time)
{
    return (double)time->tv_sec * 1e3 + (double)time->tv_nsec / 1e6;
}

/* The same moment by the clock of the stamps, and by the runner's in *now_ms. Nothing may come
 * between the two readings. */
static double stamps_now_ms(double *now_ms)
{
    enum { ATTEMPTS = 20 };
    static const double TOGETHER_MS = 0.1;
    struct timespec now;
    double before_ms;
    for (int i = 0; i < ATTEMPTS; i++) {
        before_ms = host_now_ms();
        clock_gettime(CLOCK_REALTIME, &now);
        *now_ms = host_now_ms();
        if (*now_ms - before_ms < TOGETHER_MS) {
            break;
        }
    }
    return ms_of(&now);
}

/* When the kernel took it, by the runner's clock. The other may be set meanwhile: what cannot be is
 * taken for now. */
static double arrival_ms(const struct timespec *stamp)
{
    enum { OLDEST_MS = 60000 };
    double now_ms;
    double age = stamps_now_ms(&now_ms) - ms_of(stamp);
    return age >= 0 && age <= OLDEST_MS ? now_ms - age : now_ms;
}

ssize_t stamp_receive(
    int fd, void *octets, size_t size, struct sockaddr_in *source, double *arrived_ms)
{
    union {
        char octets[CMSG_SPACE(sizeof(struct timespec))];
        struct cmsghdr align;
    } control;
    struct iovec part = {.iov_base = octets, .iov_len = size};
    struct msghdr message = {.msg_name = source,
        .msg_namelen = sizeof *source,
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control};
    ssize_t received = recvmsg(fd, &message, 0);
    *arrived_ms = host_now_ms();
    for (struct cmsghdr *item = received < 0 ? NULL : CMSG_FIRSTHDR(&message); item;
         item = CMSG_NXTHDR(&message, item)) {
        if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec stamp;
            memcpy(&stamp, CMSG_DATA(item), sizeof stamp);
            *arrived_ms = arrival_ms(&stamp);
        }
    }
    return received;
}

enum { WAIT_MS = 20 };

/* Sends itself a datagram and leaves it lying. Returns how old its stamp says that it is when it is
 * read, and -1 where that cannot be tried. */
static double age_of_late_reading(int fd)
{
    struct sockaddr_in own = {.sin_family = AF_INET}, source;
    socklen_t size = sizeof own;
    char octet = 0;
    double arrived_ms = 0;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&own, sizeof own) != 0 ||
        getsockname(fd, (struct sockaddr *)&own, &size) != 0 ||
        sendto(fd, &octet, 1, 0, (struct sockaddr *)&own, sizeof own) != 1) {
        return -1;
    }
    poll(NULL, 0, WAIT_MS);
    double before_ms = host_now_ms();
    return stamp_receive(fd, &octet, 1, &source, &arrived_ms) == 1 ? before_ms - arrived_ms : -1;
}

/* netns:check_stamps(): true where datagrams are stamped when they arrive; else nil and why. The
 * kernel begins to stamp a moment after the first socket has asked for it. */
static int netns_check_stamps(lua_State *L)
{
    enum { ATTEMPTS = 10 };
    struct host_netns *netns = host_check_netns(L, 1);
    double age = -1;
    for (int i = 0; i < ATTEMPTS && age < WAIT_MS / 2.0; i++) {
        int fd = host_socket_in(netns, SOCK_DGRAM, 0);
        if (fd < 0 || !stamp_enable(fd)) {
            int results = host_fail(L, "SO_TIMESTAMPNS");
            if (fd >= 0) {
                close(fd);
            }
            return results;
        }
        age = age_of_late_reading(fd);
        close(fd);
    }
    if (age < WAIT_MS / 2.0) {
        lua_pushnil(L);
        lua_pushstring(L, age < 0 ? "a datagram to 127.0.0.1 does not arrive"
                                  : "datagrams are stamped when they are read");
        return 2;
    }
    lua_pushboolean(L, true);
    return 1;
}

void host_open_stamp(lua_State *L)
{
    static const luaL_Reg methods[] = {{"check_stamps", netns_check_stamps}, {NULL, NULL}};
    host_extend_class(L, HOST_NETNS, methods);
}

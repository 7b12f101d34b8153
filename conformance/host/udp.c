/* Datagrams: plain UDP sockets for data flows, raw sockets for GIST in D-mode and Q-mode. */
#define _GNU_SOURCE
#include "udp.h"

#include "binding.h"
#include "loop.h"
#include "netns.h"
#include "stamp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

struct datagram_socket {
    int fd;
    struct event *event;
    lua_State *L;
    int function;
    int self;
};

static struct datagram_socket *new_socket(lua_State *L, int fd, int function)
{
    struct datagram_socket *socket = lua_newuserdatauv(L, sizeof *socket, 0);
    *socket = (struct datagram_socket){
        .fd = fd, .L = host_main_state(L), .function = function, .self = LUA_NOREF};
    luaL_setmetatable(L, "host.datagram");
    return socket;
}

static int datagram_close(lua_State *L)
{
    struct datagram_socket *socket = luaL_checkudata(L, 1, "host.datagram");
    if (socket->event) {
        event_free(socket->event);
        socket->event = NULL;
    }
    if (socket->fd >= 0) {
        close(socket->fd);
        socket->fd = -1;
    }
    host_unref(L, &socket->function);
    host_unref(L, &socket->self);
    return 0;
}

/* function(octets, source address, source port, milliseconds) for each datagram: when it arrived.
 */
static void datagram_readable(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    struct datagram_socket *socket = argument;
    lua_State *L = socket->L;
    enum { AT_ONCE = 32 };
    lua_rawgeti(L, LUA_REGISTRYINDEX, socket->self); /* a callback may close the socket */
    for (int i = 0; i < AT_ONCE && socket->fd >= 0; i++) {
        static char octets[65536];
        struct sockaddr_in source = {0};
        double arrived_ms;
        ssize_t size = stamp_receive(fd, octets, sizeof octets, &source, &arrived_ms);
        if (size < 0) {
            break;
        }
        char text[INET_ADDRSTRLEN];
        inet_ntop(AF_INET, &source.sin_addr, text, sizeof text);
        lua_pushlstring(L, octets, (size_t)size);
        lua_pushstring(L, text);
        lua_pushinteger(L, ntohs(source.sin_port));
        lua_pushnumber(L, arrived_ms);
        host_call(L, socket->function, 4);
    }
    lua_pop(L, 1);
}

static int watch(lua_State *L, struct datagram_socket *socket)
{
    socket->event =
        event_new(host_base(), socket->fd, EV_READ | EV_PERSIST, datagram_readable, socket);
    if (!socket->event || event_add(socket->event, NULL) != 0) {
        return luaL_error(L, "cannot watch a socket");
    }
    lua_pushvalue(L, -1);
    socket->self = luaL_ref(L, LUA_REGISTRYINDEX);
    return 1;
}

/* netns:udp(address, port, function): a UDP socket. */
static int netns_udp(lua_State *L)
{
    struct host_netns *netns = host_check_netns(L, 1);
    struct sockaddr_in address = host_address(L, 2, (int)luaL_checkinteger(L, 3));
    int function = host_ref_function(L, 4);
    int fd = host_socket_in(netns, SOCK_DGRAM, 0);
    int on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        !stamp_enable(fd) || bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        int results = host_fail(L, lua_tostring(L, 2));
        host_unref(L, &function);
        if (fd >= 0) {
            close(fd);
        }
        return results;
    }
    return watch(L, new_socket(L, fd, function));
}

/* netns:raw(): sends whole IPv4 packets. */
static int netns_raw(lua_State *L)
{
    struct host_netns *netns = host_check_netns(L, 1);
    int fd = host_socket_in(netns, SOCK_RAW, IPPROTO_RAW);
    if (fd < 0) {
        return host_fail(L, "raw socket");
    }
    new_socket(L, fd, LUA_NOREF);
    return 1;
}

static int attach_filter(int fd, const char *expression)
{
    struct bpf_program program;
    pcap_t *dead = pcap_open_dead(DLT_RAW, 65535);
    if (!dead) {
        return -1;
    }
    int result = pcap_compile(dead, &program, expression, 1, PCAP_NETMASK_UNKNOWN);
    pcap_close(dead);
    if (result != 0) {
        errno = EINVAL;
        return -1;
    }
    struct sock_fprog filter = {
        .len = (unsigned short)program.bf_len, .filter = (struct sock_filter *)program.bf_insns};
    result = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
    pcap_freecode(&program);
    return result;
}

/* netns:gist(port, function): every IPv4 packet with UDP to that port that this stack takes for
 * its own, IP header and options included. */
static int netns_gist(lua_State *L)
{
    struct host_netns *netns = host_check_netns(L, 1);
    int port = (int)luaL_checkinteger(L, 2);
    int function = host_ref_function(L, 3);
    char expression[32];
    snprintf(expression, sizeof expression, "udp dst port %d", port);
    int fd = host_socket_in(netns, SOCK_RAW, IPPROTO_UDP);
    if (fd < 0 || attach_filter(fd, expression) != 0 || !stamp_enable(fd)) {
        int results = host_fail(L, "raw socket for GIST");
        host_unref(L, &function);
        if (fd >= 0) {
            close(fd);
        }
        return results;
    }
    return watch(L, new_socket(L, fd, function));
}

/* socket:send(octets, address, port): true, or nil and why. */
static int datagram_send(lua_State *L)
{
    struct datagram_socket *socket = luaL_checkudata(L, 1, "host.datagram");
    size_t size;
    const char *octets = luaL_checklstring(L, 2, &size);
    struct sockaddr_in address = host_address(L, 3, (int)luaL_optinteger(L, 4, 0));
    if (socket->fd < 0 ||
        sendto(socket->fd, octets, size, 0, (struct sockaddr *)&address, sizeof address) < 0) {
        return host_fail(L, "send");
    }
    lua_pushboolean(L, 1);
    return 1;
}

void host_open_udp(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"close", datagram_close}, {"send", datagram_send}, {NULL, NULL}};
    static const luaL_Reg netns_methods[] = {
        {"udp", netns_udp}, {"raw", netns_raw}, {"gist", netns_gist}, {NULL, NULL}};
    host_class(L, "host.datagram", methods);
    host_extend_class(L, HOST_NETNS, netns_methods);
}

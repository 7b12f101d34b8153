/* TCP: listeners and connections in a namespace, for messaging associations and data flows. */
#define _GNU_SOURCE
#include "tcp.h"

#include "binding.h"
#include "loop.h"
#include "netns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection {
    struct bufferevent *buffers;
    lua_State *L;
    int on_open;
    int on_data;
    int on_close;
    int self;
};

struct listener {
    int fd;
    struct event *event;
    lua_State *L;
    int on_accept;
    int self;
};

static int connection_close(lua_State *L)
{
    struct connection *connection = luaL_checkudata(L, 1, "host.connection");
    if (connection->buffers) {
        bufferevent_free(connection->buffers);
        connection->buffers = NULL;
    }
    host_unref(L, &connection->on_open);
    host_unref(L, &connection->on_data);
    host_unref(L, &connection->on_close);
    host_unref(L, &connection->self);
    return 0;
}

/* on_data(octets, milliseconds) */
static void connection_readable(struct bufferevent *buffers, void *argument)
{
    struct connection *connection = argument;
    lua_State *L = connection->L;
    struct evbuffer *input = bufferevent_get_input(buffers);
    size_t size = evbuffer_get_length(input);
    lua_pushlstring(L, (const char *)evbuffer_pullup(input, -1), size);
    evbuffer_drain(input, size);
    lua_pushnumber(L, host_now_ms());
    host_call(L, connection->on_data, 2);
}

/* on_open() once; on_close(reason) when it fails or the peer ends it. */
static void connection_event(struct bufferevent *buffers, short what, void *argument)
{
    struct connection *connection = argument;
    lua_State *L = connection->L;
    if (what & BEV_EVENT_CONNECTED) {
        host_call(L, connection->on_open, 0);
        return;
    }
    int error = EVUTIL_SOCKET_ERROR();
    bufferevent_disable(buffers, EV_READ | EV_WRITE);
    lua_pushstring(L, what & BEV_EVENT_EOF ? "closed by the peer" : strerror(error));
    host_call(L, connection->on_close, 1);
}

static struct connection *new_connection(lua_State *L, int fd)
{
    int on = 1;
    struct linger abort_on_close = {.l_onoff = 1};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_on_close, sizeof abort_on_close);
    struct connection *connection = lua_newuserdatauv(L, sizeof *connection, 0);
    *connection = (struct connection){.L = host_main_state(L),
        .on_open = LUA_NOREF,
        .on_data = LUA_NOREF,
        .on_close = LUA_NOREF,
        .self = LUA_NOREF};
    luaL_setmetatable(L, "host.connection");
    connection->buffers = bufferevent_socket_new(host_base(), fd, BEV_OPT_CLOSE_ON_FREE);
    if (!connection->buffers) {
        close(fd);
        luaL_error(L, "no memory for a connection");
    }
    bufferevent_setcb(connection->buffers, connection_readable, NULL, connection_event, connection);
    lua_pushvalue(L, -1);
    connection->self = luaL_ref(L, LUA_REGISTRYINDEX);
    return connection;
}

/* netns:connect(source address, source port, address, port, on_open, on_data, on_close) */
static int netns_connect(lua_State *L)
{
    struct host_netns *netns = host_check_netns(L, 1);
    struct sockaddr_in source = host_address(L, 2, (int)luaL_checkinteger(L, 3));
    struct sockaddr_in target = host_address(L, 4, (int)luaL_checkinteger(L, 5));
    int fd = host_socket_in(netns, SOCK_STREAM, 0);
    int on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&source, sizeof source) != 0) {
        int results = host_fail(L, lua_tostring(L, 2));
        if (fd >= 0) {
            close(fd);
        }
        return results;
    }
    struct connection *connection = new_connection(L, fd);
    connection->on_open = host_ref_function(L, 6);
    connection->on_data = host_ref_function(L, 7);
    connection->on_close = host_ref_function(L, 8);
    bufferevent_enable(connection->buffers, EV_READ | EV_WRITE);
    bufferevent_socket_connect(connection->buffers, (struct sockaddr *)&target, sizeof target);
    return 1;
}

/* connection:receive(on_data, on_close): starts an accepted connection. */
static int connection_receive(lua_State *L)
{
    struct connection *connection = luaL_checkudata(L, 1, "host.connection");
    connection->on_data = host_ref_function(L, 2);
    connection->on_close = host_ref_function(L, 3);
    bufferevent_enable(connection->buffers, EV_READ | EV_WRITE);
    return 0;
}

static int connection_write(lua_State *L)
{
    struct connection *connection = luaL_checkudata(L, 1, "host.connection");
    size_t size;
    const char *octets = luaL_checklstring(L, 2, &size);
    bool written = connection->buffers && bufferevent_write(connection->buffers, octets, size) == 0;
    lua_pushboolean(L, written);
    return 1;
}

static int listener_close(lua_State *L)
{
    struct listener *listener = luaL_checkudata(L, 1, "host.listener");
    if (listener->event) {
        event_free(listener->event);
        listener->event = NULL;
    }
    if (listener->fd >= 0) {
        close(listener->fd);
        listener->fd = -1;
    }
    host_unref(L, &listener->on_accept);
    host_unref(L, &listener->self);
    return 0;
}

/* on_accept(connection, source address, source port) */
static void listener_readable(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    struct listener *listener = argument;
    lua_State *L = listener->L;
    struct sockaddr_in source = {0};
    socklen_t size = sizeof source;
    int accepted = accept4(fd, (struct sockaddr *)&source, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0) {
        return;
    }
    char text[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &source.sin_addr, text, sizeof text);
    new_connection(L, accepted);
    lua_pushstring(L, text);
    lua_pushinteger(L, ntohs(source.sin_port));
    host_call(L, listener->on_accept, 3);
}

/* netns:listen(address, port, on_accept): the listener and its port. */
static int netns_listen(lua_State *L)
{
    struct host_netns *netns = host_check_netns(L, 1);
    struct sockaddr_in address = host_address(L, 2, (int)luaL_checkinteger(L, 3));
    int on_accept = host_ref_function(L, 4);
    socklen_t size = sizeof address;
    int fd = host_socket_in(netns, SOCK_STREAM, 0);
    int on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 16) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        int results = host_fail(L, lua_tostring(L, 2));
        host_unref(L, &on_accept);
        if (fd >= 0) {
            close(fd);
        }
        return results;
    }
    struct listener *listener = lua_newuserdatauv(L, sizeof *listener, 0);
    *listener = (struct listener){
        .fd = fd, .L = host_main_state(L), .on_accept = on_accept, .self = LUA_NOREF};
    luaL_setmetatable(L, "host.listener");
    listener->event = event_new(host_base(), fd, EV_READ | EV_PERSIST, listener_readable, listener);
    event_add(listener->event, NULL);
    lua_pushvalue(L, -1);
    listener->self = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushinteger(L, ntohs(address.sin_port));
    return 2;
}

void host_open_tcp(lua_State *L)
{
    static const luaL_Reg connection_methods[] = {{"close", connection_close},
        {"receive", connection_receive}, {"write", connection_write}, {NULL, NULL}};
    static const luaL_Reg listener_methods[] = {{"close", listener_close}, {NULL, NULL}};
    static const luaL_Reg netns_methods[] = {
        {"listen", netns_listen}, {"connect", netns_connect}, {NULL, NULL}};
    host_class(L, "host.connection", connection_methods);
    host_class(L, "host.listener", listener_methods);
    host_extend_class(L, HOST_NETNS, netns_methods);
}

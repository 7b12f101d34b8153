/*
 * Network namespaces: `host_enter` moves the thread into one, `host_leave` back; sockets and
 * captures are made while it is there.
 */
#ifndef NATFW_CONFORM_NETNS_H
#define NATFW_CONFORM_NETNS_H

#include <lua.h>
#include <netinet/in.h>
#include <stdbool.h>

/* The class of namespaces: files above add the methods that make sockets in one. */
#define HOST_NETNS "host.netns"

struct host_netns {
    int fd;
    int claim; /* the socket that keeps other runners away; -1: none */
};

struct host_netns *host_check_netns(lua_State *L, int index);
bool host_enter(const struct host_netns *netns);
void host_leave(void);

/* A socket made in the namespace, non-blocking; -1 with errno. */
int host_socket_in(const struct host_netns *netns, int type, int protocol);

/* The IPv4 address at `address_index`, in dotted form, with this port. */
struct sockaddr_in host_address(lua_State *L, int address_index, int port);

/* Registers the class, and adds `netns` to the table on top of the stack. */
void host_open_netns(lua_State *L);

#endif

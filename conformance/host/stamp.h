/* When the kernel took a datagram: SO_TIMESTAMPNS, told in the time of the runner's clock. */
#ifndef NATFW_CONFORM_STAMP_H
#define NATFW_CONFORM_STAMP_H

#include <lua.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Has the kernel stamp what this socket gets. Returns false, and errno, where it does not. */
bool stamp_enable(int fd);

/* As recvfrom(), and when the datagram arrived; the present where it has no stamp. */
ssize_t stamp_receive(
    int fd, void *octets, size_t size, struct sockaddr_in *source, double *arrived_ms);

/* Gives namespaces the method `check_stamps`. */
void host_open_stamp(lua_State *L);

#endif

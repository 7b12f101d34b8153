/* Sockets that a scenario opens inside hosts, to send real traffic. IPv4 and IPv6. */
#ifndef NATFW_LAB_SOCKET_H
#define NATFW_LAB_SOCKET_H

#include "host.h"

#include <stdbool.h>
#include <stddef.h>

/* All return a negative errno on failure. Time-outs are -ETIMEDOUT. */

/* Returns a handle bound to address and port (0: any port). */
int lab_socket_open(const struct host *host, bool is_tcp, const char *address, int port);
int lab_socket_listen(int handle);
int lab_socket_accept(int handle, unsigned timeout_ms);
int lab_socket_connect(int handle, const char *address, int port, unsigned timeout_ms);
/* With address NULL sends to where the socket is connected to. Returns the octets sent. */
int lab_socket_send(int handle, const char *data, size_t length, const char *address, int port);
/* Returns the octets received; 0 when the peer has closed. */
int lab_socket_receive(int handle, char *data, size_t capacity, unsigned timeout_ms);
void lab_socket_close(int handle);

#endif

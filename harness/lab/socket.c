/* Sockets inside hosts; see socket.h. */
#define _GNU_SOURCE
#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union any_endpoint {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t endpoint_of(const char *address, int port, union any_endpoint *endpoint)
{
    memset(endpoint, 0, sizeof(*endpoint));
    if (inet_pton(AF_INET, address, &endpoint->v4.sin_addr) == 1) {
        endpoint->v4.sin_family = AF_INET;
        endpoint->v4.sin_port = htons((uint16_t)port);
        return sizeof(endpoint->v4);
    }
    if (inet_pton(AF_INET6, address, &endpoint->v6.sin6_addr) == 1) {
        endpoint->v6.sin6_family = AF_INET6;
        endpoint->v6.sin6_port = htons((uint16_t)port);
        return sizeof(endpoint->v6);
    }
    return 0;
}

static int wait_until(int handle, short events, unsigned timeout_ms)
{
    struct pollfd waiting = {.fd = handle, .events = events};
    int count = poll(&waiting, 1, (int)timeout_ms);
    return count < 0 ? -errno : count == 0 ? -ETIMEDOUT : 0;
}

int lab_socket_open(const struct host *host, bool is_tcp, const char *address, int port)
{
    union any_endpoint endpoint;
    socklen_t length = endpoint_of(address, port, &endpoint);
    if (length == 0)
        return -EINVAL;
    int result = host_enter(host);
    if (result < 0)
        return result;
    int handle = socket(endpoint.any.sa_family,
        (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    result = handle < 0 ? -errno : 0;
    host_leave();
    if (result < 0)
        return result;
    setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(handle, &endpoint.any, length) == 0)
        return handle;
    result = -errno;
    close(handle);
    return result;
}

int lab_socket_listen(int handle)
{
    return listen(handle, 16) < 0 ? -errno : 0;
}

int lab_socket_accept(int handle, unsigned timeout_ms)
{
    int result = wait_until(handle, POLLIN, timeout_ms);
    if (result < 0)
        return result;
    int accepted = accept4(handle, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return accepted < 0 ? -errno : accepted;
}

int lab_socket_connect(int handle, const char *address, int port, unsigned timeout_ms)
{
    union any_endpoint endpoint;
    socklen_t length = endpoint_of(address, port, &endpoint);
    if (length == 0)
        return -EINVAL;
    if (connect(handle, &endpoint.any, length) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return -errno;
    int result = wait_until(handle, POLLOUT, timeout_ms);
    if (result < 0)
        return result;
    int error = 0;
    getsockopt(handle, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof(error)});
    return -error;
}

int lab_socket_send(int handle, const char *data, size_t length, const char *address, int port)
{
    union any_endpoint endpoint;
    socklen_t endpoint_length = address ? endpoint_of(address, port, &endpoint) : 0;
    if (address && endpoint_length == 0)
        return -EINVAL;
    ssize_t sent =
        sendto(handle, data, length, MSG_NOSIGNAL, address ? &endpoint.any : NULL, endpoint_length);
    return sent < 0 ? -errno : (int)sent;
}

int lab_socket_receive(int handle, char *data, size_t capacity, unsigned timeout_ms)
{
    int result = wait_until(handle, POLLIN, timeout_ms);
    if (result < 0)
        return result;
    ssize_t length = recv(handle, data, capacity, 0);
    return length < 0 ? -errno : (int)length;
}

void lab_socket_close(int handle)
{
    close(handle);
}

/*
 * A host of the lab: a network namespace without a name outside, bound to /run/hosts/NAME inside
 * the lab's own mount namespace, so that nsenter and the conformance runner can enter it.
 */
#ifndef NATFW_LAB_HOST_H
#define NATFW_LAB_HOST_H

#include <stdbool.h>

enum { HOST_NAME_MAX_LENGTH = 15 };

struct host {
    char name[HOST_NAME_MAX_LENGTH + 1];
    int namespace_fd;
};

/* Letters, digits and dashes, at most 15. */
bool host_name_is_valid(const char *name);

/* Makes the namespace, with its loopback up. Returns 0 or a negative errno. */
int host_create(struct host *host, const char *name);
void host_destroy(struct host *host);

/* The calling thread enters the host, until host_leave. Returns 0 or a negative errno. */
int host_enter(const struct host *host);
void host_leave(void);

/* Remembers the namespace to come back to. Call once, before the first host. */
int host_remember_home(void);

#endif

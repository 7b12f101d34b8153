/* NATFW nodes in a row over the real GIST, in the network in memory: initiator, firewalls, and the
 * host at the flow's end. */
#ifndef NATFW_TESTS_PATH_H
#define NATFW_TESTS_PATH_H

#include "core/gist/tests/network.h"
#include "core/natfw/node.h"

enum {
    PATH_MAX_NODES = 4,
    PATH_HANDLES_MAX = 64,
    PATH_EVENT_KINDS = NATFW_EVENT_ROUTE_CHANGED + 1
};

struct path_node {
    struct network_place *place;
    struct gist_address address;
    struct gist_node *gist;
    struct natfw_node *natfw;
    uint64_t deadline_ms; /* that the NATFW node asked for */
    natfw_handle handles[PATH_HANDLES_MAX];
    size_t handle_count;
    size_t events[PATH_EVENT_KINDS];
    struct natfw_info last_info;
};

struct path {
    struct network *network;
    struct path_node nodes[PATH_MAX_NODES];
    size_t count;
    size_t sent;          /* datagrams, and segments of associations */
    uint16_t source_port; /* of the next flow; 4000 unless changed */
};

/* Nodes 0 to count - 1 at 192.0.2.1, .2 and so on, each a hop from the next. */
struct path *path_create(size_t count, const struct gist_node_config *gist_config);
void path_destroy(struct path *path);

/* Opens a session of the initiator, for a flow of UDP to this address. */
struct gist_session_id path_open(
    struct path *path, struct gist_address destination, uint32_t lifetime_s, bool refresh);

/* Whether a node knows the session. */
bool path_knows(const struct path *path, size_t node, const struct gist_session_id *id);

#endif

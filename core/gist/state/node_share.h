/*
 * The shares of a GIST node.
 *
 * Who is counted is an address that has shown that it receives what is sent to it, except for
 * Queries: those in the name of others share that of their interface. A peer that this node has
 * turned to, often on behalf of others, answers all of them; so it has more.
 */
#ifndef NATFW_GIST_NODE_SHARE_H
#define NATFW_GIST_NODE_SHARE_H

#include "core/gist/state/node_state.h"

/* Returns false without memory. */
bool gist_node_shares_open(struct gist_node *node);
void gist_node_shares_close(struct gist_node *node);

/* The limits are those of the node's configuration as it is now. */
void gist_node_shares_configure(struct gist_node *node);

/* Whom we deal with, as far as the application knows. */
struct gist_share_holder gist_node_holder(
    struct gist_node *node, const struct gist_address *address, uint32_t interface);

/* As gist_share_take and gist_share_give_back. */
enum gist_share_answer gist_node_share_take(struct gist_node *node,
    const struct gist_share_holder *holder, enum gist_share_of what, uint64_t amount);
void gist_node_share_give_back(struct gist_node *node, const struct gist_share_holder *holder,
    enum gist_share_of what, uint64_t amount);

#endif

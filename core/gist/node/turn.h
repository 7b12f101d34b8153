/* A turn: one call from outside, from its entrance to its end. */
#ifndef NATFW_GIST_TURN_H
#define NATFW_GIST_TURN_H

#include "core/gist/state/node_state.h"

/* Every call from outside goes between these two; calls of the application from within nest. */
void gist_node_enter(struct gist_node *node, uint64_t now_ms);
void gist_node_leave(struct gist_node *node);

/* Frees what has died during the turn. */
void gist_node_bury(struct gist_node *node);

#endif

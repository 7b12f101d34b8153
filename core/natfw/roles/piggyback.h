/* Requests inside a Query, and their refusal once there is somebody to send it to. Ruling A97.
 * Private to core/natfw. */
#ifndef NATFW_NATFW_PIGGYBACK_H
#define NATFW_NATFW_PIGGYBACK_H

#include "core/natfw/session/incoming.h"
#include "core/natfw/session/node_state.h"

void natfw_piggyback_remember(struct natfw_node *node, const struct natfw_incoming *incoming);

/* There is routing state towards this flow and session's inbound peer now. */
void natfw_piggyback_refuse(struct natfw_node *node, uint64_t now_ms, const struct gist_mri *mri,
    const struct gist_session_id *session_id);

#endif

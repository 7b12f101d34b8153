/*
 * What a session is made of for as long as it lives, so that a node that starts again goes on where
 * the one before it ended: who may speak for it (ruling A107), and with which sequence number
 * (RFC 5973 3.5). What is under way, a request without its RESPONSE, is not kept: whoever asked,
 * asks again.
 */
#ifndef NATFW_NATFW_SNAPSHOT_H
#define NATFW_NATFW_SNAPSHOT_H

#include "core/natfw/node.h"
#include "core/natfw/peer.h"

struct natfw_snapshot {
    struct gist_session_id id;
    enum natfw_role role;
    struct natfw_policy_rule rule; /* the one in force */
    uint32_t lifetime_s;           /* granted */
    uint64_t expires_ms;
    uint32_t sequence_number; /* of the newest request */
    struct natfw_peer inbound_peer;
    struct natfw_peer outbound_peer;
    bool reliable; /* its requests come over associations */
    bool secure;   /* over secure ones */
    /* NI only. */
    bool keeps_alive;
    uint32_t refresh_lifetime_s; /* to ask for */
};

/* Returns false where there is no such session, or nothing was granted to it yet. */
bool natfw_node_snapshot(const struct natfw_node *node, const struct gist_session_id *id,
    struct natfw_snapshot *snapshot);

/* Lets the session live on until it would have ended. A forwarder has its rule installed; an
 * initiator asks the path anew before long. NATFW_INVALID: it is over, is here already, or not of a
 * role of this node; NATFW_NO_MEMORY: its share is used up, or
 * the middlebox cannot have the rule. */
enum natfw_result natfw_node_restore(
    struct natfw_node *node, uint64_t now_ms, const struct natfw_snapshot *snapshot);

#endif

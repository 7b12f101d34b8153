/* A flow that a firewall opens has to cross the firewall. RFC 5973 3.7.1. Private to core/natfw. */
#ifndef NATFW_NATFW_CROSSING_H
#define NATFW_NATFW_CROSSING_H

#include "core/natfw/session/node_state.h"

/* Whether packets of this flow, coming in by this interface, leave by another one. For a CREATE
 * they come in as it does; for an EXTERNAL, which travels against its flow, where its data sender
 * is. At a NAT the flow is the translated one. */
bool natfw_flow_crosses(
    const struct natfw_node *node, const struct gist_mri *flow, uint32_t interface);

#endif

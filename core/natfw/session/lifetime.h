/* How a node treats the lifetime that is asked of it, and the one that is granted. RFC 5973 3.4. */
#ifndef NATFW_NATFW_LIFETIME_H
#define NATFW_NATFW_LIFETIME_H

#include "core/natfw/info.h"
#include "core/natfw/node.h"

#include <stdbool.h>

/* A request of lifetime_s: sets accepted_s, never above it, or returns false with the answer. */
bool natfw_lifetime_accept(const struct natfw_node_config *config, uint32_t lifetime_s,
    uint32_t *accepted_s, struct natfw_info *refusal);

/* A success RESPONSE that grants granted_s for a request passed on with forwarded_s. Returns true,
 * or false with the answer and the bound that it names. */
bool natfw_lifetime_check_granted(const struct natfw_node_config *config, uint32_t granted_s,
    uint32_t forwarded_s, struct natfw_info *refusal, uint32_t *bound_s);

/* The message refresh period R for a lifetime, so that K - 1 = 2 lost refreshes do no harm:
 * lifetime >= (K + 0.5) * 1.5 * R. Milliseconds. */
uint64_t natfw_lifetime_refresh_period_ms(uint32_t lifetime_s);

#endif

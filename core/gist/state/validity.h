/* How long our state is valid, and when a peer's is to be refreshed. RFC 5971 4.4.4, 4.4.5. */
#ifndef NATFW_GIST_VALIDITY_H
#define NATFW_GIST_VALIDITY_H

#include "core/gist/state/node_state.h"

/* How long our routing state is valid: longer when many states share the rate limit. 4.4.4. */
uint32_t gist_validity_ms(const struct gist_node *node);

/* A time from now; GIST_NO_DEADLINE where the clock does not reach so far. */
uint64_t gist_moment_after(const struct gist_node *node, uint64_t milliseconds);

/* A random moment between half and three quarters of a validity time from now. 4.4.4, 4.4.5. */
uint64_t gist_refresh_moment(struct gist_node *node, uint64_t validity_ms);

#endif

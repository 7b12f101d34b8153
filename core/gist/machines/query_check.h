/* Whether a Query can have come by the path of its flow. RFC 5971 5.8.1.2, 5.8.1.3, 7.2.1, 7.4. */
#ifndef NATFW_GIST_QUERY_CHECK_H
#define NATFW_GIST_QUERY_CHECK_H

#include "core/gist/state/node_state.h"

/* Returns false for one that can't; its sender has been told by an Error. */
bool gist_check_query_path(struct gist_node *node, const struct gist_reception *reception);

#endif

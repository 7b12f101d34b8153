/* What others may see of a session: core/natfw/node.h. Private to core/natfw. */
#ifndef NATFW_NATFW_VIEW_H
#define NATFW_NATFW_VIEW_H

#include "core/natfw/session/session.h"

struct natfw_session_view natfw_session_view_of(const struct natfw_session *session);

#endif

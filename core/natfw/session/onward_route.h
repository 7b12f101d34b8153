/* The way on which a session's flow goes on from here, as this host's routing had it last. RFC 5971
 * 7.1.2: local trigger. Private to core/natfw. */
#ifndef NATFW_NATFW_ONWARD_ROUTE_H
#define NATFW_NATFW_ONWARD_ROUTE_H

#include "core/gist/transport.h"

struct natfw_onward_route {
    struct gist_address destination; /* version 0: nobody has looked yet */
    bool is_there;                   /* else packets go nowhere */
    struct gist_route route;
};

struct natfw_onward_route natfw_onward_route_now(
    const struct gist_transport *transport, const struct gist_address *destination);

/* The same destination is reached another way, or no more, or again. */
bool natfw_onward_route_differs(
    const struct natfw_onward_route *before, const struct natfw_onward_route *now);

#endif

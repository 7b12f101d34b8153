/* The way on which a session's flow goes on; see onward_route.h. RFC 5971 7.1.2. */
#include "core/natfw/session/onward_route.h"

struct natfw_onward_route natfw_onward_route_now(
    const struct gist_transport *transport, const struct gist_address *destination)
{
    struct natfw_onward_route now = {.destination = *destination};
    now.is_there = transport->route(transport->context, destination, &now.route);
    return now;
}

static bool same_way(const struct gist_route *a, const struct gist_route *b)
{
    return a->interface == b->interface && gist_address_equal(&a->local, &b->local) &&
           gist_address_equal(&a->next_hop, &b->next_hop);
}

bool natfw_onward_route_differs(
    const struct natfw_onward_route *before, const struct natfw_onward_route *now)
{
    if (!gist_address_equal(&before->destination, &now->destination))
        return false;
    return before->is_there != now->is_there ||
           (now->is_there && !same_way(&before->route, &now->route));
}

/* A node of which one may have little; see sharing.h. */
#include "core/gist/tests/sharing.h"

#include <criterion/criterion.h>

void sharing_start(void)
{
    struct gist_node_config config = row_config();
    fixture_start();
    config.datagrams_per_second = 0;
    config.interface_queries_per_second = 40;
    config.stranger_queries_per_second = 5;
    config.known_queries_per_second = 50;
    config.routing_states_max = 400;
    config.routing_states_per_stranger_max = 10;
    config.routing_states_per_peer_max = 60;
    config.associations_max = 40;
    config.associations_per_peer_max = 4;
    config.queued_octets_max = 16 * SHARING_MESSAGE_MAX;
    config.queued_octets_per_peer_max = 2 * SHARING_MESSAGE_MAX;
    config.stream_octets_max = 16 * SHARING_MESSAGE_MAX;
    config.stream_octets_per_peer_max = 2 * SHARING_MESSAGE_MAX;
    config.ingress_filter = false;
    fixture_restart(2, &config);
}

struct gist_node *sharing_node(void)
{
    return row->nodes[1].gist;
}

struct gist_address far_host(unsigned i)
{
    return gist_address_v4(UINT32_C(0xc6120001) + (i << 8));
}

unsigned take_all(const struct gist_address *address, uint32_t interface, enum gist_share_of what,
    enum gist_share_answer *refusal)
{
    struct gist_share_holder holder = gist_node_holder(sharing_node(), address, interface);
    unsigned count = 0;
    while ((*refusal = gist_node_share_take(sharing_node(), &holder, what, 1)) == GIST_SHARE_TAKEN)
        cr_assert_lt(++count, 1000);
    return count;
}

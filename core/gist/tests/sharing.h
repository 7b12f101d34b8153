/* core/gist: a node of which one may have little, for tests of who has how much of it. */
#ifndef NATFW_GIST_TESTS_SHARING_H
#define NATFW_GIST_TESTS_SHARING_H

#include "core/gist/state/node_share.h"
#include "core/gist/tests/fixture.h"

enum { SHARING_MESSAGE_MAX = 4096 };

/* Number 1 of a row of two is the one that is to be used up; fixture_stop ends it. */
void sharing_start(void);
struct gist_node *sharing_node(void);

/* Of many names: each host in a network of its own. */
struct gist_address far_host(unsigned i);

/* Takes until no more is given; returns how much that was. */
unsigned take_all(const struct gist_address *address, uint32_t interface, enum gist_share_of what,
    enum gist_share_answer *refusal);

#endif

/* Handshakes of TLS that end before the node has authenticated anybody. */
#ifndef NATFW_ATTACK_HELLOS_H
#define NATFW_ATTACK_HELLOS_H

#include "harness/attack/attack.h"

/* count of them at a time, as fast as it goes, from each source in turn; each ends when the node
 * has answered, and the next begins. Returns an exit status. */
int attack_by_hellos(const struct attack *attack);

#endif

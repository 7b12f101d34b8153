/* Attacks by associations that say nothing, nothing of use, or never finish. */
#ifndef NATFW_ATTACK_CONNECTIONS_H
#define NATFW_ATTACK_CONNECTIONS_H

#include "harness/attack/attack.h"

/* Returns the exit status. */
int attack_by_connections(const struct attack *attack);

#endif

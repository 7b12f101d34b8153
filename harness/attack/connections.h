/* Attacks by associations that say nothing, nothing of use, or never finish. */
#ifndef NATFW_ATTACK_CONNECTIONS_H
#define NATFW_ATTACK_CONNECTIONS_H

#include "harness/attack/attack.h"

/* A socket that is connected to the node from the source of this number; -1: it did not answer. */
int attack_connect_from(const struct attack *attack, unsigned long number);

/* Returns the exit status. */
int attack_by_connections(const struct attack *attack);

#endif

/* Attacks by datagrams. */
#ifndef NATFW_ATTACK_DATAGRAMS_H
#define NATFW_ATTACK_DATAGRAMS_H

#include "harness/attack/attack.h"

/* A UDP socket at the attack's first address; -1 with errno set. */
int attack_socket(const struct attack *attack);

/* Queries with the source addresses of others. Returns the exit status, as below. */
int attack_by_queries(const struct attack *attack);
/* Handshakes that leave routing state, or sessions. */
int attack_by_handshakes(const struct attack *attack);

#endif

/* Attacks by those who have routing state, and perhaps a session. */
#ifndef NATFW_ATTACK_ESTABLISHED_H
#define NATFW_ATTACK_ESTABLISHED_H

#include "harness/attack/attack.h"

/* Data messages without end, each of which asks for the session anew. Returns the exit status. */
int attack_by_data(const struct attack *attack);
/* Queries without end for state that is there. */
int attack_by_refreshes(const struct attack *attack);

#endif

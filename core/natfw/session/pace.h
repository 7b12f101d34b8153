/*
 * How often a session may make this node speak up of itself because its route changes. A route that
 * flaps, or a peer that names itself anew with each message, makes no storm. RFC 5971 7.1.4.
 * Private to core/natfw.
 */
#ifndef NATFW_NATFW_PACE_H
#define NATFW_NATFW_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* A session that is Transitory is held for 30 s or more (3.2.8): time for several requests. */
enum { NATFW_PACE_MS = 5000 };

struct natfw_pace {
    uint64_t not_before_ms; /* the next turn */
    uint64_t due_ms;        /* what waits for it, or NATFW_NO_DEADLINE */
    bool is_outbound;       /* it is the outbound path that has changed */
};

/* There is something to say: at once, or when the next turn is. */
void natfw_pace_ask(struct natfw_pace *pace, uint64_t now_ms);
/* It is said now. */
void natfw_pace_spend(struct natfw_pace *pace, uint64_t now_ms);
/* It need not be said any more. */
void natfw_pace_drop(struct natfw_pace *pace);

#endif

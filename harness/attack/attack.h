/* What an attack is told on its command line; see main.c. */
#ifndef NATFW_ATTACK_H
#define NATFW_ATTACK_H

#include "core/gist/mri.h"

#include <stdbool.h>
#include <stdint.h>

struct attack {
    struct gist_address from;  /* this host's, or the first of those that it claims to have */
    uint32_t from_count;       /* how many addresses, counted on from the first */
    struct gist_address to;    /* where the flows end */
    uint16_t association_port; /* of the node under attack */
    struct gist_mri flow;      /* one flow for all sessions; version 0 of its source: none */
    unsigned long count;       /* of messages, handshakes or connections */
    unsigned long per_second;  /* 0: as fast as it goes */
    unsigned long seconds;     /* how long connections are held; 0: until killed */
    bool piles;                /* meaningless messages on each connection without end */
    unsigned long every_ms;    /* a meaningless message on each connection; 0: none */
    unsigned long octets;      /* of a message that never ends, on each connection; 0: none */
    unsigned long lifetime_s;  /* of the sessions that are asked for */
    bool with_create;          /* each Confirm asks for a session */
};

/* The address that is number away from the first. */
struct gist_address attack_source(const struct attack *attack, unsigned long number);

/* Waits until it is time for the message after sent. */
void attack_keep_pace(const struct attack *attack, unsigned long sent, double start);
double attack_seconds(void);
int attack_fail(const char *what);

#endif

/*
 * A wire between two hosts: a TAP device at each end, whose frames the lab carries, so that it can
 * lose, delay, duplicate, reorder, corrupt and cut, and record what arrives.
 *
 * One thread carries the frames of all wires; the functions here may be called from any other.
 */
#ifndef NATFW_LAB_WIRE_H
#define NATFW_LAB_WIRE_H

#include "host.h"

#include <stdint.h>

struct wire;

/* What happens to frames, in both directions. Probabilities from 0 to 1. */
struct wire_impairment {
    double loss;
    double duplication;
    double reordering; /* such a frame waits for the time of one delay more */
    double corruption; /* one bit of such a frame flips */
    unsigned delay_ms;
    unsigned jitter_ms;
    bool cut;
};

struct wire_counters {
    uint64_t carried;
    uint64_t lost; /* by loss or cut */
};

/* Starts the thread that carries frames. The seed decides every chance. */
int wire_start(uint64_t seed);
void wire_stop(void);

struct wire_end {
    const struct host *host;
    const char *interface; /* its name in that host */
};

/* Makes both devices and the wire between them; pcap_path may be NULL. Returns NULL with errno set
 * and *what telling what failed. */
struct wire *wire_create(const struct wire_end ends[2], const char *pcap_path, const char **what);
void wire_impair(struct wire *wire, const struct wire_impairment *impairment);
struct wire_counters wire_counters_of(struct wire *wire);

#endif

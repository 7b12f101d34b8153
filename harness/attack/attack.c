/* Sources, pace and clock of an attack; see attack.h. */
#include "harness/attack/attack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct gist_address attack_source(const struct attack *attack, unsigned long number)
{
    uint32_t first;
    memcpy(&first, attack->from.octets, sizeof(first));
    return gist_address_v4(ntohl(first) + (uint32_t)(number % attack->from_count));
}

double attack_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void attack_keep_pace(const struct attack *attack, unsigned long sent, double start)
{
    if (attack->per_second == 0)
        return;
    double ahead = (double)sent / (double)attack->per_second - (attack_seconds() - start);
    if (ahead > 0.001) {
        struct timespec pause = {(time_t)ahead, (long)((ahead - (double)(time_t)ahead) * 1e9)};
        nanosleep(&pause, NULL);
    }
}

int attack_fail(const char *what)
{
    fprintf(stderr, "natfw-attack: %s: %s\n", what, strerror(errno));
    return 1;
}

/* Whether another process of this machine waits for a processor: what it has not done meanwhile is
 * not its fault. */
#ifndef NATFW_CONFORM_STARVED_H
#define NATFW_CONFORM_STARVED_H

#include <stdbool.h>

/* From one time to another, in milliseconds; nothing where they are the same. */
struct span {
    double from_ms;
    double to_ms;
};

/* Watches the process of this folder, "/proc/PID", in the place of any before. False where the
 * kernel does not tell. */
bool starved_watch(const char *folder);

/* The wait that goes on, or that has ended since the last look. */
struct span starved_look(double now_ms);

#endif

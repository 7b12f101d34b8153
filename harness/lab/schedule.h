/*
 * Real-time scheduling, where the lab may: what carries frames, what is judged and who judges come
 * before whatever else keeps the machine busy.
 */
#ifndef NATFW_LAB_SCHEDULE_H
#define NATFW_LAB_SCHEDULE_H

#include <stdbool.h>

/* Of this thread; what it starts is as it was before, unless it inherits. Without the right to it,
 * as in a user namespace, nothing changes. */
void schedule_promptly(bool inherits);

#endif

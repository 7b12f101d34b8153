/* Real-time scheduling; see schedule.h. */
#define _GNU_SOURCE
#include "schedule.h"

#include <sched.h>

void schedule_promptly(bool inherits)
{
    enum { PRIORITY = 10 };
    struct sched_param parameters = {.sched_priority = PRIORITY};
    /* Round robin: two that are always busy share a core. */
    (void)sched_setscheduler(0, inherits ? SCHED_RR : SCHED_RR | SCHED_RESET_ON_FORK, &parameters);
}

/* How often a session may make this node speak up; see pace.h. */
#include "core/natfw/session/pace.h"

void natfw_pace_ask(struct natfw_pace *pace, uint64_t now_ms)
{
    pace->due_ms = pace->not_before_ms > now_ms ? pace->not_before_ms : now_ms;
}

void natfw_pace_spend(struct natfw_pace *pace, uint64_t now_ms)
{
    pace->not_before_ms = now_ms + NATFW_PACE_MS;
    natfw_pace_drop(pace);
}

void natfw_pace_drop(struct natfw_pace *pace)
{
    pace->due_ms = UINT64_MAX;
    pace->is_outbound = false;
}

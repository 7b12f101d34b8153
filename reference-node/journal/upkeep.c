/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Restoring sessions and noting their changes; see upkeep.h. */
#include "reference-node/journal/upkeep.h"

#include "reference-node/base/clock.h"
#include "reference-node/base/log.h"
#include "reference-node/base/text.h"

#include <errno.h>
#include <string.h>

/* What an element's time may differ from its session's: two clocks, and a commit between. */
enum { TOLERANCE_MS = 1000 };

struct record_time upkeep_time(void)
{
    return (struct record_time){.node_ms = clock_now_ms(), .wall_ms = clock_wall_ms()};
}

/* The kernel decides whether a pinhole is open; the journal, whose it is. */
static const char *reason_to_leave_out(
    const struct kernel_elements *elements, uint64_t now_ms, struct natfw_snapshot *snapshot)
{
    uint64_t left_ms;
    if (snapshot->role != NATFW_FORWARDER)
        return NULL;
    if (!elements || !kernel_elements_hold(elements, &snapshot->rule, &left_ms))
        return "its pinhole is no longer in the kernel";
    if (snapshot->expires_ms > now_ms + left_ms + TOLERANCE_MS)
        snapshot->expires_ms = now_ms + left_ms;
    return NULL;
}

static const char *restore_one(
    struct natfw_node *node, const struct kernel_elements *elements, struct natfw_snapshot snapshot)
{
    uint64_t now_ms = clock_now_ms();
    const char *why = reason_to_leave_out(elements, now_ms, &snapshot);
    if (why)
        return why;
    switch (natfw_node_restore(node, now_ms, &snapshot)) {
    case NATFW_OK:
        return NULL;
    case NATFW_NO_MEMORY:
        return "there is no room for it; see sessions_max and pinholes_max";
    default:
        return "its lifetime is over, or its role is not one of ours";
    }
}

void upkeep_restore(
    struct journal *journal, struct natfw_node *node, const struct kernel_elements *elements)
{
    size_t count, restored = 0;
    const struct natfw_snapshot *found = journal_found(journal, &count);
    for (size_t i = 0; i < count; i++) {
        char id[TEXT_SID_SIZE];
        const char *why = restore_one(node, elements, found[i]);
        text_of_session_id(&found[i].id, id);
        if (why)
            log_line(LOG_LEVEL_INFO, "session %s is not resumed: %s", id, why);
        else
            upkeep_note(journal, node, &found[i].id);
        restored += !why;
    }
    journal_forget_found(journal);
    if (count > 0)
        log_line(LOG_LEVEL_INFO, "%zu of %zu sessions resumed%s", restored, count,
            journal_is_of_this_boot(journal) ? "" : " after a boot");
}

void upkeep_note(
    struct journal *journal, const struct natfw_node *node, const struct gist_session_id *id)
{
    struct natfw_snapshot snapshot;
    bool done = natfw_node_snapshot(node, id, &snapshot)
                    ? journal_put(journal, &snapshot, upkeep_time())
                    : journal_drop(journal, id);
    if (!done)
        log_line(LOG_LEVEL_ERROR, "state_file: sessions are not kept over a restart: %s",
            strerror(errno));
}

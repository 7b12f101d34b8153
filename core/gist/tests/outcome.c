/* What one event did at a node; see outcome.h. */
#include "core/gist/tests/outcome.h"

#include "core/gist/node/turn.h"

static struct {
    size_t node;
    struct base_timer *timers[OUTCOME_TIMERS_MAX];
    struct base_timer before[OUTCOME_TIMERS_MAX];
    size_t timer_count;
    size_t seen_count;
    struct row_node told; /* as it was */
    char text[OUTCOME_MAX + 1];
    size_t length;
} watched;

static void put(char letter, size_t times)
{
    for (size_t i = 0; i < times && watched.length < OUTCOME_MAX; i++)
        watched.text[watched.length++] = letter;
    watched.text[watched.length] = '\0';
}

void outcome_watch(size_t node, struct base_timer *const timers[], size_t count)
{
    gist_node_enter(row->nodes[node].gist, network_now_ms(row->network));
    watched.node = node;
    watched.timer_count = count;
    for (size_t i = 0; i < count; i++) {
        watched.timers[i] = timers[i];
        watched.before[i] = *timers[i];
    }
    watched.seen_count = row->seen_count;
    watched.told = row->nodes[node];
    watched.length = 0;
}

static char letter_of(const struct base_timer *now, const struct base_timer *before)
{
    if (!now->running)
        return '-';
    return before->running && before->deadline_ms == now->deadline_ms ? '=' : '*';
}

const char *outcome(void)
{
    static const char letters[] = "QRCDEH";
    const struct row_node *node = &row->nodes[watched.node];
    for (size_t i = 0; i < watched.timer_count; i++)
        put(letter_of(watched.timers[i], &watched.before[i]), 1);
    for (size_t i = watched.seen_count; i < row->seen_count; i++)
        put(letters[row->seen[i].message.header.type], 1);
    put('h', node->heard_count - watched.told.heard_count);
    put('s', node->told_count - watched.told.told_count);
    for (size_t i = 0; i < 4; i++)
        put("gdfc"[i], node -> notifications[i] - watched.told.notifications[i]);
    gist_node_leave(row->nodes[watched.node].gist);
    return watched.text;
}

/* What one event did at a node, as a short text, for the tests of the machines' tables. */
#ifndef NATFW_GIST_TESTS_OUTCOME_H
#define NATFW_GIST_TESTS_OUTCOME_H

#include "core/base/timer.h"
#include "core/gist/tests/fixture.h"

enum { OUTCOME_TIMERS_MAX = 4, OUTCOME_MAX = 64 };

/* Enters the node at the present time, and looks at its timers and at all that was heard so far. */
void outcome_watch(size_t node, struct base_timer *const timers[], size_t count);

/*
 * What came about since, of the node watched; the node is then left.
 *
 * A letter for each timer: '-' does not run, '=' runs as before, '*' was started. Then what went
 * over the wire, in order: Query, Response, Confirm, Data, Error, Hello by their first letters.
 * Then what its application was told: 'h' for each message, 's' for each status, 'g', 'd', 'f'
 * and 'c' for the notifications of a good route, a deleted one, a failed association and a change.
 */
const char *outcome(void);

#endif

/* What most suites start from: two neighbours, a flow between them, and its session. */
#ifndef NATFW_GIST_TESTS_FIXTURE_H
#define NATFW_GIST_TESTS_FIXTURE_H

#include "core/gist/tests/pair.h"
#include "core/spec/tests/verify.h"

extern struct row *row;
extern struct gist_mri mri;
extern struct gist_session_id session;

void fixture_start(void);
void fixture_stop(void);

/* In place of what runs: so many nodes, with this configuration. */
void fixture_restart(size_t count, const struct gist_node_config *config);

/* Sends text from node 0 on the session, and expects that GIST takes it. */
void fixture_send(const char *text, bool reliable);

/* Whether node's nth message of those that its application heard begins with text. */
bool fixture_heard(size_t node, size_t n, const char *text);

#endif

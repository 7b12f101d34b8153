/* Sessions that the node on the bench begins itself, as their NSIS initiator. */
#ifndef NATFW_TESTS_BEGUN_H
#define NATFW_TESTS_BEGUN_H

#include "core/natfw/tests/bench.h"

/* What is asked for: 60 seconds, kept alive, and the bench's flow since the first session. */
extern struct natfw_open begun_request;

struct gist_session_id begun_session(void);
/* From the node further on. An answer is one to the last request; a success grants all of it. */
void begun_receive(const struct gist_session_id *id, const struct natfw_message *message);
void begun_answer(const struct gist_session_id *id, enum natfw_code code);

struct natfw_session_view begun_view(const struct gist_session_id *id);
bool begun_is_known(const struct gist_session_id *id);

#endif

/* Two neighbours; see fixture.h. */
#include "core/gist/tests/fixture.h"

#include <string.h>

struct row *row;
struct gist_mri mri;
struct gist_session_id session;

static void start(size_t count, const struct gist_node_config *config)
{
    row = row_create(count, config);
    mri = row_mri(row);
    session = row_session(1);
}

void fixture_start(void)
{
    struct gist_node_config config = row_config();
    start(2, &config);
}

void fixture_stop(void)
{
    row_destroy(row);
}

void fixture_restart(size_t count, const struct gist_node_config *config)
{
    fixture_stop();
    start(count, config);
}

void fixture_send(const char *text, bool reliable)
{
    cr_assert_eq(row_send(row, 0, &mri, &session, text, reliable), GIST_SENT);
}

bool fixture_heard(size_t node, size_t n, const char *text)
{
    return row->nodes[node].heard_count > n &&
           strncmp((const char *)row->nodes[node].heard[n].data, text, strlen(text)) == 0;
}

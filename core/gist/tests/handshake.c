/* core/gist: nodes shake hands and exchange Data. RFC 5971 4.4.1, 5.1, 6. */
#include "core/gist/tests/pair.h"
#include "core/spec/verify.h"

#include <criterion/criterion.h>
#include <string.h>

static bool heard(const struct row *row, size_t node, size_t n, const char *text)
{
    return row->nodes[node].heard_count > n &&
           strncmp((const char *)row->nodes[node].heard[n].data, text, strlen(text)) == 0;
}

Test(handshake, reliable_data_goes_over_a_new_association)
{
    struct gist_node_config config = row_config();
    struct row *row = row_create(2, &config);
    struct gist_mri mri = row_mri(row);
    struct gist_session_id session = row_session(1);
    cr_assert_eq(row_send(row, 0, &mri, &session, "hello there", true), GIST_SENT);
    network_run_for(row->network, 1000);
    cr_assert(heard(row, 1, 0, "hello there"));
    cr_assert_eq(row->seen_count, 4);
    cr_assert(row->nodes[1].heard[0].received.routing_state_validated);
    cr_assert(row->nodes[1].heard[0].received.attributes.reliable);
    row_destroy(row);
}

/* The states of a session, each row of them, and which refusals end it. RFC 5973 3.2.8. */
#include "core/natfw/session/session.h"

#include <criterion/criterion.h>

enum { STATES = NATFW_DEAD + 1 };

/* From the figure of 3.2.8, with rulings A38 and A100: what each input makes of each state. */
static const enum natfw_session_state WANTED[STATES][NATFW_INPUTS] = {
    [NATFW_PENDING] = {NATFW_ESTABLISHED, NATFW_DEAD, NATFW_PENDING, NATFW_TRANSITORY, NATFW_DEAD,
        NATFW_DEAD, NATFW_DEAD},
    [NATFW_ESTABLISHED] = {NATFW_ESTABLISHED, NATFW_DEAD, NATFW_ESTABLISHED, NATFW_TRANSITORY,
        NATFW_DEAD, NATFW_DEAD, NATFW_DEAD},
    [NATFW_TRANSITORY] = {NATFW_ESTABLISHED, NATFW_DEAD, NATFW_TRANSITORY, NATFW_TRANSITORY,
        NATFW_DEAD, NATFW_DEAD, NATFW_DEAD},
    [NATFW_DEAD] = {NATFW_DEAD, NATFW_DEAD, NATFW_DEAD, NATFW_DEAD, NATFW_DEAD, NATFW_DEAD,
        NATFW_DEAD},
};

Test(session, each_input_leads_each_state_where_the_figure_says)
{
    for (unsigned state = NATFW_PENDING; state < STATES; state++)
        for (unsigned input = 0; input < NATFW_INPUTS; input++)
            cr_assert_eq(natfw_session_next(
                             (enum natfw_session_state)state, (enum natfw_session_input)input),
                WANTED[state][input], "state %u, input %u", state, input);
}

Test(session, a_refusal_ends_what_was_never_granted)
{
    struct natfw_session session = {.request.is_change = false};
    cr_assert(natfw_session_ends_by(&session, NATFW_POLICY_CONFLICT, false));
}

Test(session, a_refused_change_ends_it_by_a_modified_lifetime_or_the_literal_reading_only)
{
    struct natfw_session session = {.request.is_change = true};
    cr_assert_not(natfw_session_ends_by(&session, NATFW_POLICY_CONFLICT, false));
    cr_assert(natfw_session_ends_by(&session, NATFW_POLICY_CONFLICT, true));
    cr_assert(natfw_session_ends_by(&session, NATFW_MODIFIED_LIFETIME_TOO_BIG, false));
    cr_assert(natfw_session_ends_by(&session, NATFW_MODIFIED_LIFETIME_TOO_SMALL, false));
}

Test(session, handles_of_a_session_count_its_requests_and_never_touch_its_number)
{
    const natfw_handle first = UINT64_C(4) << NATFW_HANDLE_REQUEST_BITS;
    struct natfw_session session = {.serial = 4};
    natfw_session_await_response(&session);
    cr_assert(session.request.awaits_response);
    cr_assert_eq(session.request.handle, first + 1);
    session.request.handle = first + (UINT64_C(1) << NATFW_HANDLE_REQUEST_BITS) - 1;
    natfw_session_await_response(&session);
    cr_assert_eq(session.request.handle, first, "the count begins anew");
}

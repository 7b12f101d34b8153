/* The states of a signalling session as a table. RFC 5973 3.2.8, rulings A38 and A46. */
#include "core/natfw/session/session.h"

static const enum natfw_session_state next_state[][NATFW_INPUTS] = {
    [NATFW_PENDING] =
        {
            [NATFW_INPUT_SUCCESS] = NATFW_ESTABLISHED,
            [NATFW_INPUT_ERROR] = NATFW_DEAD,
            [NATFW_INPUT_CHANGE_REFUSED] = NATFW_PENDING, /* granted, but its rule is not in yet */
            [NATFW_INPUT_NOTIFY_CHANGE] = NATFW_TRANSITORY,
            [NATFW_INPUT_NOTIFY_END] = NATFW_DEAD,
            [NATFW_INPUT_LIFETIME_OVER] = NATFW_DEAD,
            [NATFW_INPUT_DELETION] = NATFW_DEAD,
        },
    [NATFW_ESTABLISHED] =
        {
            [NATFW_INPUT_SUCCESS] = NATFW_ESTABLISHED,
            [NATFW_INPUT_ERROR] = NATFW_DEAD,
            [NATFW_INPUT_CHANGE_REFUSED] = NATFW_ESTABLISHED,
            [NATFW_INPUT_NOTIFY_CHANGE] = NATFW_TRANSITORY,
            [NATFW_INPUT_NOTIFY_END] = NATFW_DEAD,
            [NATFW_INPUT_LIFETIME_OVER] = NATFW_DEAD,
            [NATFW_INPUT_DELETION] = NATFW_DEAD,
        },
    [NATFW_TRANSITORY] =
        {
            [NATFW_INPUT_SUCCESS] = NATFW_ESTABLISHED,
            [NATFW_INPUT_ERROR] = NATFW_DEAD,
            [NATFW_INPUT_CHANGE_REFUSED] = NATFW_TRANSITORY,
            [NATFW_INPUT_NOTIFY_CHANGE] = NATFW_TRANSITORY,
            [NATFW_INPUT_NOTIFY_END] = NATFW_DEAD,
            [NATFW_INPUT_LIFETIME_OVER] = NATFW_DEAD,
            [NATFW_INPUT_DELETION] = NATFW_DEAD,
        },
    [NATFW_DEAD] =
        {
            [NATFW_INPUT_SUCCESS] = NATFW_DEAD,
            [NATFW_INPUT_ERROR] = NATFW_DEAD,
            [NATFW_INPUT_CHANGE_REFUSED] = NATFW_DEAD,
            [NATFW_INPUT_NOTIFY_CHANGE] = NATFW_DEAD,
            [NATFW_INPUT_NOTIFY_END] = NATFW_DEAD,
            [NATFW_INPUT_LIFETIME_OVER] = NATFW_DEAD,
            [NATFW_INPUT_DELETION] = NATFW_DEAD,
        },
};

enum natfw_session_state natfw_session_next(
    enum natfw_session_state state, enum natfw_session_input input)
{
    return next_state[state][input];
}

bool natfw_session_ends_by(const struct natfw_session *session, enum natfw_code code, bool literal)
{
    bool modified_lifetime =
        code == NATFW_MODIFIED_LIFETIME_TOO_BIG || code == NATFW_MODIFIED_LIFETIME_TOO_SMALL;
    return !session->request.is_change || modified_lifetime || literal;
}

bool natfw_session_is_granted(const struct natfw_session *session)
{
    return session->granted_lifetime_s > 0 || session->held.octets != NULL;
}

static natfw_handle next_handle(const struct natfw_session *session)
{
    natfw_handle count_max = (UINT64_C(1) << NATFW_HANDLE_REQUEST_BITS) - 1;
    natfw_handle count = (session->request.handle + 1) & count_max;
    return session->serial << NATFW_HANDLE_REQUEST_BITS | count;
}

void natfw_session_await_response(struct natfw_session *session)
{
    session->request.awaits_response = true;
    session->request.handle = next_handle(session);
}

/* The states of a signalling session as a table. RFC 5973 3.2.8, rulings A38 and A46. */
#include "core/natfw/session.h"

static const enum natfw_session_state next_state[][NATFW_INPUTS] = {
    [NATFW_PENDING] =
        {
            [NATFW_INPUT_SUCCESS] = NATFW_ESTABLISHED,
            [NATFW_INPUT_ERROR] = NATFW_DEAD,
            [NATFW_INPUT_CHANGE_REFUSED] = NATFW_DEAD,
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

bool natfw_session_ends_by(
    const struct natfw_session *session, const struct natfw_info *info, bool literal)
{
    bool modified_lifetime = info->error_class == NATFW_SESSION_FAILURE &&
                             (info->code == NATFW_MODIFIED_LIFETIME_TOO_BIG ||
                                 info->code == NATFW_MODIFIED_LIFETIME_TOO_SMALL);
    return !session->is_change || modified_lifetime || literal;
}

void natfw_session_drop_held(const struct gist_allocator *allocator, struct natfw_session *session)
{
    if (session->held_response)
        allocator->release(allocator->context, session->held_response, session->held_length);
    session->held_response = NULL;
    session->held_length = 0;
}

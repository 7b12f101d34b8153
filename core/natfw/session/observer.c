/* Telling the observer; see observer.h. */
#include "core/natfw/session/observer.h"

#include "core/natfw/session/view.h"

/* Only the first event after its end is about a session that is there no more. */
static void tell(struct natfw_node *node, uint64_t now_ms, struct natfw_event *event)
{
    const struct natfw_session *session =
        natfw_session_table_find(&node->sessions, &event->session_id);
    struct natfw_session_view view = node->ended;
    bool has_ended = !gist_session_id_is_zero(&event->session_id) &&
                     gist_session_id_equal(&node->ended.id, &event->session_id);
    if (session)
        view = natfw_session_view_of(session);
    else if (has_ended)
        node->ended = (struct natfw_session_view){0};
    event->session = session || has_ended ? &view : NULL;
    node->seams.observer.event(node->seams.observer.context, now_ms, event);
}

void natfw_tell_info(struct natfw_node *node, uint64_t now_ms, enum natfw_event_kind kind,
    const struct gist_session_id *id, struct natfw_info info, const char *why)
{
    struct natfw_event event = {.kind = kind, .session_id = *id, .info = info, .why = why};
    tell(node, now_ms, &event);
}

void natfw_tell(struct natfw_node *node, uint64_t now_ms, enum natfw_event_kind kind,
    const struct gist_session_id *id)
{
    natfw_tell_info(node, now_ms, kind, id, (struct natfw_info){0}, NULL);
}

void natfw_tell_of(struct natfw_node *node, const struct natfw_incoming *incoming,
    enum natfw_event_kind kind, struct natfw_info info, const char *why)
{
    struct natfw_event event = {.kind = kind,
        .session_id = incoming->received->session_id,
        .info = info,
        .why = why,
        .peer = incoming->received->peer};
    tell(node, incoming->now_ms, &event);
}

void natfw_discard(struct natfw_node *node, const struct natfw_incoming *incoming, const char *why)
{
    natfw_tell_of(node, incoming, NATFW_EVENT_DISCARDED, (struct natfw_info){0}, why);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Triggers of an initiator; see triggers.h. */
#include "harness/shim/triggers.h"

#include "reference-node/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { WAITING_MAX = 65536 };

/* One whose session has no answer yet. */
struct waiting {
    uint32_t number;
    struct gist_session_id session;
    struct waiting *next;
};

struct triggers {
    const struct box_output *output;
    struct waiting *waiting;
    size_t waiting_count;
};

struct triggers *triggers_create(const struct box_output *output)
{
    struct triggers *triggers = calloc(1, sizeof(*triggers));
    if (triggers)
        triggers->output = output;
    return triggers;
}

static void forget(struct triggers *triggers, struct waiting *waiting)
{
    LL_DELETE(triggers->waiting, waiting);
    triggers->waiting_count--;
    free(waiting);
}

void triggers_destroy(struct triggers *triggers)
{
    while (triggers && triggers->waiting)
        forget(triggers, triggers->waiting);
    free(triggers);
}

static void answer(
    struct triggers *triggers, uint32_t number, enum trigger_status status, const char *text)
{
    triggers->output->trigger_done(triggers->output->context, number, (uint8_t)status, text);
}

static const char *value_of(const struct trigger *trigger, const char *key)
{
    for (size_t i = 0; i < trigger->field_count; i++)
        if (strcmp(trigger->fields[i].key, key) == 0)
            return trigger->fields[i].value;
    return "";
}

/* A key that is not understood could have been a limit: nothing is done in spite of it. */
static const char *unknown_key(const struct trigger *trigger, const char *const known[])
{
    for (size_t i = 0; i < trigger->field_count; i++) {
        const char *const *one = known;
        while (*one && strcmp(*one, trigger->fields[i].key) != 0)
            one++;
        if (!*one)
            return trigger->fields[i].key;
    }
    return NULL;
}

static bool read_port(const char *text, bool *is_there, uint16_t *port)
{
    unsigned long number = 0;
    *is_there = text[0] != '\0';
    if (*is_there && !text_to_number(text, 1, 65535, &number))
        return false;
    *port = (uint16_t)number;
    return true;
}

/* Returns NULL, or what is wrong with the fields. */
static const char *read_open(const struct trigger *trigger, struct natfw_open *open)
{
    struct gist_mri *flow = &open->rule.flow;
    unsigned long lifetime_s;
    memset(open, 0, sizeof(*open));
    if (!text_to_address(value_of(trigger, "source"), &flow->source) ||
        !text_to_address(value_of(trigger, "destination"), &flow->destination) ||
        flow->source.version != 4 || flow->destination.version != 4)
        return "source, destination: give an IPv4 address";
    if (!read_port(value_of(trigger, "source_port"), &flow->has_source_port, &flow->source_port) ||
        !read_port(value_of(trigger, "destination_port"), &flow->has_destination_port,
            &flow->destination_port))
        return "source_port, destination_port: give 1 to 65535";
    if (!text_to_protocol(value_of(trigger, "protocol"), &flow->protocol))
        return "protocol: give udp, tcp or a number to 255";
    if (!text_to_number(value_of(trigger, "lifetime_s"), 1, UINT32_MAX, &lifetime_s))
        return "lifetime_s: give seconds above 0";
    flow->has_protocol = true;
    flow->source_prefix = flow->destination_prefix = 32;
    open->rule.action = NATFW_ALLOW;
    open->lifetime_s = (uint32_t)lifetime_s;
    open->refresh = true;
    return NULL;
}

static void wait_for(
    struct triggers *triggers, uint32_t number, const struct gist_session_id *session)
{
    struct waiting *waiting =
        triggers->waiting_count < WAITING_MAX ? calloc(1, sizeof(*waiting)) : NULL;
    if (!waiting) {
        answer(triggers, number, TRIGGER_REFUSED, "there is no room for one more that waits");
        return;
    }
    waiting->number = number;
    waiting->session = *session;
    LL_APPEND(triggers->waiting, waiting);
    triggers->waiting_count++;
}

static const char *text_of_result(enum natfw_result result)
{
    switch (result) {
    case NATFW_OK:
        return "done";
    case NATFW_NO_SESSION:
        return "no such session that was opened here";
    case NATFW_NO_MEMORY:
        return "this box has no room for another session";
    case NATFW_NO_RANDOMNESS:
        return "this box has no randomness";
    case NATFW_INVALID:
        return "this flow or lifetime cannot be asked for";
    case NATFW_NO_ROUTE:
        return "there is no route to the flow's destination";
    }
    return "unknown";
}

static void run_open(struct triggers *triggers, struct natfw_node *node, uint64_t now_ms,
    const struct trigger *trigger)
{
    static const char *const known[] = {
        "source", "source_port", "destination", "destination_port", "protocol", "lifetime_s", NULL};
    struct natfw_open open;
    struct gist_session_id session;
    const char *fault = unknown_key(trigger, known) ? "a field that this operation has not got"
                                                    : read_open(trigger, &open);
    if (fault) {
        answer(triggers, trigger->number, TRIGGER_USAGE, fault);
        return;
    }
    enum natfw_result result = natfw_node_open(node, now_ms, &open, &session);
    if (result == NATFW_OK)
        wait_for(triggers, trigger->number, &session);
    else
        answer(triggers, trigger->number, TRIGGER_REFUSED, text_of_result(result));
}

static bool read_session(const char *text, struct gist_session_id *session)
{
    enum { DIGITS = 2 * sizeof(session->octets) };
    char digits[3] = "";
    if (strlen(text) != DIGITS || strspn(text, "0123456789abcdefABCDEF") != DIGITS)
        return false;
    for (size_t i = 0; i < sizeof(session->octets); i++) {
        memcpy(digits, text + 2 * i, 2);
        session->octets[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return true;
}

static void run_close(struct triggers *triggers, struct natfw_node *node, uint64_t now_ms,
    const struct trigger *trigger)
{
    static const char *const known[] = {"sid", NULL};
    struct gist_session_id session;
    if (unknown_key(trigger, known) || !read_session(value_of(trigger, "sid"), &session)) {
        answer(triggers, trigger->number, TRIGGER_USAGE, "sid: give 32 hexadecimal digits");
        return;
    }
    enum natfw_result result = natfw_node_close(node, now_ms, &session);
    answer(triggers, trigger->number, result == NATFW_OK ? TRIGGER_DONE : TRIGGER_REFUSED,
        text_of_result(result));
}

void triggers_run(struct triggers *triggers, struct natfw_node *node, bool is_initiator,
    uint64_t now_ms, const struct trigger *trigger)
{
    if (!is_initiator)
        answer(triggers, trigger->number, TRIGGER_REFUSED,
            "this box has no role initiator; see roles in its configuration");
    else if (strcmp(trigger->operation, "open") == 0)
        run_open(triggers, node, now_ms, trigger);
    else if (strcmp(trigger->operation, "close") == 0)
        run_close(triggers, node, now_ms, trigger);
    else
        answer(triggers, trigger->number, TRIGGER_USAGE, "the operations are open and close");
}

static void settle(
    struct triggers *triggers, struct waiting *waiting, const struct natfw_event *event)
{
    char session[TEXT_SID_SIZE];
    char text[256];
    uint32_t number = waiting->number;
    bool opened = event->kind == NATFW_EVENT_ESTABLISHED || event->kind == NATFW_EVENT_REFRESHED ||
                  event->kind == NATFW_EVENT_UPDATED;
    text_of_session_id(&waiting->session, session);
    if (opened || event->info.code == NATFW_NO_CODE)
        snprintf(text, sizeof(text), "session %s %s", session,
            opened ? "is established" : "ended without an answer");
    else
        snprintf(text, sizeof(text), "session %s is refused: %u/0x%02x %s", session,
            natfw_class_of(event->info.code), natfw_number_of(event->info.code),
            text_of_code(event->info.code));
    forget(triggers, waiting);
    answer(triggers, number, opened ? TRIGGER_DONE : TRIGGER_REFUSED, text);
}

void triggers_session_event(
    struct triggers *triggers, const struct natfw_node *node, const struct natfw_event *event)
{
    struct waiting *waiting, *next;
    if (!natfw_node_has_answered(node, event))
        return;
    LL_FOREACH_SAFE(triggers->waiting, waiting, next) {
        if (gist_session_id_equal(&waiting->session, &event->session_id))
            settle(triggers, waiting, event);
    }
}

void triggers_give_up(struct triggers *triggers)
{
    while (triggers->waiting) {
        uint32_t number = triggers->waiting->number;
        forget(triggers, triggers->waiting);
        answer(triggers, number, TRIGGER_REFUSED, "the box ended before there was an answer");
    }
}

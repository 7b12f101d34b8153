/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sessions in words; see sessions.h. */
#include "reference-node/natfwctl/sessions.h"

#include "reference-node/natfwctl/members.h"
#include "reference-node/natfwctl/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SID_DIGITS_MIN = 8 };

/* Sorted by id, which is shown as short as natfwctl takes it again. */
struct listing {
    const json_t **sessions;
    size_t count;
    int sid_digits;
};

enum column {
    SESSION,
    ROLE,
    STATE,
    ACTION,
    LIFETIME,
    LEFT,
    ANSWER,
    PACKETS,
    OCTETS,
    FLOW,
    COLUMN_COUNT
};

static const struct table_column columns[COLUMN_COUNT] = {
    [SESSION] = {"SESSION", false},
    [ROLE] = {"ROLE", false},
    [STATE] = {"STATE", false},
    [ACTION] = {"ACTION", false},
    [LIFETIME] = {"LIFETIME", true},
    [LEFT] = {"LEFT", true},
    [ANSWER] = {"ANSWER", false},
    [PACKETS] = {"PACKETS", true},
    [OCTETS] = {"OCTETS", true},
    [FLOW] = {"FLOW", false},
};

/* The flow, and what comes with it. */
static void write_flow(const json_t *session, char text[TABLE_CELL_SIZE])
{
    snprintf(text, TABLE_CELL_SIZE, "%s%s", member_string(session, "flow"),
        member_number(session, "sub_ports") > 0 ? ", and the next port" : "");
}

/* "-" where nothing is counted. */
static void write_count(const json_t *session, const char *key, char text[TABLE_CELL_SIZE])
{
    if (json_object_get(session, key))
        snprintf(text, TABLE_CELL_SIZE, "%lld", member_number(session, key));
    else
        snprintf(text, TABLE_CELL_SIZE, "-");
}

static void write_cell(void *context, size_t row, size_t column, char text[TABLE_CELL_SIZE])
{
    static const char *const strings[COLUMN_COUNT] = {
        [ROLE] = "role", [STATE] = "state", [ACTION] = "action"};
    const struct listing *listing = context;
    const json_t *session = listing->sessions[row];
    char answer[MEMBER_ANSWER_SIZE];
    member_answer(session, "answer", false, answer);
    if (column == SESSION)
        snprintf(
            text, TABLE_CELL_SIZE, "%.*s", listing->sid_digits, member_string(session, "session"));
    else if (column == LIFETIME)
        snprintf(text, TABLE_CELL_SIZE, "%llds", member_number(session, "lifetime_s"));
    else if (column == LEFT)
        snprintf(text, TABLE_CELL_SIZE, "%llds", member_number(session, "expires_in_ms") / 1000);
    else if (column == FLOW)
        write_flow(session, text);
    else if (column == PACKETS || column == OCTETS)
        write_count(session, column == PACKETS ? "packets" : "octets", text);
    else
        snprintf(text, TABLE_CELL_SIZE, "%s",
            column == ANSWER ? answer : member_string(session, strings[column]));
}

static int by_id(const void *a, const void *b)
{
    const json_t *const *one = a, *const *other = b;
    return strcmp(member_string(*one, "session"), member_string(*other, "session"));
}

/* So many digits that no two neighbours, and so no two at all, look the same. */
static int digits_that_tell_apart(const struct listing *listing)
{
    int digits = SID_DIGITS_MIN;
    for (size_t i = 1; i < listing->count; i++) {
        const char *one = member_string(listing->sessions[i - 1], "session");
        const char *other = member_string(listing->sessions[i], "session");
        while (one[0] && strncmp(one, other, (size_t)digits) == 0 && digits < (int)strlen(one))
            digits++;
    }
    return digits;
}

void sessions_print_table(const json_t *sessions)
{
    struct listing listing = {.count = json_array_size(sessions)};
    listing.sessions = calloc(listing.count + 1, sizeof(*listing.sessions));
    if (!listing.sessions) {
        fprintf(stderr, "natfwctl: no memory for %zu sessions\n", listing.count);
        return;
    }
    for (size_t i = 0; i < listing.count; i++)
        listing.sessions[i] = json_array_get(sessions, i);
    qsort(listing.sessions, listing.count, sizeof(*listing.sessions), by_id);
    listing.sid_digits = digits_that_tell_apart(&listing);
    table_print(stdout, columns, COLUMN_COUNT, listing.count, write_cell, &listing);
    free(listing.sessions);
}

void sessions_print_one(const json_t *session)
{
    char answer[MEMBER_ANSWER_SIZE];
    member_answer(session, "answer", true, answer);
    printf("session   %s\n", member_string(session, "session"));
    printf("role      %s\n", member_string(session, "role"));
    printf("state     %s\n", member_string(session, "state"));
    char flow[TABLE_CELL_SIZE];
    write_flow(session, flow);
    printf("flow      %s\n", flow);
    printf("action    %s\n", member_string(session, "action"));
    printf("secure    %s\n", json_is_true(json_object_get(session, "secure")) ? "yes" : "no");
    printf("lifetime  %llds, %.1fs left\n", member_number(session, "lifetime_s"),
        (double)member_number(session, "expires_in_ms") / 1000);
    printf("answer    %s\n", answer);
    if (json_object_get(session, "packets"))
        printf("passed    %lld packets, %lld octets\n", member_number(session, "packets"),
            member_number(session, "octets"));
}

void sessions_print_event(const json_t *event)
{
    const json_t *session = json_object_get(event, "session");
    char answer[MEMBER_ANSWER_SIZE];
    member_answer(event, "answer", true, answer);
    printf("%s  %-11s  %.*s  %-9s  %-11s  %s", member_string(event, "time"),
        member_string(event, "event"), SID_DIGITS_MIN, member_string(session, "session"),
        member_string(session, "role"), member_string(session, "state"),
        member_string(session, "flow"));
    if (json_is_object(json_object_get(event, "answer")))
        printf("  %s", answer);
    if (json_object_get(event, "why"))
        printf("  %s", member_string(event, "why"));
    printf("\n");
}

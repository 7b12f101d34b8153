/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The columns of natfwctl list, and the lines of natfwctl watch. */
#include "reference-node/natfwctl/sessions.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is printed on standard output meanwhile, until the next call. */
static char *printed(void (*print)(const json_t *what), const json_t *what)
{
    static char text[4096];
    FILE *file = tmpfile();
    fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    dup2(fileno(file), STDOUT_FILENO);
    print(what);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    rewind(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static json_t *session(const char *id, json_int_t lifetime_s, const char *flow)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:{s:i, s:i, s:s}}", "session", id,
        "role", "forwarder", "state", "established", "action", "allow", "flow", flow, "lifetime_s",
        lifetime_s, "expires_in_ms", (json_int_t)1999, "answer", "class", 2, "code", 1, "text",
        "granted");
}

#define V6_FLOW "tcp [2001:db8:1111:2222:3333:4444:5555:6666]:65535 -> [2001:db8:1111::]/48:65535"

Test(session_table, aligns_columns_of_every_width)
{
    json_t *sessions =
        json_pack("[o, o]", session("9a00000000000000000000000000000a", 86400, V6_FLOW),
            session("57d3a1b2000000000000000000000001", 60, "udp 192.0.2.2:1 -> 192.0.2.3:2"));
    const char *expected =
        "SESSION   ROLE       STATE        ACTION  LIFETIME  LEFT  ANSWER  PACKETS   OCTETS  FLOW\n"
        "57d3a1b2  forwarder  established  allow        60s    1s  2/0x01     1234  5678901  "
        "udp 192.0.2.2:1 -> 192.0.2.3:2\n"
        "9a000000  forwarder  established  allow     86400s    1s  2/0x01        -        - "
        " " V6_FLOW "\n";
    json_object_set_new(json_array_get(sessions, 1), "packets", json_integer(1234));
    json_object_set_new(json_array_get(sessions, 1), "octets", json_integer(5678901));
    char *text = printed(sessions_print_table, sessions);
    cr_assert(strcmp(text, expected) == 0, "%s", text);
    json_decref(sessions);
}

Test(session_table, shows_as_many_digits_as_tell_sessions_apart)
{
    json_t *sessions = json_pack("[o, o, o]", session("57d3a1b2c3000000000000000000000a", 1, "a"),
        session("00000000000000000000000000000000", 1, "b"),
        session("57d3a1b2c4000000000000000000000a", 1, "c"));
    char *text = printed(sessions_print_table, sessions);
    cr_assert(strstr(text, "\n0000000000  ") && strstr(text, "\n57d3a1b2c3  ") &&
                  strstr(text, "\n57d3a1b2c4  "),
        "%s", text);
    json_decref(sessions);
}

Test(session_table, has_its_header_also_without_sessions)
{
    json_t *none = json_array();
    char *text = printed(sessions_print_table, none);
    cr_assert(
        strncmp(text, "SESSION  ROLE ", 14) == 0 && strchr(text, '\n')[1] == '\0', "%s", text);
    json_decref(none);
}

Test(session_table, tells_an_event_in_one_line_also_of_a_session_that_is_gone)
{
    json_t *event = json_pack("{s:s, s:s, s:{s:s, s:s}, s:n, s:s}", "event", "expired", "time",
        "2026-11-27T12:00:00.000Z", "session", "session", "57d3a1b2000000000000000000000001",
        "state", "dead", "answer", "why", "its lifetime is over");
    char *text = printed(sessions_print_event, event);
    cr_assert(
        strcmp(text, "2026-11-27T12:00:00.000Z  expired      57d3a1b2  -          dead         -  "
                     "its lifetime is over\n") == 0,
        "%s", text);
    json_decref(event);
}

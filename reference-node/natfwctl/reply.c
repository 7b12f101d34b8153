/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What natfwd says, in words; see reply.h. */
#include "reference-node/natfwctl/reply.h"

#include "reference-node/natfwctl/members.h"
#include "reference-node/natfwctl/sessions.h"
#include "reference-node/natfwctl/status.h"

#include <stdint.h>
#include <string.h>

static void print_counters(const json_t *object, const char *prefix)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        if (json_is_object(value))
            print_counters(value, key);
        else if (json_is_integer(value))
            printf("%s%s%s %lld\n", prefix, *prefix ? "." : "", key,
                (long long)json_integer_value(value));
    }
}

static void print_done(const char *command, const json_t *reply)
{
    if (strcmp(command, "list") == 0)
        sessions_print_table(json_object_get(reply, "sessions"));
    else if (strcmp(command, "status") == 0)
        status_print(reply);
    else if (strcmp(command, "stats") == 0)
        print_counters(reply, "");
    else if (strcmp(command, "close") == 0)
        printf("closed %lld\n", member_number(reply, "closed"));
    else if (strcmp(command, "reload") == 0)
        printf("the configuration is taken over\n");
    else if (strcmp(command, "uninstall") == 0 && json_is_null(json_object_get(reply, "table")))
        printf("natfwd had no table here\n");
    else if (strcmp(command, "uninstall") == 0)
        printf("table inet %s is out: nothing is closed by natfwd any more\n",
            member_string(reply, "table"));
    else
        sessions_print_one(json_object_get(reply, "session"));
}

static void print_fault(const char *command, const json_t *reply)
{
    const char *session = json_string_value(json_object_get(reply, "session"));
    const json_t *told = json_object_get(reply, "answer");
    const char *message = member_string(reply, "message");
    bool says_the_same = strcmp(member_string(told, "text"), message) == 0;
    char answer[MEMBER_ANSWER_SIZE];
    member_answer(reply, "answer", !says_the_same, answer);
    fprintf(stderr, "natfwctl: %s%s%s: %s", command, session ? " " : "", session ? session : "",
        message);
    if (json_is_object(told))
        fprintf(stderr, " (%s)", answer);
    fprintf(stderr, "\n");
}

enum exit_status reply_print(const struct arguments *arguments, const json_t *reply)
{
    bool done = json_is_true(json_object_get(reply, "ok"));
    if (json_object_get(reply, "warning"))
        fprintf(stderr, "natfwctl: warning: %s\n", member_string(reply, "warning"));
    if (arguments->as_json) {
        json_dumpf(reply, stdout, JSON_INDENT(2));
        printf("\n");
    } else if (done) {
        print_done(arguments->command, reply);
    } else {
        print_fault(arguments->command, reply);
    }
    if (done)
        return EXIT_OK;
    return strcmp(member_string(reply, "error"), "usage") == 0 ? EXIT_USAGE : EXIT_REFUSED;
}

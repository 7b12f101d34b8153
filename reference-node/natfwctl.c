/* SPDX-License-Identifier: GPL-3.0-or-later */
/* natfwctl: opens, closes and shows sessions of a running natfwd; natfwctl(1) is its manual. */
#include "reference-node/base/text.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum exit_status { EXIT_OK = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3 };

static const char usage[] =
    "Usage: natfwctl [--socket PATH] COMMAND [ARGUMENTS] [--json]\n"
    "Opens, closes and shows NATFW sessions of a running natfwd.\n"
    "\n"
    "  open --from ADDRESS[:PORT] --to ADDRESS[:PORT] --protocol udp|tcp|NUMBER\n"
    "       [--lifetime SECONDS] [--no-refresh] [--timeout SECONDS] [--deny] [--sub-ports 1]\n"
    "                       ask the path to let a flow pass, and wait for the answer\n"
    "  close SID | --all    end a session, or all that were opened here\n"
    "  list                 the sessions that this node knows\n"
    "  show SID             one session\n"
    "  stats                counters and memory of the node\n"
    "\n"
    "  --socket PATH        control socket (default /run/natfwd.sock)\n"
    "  --json               print the reply as JSON\n"
    "  --version            print the version and exit\n"
    "  -h, --help           print this and exit\n"
    "\n"
    "A SID may be shortened as long as it names one session.\n"
    "Exit status: 0 done, 1 refused or no answer, 2 bad usage, 3 natfwd cannot be reached.\n";

struct arguments {
    const char *socket_path;
    const char *command;
    const char *session;
    bool as_json;
    json_t *request;
};

/* Options that become a key of the request. */
enum value { VALUE_STRING, VALUE_NUMBER, VALUE_TRUE, VALUE_FALSE, VALUE_DENY };

static const struct request_option {
    const char *option;
    const char *key;
    enum value value;
    unsigned long high; /* of a number */
} request_options[] = {
    {"from", "from", VALUE_STRING, 0},
    {"to", "to", VALUE_STRING, 0},
    {"protocol", "protocol", VALUE_STRING, 0},
    {"lifetime", "lifetime_s", VALUE_NUMBER, UINT32_MAX},
    {"timeout", "timeout_s", VALUE_NUMBER, 3600},
    {"sub-ports", "sub_ports", VALUE_NUMBER, 1},
    {"no-refresh", "refresh", VALUE_FALSE, 0},
    {"deny", "action", VALUE_DENY, 0},
    {"all", "all", VALUE_TRUE, 0},
};

enum { REQUEST_OPTION_COUNT = sizeof(request_options) / sizeof(request_options[0]) };

static bool put_string(json_t *request, const char *key, const char *value)
{
    return json_object_set_new(request, key, json_string(value)) == 0;
}

static bool put_value(json_t *request, const struct request_option *option, const char *text)
{
    unsigned long number;
    switch (option->value) {
    case VALUE_STRING:
        return put_string(request, option->key, text);
    case VALUE_DENY:
        return put_string(request, option->key, "deny");
    case VALUE_TRUE:
        return json_object_set_new(request, option->key, json_true()) == 0;
    case VALUE_FALSE:
        return json_object_set_new(request, option->key, json_false()) == 0;
    case VALUE_NUMBER:
        if (text_to_number(text, 1, option->high, &number))
            return json_object_set_new(request, option->key, json_integer((json_int_t)number)) == 0;
    }
    fprintf(stderr, "natfwctl: --%s: \"%s\" is no number from 1 to %lu\n", option->option, text,
        option->high);
    return false;
}

enum { OPTION_SOCKET = 256, OPTION_JSON, OPTION_VERSION, OPTION_REQUEST };

/* The options of natfwctl itself, then those of the request; ends in zeros. */
static void list_options(struct option options[REQUEST_OPTION_COUNT + 5])
{
    static const struct option own[] = {{"socket", required_argument, NULL, OPTION_SOCKET},
        {"json", no_argument, NULL, OPTION_JSON}, {"version", no_argument, NULL, OPTION_VERSION},
        {"help", no_argument, NULL, 'h'}};
    memset(options, 0, (REQUEST_OPTION_COUNT + 5) * sizeof(*options));
    memcpy(options, own, sizeof(own));
    for (size_t i = 0; i < REQUEST_OPTION_COUNT; i++) {
        bool takes_value = request_options[i].value <= VALUE_NUMBER;
        options[4 + i] = (struct option){request_options[i].option,
            takes_value ? required_argument : no_argument, NULL, OPTION_REQUEST + (int)i};
    }
}

static int complain(const char *what, const char *which)
{
    fprintf(stderr, "natfwctl: %s%s. Try natfwctl --help.\n", what, which);
    return EXIT_USAGE;
}

/* Returns the status to exit with, or -1 to go on. */
static int read_options(int argc, char **argv, struct arguments *arguments)
{
    struct option known[REQUEST_OPTION_COUNT + 5];
    list_options(known);
    for (int option; (option = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        if (option == OPTION_SOCKET)
            arguments->socket_path = optarg;
        else if (option == OPTION_JSON)
            arguments->as_json = true;
        else if (option == OPTION_VERSION)
            return puts("natfwctl " NATFW_VERSION) < 0;
        else if (option == 'h')
            return fputs(usage, stdout) < 0;
        else if (option == '?')
            return complain("an option cannot be used", "");
        else if (!put_value(arguments->request, &request_options[option - OPTION_REQUEST], optarg))
            return EXIT_USAGE;
    }
    return -1;
}

/* Which command it is, and whether it has what it needs. Returns -1, or EXIT_USAGE. */
static int read_command(int argc, char **argv, struct arguments *arguments)
{
    static const char *const commands[] = {"open", "close", "list", "show", "stats", NULL};
    if (optind == argc)
        return complain("no command given", "");
    arguments->command = argv[optind++];
    const char *const *known = commands;
    while (*known && strcmp(*known, arguments->command) != 0)
        known++;
    if (!*known)
        return complain("unknown command ", arguments->command);
    bool wants_session =
        strcmp(arguments->command, "show") == 0 ||
        (strcmp(arguments->command, "close") == 0 && !json_object_get(arguments->request, "all"));
    if (wants_session && optind < argc)
        arguments->session = argv[optind++];
    if (wants_session && !arguments->session)
        return complain("which session? Give a SID to ", arguments->command);
    if (optind < argc)
        return complain("too many arguments at ", argv[optind]);
    static const char *const needed[] = {"from", "to", "protocol"};
    for (size_t i = 0; strcmp(arguments->command, "open") == 0 && i < 3; i++)
        if (!json_object_get(arguments->request, needed[i]))
            return complain("open needs --", needed[i]);
    put_string(arguments->request, "command", arguments->command);
    if (arguments->session)
        put_string(arguments->request, "session", arguments->session);
    return -1;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor >= 0 && connect(descriptor, (struct sockaddr *)&address, sizeof(address)) == 0)
        return descriptor;
    int error = errno;
    if (descriptor >= 0)
        close(descriptor);
    errno = error;
    return -1;
}

/* Sends the request and reads the one line of the reply; NULL when natfwd cannot be reached. */
static json_t *ask(const struct arguments *arguments)
{
    int descriptor = connect_to(arguments->socket_path);
    FILE *stream = descriptor >= 0 ? fdopen(descriptor, "r+") : NULL;
    if (!stream) {
        fprintf(stderr, "natfwctl: %s: %s; is natfwd running?\n", arguments->socket_path,
            strerror(errno));
        return NULL;
    }
    char *line = NULL;
    size_t size = 0;
    json_t *reply = NULL;
    json_dumpf(arguments->request, stream, JSON_COMPACT);
    fputc('\n', stream);
    if (fflush(stream) == 0 && getline(&line, &size, stream) > 0)
        reply = json_loads(line, 0, NULL);
    if (!reply)
        fprintf(stderr, "natfwctl: natfwd ended the connection without a reply\n");
    free(line);
    fclose(stream);
    return reply;
}

static const char *string_in(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "-";
}

static json_int_t number_in(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void print_answer(const json_t *answer, FILE *out)
{
    if (json_is_object(answer))
        fprintf(out, " (%lld/0x%02llx %s)", (long long)number_in(answer, "class"),
            (unsigned long long)number_in(answer, "code"), string_in(answer, "text"));
}

static void print_session(const json_t *session)
{
    printf("%s  %-9s  %-11s  granted %llds  ends in %.1fs  %s %s", string_in(session, "session"),
        string_in(session, "role"), string_in(session, "state"),
        (long long)number_in(session, "lifetime_s"),
        (double)number_in(session, "expires_in_ms") / 1000, string_in(session, "action"),
        string_in(session, "flow"));
    print_answer(json_object_get(session, "answer"), stdout);
    printf("\n");
}

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

static void print_reply(const struct arguments *arguments, const json_t *reply)
{
    size_t index;
    json_t *session;
    if (json_object_get(reply, "session"))
        print_session(json_object_get(reply, "session"));
    json_array_foreach(json_object_get(reply, "sessions"), index, session)
        print_session(session);
    if (json_object_get(reply, "closed"))
        printf("closed %lld\n", (long long)number_in(reply, "closed"));
    if (strcmp(arguments->command, "stats") == 0)
        print_counters(reply, "");
}

static int report(const struct arguments *arguments, const json_t *reply)
{
    bool done = json_is_true(json_object_get(reply, "ok"));
    if (arguments->as_json) {
        json_dumpf(reply, stdout, JSON_INDENT(2));
        printf("\n");
    } else if (done) {
        print_reply(arguments, reply);
    } else {
        const char *session = json_string_value(json_object_get(reply, "session"));
        fprintf(stderr, "natfwctl: %s%s%s: %s", arguments->command, session ? " " : "",
            session ? session : "", string_in(reply, "message"));
        print_answer(json_object_get(reply, "answer"), stderr);
        fprintf(stderr, "\n");
    }
    if (done)
        return EXIT_OK;
    return strcmp(string_in(reply, "error"), "usage") == 0 ? EXIT_USAGE : EXIT_REFUSED;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.socket_path = "/run/natfwd.sock", .request = json_object()};
    int status = arguments.request ? read_options(argc, argv, &arguments) : EXIT_UNREACHABLE;
    if (status < 0)
        status = read_command(argc, argv, &arguments);
    if (status < 0) {
        json_t *reply = ask(&arguments);
        status = reply ? report(&arguments, reply) : EXIT_UNREACHABLE;
        json_decref(reply);
    }
    json_decref(arguments.request);
    return status;
}

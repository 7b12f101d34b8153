/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line of natfwctl; see arguments.h. */
#include "reference-node/natfwctl/arguments.h"

#include "reference-node/base/text.h"
#include "reference-node/natfwctl/exit_status.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_SOCKET "/run/natfw/natfwd.sock"

static const char usage[] =
    "Usage: natfwctl [--socket PATH] COMMAND [ARGUMENTS] [--json]\n"
    "Opens, closes and shows NATFW sessions of a running natfwd.\n"
    "\n"
    "  open --from ADDRESS[:PORT] --to ADDRESS[:PORT] --protocol udp|tcp|NUMBER\n"
    "       [--lifetime SECONDS] [--no-refresh] [--timeout SECONDS] [--deny] [--sub-ports 1]\n"
    "       [--secure]      (only by nodes that have authenticated each other)\n"
    "                       ask the path to let a flow pass, and wait for the answer\n"
    "  close SID | --all    end a session, or all that were opened here\n"
    "  list                 the sessions that this node knows, one a line\n"
    "  show SID             all about one session\n"
    "  watch                what happens to sessions, as it happens, until interrupted\n"
    "  status               what runs here, since when, and what is in force\n"
    "  stats                counters and memory of the node\n"
    "  reload               have natfwd take its changed configuration over\n"
    "  uninstall            end all sessions, take the firewall out of the kernel, and stop\n"
    "\n"
    "  --socket PATH        control socket (default " DEFAULT_SOCKET ")\n"
    "  --json               print what natfwd says as JSON\n"
    "  --version            print the version and exit\n"
    "  -h, --help           print this and exit\n"
    "\n"
    "A SID may be shortened as long as it names one session.\n"
    "Exit status: 0 done, 1 refused or no answer, 2 bad usage, 3 natfwd does not run,\n"
    "4 not allowed to ask it, 5 natfwd ended meanwhile.\n";

/* Options that become a key of the request. */
enum value { VALUE_STRING, VALUE_NUMBER, VALUE_TRUE, VALUE_FALSE, VALUE_DENY };

static const struct request_option {
    const char *command; /* whose option it is */
    const char *option;
    const char *key;
    enum value value;
    unsigned long high; /* of a number */
} request_options[] = {
    {"open", "from", "from", VALUE_STRING, 0},
    {"open", "to", "to", VALUE_STRING, 0},
    {"open", "protocol", "protocol", VALUE_STRING, 0},
    {"open", "lifetime", "lifetime_s", VALUE_NUMBER, UINT32_MAX},
    {"open", "timeout", "timeout_s", VALUE_NUMBER, 3600},
    {"open", "sub-ports", "sub_ports", VALUE_NUMBER, 1},
    {"open", "no-refresh", "refresh", VALUE_FALSE, 0},
    {"open", "secure", "secure", VALUE_TRUE, 0},
    {"open", "deny", "action", VALUE_DENY, 0},
    {"close", "all", "all", VALUE_TRUE, 0},
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

/* An option of another command, or NULL. */
static const char *foreign_option(const struct arguments *arguments)
{
    for (size_t i = 0; i < REQUEST_OPTION_COUNT; i++)
        if (json_object_get(arguments->request, request_options[i].key) &&
            strcmp(request_options[i].command, arguments->command) != 0)
            return request_options[i].option;
    return NULL;
}

/* Which command it is, and whether it has what it needs. Returns -1, or EXIT_USAGE. */
static int read_command(int argc, char **argv, struct arguments *arguments)
{
    static const char *const commands[] = {
        "open", "close", "list", "show", "watch", "status", "stats", "reload", "uninstall", NULL};
    if (optind == argc)
        return complain("no command given", "");
    arguments->command = argv[optind++];
    const char *const *known = commands;
    while (*known && strcmp(*known, arguments->command) != 0)
        known++;
    if (!*known)
        return complain("unknown command ", arguments->command);
    const char *foreign = foreign_option(arguments);
    if (foreign) {
        fprintf(stderr, "natfwctl: %s takes no --%s. Try natfwctl --help.\n", arguments->command,
            foreign);
        return EXIT_USAGE;
    }
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

int arguments_read(int argc, char **argv, struct arguments *arguments)
{
    arguments->socket_path = DEFAULT_SOCKET;
    int status = read_options(argc, argv, arguments);
    return status < 0 ? read_command(argc, argv, arguments) : status;
}

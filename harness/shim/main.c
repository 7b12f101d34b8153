/* SPDX-License-Identifier: GPL-3.0-or-later */
/* natfw-shim: natfwd's core as a child of natfw-conform, in its time; natfw-shim(1) is its manual.
 */
#include "harness/shim/conversation.h"
#include "reference-node/base/spec_environment.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum exit_status { EXIT_ENDED = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char usage[] =
    "Usage: natfw-conform run --shim natfw-shim --ixit FILE [OPTION]...\n"
    "The NATFW NSLP node of natfwd behind the shim protocol: in virtual time, without a network.\n"
    "\n"
    "It is started by natfw-conform, and talks with it over standard input and output. The box is\n"
    "configured by the file that the IXIT names as shim.configuration, in the format of\n"
    "natfwd.conf(5).\n"
    "\n"
    "      --set KEY=VALUE one more line of each configuration; may be repeated\n"
    "      --version       print the version and exit\n"
    "  -h, --help          print this and exit\n"
    "\n"
    "Exit status: 0 the input ended, 1 no memory, 2 bad usage, or input that is not of the "
    "protocol.\n"
    "See natfw-shim(1), natfw-conform(1), docs/shim-protocol.md.\n";

/* Returns the status to exit with, or -1 to go on. What --set says goes to more, a line each. */
static int read_options(int argc, char **argv, FILE *more)
{
    enum { VERSION = 256, SET };
    static const struct option known[] = {{"set", required_argument, NULL, SET},
        {"version", no_argument, NULL, VERSION}, {"help", no_argument, NULL, 'h'}, {0}};
    for (int option; (option = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        if (option == VERSION)
            return puts("natfw-shim " NATFW_VERSION) < 0;
        if (option == 'h')
            return fputs(usage, stdout) < 0;
        if (option != SET || !strchr(optarg, '=')) {
            fprintf(stderr, "%sTry natfw-shim --help.\n",
                option == SET ? "natfw-shim: --set wants KEY=VALUE. " : "");
            return EXIT_USAGE;
        }
        fprintf(more, "%s\n", optarg);
    }
    if (optind < argc) {
        fprintf(
            stderr, "natfw-shim: unknown argument \"%s\". Try natfw-shim --help.\n", argv[optind]);
        return EXIT_USAGE;
    }
    if (!isatty(STDIN_FILENO))
        return -1;
    fprintf(stderr, "natfw-shim: it is started by natfw-conform run --shim. Try --help.\n");
    return EXIT_USAGE;
}

static int serve(const char *more)
{
    if (!spec_environment_mutate("natfw-shim"))
        return EXIT_USAGE;
    FILE *trace = spec_environment_open_trace("natfw-shim");
    struct conversation *conversation = conversation_create(stdin, stdout, stderr, more);
    if (!conversation) {
        fprintf(stderr, "natfw-shim: no memory\n");
        return EXIT_FAILED;
    }
    int status = conversation_run(conversation) ? EXIT_ENDED : EXIT_USAGE;
    conversation_destroy(conversation);
    spec_environment_write_trace(trace, "natfw-shim");
    return status;
}

int main(int argc, char **argv)
{
    char *text = NULL;
    size_t length;
    FILE *more = open_memstream(&text, &length);
    if (!more)
        return EXIT_FAILED;
    int status = read_options(argc, argv, more);
    fclose(more);
    if (status < 0)
        status = serve(text);
    free(text);
    return status;
}

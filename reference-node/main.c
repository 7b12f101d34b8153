/* SPDX-License-Identifier: GPL-3.0-or-later */
/* natfwd: options, start, loop, stop; natfwd(8) is its manual. */
#include "reference-node/base/log.h"
#include "reference-node/base/loop.h"
#include "reference-node/base/memory.h"
#include "reference-node/base/privileges.h"
#include "reference-node/base/sandbox.h"
#include "reference-node/base/sanitizer.h"
#include "reference-node/base/service_manager.h"
#include "reference-node/base/spec_environment.h"
#include "reference-node/base/text.h"
#include "reference-node/config/config_file.h"
#include "reference-node/daemon/daemon.h"
#include "reference-node/daemon/reload.h"
#include "reference-node/netfilter/data_plane.h"
#include "reference-node/tls/tls_context.h"

#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum exit_status { EXIT_STOPPED = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct options {
    const char *config_path;
    bool check_only;
    bool uninstall;
    int ready_fd; /* -1: none */
};

static const char usage[] =
    "Usage: natfwd [-c FILE] [--check | --uninstall] [--ready-fd N]\n"
    "The NATFW NSLP node: initiator, firewall and responder of RFC 5973.\n"
    "\n"
    "  -c, --config FILE   configuration (default /etc/natfwd.conf)\n"
    "      --check         check the configuration, say what is wrong, and exit\n"
    "      --uninstall     take the firewall out of the kernel, which a stop does not, and exit\n"
    "      --foreground    stay in the foreground (always so)\n"
    "      --ready-fd N    close file descriptor N when ready to serve\n"
    "      --version       print the version and exit\n"
    "  -h, --help          print this and exit\n"
    "\n"
    "Exit status: 0 stopped or checked well, 1 could not start, 2 bad usage or configuration.\n"
    "See natfwd(8), natfwd.conf(5), natfwctl(1).\n";

/* Returns the status to exit with, or -1 to go on. */
static int read_options(int argc, char **argv, struct options *options)
{
    enum { CHECK = 256, UNINSTALL, FOREGROUND, READY_FD, VERSION };
    static const struct option known[] = {{"config", required_argument, NULL, 'c'},
        {"check", no_argument, NULL, CHECK}, {"uninstall", no_argument, NULL, UNINSTALL},
        {"foreground", no_argument, NULL, FOREGROUND},
        {"ready-fd", required_argument, NULL, READY_FD}, {"version", no_argument, NULL, VERSION},
        {"help", no_argument, NULL, 'h'}, {0}};
    unsigned long descriptor;
    *options = (struct options){.config_path = "/etc/natfwd.conf", .ready_fd = -1};
    for (int option; (option = getopt_long(argc, argv, "c:h", known, NULL)) != -1;) {
        if (option == 'c') {
            options->config_path = optarg;
        } else if (option == CHECK) {
            options->check_only = true;
        } else if (option == UNINSTALL) {
            options->uninstall = true;
        } else if (option == READY_FD && text_to_number(optarg, 0, 65535, &descriptor)) {
            options->ready_fd = (int)descriptor;
        } else if (option == VERSION) {
            return puts("natfwd " NATFW_VERSION) < 0;
        } else if (option == 'h') {
            return fputs(usage, stdout) < 0;
        } else if (option != FOREGROUND) {
            fprintf(stderr, "Try natfwd --help.\n");
            return EXIT_USAGE;
        }
    }
    if (optind == argc)
        return -1;
    fprintf(stderr, "natfwd: unknown argument \"%s\". Try natfwd --help.\n", argv[optind]);
    return EXIT_USAGE;
}

enum { FAREWELL_MS = 1000 }; /* for the last messages to leave */

struct server {
    struct event_base *base;
    struct service_manager *manager;
    struct daemon *daemon;
    struct reload *reload;
    const struct config *config;
    bool is_stopping;
};

static void stop_soon(void *context)
{
    struct server *server = context;
    struct timeval farewell = {.tv_sec = FAREWELL_MS / 1000};
    server->is_stopping = true;
    event_base_loopexit(server->base, &farewell);
}

static void on_stop(evutil_socket_t signal_number, short what, void *context)
{
    (void)what;
    struct server *server = context;
    log_line(LOG_LEVEL_INFO, "stopping on signal %d", (int)signal_number);
    if (!server->config->end_sessions_on_stop || server->is_stopping) {
        event_base_loopbreak(server->base);
        return;
    }
    daemon_end_sessions(server->daemon);
    stop_soon(server);
}

static uint64_t begin_reload(void *context)
{
    struct server *server = context;
    service_manager_tell(server->manager, SERVICE_RELOADING);
    return reload_begin(server->reload);
}

static void on_reload(evutil_socket_t signal_number, short what, void *context)
{
    (void)signal_number;
    (void)what;
    begin_reload(context);
}

static void on_reloaded(void *context, const struct reload_outcome *outcome)
{
    struct server *server = context;
    if (outcome->is_last)
        service_manager_tell(server->manager, SERVICE_READY);
    daemon_reloaded(server->daemon, outcome->attempt, outcome->is_taken, outcome->said);
}

static void tell_ready(const struct options *options)
{
    printf("ready\n");
    fflush(stdout);
    if (options->ready_fd < 0)
        return;
    if (write(options->ready_fd, "\n", 1) < 0)
        log_line(LOG_LEVEL_WARNING, "--ready-fd %d: %s", options->ready_fd, strerror(errno));
    close(options->ready_fd);
}

static bool must(bool done, const char *what)
{
    if (!done)
        fprintf(stderr, "natfwd: %s: %s; see drop_privileges\n", what, strerror(errno));
    return done;
}

/* All is open by now. The system's log is found by its path when it starts again, so then the root
 * stays; and whom no root has started cannot change it. */
static bool give_up_rights(const struct config *config)
{
    struct privileges_user user = {.user = geteuid(), .group = getegid()};
    bool is_root = user.user == 0;
    if (!config->drop_privileges)
        return true;
    memory_open();
    return (!is_root ||
               must(privileges_find_user(config->user, &user), "the user cannot be found")) &&
           (!is_root || config->use_syslog || BUILT_WITH_SANITIZER ||
               must(privileges_empty_root(), "no empty root can be made")) &&
           must(privileges_drop(&user), "capabilities cannot be dropped") &&
           (BUILT_WITH_SANITIZER || must(privileges_close_files(), "files cannot be closed off")) &&
           must(sandbox_enter(), "the sandbox cannot be entered");
}

/* From here on, errors go to the log and the loop goes on. */
static int loop(struct event_base *base, const struct config *config, const struct options *options,
    struct service_manager *manager)
{
    if (!log_limit_to(config->log_lines_per_kind, config->log_lines_per_peer) || !log_attach(base))
        log_line(LOG_LEVEL_WARNING, "log: no memory; its lines have no limits");
    log_line(LOG_LEVEL_INFO, "natfwd %s serves:%s%s%s", NATFW_VERSION,
        config->initiator ? " initiator" : "", config->natfw.forwarder ? " forwarder" : "",
        config->natfw.responder ? " responder" : "");
    tell_ready(options);
    service_manager_tell(manager, SERVICE_READY);
    return loop_run(base) < 0 ? EXIT_FAILED : EXIT_STOPPED;
}

static struct event *on_signal(
    struct event_base *base, int signal_number, event_callback_fn callback, void *context)
{
    struct event *event = evsignal_new(base, signal_number, callback, context);
    if (event)
        event_add(event, NULL);
    return event;
}

static int serve(struct event_base *base, struct loader *loader, struct load *load,
    const struct options *options)
{
    int status = EXIT_FAILED;
    struct server server = {
        .base = base, .manager = service_manager_create(base), .config = load->config};
    struct daemon_owner owner = {.context = &server, .reload = begin_reload, .stop = stop_soon};
    struct daemon *daemon = server.daemon = daemon_create(base, load, &owner, stderr);
    if (daemon)
        log_to(load->config->use_syslog);
    if (daemon && give_up_rights(load->config)) {
        server.reload = reload_create(base, loader, daemon, on_reloaded, &server);
        struct event *signals[] = {on_signal(base, SIGTERM, on_stop, &server),
            on_signal(base, SIGINT, on_stop, &server), on_signal(base, SIGHUP, on_reload, &server)};
        if (server.reload && signals[0] && signals[1] && signals[2])
            status = loop(base, load->config, options, server.manager);
        for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
            if (signals[i])
                event_free(signals[i]);
    }
    service_manager_tell(server.manager, SERVICE_STOPPING);
    reload_destroy(server.reload);
    daemon_destroy(daemon);
    service_manager_destroy(server.manager);
    event_base_loop(base, EVLOOP_NONBLOCK); /* what was put off to a later turn holds memory */
    log_detach();
    return status;
}

static int check(const char *path)
{
    struct credentials credentials = {0};
    struct config *config = config_read(path, stderr);
    bool is_usable = config && tls_credentials_read(&config->tls, &credentials, stderr);
    credentials_free(&credentials);
    config_free(config);
    return is_usable ? EXIT_STOPPED : EXIT_USAGE;
}

static int uninstall(const char *path)
{
    struct config *config = config_read(path, stderr);
    if (!config)
        return EXIT_USAGE;
    int error = data_plane_uninstall(config);
    if (error == 0)
        printf("table inet %s is out: nothing is closed by natfwd any more\n", config->table);
    else if (error == ENOENT)
        printf("table inet %s was not there\n", config->table);
    else
        fprintf(stderr, "natfwd: table inet %s stays: %s%s\n", config->table, strerror(error),
            error == EPERM ? "; stop the natfwd that owns it first, and be root" : "");
    config_free(config);
    return error == 0 || error == ENOENT ? EXIT_STOPPED : EXIT_FAILED;
}

/* Before anything is changed for a daemon that could not go on. */
static bool check_user(const struct config *config)
{
    struct privileges_user user;
    if (!config->drop_privileges || geteuid() != 0 || privileges_find_user(config->user, &user))
        return true;
    fprintf(stderr,
        "%s: user: there is no \"%s\"; make it, for instance by systemd-sysusers, or name "
        "another\n",
        config->path, config->user);
    return false;
}

static int run(struct loader *loader, struct load *load, const struct options *options)
{
    if (!check_user(load->config))
        return EXIT_USAGE;
    log_up_to(load->config->log_level);
    FILE *trace = spec_environment_open_trace("natfwd");
    struct event_base *base = event_base_new();
    int status = base ? serve(base, loader, load, options) : EXIT_FAILED;
    if (base)
        event_base_free(base);
    spec_environment_write_trace(trace, "natfwd");
    libevent_global_shutdown();
    return status;
}

int main(int argc, char **argv)
{
    struct options options;
    struct load load;
    int status = read_options(argc, argv, &options);
    if (status >= 0)
        return status;
    if (!spec_environment_mutate("natfwd"))
        return EXIT_USAGE;
    if (options.check_only)
        return check(options.config_path);
    if (options.uninstall)
        return uninstall(options.config_path);
    if (!privileges_suffice()) {
        fprintf(stderr, "natfwd: it may not work on this host's network: start it as root, or with "
                        "CAP_NET_ADMIN, CAP_NET_RAW and CAP_NET_BIND_SERVICE\n");
        return EXIT_FAILED;
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN); /* until there is somebody to take it */
    struct loader *loader = loader_start(options.config_path);
    if (!loader || !loader_ask(loader)) {
        fprintf(stderr, "natfwd: the loader cannot be started: %s\n", strerror(errno));
        return EXIT_FAILED;
    }
    status = loader_take(loader, &load, stderr) ? run(loader, &load, &options) : EXIT_USAGE;
    load_free(&load);
    loader_stop(loader);
    return status;
}

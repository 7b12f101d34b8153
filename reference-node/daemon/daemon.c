/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starting, changing and stopping the node; see daemon.h. */
#include "reference-node/daemon/daemon.h"

#include "reference-node/base/clock.h"
#include "reference-node/base/descriptors.h"
#include "reference-node/base/heap.h"
#include "reference-node/base/log.h"
#include "reference-node/config/fixed_keys.h"
#include "reference-node/config/policy_config.h"
#include "reference-node/control/control.h"
#include "reference-node/control/session_log.h"
#include "reference-node/daemon/inward.h"
#include "reference-node/daemon/network.h"
#include "reference-node/daemon/outward.h"
#include "reference-node/daemon/parts.h"
#include "reference-node/daemon/security.h"
#include "reference-node/journal/upkeep.h"
#include "reference-node/netfilter/renewal.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { SPARE_DESCRIPTORS = 64 };

static void set_natfw_deadline(void *context, uint64_t deadline_ms)
{
    struct daemon *daemon = context;
    daemon_arm(daemon->natfw_tick, deadline_ms);
}

static void on_gist_tick(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    struct daemon *daemon = context;
    gist_node_tick(daemon->gist, clock_now_ms());
}

static void on_natfw_tick(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    struct daemon *daemon = context;
    natfw_node_tick(daemon->natfw, clock_now_ms());
}

/* After a crowd of connections the allocator would keep what they took. */
static void on_trim(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    (void)context;
    malloc_trim(0);
}

/* Runs after what is already due in this turn of the loop: that is what a group commit gathers. */
static void on_pinholes_pending(void *context)
{
    struct daemon *daemon = context;
    event_active(daemon->commit, EV_TIMEOUT, 1);
}

static void on_commit(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    struct daemon *daemon = context;
    const struct timeval at_once = {0};
    if (pinholes_commit(daemon->pinholes, clock_now_ms()))
        event_add(daemon->commit, &at_once); /* in a turn of its own */
}

static void on_pinhole_done(void *context, natfw_handle handle, enum natfw_middlebox_result result)
{
    struct daemon *daemon = context;
    natfw_node_middlebox_done(daemon->natfw, clock_now_ms(), handle, result);
}

static void on_session_event(void *context, uint64_t now_ms, const struct natfw_event *event)
{
    (void)now_ms;
    struct daemon *daemon = context;
    session_log(event);
    if (daemon->journal && event->kind != NATFW_EVENT_REQUESTED &&
        event->kind != NATFW_EVENT_DISCARDED)
        upkeep_note(daemon->journal, daemon->natfw, &event->session_id);
    if (daemon->commands)
        commands_session_event(daemon->commands, event);
}

/* Start and stop. */

static bool say(FILE *errors, const char *what, const char *advice)
{
    fprintf(errors, "%s: %s; %s\n", what, strerror(errno), advice);
    return false;
}

/* Fewer are not fatal: accepting pauses when they run out. */
static void allow_descriptors(size_t associations)
{
    size_t wanted = associations + SPARE_DESCRIPTORS;
    size_t allowed = descriptors_allow(wanted);
    if (allowed < wanted)
        log_line(LOG_LEVEL_WARNING,
            "associations_max: this process may have %zu descriptors and wants %zu; raise its "
            "limit (LimitNOFILE of systemd)",
            allowed, wanted);
}

static bool create_sockets(struct daemon *daemon, FILE *errors)
{
    struct datagram_listener datagrams = daemon_datagrams(daemon);
    struct association_listener associations = daemon_associations(daemon);
    const struct gist_node_config *gist = &daemon->config->gist;
    /* One more than the core keeps: it decides which of them goes. */
    struct association_limits limits = association_limits_default(gist->associations_max + 1);
    daemon->queries = query_sender_create();
    if (!daemon->queries)
        return say(errors, "raw socket", "run as root, or give CAP_NET_RAW");
    daemon->datagrams = datagram_socket_create(daemon->base, gist->udp_port,
        daemon->config->natfw.forwarder, daemon->plane.routes, &datagrams);
    if (!daemon->datagrams)
        return say(errors, "UDP port 270",
            "stop what else uses the port, perhaps another natfwd, or run as root");
    allow_descriptors(
        gist->associations_max + ASSOCIATION_SOCKET_CLOSING_MAX + ASSOCIATION_SOCKET_OPENING_MAX);
    struct association_ports ports = {
        .plain = gist->association_port, .secure = gist->secure_association_port};
    daemon->associations = association_socket_create(daemon->base, &ports, &limits, &associations);
    return daemon->associations || say(errors, "association_port, or port of the section tls",
                                       "choose ports that nothing else uses");
}

static bool create_timers(struct daemon *daemon, FILE *errors)
{
    daemon->commit = event_new(daemon->base, -1, 0, on_commit, daemon);
    daemon->gist_tick = evtimer_new(daemon->base, on_gist_tick, daemon);
    daemon->natfw_tick = evtimer_new(daemon->base, on_natfw_tick, daemon);
    daemon->trim = evtimer_new(daemon->base, on_trim, daemon);
    return (daemon->commit && daemon->gist_tick && daemon->natfw_tick && daemon->trim) ||
           say(errors, "timers", "free some memory");
}

static bool create_core(struct daemon *daemon, FILE *errors)
{
    struct base_allocator allocator = heap_allocator();
    struct pinholes_listener listener = {
        .context = daemon, .pending = on_pinholes_pending, .done = on_pinhole_done};
    daemon->identities = daemon_identities(daemon);
    daemon->config->identities = &daemon->identities;
    daemon->crypto = crypto_openssl_create();
    daemon->pinholes =
        pinholes_create(daemon->config->natfw.forwarder ? &daemon->plane.filter : NULL,
            daemon->config->pinholes_max, &listener);
    if (!daemon->crypto || !daemon->pinholes)
        return say(errors, "OpenSSL or memory", "check both");
    struct natfw_seams natfw = {.allocator = allocator,
        .crypto = crypto_openssl_seam(daemon->crypto),
        .middlebox = pinholes_middlebox(daemon->pinholes),
        .policy = policy_config(daemon->config),
        .observer = {.context = daemon, .event = on_session_event},
        .deadline_context = daemon,
        .set_deadline = set_natfw_deadline};
    daemon->natfw = natfw_node_create(&daemon->config->natfw, &natfw);
    if (!daemon->natfw)
        return say(errors, "memory", "lower sessions_max");
    struct gist_seams gist = {.allocator = allocator,
        .crypto = natfw.crypto,
        .transport = daemon_transport(daemon),
        .application = natfw_node_application(daemon->natfw)};
    daemon->gist = gist_node_create(&daemon->config->gist, &gist, clock_now_ms());
    if (!daemon->gist)
        return say(errors, "memory", "lower routing_states_max");
    natfw_node_attach(daemon->natfw, daemon->gist, &gist.transport);
    return true;
}

static bool secure(struct daemon *daemon, FILE *errors)
{
    SSL_CTX *tls;
    if (!security_open(daemon, errors) || !security_prepare(daemon, daemon->load, &tls, errors))
        return false;
    security_take(daemon, tls);
    return true;
}

/* What the data plane has to do now and then. */
static bool attach_data_plane(struct daemon *daemon, FILE *errors)
{
    struct conntrack *conntrack = daemon->plane.kernel.conntrack;
    return !conntrack || conntrack_attach(conntrack, daemon->base) ||
           say(errors, "conntrack", "free some memory");
}

static bool watch_network(struct daemon *daemon, FILE *errors)
{
    daemon->network = network_create(daemon);
    return daemon->network || say(errors, "rtnetlink", "free some memory");
}

static bool watch_table(struct daemon *daemon, FILE *errors)
{
    struct data_plane *plane = &daemon->plane;
    if (!plane->table || nft_table_is_owned(plane->table))
        return true;
    daemon->guard = guard_create(daemon->base, plane, daemon->pinholes);
    return daemon->guard || say(errors, "nftables", "give CAP_NET_ADMIN");
}

static bool resume_sessions(struct daemon *daemon, FILE *errors)
{
    if (daemon->config->state_file[0] != '\0') {
        daemon->journal = journal_open(daemon->config->state_file, upkeep_time(), errors);
        if (!daemon->journal)
            return false;
        upkeep_restore(daemon->journal, daemon->natfw, daemon->plane.found);
        pinholes_commit_all(daemon->pinholes, clock_now_ms());
    }
    data_plane_forget_found(&daemon->plane);
    return true;
}

void daemon_end_sessions(struct daemon *daemon)
{
    natfw_node_end_sessions(daemon->natfw, clock_now_ms());
    pinholes_commit_all(daemon->pinholes, clock_now_ms());
}

static int uninstall(void *context)
{
    struct daemon *daemon = context;
    daemon_end_sessions(daemon);
    guard_destroy(daemon->guard);
    daemon->guard = NULL;
    network_let_go(daemon->network);
    int error = data_plane_take_out(&daemon->plane);
    if (!error)
        daemon->owner.stop(daemon->owner.context);
    return error;
}

static uint64_t reload(void *context)
{
    struct daemon *daemon = context;
    return daemon->owner.reload(daemon->owner.context);
}

void daemon_reloaded(struct daemon *daemon, uint64_t attempt, bool taken, const char *said)
{
    commands_reloaded(daemon->commands, attempt, taken, said);
}

static bool create_control(struct daemon *daemon, FILE *errors)
{
    struct commands_target target = {.base = daemon->base,
        .natfw = daemon->natfw,
        .gist = daemon->gist,
        .pinholes = daemon->pinholes,
        .conntrack = daemon->plane.kernel.conntrack,
        .associations = daemon->associations,
        .config = daemon->config,
        .context = daemon,
        .uninstall = uninstall,
        .reload = reload,
        .is_local = daemon_transport(daemon).is_local};
    daemon->commands = commands_create(&target);
    struct control_listener listener = {
        .context = daemon->commands, .request = commands_request, .gone = commands_client_gone};
    if (daemon->commands)
        daemon->control = control_create(daemon->base, daemon->config->control_socket, &listener);
    return daemon->control ||
           say(errors, daemon->config->control_socket, "give another control_socket");
}

struct daemon *daemon_create(
    struct event_base *base, struct load *load, const struct daemon_owner *owner, FILE *errors)
{
    struct daemon *daemon = calloc(1, sizeof(*daemon));
    if (!daemon)
        return NULL;
    daemon->base = base;
    daemon->owner = *owner;
    daemon->load = load;
    daemon->config = load->config;
    /* The sockets come before the ruleset: who cannot have them must not replace the ruleset of the
     * natfwd that has. */
    if (data_plane_open(&daemon->plane, load->config, errors) && create_timers(daemon, errors) &&
        create_sockets(daemon, errors) &&
        data_plane_start(&daemon->plane, &load->ruleset, errors) &&
        attach_data_plane(daemon, errors) && watch_network(daemon, errors) &&
        create_core(daemon, errors) && secure(daemon, errors) && watch_table(daemon, errors) &&
        resume_sessions(daemon, errors) && create_control(daemon, errors))
        return daemon;
    daemon_destroy(daemon);
    return NULL;
}

/* Contents change places, not pointers: policy and data plane look into the one in force. */
static void exchange(struct load *one, struct load *other)
{
    struct config config = *one->config;
    struct nft_ruleset ruleset = one->ruleset;
    struct credentials credentials = one->credentials;
    *one->config = *other->config;
    one->ruleset = other->ruleset;
    one->credentials = other->credentials;
    *other->config = config;
    other->ruleset = ruleset;
    other->credentials = credentials;
}

/* Each of them is promised until its time. */
static bool holds_what_is_open(
    const struct daemon *daemon, const struct config *wanted, FILE *errors)
{
    uint64_t count = pinholes_counters(daemon->pinholes).elements;
    if (count <= wanted->pinholes_max)
        return true;
    fprintf(errors, "%s: pinholes_max: there are %lu now; wait, or end sessions\n", wanted->path,
        (unsigned long)count);
    return false;
}

static bool put_ruleset(struct daemon *daemon, const struct nft_ruleset *ruleset, FILE *errors)
{
    struct data_plane *plane = &daemon->plane;
    size_t count;
    if (!plane->table || nft_table_put_keeping(plane->table, ruleset) ||
        (errno == ENOTEMPTY && renewal_run(plane, ruleset, daemon->pinholes, &count)))
        return true;
    return say(errors, "nftables", "the table cannot be changed to the new ruleset");
}

bool daemon_take(struct daemon *daemon, struct load *load, FILE *errors)
{
    SSL_CTX *tls = NULL;
    if (!config_fixed_keys_agree(daemon->config, load->config, errors) ||
        !config_check_interfaces(load->config, daemon->config, errors) ||
        !holds_what_is_open(daemon, load->config, errors) ||
        !security_prepare(daemon, load, &tls, errors) ||
        !network_name_interfaces(daemon->network, load->config) ||
        !put_ruleset(daemon, &load->ruleset, errors)) {
        SSL_CTX_free(tls);
        return false;
    }
    load->config->identities = daemon->config->identities;
    exchange(daemon->load, load);
    pinholes_limit(daemon->pinholes, daemon->config->pinholes_max);
    natfw_node_configure(daemon->natfw, &daemon->config->natfw);
    gist_node_configure(daemon->gist, clock_now_ms(), &daemon->config->gist);
    security_take(daemon, tls);
    log_up_to(daemon->config->log_level);
    log_limit_to(daemon->config->log_lines_per_kind, daemon->config->log_lines_per_peer);
    return true;
}

static void free_timer(struct event *timer)
{
    if (timer)
        event_free(timer);
}

void daemon_destroy(struct daemon *daemon)
{
    if (!daemon)
        return;
    control_destroy(daemon->control);
    commands_destroy(daemon->commands);
    daemon->commands = NULL;
    gist_node_destroy(daemon->gist);
    natfw_node_destroy(daemon->natfw);
    guard_destroy(daemon->guard);
    network_destroy(daemon->network);
    journal_close(daemon->journal);
    association_socket_destroy(daemon->associations);
    security_close(daemon);
    datagram_socket_destroy(daemon->datagrams);
    query_sender_destroy(daemon->queries);
    pinholes_destroy(daemon->pinholes);
    crypto_openssl_destroy(daemon->crypto);
    free_timer(daemon->commit);
    free_timer(daemon->gist_tick);
    free_timer(daemon->natfw_tick);
    free_timer(daemon->trim);
    data_plane_stop(&daemon->plane);
    free(daemon);
}

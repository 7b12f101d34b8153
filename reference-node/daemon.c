/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Wires the core to the machine; see daemon.h. */
#include "reference-node/daemon.h"

#include "reference-node/base/clock.h"
#include "reference-node/base/crypto_openssl.h"
#include "reference-node/base/descriptors.h"
#include "reference-node/base/log.h"
#include "reference-node/base/text.h"
#include "reference-node/config/fixed_keys.h"
#include "reference-node/config/policy_config.h"
#include "reference-node/control/commands.h"
#include "reference-node/control/control.h"
#include "reference-node/control/session_log.h"
#include "reference-node/journal/upkeep.h"
#include "reference-node/netfilter/guard.h"
#include "reference-node/sockets/association_socket.h"
#include "reference-node/sockets/datagram_socket.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { TRIM_AFTER_S = 5, SPARE_DESCRIPTORS = 64 };

struct daemon {
    struct event_base *base;
    struct daemon_owner owner;
    struct load *load;
    struct config *config; /* of the load */
    struct data_plane plane;
    struct pinholes *pinholes;
    struct guard *guard;     /* NULL: the kernel guards the table, or there is none */
    struct journal *journal; /* NULL: none is kept */
    struct crypto_openssl *crypto;
    struct query_sender *queries;
    struct datagram_socket *datagrams;
    struct association_socket *associations;
    struct natfw_node *natfw;
    struct gist_node *gist;
    struct commands *commands;
    struct control *control;
    struct event *commit;
    struct event *gist_tick;
    struct event *natfw_tick;
    struct event *trim;
    /* Of the datagram that is being received, for when it is sent on. */
    const struct query_header *current_header;
};

static void *allocate(void *context, size_t length)
{
    (void)context;
    return calloc(1, length);
}

static void release(void *context, void *memory, size_t length)
{
    (void)context;
    (void)length;
    free(memory);
}

static void arm(struct event *timer, uint64_t deadline_ms)
{
    uint64_t now_ms = clock_now_ms();
    if (deadline_ms == GIST_NO_DEADLINE) {
        event_del(timer);
        return;
    }
    uint64_t wait_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
    struct timeval wait = {
        .tv_sec = (time_t)(wait_ms / 1000), .tv_usec = (suseconds_t)(wait_ms % 1000 * 1000)};
    event_add(timer, &wait);
}

/* The transport seam. */

static bool send_datagram(
    void *context, const struct gist_endpoint *peer, const uint8_t *payload, size_t length)
{
    struct daemon *daemon = context;
    if (datagram_socket_send(daemon->datagrams, peer, payload, length))
        return true;
    log_line(LOG_LEVEL_WARNING, "udp: send: %s", strerror(errno));
    return false;
}

static bool send_query(
    void *context, const struct gist_query_route *route, const uint8_t *payload, size_t length)
{
    struct daemon *daemon = context;
    if (query_sender_send(daemon->queries, route, payload, length))
        return true;
    log_line(LOG_LEVEL_WARNING, "query: send: %s", strerror(errno));
    return false;
}

static bool forward_query(
    void *context, const struct gist_arrival *arrival, const uint8_t *payload, size_t length)
{
    struct daemon *daemon = context;
    static const struct query_header plain;
    const struct query_header *header = daemon->current_header ? daemon->current_header : &plain;
    if (query_sender_forward(
            daemon->queries, daemon->plane.routes, arrival, header, payload, length))
        return true;
    log_line(LOG_LEVEL_WARNING, "query: forward: %s",
        errno == ELOOP ? "its IP TTL has run out" : strerror(errno));
    return false;
}

static bool association_open(
    void *context, gist_association_id id, enum gist_stack stack, const struct gist_endpoint *peer)
{
    struct daemon *daemon = context;
    return stack == GIST_STACK_TCP && association_socket_open(daemon->associations, id, peer);
}

static bool association_write(
    void *context, gist_association_id id, const uint8_t *octets, size_t length)
{
    struct daemon *daemon = context;
    return association_socket_write(daemon->associations, id, octets, length);
}

static void association_close(void *context, gist_association_id id)
{
    struct daemon *daemon = context;
    association_socket_close(daemon->associations, id);
}

static bool find_route(void *context, const struct gist_address *destination,
    struct gist_address *local, uint32_t *interface)
{
    struct daemon *daemon = context;
    struct policy_route_answer answer;
    if (!policy_route_lookup(daemon->plane.routes, destination, &answer))
        return false;
    *local = answer.source;
    *interface = answer.interface;
    return true;
}

static bool is_local(void *context, const struct gist_address *address)
{
    struct daemon *daemon = context;
    struct policy_route_answer answer;
    return policy_route_lookup(daemon->plane.routes, address, &answer) && answer.is_local;
}

static void set_gist_deadline(void *context, uint64_t deadline_ms)
{
    struct daemon *daemon = context;
    arm(daemon->gist_tick, deadline_ms);
}

static void set_natfw_deadline(void *context, uint64_t deadline_ms)
{
    struct daemon *daemon = context;
    arm(daemon->natfw_tick, deadline_ms);
}

/* What comes in. */

/* For whom the level debug is: one line a datagram or connection. */
static void log_arrival(
    const char *protocol, const struct gist_address *peer, const char *noun, uint64_t number)
{
    char address[TEXT_ADDRESS_SIZE];
    if (!log_keeps(LOG_LEVEL_DEBUG))
        return;
    text_of_address(peer, address);
    log_line(LOG_LEVEL_DEBUG, "%s: from %s: %s %llu", protocol, address, noun,
        (unsigned long long)number);
}

static void on_datagram(void *context, const struct gist_arrival *arrival,
    const struct query_header *header, const uint8_t *payload, size_t length)
{
    struct daemon *daemon = context;
    log_arrival("udp", &arrival->source.address, "octets", length);
    daemon->current_header = header;
    gist_node_receive_datagram(daemon->gist, clock_now_ms(), arrival, payload, length);
    daemon->current_header = NULL;
}

static gist_association_id on_accepted(void *context, const struct gist_endpoint *peer,
    const struct gist_endpoint *local, uint32_t interface)
{
    struct daemon *daemon = context;
    gist_association_id id =
        gist_node_association_accepted(daemon->gist, clock_now_ms(), peer, local, interface);
    log_arrival("tcp", &peer->address, id ? "association" : "refused", id);
    return id;
}

static void on_connected(void *context, gist_association_id id, uint32_t interface)
{
    struct daemon *daemon = context;
    gist_node_association_connected(daemon->gist, clock_now_ms(), id, interface);
}

static void on_received(void *context, gist_association_id id, const uint8_t *octets, size_t length)
{
    struct daemon *daemon = context;
    gist_node_association_received(daemon->gist, clock_now_ms(), id, octets, length);
}

static void on_closed(void *context, gist_association_id id)
{
    struct daemon *daemon = context;
    struct timeval wait = {.tv_sec = TRIM_AFTER_S};
    if (!event_pending(daemon->trim, EV_TIMEOUT, NULL))
        event_add(daemon->trim, &wait);
    gist_node_association_closed(daemon->gist, clock_now_ms(), id);
}

static uint32_t interface_to(void *context, const struct gist_address *peer)
{
    struct gist_address local;
    uint32_t interface = 0;
    find_route(context, peer, &local, &interface);
    return interface;
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
    pinholes_commit(daemon->pinholes, clock_now_ms());
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
    session_log(daemon->natfw, event);
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
    struct datagram_listener datagrams = {.context = daemon, .received = on_datagram};
    struct association_listener associations = {.context = daemon,
        .accepted = on_accepted,
        .connected = on_connected,
        .received = on_received,
        .closed = on_closed,
        .interface_to = interface_to};
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
    allow_descriptors(gist->associations_max + ASSOCIATION_SOCKET_CLOSING_MAX);
    daemon->associations =
        association_socket_create(daemon->base, gist->association_port, &limits, &associations);
    if (!daemon->associations)
        return say(errors, "association_port", "choose a port that nothing else uses");
    return true;
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

static struct gist_transport transport_of(struct daemon *daemon)
{
    return (struct gist_transport){.context = daemon,
        .send_datagram = send_datagram,
        .send_query = send_query,
        .forward_query = forward_query,
        .association_open = association_open,
        .association_write = association_write,
        .association_close = association_close,
        .route = find_route,
        .is_local = is_local,
        .set_deadline = set_gist_deadline};
}

static bool create_core(struct daemon *daemon, FILE *errors)
{
    struct base_allocator allocator = {.allocate = allocate, .release = release};
    struct pinholes_listener listener = {
        .context = daemon, .pending = on_pinholes_pending, .done = on_pinhole_done};
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
        .transport = transport_of(daemon),
        .application = natfw_node_application(daemon->natfw)};
    daemon->gist = gist_node_create(&daemon->config->gist, &gist, clock_now_ms());
    if (!daemon->gist)
        return say(errors, "memory", "lower routing_states_max");
    natfw_node_attach(daemon->natfw, daemon->gist, &gist.transport);
    return true;
}

/* What the data plane has to do now and then. */
static bool attach_data_plane(struct daemon *daemon, FILE *errors)
{
    struct conntrack *conntrack = daemon->plane.kernel.conntrack;
    return !conntrack || conntrack_attach(conntrack, daemon->base) ||
           say(errors, "conntrack", "free some memory");
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
        pinholes_commit(daemon->pinholes, clock_now_ms());
    }
    data_plane_forget_found(&daemon->plane);
    return true;
}

void daemon_end_sessions(struct daemon *daemon)
{
    natfw_node_end_sessions(daemon->natfw, clock_now_ms());
    pinholes_commit(daemon->pinholes, clock_now_ms());
}

static int uninstall(void *context)
{
    struct daemon *daemon = context;
    daemon_end_sessions(daemon);
    guard_destroy(daemon->guard);
    daemon->guard = NULL;
    int error = data_plane_take_out(&daemon->plane);
    if (!error)
        daemon->owner.stop(daemon->owner.context);
    return error;
}

static void reload(void *context)
{
    struct daemon *daemon = context;
    daemon->owner.reload(daemon->owner.context);
}

void daemon_reloaded(struct daemon *daemon, bool taken, const char *said)
{
    commands_reloaded(daemon->commands, taken, said);
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
        .is_local = is_local};
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
        attach_data_plane(daemon, errors) && create_core(daemon, errors) &&
        watch_table(daemon, errors) && resume_sessions(daemon, errors) &&
        create_control(daemon, errors))
        return daemon;
    daemon_destroy(daemon);
    return NULL;
}

/* Contents change places, not pointers: policy and data plane look into the one in force. */
static void exchange(struct load *one, struct load *other)
{
    struct config config = *one->config;
    struct nft_ruleset ruleset = one->ruleset;
    *one->config = *other->config;
    one->ruleset = other->ruleset;
    *other->config = config;
    other->ruleset = ruleset;
}

static bool put_ruleset(
    struct daemon *daemon, const struct nft_ruleset *ruleset, enum nft_put *put, FILE *errors)
{
    *put = NFT_PUT_KEEPING;
    if (daemon->plane.table)
        *put = nft_table_put(daemon->plane.table, ruleset, false);
    return *put != NFT_PUT_FAILED ||
           say(errors, "nftables", "the table cannot be changed to the new ruleset");
}

bool daemon_take(struct daemon *daemon, struct load *load, FILE *errors)
{
    enum nft_put put;
    if (!config_fixed_keys_agree(daemon->config, load->config, errors) ||
        !config_check_interfaces(load->config, errors) ||
        !put_ruleset(daemon, &load->ruleset, &put, errors))
        return false;
    exchange(daemon->load, load);
    pinholes_limit(daemon->pinholes, daemon->config->pinholes_max);
    if (put == NFT_PUT_ANEW) {
        pinholes_reinstall(daemon->pinholes);
        pinholes_commit(daemon->pinholes, clock_now_ms());
    }
    natfw_node_configure(daemon->natfw, &daemon->config->natfw);
    gist_node_configure(daemon->gist, clock_now_ms(), &daemon->config->gist);
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
    journal_close(daemon->journal);
    association_socket_destroy(daemon->associations);
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

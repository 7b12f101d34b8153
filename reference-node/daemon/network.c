/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking again at what the network has become; see network.h. */
#include "reference-node/daemon/network.h"

#include "core/base/token_bucket.h"
#include "reference-node/base/clock.h"
#include "reference-node/base/log.h"
#include "reference-node/base/text.h"
#include "reference-node/daemon/parts.h"
#include "reference-node/sockets/network_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A router may change thousands of routes a second: that is one look. */
enum { A_SECOND = 1, AT_ONCE = 3, AGAIN_AFTER_MS = 1000 };

struct network {
    struct daemon *daemon;
    struct network_watch *watch;
    struct known_interfaces known;
    struct event *heard;
    struct event *again;
    struct base_token_bucket turns; /* of looking */
    bool keeps_policy_route;
};

static void tell_interface(const struct known_interface *interface)
{
    if (!interface->is_there)
        log_line(LOG_LEVEL_WARNING, "interface %s is gone", interface->name);
    else
        log_line(LOG_LEVEL_INFO, "interface %s is there with index %u, and %s", interface->name,
            interface->indexes[0], interface->is_up ? "up" : "down");
}

static void look_at_interfaces(struct network *network)
{
    for (size_t i = 0; i < network->known.count; i++)
        if (known_interface_look(&network->known.each[i]))
            tell_interface(&network->known.each[i]);
}

/* Others may take for theirs what they did not make: systemd-networkd does so when it starts. */
static void keep_policy_route(struct network *network)
{
    const struct config *config = network->daemon->config;
    bool was_whole = true;
    int error = policy_route_put(
        network->daemon->plane.routes, config->mark, config->route_table, &was_whole);
    if (error)
        log_line(LOG_LEVEL_ERROR, "policy route: it cannot be put back: %s", strerror(error));
    else if (!was_whole)
        log_line(LOG_LEVEL_WARNING, "policy route: somebody took it away; it is put back");
}

static void look_after(struct network *network, uint64_t wait_ms)
{
    struct timeval wait = clock_timeval(wait_ms);
    event_add(network->again, &wait);
}

static void look(struct network *network)
{
    struct daemon *daemon = network->daemon;
    look_at_interfaces(network);
    if (network->keeps_policy_route)
        keep_policy_route(network);
    /* A request that asks the new path would be lost in an association without an address. */
    if (association_socket_check_addresses(daemon->associations))
        natfw_node_routes_changed(daemon->natfw, clock_now_ms());
    else
        look_after(network, AGAIN_AFTER_MS);
}

static void look_in_turn(struct network *network)
{
    if (event_pending(network->again, EV_TIMEOUT, NULL))
        return;
    if (base_token_bucket_take(&network->turns, clock_now_ms()))
        look(network);
    else
        look_after(network, base_token_bucket_wait_ms(&network->turns));
}

static void on_again(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    look_in_turn(context);
}

static void on_heard(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    struct network *network = context;
    struct network_notices notices = network_watch_hear(network->watch);
    association_socket_doubt(network->daemon->associations);
    policy_route_forget(network->daemon->plane.routes);
    if (notices.routes > 0)
        log_line(LOG_LEVEL_DEBUG, "routes have changed: notices %llu",
            (unsigned long long)notices.routes);
    if (notices.were_lost)
        log_line(LOG_LEVEL_INFO, "the network changes faster than it can be told");
    look_in_turn(network);
}

/* Of what the configuration lists, or of all where it lists nothing. An address that is lent is
 * told each time that it is renewed, which is no news. */
static bool is_news(const struct config *config, const struct network_address *address)
{
    bool is_ours =
        config->interface_count == 0 || config_interface_of(config, address->interface) != NULL;
    return is_ours && address->is_global && (address->is_permanent || !address->is_there);
}

static void on_address(void *context, const struct network_address *address)
{
    struct network *network = context;
    char text[TEXT_ADDRESS_SIZE], name[IFNAMSIZ];
    const char *known = if_indextoname(address->interface, name);
    if (!known)
        known = known_interfaces_name_of(&network->known, address->interface);
    text_of_address(&address->address, text);
    log_line(is_news(network->daemon->config, address) ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
        "address %s/%u of %s is %s", text, address->prefix_bits,
        known ? known : "an interface that has gone", address->is_there ? "there" : "gone");
}

bool network_name_interfaces(struct network *network, struct config *config)
{
    for (size_t i = 0; i < config->interface_count; i++)
        if (!known_interfaces_add(&network->known, config->interfaces[i].name))
            return false;
    config->known = &network->known;
    return true;
}

static void wait_for_interfaces(const struct network *network)
{
    for (size_t i = 0; i < network->known.count; i++)
        if (!network->known.each[i].is_there)
            log_line(LOG_LEVEL_WARNING,
                "interface %s is not there yet: natfwd serves without it until it comes",
                network->known.each[i].name);
}

struct network *network_create(struct daemon *daemon)
{
    struct network *network = calloc(1, sizeof(*network));
    struct network_watch_listener listener = {.context = network, .address = on_address};
    if (!network)
        return NULL;
    network->daemon = daemon;
    network->turns = base_token_bucket_full(A_SECOND, AT_ONCE, clock_now_ms());
    network->keeps_policy_route = daemon->config->natfw.forwarder;
    network->watch = network_watch_open(&listener);
    if (network->watch) {
        network->heard = event_new(daemon->base, network_watch_descriptor(network->watch),
            EV_READ | EV_PERSIST, on_heard, network);
        network->again = evtimer_new(daemon->base, on_again, network);
    }
    if (network->heard && network->again && event_add(network->heard, NULL) == 0 &&
        network_name_interfaces(network, daemon->config)) {
        wait_for_interfaces(network);
        return network;
    }
    int error = errno;
    network_destroy(network);
    errno = error;
    return NULL;
}

void network_destroy(struct network *network)
{
    if (!network)
        return;
    network->daemon->config->known = NULL;
    if (network->heard)
        event_free(network->heard);
    if (network->again)
        event_free(network->again);
    network_watch_close(network->watch);
    known_interfaces_free(&network->known);
    free(network);
}

void network_let_go(struct network *network)
{
    network->keeps_policy_route = false;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who hears of messaging associations, and within which limits; see association_socket.h. */
#ifndef NATFWD_ASSOCIATION_LISTENER_H
#define NATFWD_ASSOCIATION_LISTENER_H

#include "core/gist/transport.h"

#include <openssl/ssl.h>

struct association_listener {
    void *context;
    /* Whether who has been authenticated may be a peer at all. */
    bool (*may_be_peer)(void *context, const SSL *tls, const struct gist_address *source);
    /* Returns the id, or 0 to refuse. */
    gist_association_id (*accepted)(void *context, enum gist_stack stack,
        const struct gist_endpoint *peer, const struct gist_endpoint *local, uint32_t interface);
    /* Also when the peer of one that is connected is reached by another interface. */
    void (*connected)(void *context, gist_association_id id, uint32_t interface);
    void (*received)(void *context, gist_association_id id, const uint8_t *octets, size_t length);
    void (*closed)(void *context, gist_association_id id);
    /* The interface towards a peer. */
    uint32_t (*interface_to)(void *context, const struct gist_address *peer);
    /* Whether a peer comes before strangers. */
    bool (*knows)(void *context, const struct gist_address *peer, uint32_t interface);
    /* Whether this host has the address. */
    bool (*is_local)(void *context, const struct gist_address *address);
};

/* 0: nothing listens. */
struct association_ports {
    uint16_t plain;
    uint16_t secure; /* TLS */
};

/* Of handshakes of TLS. */
struct association_counters {
    uint64_t handshakes;         /* that have begun */
    uint64_t handshakes_refused; /* beyond the share of who asked */
    uint64_t handshakes_failed;
    uint64_t peers_unauthorised; /* for whatever flow, so that the core has not heard of them */
};

struct association_limits {
    size_t connections_max;
    size_t output_octets_max;      /* that peers may leave with us, together */
    size_t peer_output_octets_max; /* and one of them; in a crowd a sixteenth of that */
    unsigned connect_within_ms;    /* TLS included */
    unsigned linger_ms;            /* for what is left to send on a connection that was closed */
    unsigned unanswered_s; /* what a peer's host does not confirm by then ends the connection */
};

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What natfwd.conf says, checked and in the units of its names; natfwd.conf(5) is its manual.
 */
#ifndef NATFWD_CONFIG_H
#define NATFWD_CONFIG_H

#include "core/gist/node.h"
#include "core/natfw/node.h"
#include "reference-node/base/log.h"
#include "reference-node/config/known_interfaces.h"

#include <net/if.h>
#include <stdio.h>

enum { CONFIG_NAME_MAX = 64, CONFIG_PATH_MAX = 108, CONFIG_IDENTITY_MAX = 256 };

enum config_side { CONFIG_SIDE_ANY, CONFIG_SIDE_INTERNAL, CONFIG_SIDE_EXTERNAL };
enum config_ownership { CONFIG_OWNED_AUTO, CONFIG_OWNED, CONFIG_UNOWNED }; /* of the table */
enum config_refresh { CONFIG_REFRESH_AUTO, CONFIG_REFRESH_IN_PLACE, CONFIG_REFRESH_REPLACE };

struct config_interface {
    char name[IFNAMSIZ];
    enum config_side side;
    bool default_deny;
    bool one_armed; /* flows may leave by it that came in by it */
    unsigned line;  /* where the section ends, for errors found later */
    uint32_t index; /* 0: the kernel knows, by its name */
};

struct config_prefix {
    struct gist_address address; /* version 0: any */
    uint8_t bits;
};

/* Of an address of its version: 32 or 128. */
uint8_t config_address_bits(const struct gist_address *address);

/* Whether an address, or the range of its first bits, is in the prefix. What allows must hold the
 * whole range that is asked for; what refuses needs to share a part of it only. */
bool config_prefix_matches(const struct config_prefix *prefix, const struct gist_address *address,
    uint8_t address_bits, bool refuses);

/* Which sessions that another peer opened a peer may take over, on its own side. */
enum config_takeover { CONFIG_TAKES_NONE, CONFIG_TAKES_SAME_IDENTITY, CONFIG_TAKES_ANY };

/* Who may signal at all. The first that matches decides. */
struct config_peer {
    struct config_prefix prefix;
    enum config_side side;
    enum config_takeover take_over;
    enum natfw_code refusal; /* NATFW_NO_CODE: allowed */
};

/* What may be asked for. The first that matches decides. */
struct config_rule {
    char name[CONFIG_NAME_MAX];
    enum config_side side;
    struct config_prefix peer;
    struct config_prefix source;      /* of the flow */
    struct config_prefix destination; /* of the flow */
    int protocol;                     /* -1: any */
    uint16_t port_low;                /* of the flow's destination; open ports match 0 to 65535 */
    uint16_t port_high;
    bool secure;                        /* it matches what came over TLS only */
    char identity[CONFIG_IDENTITY_MAX]; /* of the sender, as TLS has authenticated it; "": any */
    unsigned wildcards;      /* that an allowed flow may leave open at a forwarder; wildcards.h */
    uint32_t lifetime_max_s; /* asking for more does not match; 0: no limit */
    enum natfw_code refusal; /* NATFW_NO_CODE: allowed */
};

/* Who is at the other end of an association. */
struct config_identities {
    void *context;
    /* Whether TLS has authenticated it as this. */
    bool (*is)(void *context, gist_association_id association, const char *identity);
};

struct config_policy {
    enum natfw_code default_internal;
    enum natfw_code default_external;
    struct config_peer *peers;
    size_t peer_count;
    struct config_rule *rules;
    size_t rule_count;
};

/* What a peer of a secure association is known by. */
enum config_namespace { CONFIG_NAMESPACE_DNS, CONFIG_NAMESPACE_PSK, CONFIG_NAMESPACE_ANY };

/* An entry of the authorised peer database, RFC 5971 4.4.2. The first that matches decides; without
 * one, the peer is not authorised. */
struct config_authorised_peer {
    char identity[CONFIG_IDENTITY_MAX]; /* "*": each */
    enum config_namespace namespace;
    struct config_prefix address;     /* the peer's */
    struct config_prefix source;      /* of the flow */
    struct config_prefix destination; /* of the flow */
    bool is_allowed;
};

/* Files that a secure association needs; each is a list of PEM blocks, but for the last. */
enum config_credential {
    CONFIG_CERTIFICATE, /* ours, and those between it and an authority */
    CONFIG_KEY,         /* of the certificate */
    CONFIG_AUTHORITIES, /* who may have signed those of peers */
    CONFIG_REVOCATIONS, /* their lists of what they have revoked */
    CONFIG_SHARED_KEYS, /* lines of IDENTITY:HEX */
    CONFIG_CREDENTIALS
};

/* TLS, RFC 5971 5.7.3. It is on where there is a certificate or a shared key. */
struct config_tls {
    bool is_on;
    bool is_required; /* no plain association is opened or accepted, nor plain signalling heard */
    char files[CONFIG_CREDENTIALS][CONFIG_PATH_MAX]; /* "": none */
    char key_log[CONFIG_PATH_MAX];                   /* "": none */
    struct config_authorised_peer *peers;
    size_t peer_count;
};

struct config {
    char path[256];
    char control_socket[CONFIG_PATH_MAX];
    char state_file[CONFIG_PATH_MAX]; /* "": sessions end with the process */
    bool use_syslog;
    uint32_t log_lines_per_kind; /* in ten seconds; 0: any number */
    uint32_t log_lines_per_peer; /* of a kind; likewise */
    enum log_level log_level;
    bool initiator;
    struct natfw_node_config natfw;
    struct gist_node_config gist;
    struct config_interface *interfaces;
    size_t interface_count;
    const struct known_interfaces *known; /* also those that have gone; NULL: only what is there */
    struct config_policy policy;
    const struct config_identities *identities; /* NULL: TLS authenticates nobody */
    struct config_tls tls;
    /* The data plane. */
    char table[CONFIG_NAME_MAX];
    enum config_ownership ownership;
    enum config_refresh refresh;
    uint32_t mark;
    uint32_t route_table;
    uint32_t pinholes_max;
    bool router_alert_required;
    bool pass_other_signalling;
    uint32_t datagrams_in_per_second; /* 0: no limit */
    uint32_t datagrams_in_burst;
    bool end_sessions_on_stop;
    bool drop_privileges;
    char user[CONFIG_NAME_MAX]; /* to become, where root starts us */
};

void config_free(struct config *config);

/* Checks that each interface named exists, or was named before: one may go while we run, but a new
 * name that nothing has is a mistake. */
bool config_check_interfaces(
    const struct config *config, const struct config *former, FILE *errors);

/* The interface of this index, or the one that had it last; NULL when it is not listed. */
const struct config_interface *config_interface_of(const struct config *config, uint32_t interface);

/* The side that an interface, by its index, is on; CONFIG_SIDE_ANY when it is not listed. */
enum config_side config_side_of(const struct config *config, uint32_t interface);

#endif

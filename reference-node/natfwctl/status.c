/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What runs and what is in force; see status.h. */
#include "reference-node/natfwctl/status.h"

#include "reference-node/natfwctl/members.h"

#include <stdio.h>

/* The two largest units: "3 d 4 h". */
static void print_duration(long long seconds)
{
    static const struct {
        long long seconds;
        const char *name;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    size_t first = 0;
    while (first < 3 && seconds < units[first].seconds)
        first++;
    printf("%lld %s", seconds / units[first].seconds, units[first].name);
    if (first < 3)
        printf(" %lld %s", seconds % units[first].seconds / units[first + 1].seconds,
            units[first + 1].name);
}

static void print_roles(const json_t *roles)
{
    size_t index;
    json_t *role;
    printf("roles         ");
    json_array_foreach(roles, index, role)
        printf("%s%s", index > 0 ? ", " : "", json_string_value(role));
    printf("\n");
}

static void print_interfaces(const json_t *interfaces)
{
    size_t index;
    json_t *interface;
    json_array_foreach(interfaces, index, interface)
        printf("interface     %s: %s%s%s\n", member_string(interface, "name"),
            member_string(interface, "side"),
            json_is_true(json_object_get(interface, "default_deny")) ? ", closed but for pinholes"
                                                                     : ", open to what comes",
            json_is_true(json_object_get(interface, "is_there")) ? "" : "; not there now");
}

static void print_tls(const json_t *tls)
{
    if (!json_is_object(tls))
        return;
    printf("tls           port %lld%s", member_number(tls, "port"),
        json_is_true(json_object_get(tls, "required")) ? ", and nothing else" : "");
    if (json_is_string(json_object_get(tls, "certificate_until")))
        printf(", by a certificate until %s", member_string(tls, "certificate_until"));
    printf("\n");
}

static void print_in_force(const json_t *in_force)
{
    printf("configuration %s\n", member_string(in_force, "configuration"));
    print_interfaces(json_object_get(in_force, "interfaces"));
    print_tls(json_object_get(in_force, "tls"));
    if (json_is_string(json_object_get(in_force, "table")))
        printf("nft table     inet %s\n", member_string(in_force, "table"));
    long long peers = member_number(in_force, "peers"), rules = member_number(in_force, "rules");
    printf("policy        from inside %s, from outside %s",
        member_string(in_force, "default_internal"), member_string(in_force, "default_external"));
    if (peers + rules > 0)
        printf(", unless the configuration's %lld peer%s or %lld rule%s say otherwise", peers,
            peers == 1 ? "" : "s", rules, rules == 1 ? "" : "s");
    printf("\n");
    printf("lifetimes     %lld s to %lld s\n", member_number(in_force, "lifetime_min_s"),
        member_number(in_force, "lifetime_max_s"));
    printf("log level     %s\n", member_string(in_force, "log_level"));
}

void status_print(const json_t *reply)
{
    const json_t *states = json_object_get(reply, "sessions_by_state");
    printf("natfwd %s runs since %s (", member_string(reply, "version"),
        member_string(reply, "since"));
    print_duration(member_number(reply, "uptime_ms") / 1000);
    printf("), process %lld\n", member_number(reply, "pid"));
    printf("identity      %s\n", member_string(reply, "peer_identity"));
    print_roles(json_object_get(reply, "roles"));
    print_in_force(json_object_get(reply, "in_force"));
    printf("sessions      %lld: %lld established, %lld pending, %lld transitory\n",
        member_number(reply, "sessions"), member_number(states, "established"),
        member_number(states, "pending"), member_number(states, "transitory"));
    printf("pinholes      %lld\n", member_number(reply, "pinholes"));
    printf("associations  %lld\n", member_number(reply, "associations"));
    printf("routing       %lld states\n", member_number(reply, "routing_states"));
    printf("memory        %lld KiB\n", member_number(reply, "memory_kib"));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes the static ruleset; see ruleset.h.
 *
 * Every forwarded packet of a guarded interface is looked up in the pinhole sets, in both
 * directions of its connection. There is no "ct state established accept", and no flowtable: with
 * either a running flow would outlive its pinhole.
 */
#include "reference-node/netfilter/ruleset.h"

#include "core/spec/spec.h"
#include "reference-node/netfilter/pinhole_class.h"

#include <stdio.h>
#include <stdlib.h>

/* GIST over UDP: the magic number is at octet 8 of the UDP header's payload, the C flag at 18. */
#define IS_GIST  "meta l4proto udp @th,64,32 0x4e04bda5"
#define IS_QUERY "udp dport 270 @th,64,32 0x4e04bda5 @th,144,1 1"
/* The NSLPID is at octet 16: 33, of NATFW. */
#define IS_NATFW "@th,128,16 33"

/* "ip option ra" knows value 0 only, and NATFW's is 65; so the first option is read by its place.
 */
#define HAS_ROUTER_ALERT "ip hdrlength > 5 @nh,160,16 0x9404 "

enum direction { ORIGINAL, REPLY, QUOTED };

static void write_sets(FILE *out, const struct config *config)
{
    fprintf(out, "\t# What sessions open and close. A field that a class leaves open is not in\n"
                 "\t# its key. Each element ends by its own timeout.\n");
    for (size_t i = 0; i < 2 * PINHOLE_CLASS_COUNT; i++) {
        const struct pinhole_class *class = &pinhole_classes[i / 2];
        fprintf(out,
            "\tset %s {\n\t\ttype %sipv4_addr%s%s%s\n\t\tflags timeout\n\t\tsize "
            "%u\n\t\tcounter\n\t}\n",
            i % 2 ? class->deny_set : class->allow_set, class->has_source ? "ipv4_addr . " : "",
            class->has_protocol ? " . inet_proto" : "",
            class->has_source_port ? " . inet_service" : "",
            class->has_destination_port ? " . inet_service" : "", config->pinholes_max);
    }
}

/* The key of a class as a packet shows it: as it is, the other way round, or as the flow that an
 * ICMP error quotes. */
static void write_lookup(FILE *out, const struct pinhole_class *class, enum direction direction)
{
    static const char *const source[] = {"ip saddr", "ip daddr", "ct original ip saddr"};
    static const char *const destination[] = {"ip daddr", "ip saddr", "ct original ip daddr"};
    static const char *const protocol[] = {"meta l4proto", "meta l4proto", "ct protocol"};
    static const char *const source_port[] = {"th sport", "th dport", "ct original proto-src"};
    static const char *const destination_port[] = {"th dport", "th sport", "ct original proto-dst"};
    if (class->has_source)
        fprintf(out, "%s . ", source[direction]);
    fprintf(out, "%s", destination[direction]);
    if (class->has_protocol)
        fprintf(out, " . %s", protocol[direction]);
    if (class->has_source_port)
        fprintf(out, " . %s", source_port[direction]);
    if (class->has_destination_port)
        fprintf(out, " . %s", destination_port[direction]);
}

static void write_rule(FILE *out, const struct pinhole_class *class, enum direction direction,
    bool allow, const char *prefix)
{
    fprintf(out, "\t\t%s", prefix);
    write_lookup(out, class, direction);
    fprintf(
        out, " @%s %s\n", allow ? class->allow_set : class->deny_set, allow ? "accept" : "drop");
}

/* All lookups for one direction: what is denied comes first. */
static void write_decision(FILE *out, const char *name, enum direction direction, bool with_ports)
{
    fprintf(out, "\tchain %s {\n", name);
    for (size_t i = 0; i < 2 * PINHOLE_CLASS_COUNT; i++) {
        const struct pinhole_class *class = &pinhole_classes[i % PINHOLE_CLASS_COUNT];
        if (with_ports || !pinhole_class_has_ports(class))
            write_rule(out, class, direction, i >= PINHOLE_CLASS_COUNT, "");
    }
    fprintf(out, "\t\tdrop\n\t}\n");
}

/* nft knows where the quoted ports are only when it knows the protocol. */
static void write_quoted(FILE *out)
{
    fprintf(out, "\t# ICMP errors pass only while the rule of the packet that they quote lives.\n"
                 "\tchain quoted {\n");
    for (size_t i = 0; i < 2 * PINHOLE_CLASS_COUNT; i++) {
        const struct pinhole_class *class = &pinhole_classes[i % PINHOLE_CLASS_COUNT];
        bool allow = i >= PINHOLE_CLASS_COUNT;
        if (!pinhole_class_has_ports(class))
            write_rule(out, class, QUOTED, allow, "ip protocol icmp ");
        for (const struct pinhole_protocol *protocol = pinhole_protocols;
             pinhole_class_has_ports(class) && protocol->name; protocol++) {
            char prefix[64];
            snprintf(prefix, sizeof(prefix), "ip protocol icmp ct protocol %s ", protocol->name);
            write_rule(out, class, QUOTED, allow, prefix);
        }
    }
    fprintf(out, "\t\tdrop\n\t}\n");
}

static void write_interfaces(FILE *out, const struct config *config)
{
    const char *separator = "";
    fprintf(out, "{ ");
    for (size_t i = 0; i < config->interface_count; i++) {
        if (!config->interfaces[i].default_deny)
            continue;
        fprintf(out, "%s\"%s\"", separator, config->interfaces[i].name);
        separator = ", ";
    }
    fprintf(out, " }");
}

static bool guards_anything(const struct config *config)
{
    for (size_t i = 0; i < config->interface_count; i++)
        if (config->interfaces[i].default_deny)
            return true;
    return false;
}

static void write_forward(FILE *out, const struct config *config)
{
    fprintf(out, "\tchain forward {\n"
                 "\t\ttype filter hook forward priority filter; policy accept;\n");
    if (guards_anything(config)) {
        fprintf(out, "\t\tiifname ");
        write_interfaces(out, config);
        fprintf(out, " goto guarded\n\t\toifname ");
        write_interfaces(out, config);
        fprintf(out, " goto guarded\n");
    }
    fprintf(out, "\t}\n\tchain guarded {\n");
    if (config->pass_other_signalling)
        fprintf(out, "\t\t" IS_GIST " accept\n");
    SPEC_NEVER("RFC5973-3.4-1a", 2) {
        fprintf(out, "\t\tct state established accept\n");
    }
    fprintf(out, "\t\tmeta nfproto != ipv4 drop\n"
                 "\t\tip protocol icmp ct state related goto quoted\n");
    fprintf(out, "\t\tct direction original meta l4proto { tcp, udp, sctp } goto original_ports\n"
                 "\t\tct direction original goto original\n"
                 "\t\tct direction reply meta l4proto { tcp, udp, sctp } goto reply_ports\n"
                 "\t\tct direction reply goto reply\n"
                 "\t\tdrop\n\t}\n");
}

/* A Query on its way through is handed to our socket with its destination as it is. Without the
 * C flag, messages between other nodes would be taken. While no natfwd runs there is no socket, and
 * the rule ends there: then a NATFW Query goes no further, for past a closed firewall it would
 * bring back a success that is none. Those of other NSLPs are routed like any packet. */
static void write_interception(FILE *out, const struct config *config)
{
    const char *option = config->router_alert_required ? HAS_ROUTER_ALERT : "";
    fprintf(out,
        "\tchain intercept {\n"
        "\t\ttype filter hook prerouting priority mangle; policy accept;\n"
        "\t\tmeta nfproto ipv4 " IS_QUERY " fib daddr type unicast %stproxy ip to :270 "
        "meta mark set 0x%x accept\n"
        "\t\tmeta nfproto ipv4 " IS_QUERY " " IS_NATFW " fib daddr type unicast %scounter drop "
        "comment \"no natfwd runs\"\n"
        "\t\tmeta nfproto ipv6 " IS_QUERY " " IS_NATFW " fib daddr type unicast counter drop "
        "comment \"no IPv6 signalling here\"\n"
        "\t}\n",
        option, config->mark, option);
}

/* Each interface has a limit of its own, so that who floods one leaves the others theirs; those
 * that are not listed have one together. */
static void write_limits(FILE *out, const struct config *config)
{
    for (size_t i = 0; i <= config->interface_count; i++) {
        fprintf(out, "\t\t");
        for (size_t other = 0; i == config->interface_count && other < i; other++)
            fprintf(out, "iifname != \"%s\" ", config->interfaces[other].name);
        if (i < config->interface_count)
            fprintf(out, "iifname \"%s\" ", config->interfaces[i].name);
        fprintf(out, "udp dport 270 limit rate over %u/second burst %u packets counter drop\n",
            config->datagrams_in_per_second, config->datagrams_in_burst);
    }
}

static void write_signalling(FILE *out, const struct config *config)
{
    fprintf(out, "\t# GIST datagrams are not tracked: a NAT would change the address of a Query\n"
                 "\t# that is sent in the name of the flow's source.\n"
                 "\tchain untracked_in {\n"
                 "\t\ttype filter hook prerouting priority raw; policy accept;\n"
                 "\t\t" IS_GIST " notrack\n\t}\n"
                 "\tchain untracked_out {\n"
                 "\t\ttype filter hook output priority raw; policy accept;\n"
                 "\t\t" IS_GIST " notrack\n\t}\n");
    fprintf(out, "\tchain input {\n"
                 "\t\ttype filter hook input priority filter; policy accept;\n");
    if (config->datagrams_in_per_second > 0)
        write_limits(out, config);
    if (config->natfw.forwarder)
        fprintf(out, "\t\tmeta mark 0x%x accept comment \"intercepted\"\n", config->mark);
    fprintf(out, "\t\tudp dport 270 accept comment \"GIST datagrams\"\n");
    if (config->gist.association_port > 0)
        fprintf(out, "\t\ttcp dport %u accept comment \"GIST associations\"\n",
            config->gist.association_port);
    fprintf(out, "\t}\n");
}

/* A host has rules only where it limits what comes in. */
bool ruleset_is_needed(const struct config *config)
{
    return config->natfw.forwarder || config->datagrams_in_per_second > 0;
}

static char *write_table(const struct config *config, const char *name, bool is_dormant)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        return NULL;
    /* The first line makes sure that there is something to delete. */
    fprintf(out, "table inet %s {}\ndelete table inet %s\n", name, name);
    fprintf(out, "table inet %s {\n%s", name, is_dormant ? "\tflags dormant\n" : "");
    if (config->natfw.forwarder) {
        write_sets(out, config);
        write_forward(out, config);
        write_decision(out, "original_ports", ORIGINAL, true);
        write_decision(out, "original", ORIGINAL, false);
        fprintf(out, "\t# Answers pass while the rule lives; a new flow in reverse does not.\n");
        write_decision(out, "reply_ports", REPLY, true);
        write_decision(out, "reply", REPLY, false);
        write_quoted(out);
        write_interception(out, config);
    }
    write_signalling(out, config);
    fprintf(out, "}\n");
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

char *ruleset_text(const struct config *config)
{
    return write_table(config, config->table, false);
}

char *ruleset_draft(const struct config *config, char name[RULESET_NAME_MAX])
{
    snprintf(name, RULESET_NAME_MAX, "%s_draft", config->table);
    return write_table(config, name, true);
}

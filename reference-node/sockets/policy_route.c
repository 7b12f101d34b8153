/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Routing through rtnetlink; see policy_route.h. */
#include "reference-node/sockets/policy_route.h"

#include "reference-node/base/clock.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { LOOPBACK_INDEX = 1, REQUEST_SIZE = 256, ANSWER_SIZE = 8192 };
enum { RULES_AT_ONCE = 32, SWEEPS_MAX = 1024 };
enum { REMEMBERED = 8 };

/* All of a mark counts, and a route is taken however short its prefix is. */
static const uint32_t WHOLE_MARK = UINT32_MAX, NOTHING_SUPPRESSED = UINT32_MAX;

/* What the kernel said of a destination. A flood of datagrams asks the same of each. */
struct told_route {
    uint64_t at_ms; /* 0: nothing is told here */
    struct gist_address destination;
    struct policy_route_answer answer;
    int error;
};

struct policy_route {
    struct mnl_socket *socket;
    uint32_t sequence;
    struct told_route told[REMEMBERED];
    unsigned next;
};

struct policy_route *policy_route_create(void)
{
    struct policy_route *routes = calloc(1, sizeof(*routes));
    if (!routes)
        return NULL;
    routes->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (!routes->socket || mnl_socket_bind(routes->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
        int error = errno;
        policy_route_destroy(routes);
        errno = error;
        return NULL;
    }
    return routes;
}

void policy_route_destroy(struct policy_route *routes)
{
    if (routes && routes->socket)
        mnl_socket_close(routes->socket);
    free(routes);
}

/* Sends a request and runs each message of the answer. Returns 0 or an errno value. */
static int ask(
    struct policy_route *routes, struct nlmsghdr *request, mnl_cb_t on_message, void *context)
{
    char answer[ANSWER_SIZE];
    request->nlmsg_seq = ++routes->sequence;
    if (mnl_socket_sendto(routes->socket, request, request->nlmsg_len) < 0)
        return errno;
    for (;;) {
        ssize_t length = mnl_socket_recvfrom(routes->socket, answer, sizeof(answer));
        if (length < 0)
            return errno;
        const struct nlmsghdr *header = (const struct nlmsghdr *)answer;
        if (header->nlmsg_seq != request->nlmsg_seq)
            continue;
        int more = mnl_cb_run(answer, (size_t)length, request->nlmsg_seq,
            mnl_socket_get_portid(routes->socket), on_message, context);
        if (more > MNL_CB_STOP && (header->nlmsg_flags & NLM_F_MULTI))
            continue;
        return more < 0 ? errno : 0;
    }
}

/* A rule of ours: all that carries the mark looks its way up in the table. */
struct own_rule {
    uint8_t family;
    uint32_t mark;
    uint32_t table;
    uint32_t priority; /* 0: the kernel chooses */
    uint8_t protocol;  /* as it was read */
};

static int change_rule(struct policy_route *routes, bool add, const struct own_rule *own)
{
    char buffer[REQUEST_SIZE];
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = add ? RTM_NEWRULE : RTM_DELRULE;
    request->nlmsg_flags =
        (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | (add ? NLM_F_CREATE | NLM_F_EXCL : 0));
    struct fib_rule_hdr *rule = mnl_nlmsg_put_extra_header(request, sizeof(*rule));
    rule->family = own->family;
    rule->action = FR_ACT_TO_TBL;
    mnl_attr_put_u32(request, FRA_FWMARK, own->mark);
    mnl_attr_put_u32(request, FRA_FWMASK, WHOLE_MARK);
    mnl_attr_put_u32(request, FRA_TABLE, own->table);
    mnl_attr_put_u8(request, FRA_PROTOCOL, POLICY_ROUTE_PROTOCOL);
    if (own->priority != 0)
        mnl_attr_put_u32(request, FRA_PRIORITY, own->priority);
    return ask(routes, request, NULL, NULL);
}

static int change_route(struct policy_route *routes, bool add, uint8_t family, uint32_t table)
{
    char buffer[REQUEST_SIZE];
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = add ? RTM_NEWROUTE : RTM_DELROUTE;
    request->nlmsg_flags =
        (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | (add ? NLM_F_CREATE | NLM_F_EXCL : 0));
    struct rtmsg *route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
    route->rtm_family = family;
    route->rtm_protocol = POLICY_ROUTE_PROTOCOL;
    route->rtm_scope = RT_SCOPE_HOST;
    route->rtm_type = RTN_LOCAL;
    mnl_attr_put_u32(request, RTA_TABLE, table);
    mnl_attr_put_u32(request, RTA_OIF, LOOPBACK_INDEX);
    return ask(routes, request, NULL, NULL);
}

/* What one dump of rules found of ours. */
struct found_rules {
    struct own_rule rules[RULES_AT_ONCE];
    size_t count;
};

/* Returns false for what natfwd gives no rule, also for attributes that later kernels may have. */
static bool read_own(const struct nlattr *attribute, struct own_rule *own)
{
    switch (mnl_attr_get_type(attribute)) {
    case FRA_FWMARK:
        own->mark = mnl_attr_get_u32(attribute);
        return true;
    case FRA_FWMASK:
        return mnl_attr_get_u32(attribute) == WHOLE_MARK;
    case FRA_TABLE:
        own->table = mnl_attr_get_u32(attribute);
        return true;
    case FRA_PRIORITY:
        own->priority = mnl_attr_get_u32(attribute);
        return true;
    case FRA_PROTOCOL:
        own->protocol = mnl_attr_get_u8(attribute);
        return true;
    case FRA_SUPPRESS_PREFIXLEN: /* the kernel tells it of every rule */
        return mnl_attr_get_u32(attribute) == NOTHING_SUPPRESSED;
    default:
        return false;
    }
}

/* The number alone could be another program's too: the rule has to be one that natfwd makes. */
static int find_own(const struct nlmsghdr *header, void *context)
{
    struct found_rules *found = context;
    const struct fib_rule_hdr *rule = mnl_nlmsg_get_payload(header);
    struct own_rule own = {.family = rule->family};
    bool is_own = rule->action == FR_ACT_TO_TBL && !rule->src_len && !rule->dst_len && !rule->tos &&
                  !rule->flags;
    struct nlattr *attribute;
    mnl_attr_for_each(attribute, header, sizeof(*rule))
    {
        is_own = read_own(attribute, &own) && is_own;
    }
    if (is_own && own.protocol == POLICY_ROUTE_PROTOCOL && own.mark != 0 &&
        found->count < RULES_AT_ONCE)
        found->rules[found->count++] = own;
    return MNL_CB_OK;
}

static int list_own(struct policy_route *routes, uint8_t family, struct found_rules *found)
{
    char buffer[REQUEST_SIZE];
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = RTM_GETRULE;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    struct fib_rule_hdr *rule = mnl_nlmsg_put_extra_header(request, sizeof(*rule));
    rule->family = family;
    found->count = 0;
    int error = ask(routes, request, find_own, found);
    return error == EAFNOSUPPORT ? 0 : error;
}

/* Rule and route go together: the one leads to the other. Somebody may have been faster. */
static int take_away(struct policy_route *routes, const struct own_rule *own)
{
    int error = change_rule(routes, false, own);
    change_route(routes, false, own->family, own->table);
    return error == ENOENT ? 0 : error;
}

/* Takes away all that is ours in this family but one rule like wanted, if there is such a one. */
static int sweep(
    struct policy_route *routes, uint8_t family, const struct own_rule *wanted, bool *is_there)
{
    struct found_rules found;
    bool is_whole = false;
    int error = 0;
    for (size_t turn = 0; turn < SWEEPS_MAX && !error && !is_whole; turn++) {
        error = list_own(routes, family, &found);
        is_whole = found.count < RULES_AT_ONCE;
        *is_there = false;
        for (size_t i = 0; !error && i < found.count; i++) {
            const struct own_rule *own = &found.rules[i];
            bool is_wanted = wanted && own->family == wanted->family && own->mark == wanted->mark &&
                             own->table == wanted->table;
            if (is_wanted && !*is_there)
                *is_there = true;
            else
                error = take_away(routes, own);
        }
    }
    return error;
}

int policy_route_put(struct policy_route *routes, uint32_t mark, uint32_t table, bool *was_whole)
{
    struct own_rule wanted = {.family = AF_INET, .mark = mark, .table = table};
    bool has_rule = false, other = false;
    int error = sweep(routes, AF_INET6, NULL, &other);
    if (!error)
        error = sweep(routes, AF_INET, &wanted, &has_rule);
    if (!error && !has_rule)
        error = change_rule(routes, true, &wanted);
    if (error)
        return error;
    error = change_route(routes, true, AF_INET, table);
    *was_whole = has_rule && error == EEXIST;
    return error == EEXIST ? 0 : error;
}

void policy_route_remove(struct policy_route *routes)
{
    bool is_there;
    sweep(routes, AF_INET, NULL, &is_there);
    sweep(routes, AF_INET6, NULL, &is_there);
}

static void read_address(const struct nlattr *attribute, struct gist_address *address)
{
    if (mnl_attr_get_payload_len(attribute) != 4)
        return;
    address->version = 4;
    memcpy(address->octets, mnl_attr_get_payload(attribute), 4);
}

static int read_route(const struct nlmsghdr *header, void *context)
{
    struct policy_route_answer *answer = context;
    const struct rtmsg *route = mnl_nlmsg_get_payload(header);
    struct nlattr *attribute;
    if (header->nlmsg_type != RTM_NEWROUTE)
        return MNL_CB_OK;
    answer->is_local = route->rtm_type == RTN_LOCAL;
    mnl_attr_for_each(attribute, header, sizeof(*route))
    {
        switch (mnl_attr_get_type(attribute)) {
        case RTA_OIF:
            answer->interface = mnl_attr_get_u32(attribute);
            break;
        case RTA_PREFSRC:
            read_address(attribute, &answer->source);
            break;
        case RTA_GATEWAY:
            read_address(attribute, &answer->next_hop);
            break;
        default:
            break;
        }
    }
    return MNL_CB_STOP;
}

static const struct told_route *ask_route(
    struct policy_route *routes, const struct gist_address *destination, uint64_t now_ms)
{
    char buffer[REQUEST_SIZE];
    struct told_route *told = &routes->told[routes->next++ % REMEMBERED];
    *told = (struct told_route){.at_ms = now_ms, .destination = *destination};
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = RTM_GETROUTE;
    request->nlmsg_flags = NLM_F_REQUEST;
    struct rtmsg *route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
    route->rtm_family = AF_INET;
    route->rtm_dst_len = 32;
    mnl_attr_put(request, RTA_DST, 4, destination->octets);
    told->error = ask(routes, request, read_route, &told->answer);
    return told;
}

static const struct told_route *remembered(
    const struct policy_route *routes, const struct gist_address *destination, uint64_t now_ms)
{
    for (size_t i = 0; i < REMEMBERED; i++)
        if (routes->told[i].at_ms == now_ms &&
            gist_address_equal(&routes->told[i].destination, destination))
            return &routes->told[i];
    return NULL;
}

bool policy_route_lookup(struct policy_route *routes, const struct gist_address *destination,
    struct policy_route_answer *answer)
{
    memset(answer, 0, sizeof(*answer));
    if (destination->version != 4) {
        errno = EAFNOSUPPORT;
        return false;
    }
    uint64_t now_ms = clock_now_ms();
    const struct told_route *told = remembered(routes, destination, now_ms);
    if (!told)
        told = ask_route(routes, destination, now_ms);
    *answer = told->answer;
    errno = told->error;
    return errno == 0 && answer->source.version == 4;
}

void policy_route_forget(struct policy_route *routes)
{
    memset(routes->told, 0, sizeof(routes->told));
}

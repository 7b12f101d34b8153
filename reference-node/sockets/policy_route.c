/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Routing through rtnetlink; see policy_route.h. */
#include "reference-node/sockets/policy_route.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { LOOPBACK_INDEX = 1, REQUEST_SIZE = 256, ANSWER_SIZE = 8192 };

struct policy_route {
    struct mnl_socket *socket;
    uint32_t sequence;
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

static int change_rule(struct policy_route *routes, bool add, uint32_t mark, uint32_t table)
{
    char buffer[REQUEST_SIZE];
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = add ? RTM_NEWRULE : RTM_DELRULE;
    request->nlmsg_flags =
        (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | (add ? NLM_F_CREATE | NLM_F_EXCL : 0));
    struct fib_rule_hdr *rule = mnl_nlmsg_put_extra_header(request, sizeof(*rule));
    rule->family = AF_INET;
    rule->action = FR_ACT_TO_TBL;
    mnl_attr_put_u32(request, FRA_FWMARK, mark);
    mnl_attr_put_u32(request, FRA_TABLE, table);
    return ask(routes, request, NULL, NULL);
}

static int change_route(struct policy_route *routes, bool add, uint32_t table)
{
    char buffer[REQUEST_SIZE];
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = add ? RTM_NEWROUTE : RTM_DELROUTE;
    request->nlmsg_flags =
        (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | (add ? NLM_F_CREATE | NLM_F_EXCL : 0));
    struct rtmsg *route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
    route->rtm_family = AF_INET;
    route->rtm_protocol = RTPROT_STATIC;
    route->rtm_scope = RT_SCOPE_HOST;
    route->rtm_type = RTN_LOCAL;
    mnl_attr_put_u32(request, RTA_TABLE, table);
    mnl_attr_put_u32(request, RTA_OIF, LOOPBACK_INDEX);
    return ask(routes, request, NULL, NULL);
}

struct wanted_rule {
    uint32_t mark;
    uint32_t table;
    bool is_there;
};

static int find_rule(const struct nlmsghdr *header, void *context)
{
    struct wanted_rule *wanted = context;
    struct nlattr *attribute;
    uint32_t mark = 0, table = 0;
    mnl_attr_for_each(attribute, header, sizeof(struct fib_rule_hdr))
    {
        if (mnl_attr_get_type(attribute) == FRA_FWMARK)
            mark = mnl_attr_get_u32(attribute);
        if (mnl_attr_get_type(attribute) == FRA_TABLE)
            table = mnl_attr_get_u32(attribute);
    }
    wanted->is_there |= mark == wanted->mark && table == wanted->table;
    return MNL_CB_OK;
}

/* The kernel would add the same rule again, with another priority. */
static int has_rule(struct policy_route *routes, struct wanted_rule *wanted)
{
    char buffer[REQUEST_SIZE];
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = RTM_GETRULE;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    struct fib_rule_hdr *rule = mnl_nlmsg_put_extra_header(request, sizeof(*rule));
    rule->family = AF_INET;
    return ask(routes, request, find_rule, wanted);
}

int policy_route_add(struct policy_route *routes, uint32_t mark, uint32_t table)
{
    struct wanted_rule wanted = {.mark = mark, .table = table};
    int error = has_rule(routes, &wanted);
    if (!error && !wanted.is_there)
        error = change_rule(routes, true, mark, table);
    if (error)
        return error;
    error = change_route(routes, true, table);
    return error == EEXIST ? 0 : error;
}

void policy_route_remove(struct policy_route *routes, uint32_t mark, uint32_t table)
{
    while (change_rule(routes, false, mark, table) == 0)
        continue;
    change_route(routes, false, table);
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
        if (mnl_attr_get_type(attribute) == RTA_OIF)
            answer->interface = mnl_attr_get_u32(attribute);
        if (mnl_attr_get_type(attribute) != RTA_PREFSRC || mnl_attr_get_payload_len(attribute) != 4)
            continue;
        answer->source.version = 4;
        memcpy(answer->source.octets, mnl_attr_get_payload(attribute), 4);
    }
    return MNL_CB_STOP;
}

bool policy_route_lookup(struct policy_route *routes, const struct gist_address *destination,
    struct policy_route_answer *answer)
{
    char buffer[REQUEST_SIZE];
    memset(answer, 0, sizeof(*answer));
    if (destination->version != 4) {
        errno = EAFNOSUPPORT;
        return false;
    }
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = RTM_GETROUTE;
    request->nlmsg_flags = NLM_F_REQUEST;
    struct rtmsg *route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
    route->rtm_family = AF_INET;
    route->rtm_dst_len = 32;
    mnl_attr_put(request, RTA_DST, 4, destination->octets);
    errno = ask(routes, request, read_route, answer);
    return errno == 0 && answer->source.version == 4;
}

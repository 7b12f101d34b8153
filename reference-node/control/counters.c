/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counters as JSON; see counters.h. */
#include "reference-node/control/counters.h"

#include <stddef.h>
#include <string.h>

/* Where a counter lies in its structure; all of them are uint64_t. */
struct counter {
    const char *name;
    size_t offset;
};

#define OF_GIST(member)     offsetof(struct gist_counters, member)
#define OF_PINHOLES(member) offsetof(struct pinholes_counters, member)

static const struct counter of_gist[] = {
    {"datagrams_received", OF_GIST(datagrams_received)},
    {"parsed", OF_GIST(messages_parsed)},
    {"rejected", OF_GIST(messages_rejected)},
    {"errors_sent", OF_GIST(errors_sent)},
    {"errors_received", OF_GIST(errors_received)},
    {"queries_sent", OF_GIST(queries_sent)},
    {"queries_forwarded", OF_GIST(queries_forwarded)},
    {"routing_states", OF_GIST(routing_states)},
    {"associations", OF_GIST(associations)},
    {"datagrams_dropped", OF_GIST(datagrams_dropped)},
    {"queries_refused", OF_GIST(queries_refused)},
    {"errors_refused", OF_GIST(errors_refused)},
    {"routing_states_refused", OF_GIST(routing_states_refused)},
    {"associations_refused", OF_GIST(associations_refused)},
    {"associations_displaced", OF_GIST(associations_displaced)},
    {"associations_unconfirmed", OF_GIST(associations_unconfirmed)},
    {"peers_unauthorised", OF_GIST(peers_unauthorised)},
    {"streams_refused", OF_GIST(streams_refused)},
    {"messages_refused", OF_GIST(messages_refused)},
    {"associations_paused", OF_GIST(associations_paused)},
    {0},
};

static const struct counter of_natfw[] = {
    {"sessions_refused", offsetof(struct natfw_counters, sessions_refused)},
    {"owners_refused", offsetof(struct natfw_counters, owners_refused)},
    {"messages_unsent", offsetof(struct natfw_counters, messages_unsent)},
    {0},
};

static const struct counter of_pinholes[] = {
    {"elements", OF_PINHOLES(elements)},
    {"commits", OF_PINHOLES(commits)},
    {"changes", OF_PINHOLES(changes)},
    {"failures", OF_PINHOLES(failures)},
    {0},
};

static const struct counter of_conntrack[] = {
    {"waiting", offsetof(struct conntrack_counters, waiting)},
    {"walks", offsetof(struct conntrack_counters, walks)},
    {"entries", offsetof(struct conntrack_counters, entries)},
    {"deleted", offsetof(struct conntrack_counters, deleted)},
    {"failures", offsetof(struct conntrack_counters, failures)},
    {"entries_per_turn_max", offsetof(struct conntrack_counters, entries_per_turn_max)},
    {0},
};

static const struct counter of_tls[] = {
    {"handshakes", offsetof(struct association_counters, handshakes)},
    {"refused", offsetof(struct association_counters, handshakes_refused)},
    {"failed", offsetof(struct association_counters, handshakes_failed)},
    {"unauthorised", offsetof(struct association_counters, peers_unauthorised)},
    {0},
};

static const struct counter of_log[] = {
    {"left_out", offsetof(struct log_counters, left_out)},
    {"lost", offsetof(struct log_counters, lost)},
    {0},
};

static const struct counter of_loop[] = {
    {"turns", offsetof(struct loop_counters, turns)},
    {"longest_turn_us", offsetof(struct loop_counters, longest_turn_us)},
    {0},
};

static json_t *counters_json(const struct counter *counter, const void *values)
{
    json_t *object = json_object();
    for (; counter->name; counter++) {
        uint64_t value;
        memcpy(&value, (const char *)values + counter->offset, sizeof(value));
        json_object_set_new(object, counter->name, json_integer((json_int_t)value));
    }
    return object;
}

json_t *counters_of_gist(const struct gist_counters *counters)
{
    return counters_json(of_gist, counters);
}

json_t *counters_of_natfw(const struct natfw_counters *counters)
{
    return counters_json(of_natfw, counters);
}

json_t *counters_of_pinholes(const struct pinholes_counters *counters)
{
    return counters_json(of_pinholes, counters);
}

json_t *counters_of_conntrack(const struct conntrack_counters *counters)
{
    return counters_json(of_conntrack, counters);
}

json_t *counters_of_tls(const struct association_counters *counters)
{
    return counters_json(of_tls, counters);
}

json_t *counters_of_log(const struct log_counters *counters)
{
    return counters_json(of_log, counters);
}

json_t *counters_of_loop(const struct loop_counters *counters)
{
    return counters_json(of_loop, counters);
}

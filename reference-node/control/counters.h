/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The counters of the daemon's parts, for "natfwctl stats". */
#ifndef NATFWD_COUNTERS_H
#define NATFWD_COUNTERS_H

#include "core/natfw/node.h"
#include "reference-node/base/log.h"
#include "reference-node/base/loop.h"
#include "reference-node/netfilter/conntrack.h"
#include "reference-node/netfilter/pinholes.h"
#include "reference-node/sockets/association_listener.h"

#include <jansson.h>

/* Each returns an object that the caller owns, or NULL without memory. */
json_t *counters_of_gist(const struct gist_counters *counters);
json_t *counters_of_natfw(const struct natfw_counters *counters);
json_t *counters_of_pinholes(const struct pinholes_counters *counters);
json_t *counters_of_conntrack(const struct conntrack_counters *counters);
json_t *counters_of_tls(const struct association_counters *counters);
json_t *counters_of_log(const struct log_counters *counters);
json_t *counters_of_loop(const struct loop_counters *counters);

#endif

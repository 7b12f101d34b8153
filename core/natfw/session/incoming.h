/* A message being handled: as it came from GIST, and parsed. Private to core/natfw. */
#ifndef NATFW_NATFW_INCOMING_H
#define NATFW_NATFW_INCOMING_H

#include "core/gist/service.h"
#include "core/natfw/message/message.h"
#include "core/natfw/policy_rule.h"

struct natfw_incoming {
    uint64_t now_ms;
    const struct gist_received *received;
    struct natfw_message message;
};

/* The rule that a request asks for: its flow, with what its objects say. */
struct natfw_policy_rule natfw_rule_of(const struct natfw_incoming *incoming);

#endif

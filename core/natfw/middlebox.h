/*
 * The middlebox seam: what a session does to the data plane. The nftables backend is one
 * implementation, the simulator's another; a vendor writes a third.
 *
 * A change takes effect in its own time: the middlebox answers natfw_node_middlebox_done with the
 * handle it was given, once the change is in or has failed, and no RESPONSE leaves before. It must
 * not call back from within these functions.
 *
 * Two sessions may own the same rule (ruling A105): it lasts as long as the longest of its owners
 * and goes with the last.
 */
#ifndef NATFW_NATFW_MIDDLEBOX_H
#define NATFW_NATFW_MIDDLEBOX_H

#include "core/gist/service.h"
#include "core/natfw/info.h"
#include "core/natfw/policy_rule.h"

/* Names one request of one session, also after either is gone: what GIST and the middlebox report
 * about it carries this. */
typedef gist_message_handle natfw_handle;

/* Nobody waits for what becomes of it. */
#define NATFW_NO_HANDLE GIST_NO_HANDLE

enum natfw_middlebox_result {
    NATFW_MIDDLEBOX_OK,
    NATFW_MIDDLEBOX_CONFLICT,             /* refused by what is there, 7/0x04 */
    NATFW_MIDDLEBOX_EXHAUSTED,            /* no room now, 4/0x01 */
    NATFW_MIDDLEBOX_UNSUPPORTED_PROTOCOL, /* 7/0x09 */
    NATFW_MIDDLEBOX_FAILED                /* the data plane or its driver failed, 5/0x04 */
};

/* The answer that tells of a result; NATFW_NO_CODE of NATFW_MIDDLEBOX_OK. */
enum natfw_code natfw_code_of_middlebox(enum natfw_middlebox_result result);

/* Owner and rule are the caller's, and valid during the call only. */
struct natfw_middlebox {
    void *context;

    /* Can this rule be had? Nothing is installed; resources are set aside for the session until
     * install or remove. Answers at once. RFC 5973 3.7.1: the rule is remembered. */
    enum natfw_middlebox_result (*remember)(
        void *context, const struct gist_session_id *owner, const struct natfw_policy_rule *rule);

    /* Lets the rule act until expires_ms, a time of the node's clock, at which the data plane
     * closes by itself. For a rule that this owner has already, it moves the expiry, either way. */
    void (*install)(void *context, const struct gist_session_id *owner,
        const struct natfw_policy_rule *rule, uint64_t expires_ms, natfw_handle handle);

    /* Swaps one rule of the owner for another without a gap for traffic that both allow. */
    void (*replace)(void *context, const struct gist_session_id *owner,
        const struct natfw_policy_rule *old_rule, const struct natfw_policy_rule *new_rule,
        uint64_t expires_ms, natfw_handle handle);

    /* Takes the rule away from this owner, installed or set aside: flows stop at once, also those
     * that run. */
    void (*remove)(
        void *context, const struct gist_session_id *owner, const struct natfw_policy_rule *rule);
};

#endif

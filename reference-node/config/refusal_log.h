/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One log line for each request that policy refuses: by which entry, to whom, and for what. */
#ifndef NATFWD_REFUSAL_LOG_H
#define NATFWD_REFUSAL_LOG_H

#include "core/natfw/policy.h"

/* Logs what refuses, and nothing else: not NATFW_NO_CODE, nor what the question does not ask about.
 * entry says what decided: rule "no-smtp". Returns the answer as it is. */
enum natfw_code refusal_log(
    const struct natfw_policy_question *question, const char *entry, enum natfw_code answer);

#endif

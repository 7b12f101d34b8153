/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One log line for each request that policy refuses; see refusal_log.h. */
#include "reference-node/config/refusal_log.h"

#include "reference-node/base/log.h"
#include "reference-node/base/text.h"

#include <net/if.h>
#include <stdio.h>

enum natfw_code refusal_log(
    const struct natfw_policy_question *question, const char *entry, enum natfw_code answer)
{
    const struct gist_received *message = question->message;
    char interface[IFNAMSIZ] = "?";
    char peer[TEXT_ADDRESS_SIZE], session[TEXT_SID_SIZE], flow[TEXT_FLOW_SIZE],
        code[TEXT_ANSWER_SIZE];
    bool counts = !question->about_asking || natfw_class_of(answer) == NATFW_PERMANENT_FAILURE;
    if (answer == NATFW_NO_CODE || !counts || !log_keeps(LOG_LEVEL_WARNING))
        return answer;
    if_indextoname(message->interface, interface);
    text_of_address(&message->peer, peer);
    text_of_session_id(&message->session_id, session);
    text_of_flow(&message->mri, flow);
    text_of_answer(answer, code);
    log_line_about(LOG_LEVEL_WARNING, "policy", &message->peer,
        "policy: %s refuses peer=%s interface=%s session=%s flow=\"%s\" lifetime=%us "
        "answer=%s \"%s\"",
        entry, peer, interface, session, flow, question->lifetime_s, code, text_of_code(answer));
    return answer;
}

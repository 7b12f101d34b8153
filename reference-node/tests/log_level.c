/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the log of a running natfwd says, at each log_level. */
#include "reference-node/tests/network.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define REFUSING                                                                                   \
    "policy {\n rule \"web\" {\n ports = \"80\"\n answer = allow\n }\n"                            \
    " rule \"no-5000\" {\n ports = \"5000\"\n answer = \"7/0x04\"\n }\n}\n"

static char *log_of(const struct network *network, const char *name)
{
    return output_of("cat %s/%s.log", network->directory, name);
}

/* Of a firewall that has been asked for what it refuses, and stopped. */
static char *log_after_refusal(const char *extra)
{
    int status;
    char firewall[TEXT_MAX];
    snprintf(firewall, sizeof(firewall), "%s%s", extra, REFUSING);
    struct network network = network_start(firewall, "");
    json_decref(control(&network, 0, OPEN, &status));
    cr_assert(status == 1);
    char *log = log_of(&network, "middle");
    network_stop(&network);
    return log;
}

Test(log, names_the_rule_the_peer_and_the_flow_of_a_refusal)
{
    char *log = log_after_refusal("");
    const char *line = strstr(log, "policy: rule \"no-5000\" refuses peer=192.0.2.2 "
                                   "interface=inside session=");
    cr_assert(line, "%s", log);
    cr_assert(strstr(line, " flow=\"udp 192.0.2.2:4000 -> 198.51.100.2:5000\" lifetime=120s "
                           "answer=7/0x04 \"conflicts with policy\"\n"),
        "%s", log);
    free(log);
}

Test(log, says_that_no_rule_but_the_default_refused)
{
    int status;
    struct network network = network_start("policy {\n default_internal = \"5/0x02\"\n}\n", "");
    json_decref(control(&network, 0, OPEN, &status));
    char *log = log_of(&network, "middle");
    cr_assert(strstr(log, "policy: default_internal refuses peer=192.0.2.2 "), "%s", log);
    network_stop(&network);
    free(log);
}

Test(log, names_the_entry_of_a_peer_that_may_not_signal)
{
    int status;
    struct network network =
        network_start("policy {\n peer \"192.0.2.0/24\" {\n answer = \"5/0x01\"\n }\n}\n", "");
    json_decref(control(&network, 0, OPEN, &status));
    char *log = log_of(&network, "middle");
    cr_assert(strstr(log, "policy: peer \"192.0.2.0/24\" refuses peer=192.0.2.2 "), "%s", log);
    network_stop(&network);
    free(log);
}

static size_t lines_with(const char *log, const char *what)
{
    size_t count = 0;
    for (const char *at = log; (at = strstr(at, what)); at += strlen(what))
        count++;
    return count;
}

/* Limits of the log are off: they hide nothing here. */
Test(log, has_one_line_for_each_refusal_whatever_refuses)
{
    static const char *const policies[] = {REFUSING, /* what is asked for */
        "policy {\n rule \"no-5000\" {\n ports = \"5000\"\n answer = \"5/0x02\"\n }\n}\n",
        "policy {\n default_internal = \"7/0x04\"\n}\n",
        "policy {\n peer \"192.0.2.0/24\" {\n answer = \"5/0x01\"\n }\n}\n"};
    int status;
    struct network network = network_start("", "");
    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
        char firewall[TEXT_MAX];
        snprintf(firewall, sizeof(firewall), "log_lines_per_kind = 0\nlog_lines_per_peer = 0\n%s",
            policies[i]);
        write_firewall_config(&network, firewall);
        json_decref(control_ok(&network, MIDDLE, "reload"));
        for (size_t asked = 1; asked <= 2; asked++) {
            json_decref(control(&network, LEFT, OPEN, &status));
            cr_assert(status == 1);
            char *log = log_of(&network, "middle");
            cr_assert(lines_with(log, " refuses peer=") == 2 * i + asked, "%s%s", policies[i], log);
            free(log);
        }
    }
    network_stop(&network);
}

Test(log, holds_what_its_level_keeps_and_no_more)
{
    static const struct {
        const char *extra;
        bool debug, info, warning;
    } levels[] = {{"log_level = debug\n", true, true, true}, {"", false, true, true},
        {"log_level = warning\n", false, false, true},
        {"log_level = error\n", false, false, false}};
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        char *log = log_after_refusal(levels[i].extra);
        cr_expect(!strstr(log, " debug udp: from 192.0.2.2: octets ") == !levels[i].debug, "%s%s",
            levels[i].extra, log);
        cr_expect(!strstr(log, " info session ") == !levels[i].info, "%s%s", levels[i].extra, log);
        cr_expect(!strstr(log, " warning policy: rule ") == !levels[i].warning, "%s%s",
            levels[i].extra, log);
        free(log);
    }
}

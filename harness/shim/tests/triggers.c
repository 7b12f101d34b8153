/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operations that are refused before the core hears of them; box.c has those that it does. */
#include "harness/shim/triggers.h"

#include "harness/shim/tests/output.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

static struct output seen;
static struct box_output told;

/* Runs the operation without a node behind it: it must not be asked. */
static const struct output_answer *answer_to(const struct trigger *trigger, bool is_initiator)
{
    told = output_into(&seen);
    struct triggers *triggers = triggers_create(&told);
    cr_assert(triggers);
    triggers_run(triggers, NULL, is_initiator, UINT64_C(1) << 40, trigger);
    triggers_destroy(triggers);
    cr_assert(seen.answer_count == 1 && seen.answers[0].number == trigger->number);
    return &seen.answers[0];
}

static struct trigger right_open(void)
{
    return (struct trigger){.number = 9,
        .operation = "open",
        .fields = {{"source", "192.0.2.2"}, {"source_port", "4000"},
            {"destination", "198.51.100.2"}, {"destination_port", "5000"}, {"protocol", "udp"},
            {"lifetime_s", "60"}},
        .field_count = 6};
}

Test(triggers, are_refused_by_a_box_that_is_no_initiator)
{
    struct trigger trigger = right_open();
    const struct output_answer *answer = answer_to(&trigger, false);
    cr_assert(answer->status == TRIGGER_REFUSED && strstr(answer->text, "initiator"));
}

Test(triggers, of_an_unknown_operation_say_which_there_are)
{
    struct trigger trigger = {.number = 3, .operation = "explode"};
    const struct output_answer *answer = answer_to(&trigger, true);
    cr_assert(answer->status == TRIGGER_USAGE && strstr(answer->text, "open and close"));
}

struct wrong {
    size_t field;
    char value[24];
    char why[24];
};

ParameterizedTestParameters(triggers, say_what_is_wrong_with_a_field)
{
    static struct wrong wrong[] = {{0, "192.0.2", "source"}, {1, "65536", "source_port"},
        {2, "", "destination"}, {3, "0", "destination_port"}, {3, "5000x", "destination_port"},
        {0, "2001:db8::1", "source"}, {4, "256", "protocol"}, {5, "0", "lifetime_s"},
        {5, "4294967296", "lifetime_s"}, {5, "-1", "lifetime_s"}};
    return cr_make_param_array(struct wrong, wrong, sizeof(wrong) / sizeof(wrong[0]));
}

ParameterizedTest(struct wrong *wrong, triggers, say_what_is_wrong_with_a_field)
{
    struct trigger trigger = right_open();
    trigger.fields[wrong->field].value = wrong->value;
    const struct output_answer *answer = answer_to(&trigger, true);
    cr_assert(answer->status == TRIGGER_USAGE && strstr(answer->text, wrong->why), "\"%s\": %s",
        wrong->value, answer->text);
}

Test(triggers, with_a_field_that_is_not_understood_do_nothing)
{
    struct trigger trigger = right_open();
    trigger.fields[6] = (struct trigger_field){"only_until", "noon"};
    trigger.field_count = 7;
    cr_assert(answer_to(&trigger, true)->status == TRIGGER_USAGE);
}

Test(triggers, close_only_by_thirty_two_hexadecimal_digits)
{
    static const char *const wrong[] = {"", "0123456789abcdef0123456789abcde",
        "0123456789abcdef0123456789abcdef0", "0123456789abcdef0123456789abcdeg",
        "0123456789abcdef0123456789abcdef, and more"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct trigger trigger = {
            .number = 4, .operation = "close", .fields = {{"sid", wrong[i]}}, .field_count = 1};
        cr_assert(answer_to(&trigger, true)->status == TRIGGER_USAGE, "\"%s\"", wrong[i]);
    }
}

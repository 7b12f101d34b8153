/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What NATFW_MUTANT says has to be done, or refused with what to do instead. */
#include "reference-node/base/spec_environment.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdlib.h>

#if defined(SPEC_MUTANTS)
static const char refusal[] =
    "natfwd: NATFW_MUTANT=RFC5973-0-0#1: this build has no such point; harness/trace names them\n";
#else
static const char refusal[] =
    "natfwd: NATFW_MUTANT=RFC5973-0-0#1: this build can break nothing; unset it, or make one that "
    "can: meson setup -Dmutants=true build-mutants\n";
#endif

Test(spec_environment, a_mutant_that_cannot_be_is_refused, .init = cr_redirect_stderr)
{
    setenv("NATFW_MUTANT", "RFC5973-0-0#1", 1);
    cr_assert_not(spec_environment_mutate("natfwd"));
    fflush(stderr);
    cr_assert_stderr_eq_str(refusal);
}

Test(spec_environment, without_a_mutant_there_is_nothing_to_refuse)
{
    unsetenv("NATFW_MUTANT");
    cr_assert(spec_environment_mutate("natfwd"));
}

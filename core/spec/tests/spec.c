/* core/spec: points and catalogue belong together. */
#include "core/spec/spec.h"
#include "core/spec/catalogue.h"

#include <criterion/criterion.h>
#include <string.h>

static bool checked(int value)
{
    return SPEC_HOLDS("RFC5973-3.5-6", 1, value > 3);
}

static bool ensured(int value)
{
    SPEC_ENSURE("RFC5973-3.5-6", 2, value > 3) {
        return false;
    }
    return true;
}

static int chosen(void)
{
    return SPEC_VALUE("RFC5973-3.5-5", 1, 7, 8);
}

static int acts(void)
{
    int done = 0;
    SPEC_DO("RFC5973-3.5-5", 2) {
        done += 1;
    }
    SPEC_NEVER("RFC5973-3.5-1b", 1) {
        done += 10;
    }
    return done;
}

Test(spec, a_point_is_transparent_until_it_is_mutated)
{
    cr_assert(checked(4));
    cr_assert_not(checked(3));
    cr_assert(ensured(4));
    cr_assert_not(ensured(3));
    cr_assert_eq(chosen(), 7);
    cr_assert_eq(acts(), 1);
}

Test(spec, the_catalogue_knows_its_requirements)
{
    const struct spec_requirement *requirement = spec_requirement("RFC5973-3.5-6");
    cr_assert_not_null(requirement);
    cr_assert_str_eq(requirement->section, "3.5");
    cr_assert_str_eq(requirement->level, "MUST");
    cr_assert_null(spec_requirement("RFC5973-0.0-0"));
}

#if defined(SPEC_MUTANTS) || defined(SPEC_TRACE)
Test(spec, points_list_themselves)
{
    size_t count;
    struct spec_point *const *points = spec_points(&count);
    cr_assert_eq(count, 5);
    for (size_t i = 0; i < count; i++)
        cr_assert_not_null(spec_requirement(points[i]->id));
}
#else
Test(spec, a_release_build_lists_no_points)
{
    size_t count;
    spec_points(&count);
    cr_assert_eq(count, 0);
}
#endif

#if defined(SPEC_MUTANTS)
Test(spec, a_mutated_check_holds_always)
{
    cr_assert(spec_mutate("RFC5973-3.5-6#1+RFC5973-3.5-6#2"));
    cr_assert(checked(3));
    cr_assert(ensured(3));
}

Test(spec, a_mutated_value_is_the_wrong_one)
{
    cr_assert(spec_mutate("RFC5973-3.5-5#1"));
    cr_assert_eq(chosen(), 8);
    cr_assert_not(checked(3), "no other point is touched");
}

Test(spec, a_mutated_act_is_left_out_and_a_forbidden_one_is_done)
{
    cr_assert(spec_mutate("RFC5973-3.5-5#2+RFC5973-3.5-1b#1"));
    cr_assert_eq(acts(), 10);
}

Test(spec, a_point_that_does_not_exist_is_told)
{
    cr_assert_not(spec_mutate("RFC5973-3.5-5#3"));
    cr_assert_not(spec_mutate("RFC5973-3.5-5"));
    cr_assert_not(spec_mutate("RFC5973-3.5-5#2x"));
    cr_assert_not(spec_mutate(""));
}

Test(spec, of_two_points_of_which_one_does_not_exist_none_is_broken)
{
    cr_assert_not(spec_mutate("RFC5973-3.5-5#1+RFC5973-3.5-5#3"));
    cr_assert_not(spec_mutate("RFC5973-3.5-5#1+"));
    cr_assert_eq(chosen(), 7);
    cr_assert_not(spec_is_mutated());
}

Test(spec, that_a_point_is_broken_is_told)
{
    cr_assert_not(spec_is_mutated());
    cr_assert(spec_mutate("RFC5973-3.5-5#1"));
    cr_assert(spec_is_mutated());
}
#else
Test(spec, a_release_build_has_no_mutants)
{
    cr_assert_not(spec_mutate("RFC5973-3.5-6#1"));
    cr_assert_not(checked(3));
}
#endif

/*
 * The points that tie code to the requirements of RFC 5973 and RFC 5971.
 *
 * A requirement stands in the code where it is carried out, as a point. The id is one of
 * requirements.def; the number, written by hand, tells the points of one id apart. A point reads as
 * a rule of the text:
 *
 *     SPEC_ENSURE(id, n, condition) { otherwise }    a check
 *     SPEC_HOLDS(id, n, condition)                   a check inside an expression
 *     SPEC_DO(id, n) { act }                         an act
 *     SPEC_VALUE(id, n, right, wrong)                a value; wrong is the nearest that looks legal
 *     SPEC_NEVER(id, n) { act }                      never: this
 *
 * A release build compiles them to the plain check, act and value, and nothing of the rest is left
 * in it. A build with -Dmutants=true can break any one point, chosen at start by spec_mutate(): the
 * check then holds always, the act is left out, the value is the wrong one, the forbidden is done.
 * What no test notices then is not tested. All forms are compiled in every build.
 *
 * Points carry protocol, never memory safety: bounds are plain code in core/wire.
 */
#ifndef NATFW_SPEC_H
#define NATFW_SPEC_H

#include <stdbool.h>
#include <stddef.h>

enum spec_form {
    SPEC_FORM_ENSURE,
    SPEC_FORM_HOLDS,
    SPEC_FORM_DO,
    SPEC_FORM_VALUE,
    SPEC_FORM_NEVER,
    SPEC_FORM_COUNT
};

struct spec_point {
    const char *id;
    unsigned number;
    enum spec_form form;
    const char *file;
    unsigned line;
    unsigned long hits;
    bool mutated; /* by spec_mutate */
};

/* Heads of blocks; inside an if without braces of its own they do not compile. */
#define SPEC_ENSURE(id, n, condition) if (!SPEC_CHECK_(id, n, SPEC_FORM_ENSURE, condition))

#define SPEC_DO(id, n) if (!SPEC_BROKEN_(id, n, SPEC_FORM_DO))

#define SPEC_NEVER(id, n) if (SPEC_BROKEN_(id, n, SPEC_FORM_NEVER))

#define SPEC_HOLDS(id, n, condition) SPEC_CHECK_(id, n, SPEC_FORM_HOLDS, condition)

#define SPEC_VALUE(id, n, right, wrong) (SPEC_BROKEN_(id, n, SPEC_FORM_VALUE) ? (wrong) : (right))

#if defined(SPEC_MUTANTS) || defined(SPEC_TRACE)

/* The section holds pointers, for a linker may pad the points themselves. */
#define SPEC_BROKEN_(point_id, n, point_form)                                                      \
    __extension__({                                                                                \
        static struct spec_point spec_here_ = {                                                    \
            .id = point_id, .number = n, .form = point_form, .file = __FILE__, .line = __LINE__};  \
        static struct spec_point *const spec_listed_                                               \
            __attribute__((section("spec_listing"), used)) = &spec_here_;                          \
        spec_here_.hits++;                                                                         \
        spec_here_.mutated;                                                                        \
    })

/* Evaluated in any case, for what it does on the way. */
#define SPEC_CHECK_(id, n, form, condition)                                                        \
    __extension__({                                                                                \
        bool spec_holds_ = (condition);                                                            \
        SPEC_BROKEN_(id, n, form) || spec_holds_;                                                  \
    })

#else

/* False, once the id is seen to be a literal and the number to be a number. */
#define SPEC_BROKEN_(id, n, form) (sizeof("" id) + (n) + (form) == 0)

#define SPEC_CHECK_(id, n, form, condition) (SPEC_BROKEN_(id, n, form) || (condition))

#endif

/* The points linked into this program, in no order; none in a release build. */
struct spec_point *const *spec_points(size_t *count);

/* Activates the mutants "ID#n", or "ID#n+ID#n" where one masks the other. Returns false, and
 * breaks none, when there is no such point, or no mutant can be active in this build. */
bool spec_mutate(const char *names);

/* Whether a mutant is active. A builder that refuses what is forbidden then lets it pass: what
 * breaks a requirement has to leave the node, or no test could see it. */
bool spec_is_mutated(void);

#endif

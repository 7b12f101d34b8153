/*
 * The macros that tie code to the requirements of RFC 5973 and RFC 5971.
 *
 * A requirement stands in the code where it is carried out, as a point. The id is one of
 * requirements.def; the number, written by hand, tells the points of one id apart. A release build
 * compiles a point to the plain condition, act or value. A build with -Dmutants=true can break any
 * one point, chosen at start by spec_mutate(): what no test notices then is not tested.
 *
 * Points carry protocol, never memory safety: bounds are plain code in core/wire.
 */
#ifndef NATFW_SPEC_H
#define NATFW_SPEC_H

#include <stdbool.h>
#include <stddef.h>

enum spec_form { SPEC_FORM_HOLDS, SPEC_FORM_ACT, SPEC_FORM_VALUE, SPEC_FORM_NEVER };

struct spec_point {
    const char *id;
    unsigned number;
    enum spec_form form;
    const char *file;
    unsigned line;
    unsigned long hits; /* counted in builds with -Dtrace=true or -Dmutants=true */
    bool mutated;       /* by spec_mutate */
};

/* A check: the condition; under its mutant evaluated, then true. */
#define SPEC_HOLDS(id, n, condition)                                                               \
    __extension__({                                                                                \
        SPEC_POINT_(id, n, SPEC_FORM_HOLDS);                                                       \
        bool spec_right_ = (condition);                                                            \
        spec_reached_(&spec_here_) ? true : spec_right_;                                           \
    })

/* An act, in an if: true; under its mutant false, so that the act is left out. */
#define SPEC_ACT(id, n)                                                                            \
    __extension__({                                                                                \
        SPEC_POINT_(id, n, SPEC_FORM_ACT);                                                         \
        !spec_reached_(&spec_here_);                                                               \
    })

/* A value: right; under its mutant wrong, the nearest value that looks legal. */
#define SPEC_VALUE(id, n, right, wrong)                                                            \
    __extension__({                                                                                \
        SPEC_POINT_(id, n, SPEC_FORM_VALUE);                                                       \
        spec_reached_(&spec_here_) ? (wrong) : (right);                                            \
    })

/* A forbidden act, in an if: false; under its mutant true, so that it is done. */
#define SPEC_NEVER(id, n)                                                                          \
    __extension__({                                                                                \
        SPEC_POINT_(id, n, SPEC_FORM_NEVER);                                                       \
        spec_reached_(&spec_here_);                                                                \
    })

/* The section holds pointers, for a linker may pad the points themselves. */
#define SPEC_POINT_(point_id, n, point_form)                                                       \
    static struct spec_point spec_here_ = {                                                        \
        .id = point_id, .number = n, .form = point_form, .file = __FILE__, .line = __LINE__};      \
    static struct spec_point *const spec_listed_ __attribute__((section("spec_listing"), used)) =  \
        &spec_here_

static inline bool spec_reached_(struct spec_point *point)
{
#if defined(SPEC_MUTANTS)
    point->hits++;
    return point->mutated;
#elif defined(SPEC_TRACE)
    point->hits++;
    return false;
#else
    (void)point;
    return false;
#endif
}

/* The points linked into this program, in no order; count may be 0. */
struct spec_point *const *spec_points(size_t *count);

/* Activates the mutants "ID#n", or "ID#n+ID#n" where one masks the other. Returns false when there
 * is no such point, or no mutant can be active in this build. */
bool spec_mutate(const char *names);

/* Whether a mutant is active. A builder that refuses what is forbidden then lets it pass: what
 * breaks a requirement has to leave the node, or no test could see it. */
bool spec_is_mutated(void);

struct spec_requirement {
    const char *id;
    const char *document;
    const char *section;
    const char *level;
    const char *roles;
    const char *observable;
    const char *summary;
};

/* Returns the requirement with this id, or NULL; those that restate another count as well. */
const struct spec_requirement *spec_requirement(const char *id);

#endif

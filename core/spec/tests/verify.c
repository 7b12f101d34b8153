/* Records which requirements a unit test reached and proved; see verify.h. */
#include "core/spec/tests/verify.h"

#include "core/spec/catalogue.h"
#include "core/spec/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REQUIRED_MAX = 64 };

static const char *required[REQUIRED_MAX];
static size_t required_count;

/* Tests of other processes append to it too: each line goes out whole. */
static FILE *trace_file(void)
{
    const char *path = getenv("NATFW_TRACE_FILE");
    FILE *trace = path ? fopen(path, "ae") : NULL;
    if (trace)
        setvbuf(trace, NULL, _IOLBF, BUFSIZ);
    return trace;
}

static void remember(const char *id)
{
    for (size_t i = 0; i < required_count; i++)
        if (strcmp(required[i], id) == 0)
            return;
    cr_assert(required_count < REQUIRED_MAX, "a test requires more ids than verify.c keeps");
    required[required_count++] = id;
}

struct verify_running verify_begin(const struct verify_claims *claims)
{
    for (const char *const *id = claims->ids; *id; id++)
        cr_assert(spec_requirement(*id), "%s is not in requirements.def", *id);
    const char *mutant = getenv("NATFW_MUTANT");
    if (mutant)
        cr_assert(spec_mutate(mutant), "no point %s in this build", mutant);
    return (struct verify_running){.claims = claims};
}

void verify_required(const char *id, bool holds, const char *file, unsigned line)
{
    remember(id);
    FILE *trace = trace_file();
    if (!trace)
        return;
    fprintf(trace, "%s %s/%s %s %s:%u\n", holds ? "required" : "failed",
        criterion_current_test->category, criterion_current_test->name, id, file, line);
    fclose(trace);
}

static bool was_required(const char *id)
{
    for (size_t i = 0; i < required_count; i++)
        if (strcmp(required[i], id) == 0)
            return true;
    return false;
}

void verify_end(struct verify_running *running)
{
    for (const char *const *id = running->claims->ids; *id; id++)
        cr_assert(was_required(*id), "the test claims %s, but no assertion carried it", *id);
    FILE *trace = trace_file();
    if (!trace)
        return;
    size_t count;
    struct spec_point *const *points = spec_points(&count);
    for (size_t i = 0; i < count; i++)
        if (points[i]->hits > 0)
            fprintf(trace, "point %s/%s %s#%u %lu\n", criterion_current_test->category,
                criterion_current_test->name, points[i]->id, points[i]->number, points[i]->hits);
    fclose(trace);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NATFW_MUTANT and NATFW_TRACE_FILE; see spec_environment.h. */
#include "reference-node/base/spec_environment.h"

#include "core/spec/spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool spec_environment_mutate(const char *program)
{
    const char *mutant = getenv("NATFW_MUTANT");
    if (!mutant || spec_mutate(mutant))
        return true;
#if defined(SPEC_MUTANTS)
    fprintf(stderr, "%s: NATFW_MUTANT=%s: this build has no such point; harness/trace names them\n",
        program, mutant);
#else
    fprintf(stderr,
        "%s: NATFW_MUTANT=%s: this build can break nothing; unset it, or make one that can:"
        " meson setup -Dmutants=true build-mutants\n",
        program, mutant);
#endif
    return false;
}

FILE *spec_environment_open_trace(const char *program)
{
    const char *path = getenv("NATFW_TRACE_FILE");
    FILE *trace = path ? fopen(path, "ae") : NULL;
    if (path && !trace)
        fprintf(stderr, "%s: NATFW_TRACE_FILE=%s: %s\n", program, path, strerror(errno));
    return trace;
}

/* As core/spec/tests/verify.c does for tests. */
void spec_environment_write_trace(FILE *trace, const char *program)
{
    size_t count;
    struct spec_point *const *points = spec_points(&count);
    if (!trace)
        return;
    for (size_t i = 0; i < count; i++)
        if (points[i]->hits > 0)
            fprintf(trace, "point %s %s#%u %lu\n", program, points[i]->id, points[i]->number,
                points[i]->hits);
    fclose(trace);
}

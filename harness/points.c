/*
 * natfw-points: lists every point of the specification in the core, one JSON object a line.
 * harness/trace and harness/mutants read it. A release build has none, and says so.
 */
#include "core/spec/catalogue.h"
#include "core/spec/spec.h"

#include <stdio.h>

static const char *const forms[SPEC_FORM_COUNT] = {
    [SPEC_FORM_ENSURE] = "ENSURE",
    [SPEC_FORM_HOLDS] = "HOLDS",
    [SPEC_FORM_DO] = "DO",
    [SPEC_FORM_VALUE] = "VALUE",
    [SPEC_FORM_NEVER] = "NEVER",
};

int main(void)
{
    size_t count;
    struct spec_point *const *points = spec_points(&count);
    for (size_t i = 0; i < count; i++)
        printf("{\"id\": \"%s\", \"number\": %u, \"form\": \"%s\", \"file\": \"%s\", \"line\": "
               "%u, \"known\": %s}\n",
            points[i]->id, points[i]->number, forms[points[i]->form], points[i]->file,
            points[i]->line, spec_requirement(points[i]->id) ? "true" : "false");
    if (count > 0)
        return 0;
    fprintf(stderr, "natfw-points: this build has no points; use one with -Dmutants=true\n");
    return 1;
}

/*
 * natfw-points: lists every point of the specification in the core, one JSON object a line.
 * harness/trace and harness/mutants read it.
 */
#include "core/spec/spec.h"

#include <stdio.h>

static const char *form_name(enum spec_form form)
{
    static const char *const names[] = {
        [SPEC_FORM_HOLDS] = "HOLDS",
        [SPEC_FORM_ACT] = "ACT",
        [SPEC_FORM_VALUE] = "VALUE",
        [SPEC_FORM_NEVER] = "NEVER",
    };
    return names[form];
}

int main(void)
{
    size_t count;
    struct spec_point *const *points = spec_points(&count);
    for (size_t i = 0; i < count; i++)
        printf("{\"id\": \"%s\", \"number\": %u, \"form\": \"%s\", \"file\": \"%s\", \"line\": "
               "%u, \"known\": %s}\n",
            points[i]->id, points[i]->number, form_name(points[i]->form), points[i]->file,
            points[i]->line, spec_requirement(points[i]->id) ? "true" : "false");
    return count > 0 ? 0 : 1;
}

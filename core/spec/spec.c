/* The catalogue of requirements and the list of points; see spec.h. */
#include "core/spec/spec.h"

#include <stdlib.h>
#include <string.h>

static const struct spec_requirement requirements[] = {
#define REQUIREMENT(...)     {__VA_ARGS__},
#define RESTATEMENT(of, ...) {__VA_ARGS__},
#include "core/spec/requirements.def"
#undef REQUIREMENT
#undef RESTATEMENT
};

extern struct spec_point *const __start_spec_listing[] __attribute__((weak));
extern struct spec_point *const __stop_spec_listing[] __attribute__((weak));

struct spec_point *const *spec_points(size_t *count)
{
    *count = (size_t)(__stop_spec_listing - __start_spec_listing);
    return __start_spec_listing;
}

const struct spec_requirement *spec_requirement(const char *id)
{
    for (size_t i = 0; i < sizeof(requirements) / sizeof(requirements[0]); i++)
        if (strcmp(requirements[i].id, id) == 0)
            return &requirements[i];
    return NULL;
}

#if defined(SPEC_MUTANTS)

/* The one global of the core, in builds for mutation only. */
const struct spec_point *spec_active_mutant;

bool spec_mutate(const char *id_and_number)
{
    const char *hash = strrchr(id_and_number, '#');
    if (!hash)
        return false;
    size_t id_length = (size_t)(hash - id_and_number);
    unsigned long number = strtoul(hash + 1, NULL, 10);
    size_t count;
    struct spec_point *const *points = spec_points(&count);
    for (size_t i = 0; i < count; i++) {
        const struct spec_point *point = points[i];
        if (point->number == number && strlen(point->id) == id_length &&
            strncmp(point->id, id_and_number, id_length) == 0) {
            spec_active_mutant = point;
            return true;
        }
    }
    return false;
}

#else

bool spec_mutate(const char *id_and_number)
{
    (void)id_and_number;
    return false;
}

#endif

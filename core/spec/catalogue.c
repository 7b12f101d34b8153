/* requirements.def as a table; see catalogue.h. */
#include "core/spec/catalogue.h"

#include <stddef.h>
#include <string.h>

static const struct spec_requirement requirements[] = {
#define REQUIREMENT(...)     {__VA_ARGS__},
#define RESTATEMENT(of, ...) {__VA_ARGS__},
#include "core/spec/requirements.def"
#undef REQUIREMENT
#undef RESTATEMENT
};

const struct spec_requirement *spec_requirement(const char *id)
{
    for (size_t i = 0; i < sizeof(requirements) / sizeof(requirements[0]); i++)
        if (strcmp(requirements[i].id, id) == 0)
            return &requirements[i];
    return NULL;
}

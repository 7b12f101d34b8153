/* The list of points, and which of them is broken; see spec.h. */
#include "core/spec/spec.h"

#include <stdlib.h>
#include <string.h>

extern struct spec_point *const __start_spec_listing[] __attribute__((weak));
extern struct spec_point *const __stop_spec_listing[] __attribute__((weak));

struct spec_point *const *spec_points(size_t *count)
{
    *count = (size_t)(__stop_spec_listing - __start_spec_listing);
    return __start_spec_listing;
}

#if defined(SPEC_MUTANTS)

static bool mutated;

bool spec_is_mutated(void)
{
    return mutated;
}

/* One name, up to length octets: "ID#n". */
static bool mutate_one(const char *name, size_t length)
{
    const char *hash = memchr(name, '#', length);
    if (!hash)
        return false;
    size_t id_length = (size_t)(hash - name);
    unsigned long number = strtoul(hash + 1, NULL, 10);
    size_t count;
    struct spec_point *const *points = spec_points(&count);
    for (size_t i = 0; i < count; i++) {
        struct spec_point *point = points[i];
        if (point->number == number && strlen(point->id) == id_length &&
            strncmp(point->id, name, id_length) == 0)
            return mutated = point->mutated = true;
    }
    return false;
}

bool spec_mutate(const char *names)
{
    for (;;) {
        size_t length = strcspn(names, "+");
        if (!mutate_one(names, length))
            return false;
        if (names[length] == '\0')
            return true;
        names += length + 1;
    }
}

#else

bool spec_is_mutated(void)
{
    return false;
}

bool spec_mutate(const char *names)
{
    (void)names;
    return false;
}

#endif

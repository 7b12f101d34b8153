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

/* The point of one name, up to length octets: "ID#n". */
static struct spec_point *find(const char *name, size_t length)
{
    const char *hash = memchr(name, '#', length);
    if (!hash)
        return NULL;
    char *end;
    unsigned long number = strtoul(hash + 1, &end, 10);
    if (end != name + length)
        return NULL;
    size_t id_length = (size_t)(hash - name);
    size_t count;
    struct spec_point *const *points = spec_points(&count);
    for (size_t i = 0; i < count; i++)
        if (points[i]->number == number && strlen(points[i]->id) == id_length &&
            strncmp(points[i]->id, name, id_length) == 0)
            return points[i];
    return NULL;
}

/* Whether each name has its point; breaks them where asked to. */
static bool go_through(const char *names, bool breaks)
{
    for (;;) {
        size_t length = strcspn(names, "+");
        struct spec_point *point = find(names, length);
        if (!point)
            return false;
        if (breaks)
            point->mutated = true;
        if (names[length] == '\0')
            return true;
        names += length + 1;
    }
}

bool spec_mutate(const char *names)
{
    if (!go_through(names, false))
        return false;
    return mutated = go_through(names, true);
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

/* The catalogue of requirements, for tools and tests: no program that is installed holds it. */
#ifndef NATFW_SPEC_CATALOGUE_H
#define NATFW_SPEC_CATALOGUE_H

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

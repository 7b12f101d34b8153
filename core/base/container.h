/* From a link inside a structure to the structure. */
#ifndef NATFW_BASE_CONTAINER_H
#define NATFW_BASE_CONTAINER_H

#include <stddef.h>

#define BASE_CONTAINER(pointer, type, member)                                                      \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads /proc/self/statm; see memory.h. */
#include "reference-node/base/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int descriptor = -1;

void memory_open(void)
{
    if (descriptor < 0)
        descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
}

long memory_resident_kib(void)
{
    char text[128], *resident;
    memory_open();
    ssize_t length = descriptor < 0 ? -1 : pread(descriptor, text, sizeof(text) - 1, 0);
    if (length <= 0)
        return -1;
    text[length] = '\0';
    (void)strtol(text, &resident, 10); /* the size comes first */
    return strtol(resident, NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024);
}

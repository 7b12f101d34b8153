/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The limit of descriptors; see descriptors.h. */
#include "reference-node/base/descriptors.h"

#include <sys/resource.h>

size_t descriptors_allow(size_t count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    if (limit.rlim_cur >= count)
        return limit.rlim_cur;
    struct rlimit wanted = {.rlim_cur = count, .rlim_max = limit.rlim_max};
    if (wanted.rlim_max < count)
        wanted.rlim_max = count; /* root may */
    if (setrlimit(RLIMIT_NOFILE, &wanted) == 0)
        return count;
    wanted = (struct rlimit){.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    return setrlimit(RLIMIT_NOFILE, &wanted) == 0 ? limit.rlim_max : limit.rlim_cur;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The limit of descriptors, and whole transfers; see descriptors.h. */
#include "reference-node/base/descriptors.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

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

bool descriptor_write_all(int descriptor, const void *octets, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t written = write(descriptor, (const char *)octets + done, length - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        done += (size_t)written;
    }
    return true;
}

bool descriptor_read_all(int descriptor, void *octets, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t taken = read(descriptor, (char *)octets + done, length - done);
        if (taken < 0 && errno == EINTR)
            continue;
        if (taken <= 0)
            return false;
        done += (size_t)taken;
    }
    return true;
}

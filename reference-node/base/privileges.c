/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dropping capabilities; see privileges.h. */
#include "reference-node/base/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Who may not change the bounding set has no use for it either: with no_new_privs nothing is gained
 * from there. */
static bool narrow_bounding_set(uint32_t kept)
{
    for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
        if (capability >= 32 || !(kept >> capability & 1))
            if (prctl(PR_CAPBSET_DROP, capability) < 0 && errno != EPERM)
                return false;
    return true;
}

bool privileges_drop(void)
{
    const uint32_t kept = 1u << CAP_NET_ADMIN | 1u << CAP_NET_RAW;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
        {.effective = kept, .permitted = kept}};
    if (!narrow_bounding_set(kept))
        return false;
    errno = 0;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(SYS_capset, &header, data) == 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dropping user, root folder and capabilities; see privileges.h. */
#include "reference-node/base/privileges.h"

#include "reference-node/base/sanitizer.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

bool privileges_find_user(const char *name, struct privileges_user *user)
{
    char *end;
    unsigned long number = strtoul(name, &end, 10);
    bool is_number = *name != '\0' && *end == '\0' && number < UINT32_MAX;
    const struct passwd *entry = is_number ? getpwuid((uid_t)number) : getpwnam(name);
    if (entry)
        *user = (struct privileges_user){.user = entry->pw_uid, .group = entry->pw_gid};
    else if (is_number)
        *user = (struct privileges_user){.user = (uid_t)number, .group = (gid_t)number};
    return entry || is_number;
}

enum { KEPT = 1 << CAP_NET_ADMIN | 1 << CAP_NET_RAW };

bool privileges_suffice(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
    return syscall(SYS_capget, &header, data) == 0 && (data[0].effective & KEPT) == KEPT;
}

/* The folder has no name any more when it becomes the root: nothing can be made in it. */
bool privileges_empty_root(void)
{
    char path[] = "/tmp/natfwd-root-XXXXXX";
    if (!mkdtemp(path))
        return false;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_root = folder >= 0 && fchmod(folder, 0) == 0 && rmdir(path) == 0 &&
                   fchdir(folder) == 0 && chroot(".") == 0;
    int error = errno;
    if (folder >= 0)
        close(folder);
    errno = error;
    return is_root;
}

/* Landlock's rights to files, as the kernel's versions of it have added them. */
static uint64_t rights_to_files(long version)
{
    static const unsigned counts[] = {0, 13, 14, 15, 15, 16};
    size_t known = sizeof(counts) / sizeof(counts[0]) - 1;
    return (UINT64_C(1) << counts[(size_t)version < known ? (size_t)version : known]) - 1;
}

bool privileges_close_files(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version <= 0)
        return true;
    struct landlock_ruleset_attr nothing = {.handled_access_fs = rights_to_files(version)};
    int ruleset =
        (int)syscall(SYS_landlock_create_ruleset, &nothing, sizeof(nothing.handled_access_fs), 0);
    if (ruleset < 0)
        return false;
    bool is_closed = syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    int error = errno;
    close(ruleset);
    errno = error;
    return is_closed;
}

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

static bool become(const struct privileges_user *user)
{
    if (geteuid() != 0 || user->user == 0)
        return true;
    return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 && setgroups(0, NULL) == 0 &&
           setresgid(user->group, user->group, user->group) == 0 &&
           setresuid(user->user, user->user, user->user) == 0;
}

bool privileges_drop(const struct privileges_user *user)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
        {.effective = KEPT, .permitted = KEPT}};
    if (!narrow_bounding_set(KEPT) || !become(user))
        return false;
    errno = 0;
    if (BUILT_WITH_SANITIZER)
        prctl(PR_SET_DUMPABLE, 1);
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(SYS_capset, &header, data) == 0;
}

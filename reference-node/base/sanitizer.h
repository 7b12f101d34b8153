/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether this build has a sanitizer, which looks at its own process when that ends: through /proc,
 * and by system calls of its own. */
#ifndef NATFWD_SANITIZER_H
#define NATFWD_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__)
enum { BUILT_WITH_SANITIZER = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { BUILT_WITH_SANITIZER = 1 };
#else
enum { BUILT_WITH_SANITIZER = 0 };
#endif
#else
enum { BUILT_WITH_SANITIZER = 0 };
#endif

#endif

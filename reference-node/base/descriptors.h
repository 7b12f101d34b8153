/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many descriptors this process may have. */
#ifndef NATFWD_DESCRIPTORS_H
#define NATFWD_DESCRIPTORS_H

#include <stddef.h>

/* Asks for so many, where there are fewer. Returns how many there may be. */
size_t descriptors_allow(size_t count);

#endif

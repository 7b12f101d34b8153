/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many descriptors this process may have, and what goes through one whole. */
#ifndef NATFWD_DESCRIPTORS_H
#define NATFWD_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>

/* Asks for so many, where there are fewer. Returns how many there may be. */
size_t descriptors_allow(size_t count);

/* All of it, however many calls that takes. Return false, with errno set or at the end of what can
 * be read, when only a part was. */
bool descriptor_write_all(int descriptor, const void *octets, size_t length);
bool descriptor_read_all(int descriptor, void *octets, size_t length);

#endif

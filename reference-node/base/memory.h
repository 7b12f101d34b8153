/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much memory this process has, also where it no longer sees /proc. */
#ifndef NATFWD_MEMORY_H
#define NATFWD_MEMORY_H

/* Opens what memory_resident_kib reads. */
void memory_open(void);

/* Resident memory in KiB; -1 when it cannot be known. */
long memory_resident_kib(void);

#endif

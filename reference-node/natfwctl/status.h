/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What runs and what is in force, on one screen. */
#ifndef NATFWCTL_STATUS_H
#define NATFWCTL_STATUS_H

#include <jansson.h>

void status_print(const json_t *reply);

#endif

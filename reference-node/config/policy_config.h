/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The core's policy seam, answered from the policy section of the configuration. RFC 5973 3.6. */
#ifndef NATFWD_POLICY_CONFIG_H
#define NATFWD_POLICY_CONFIG_H

#include "reference-node/config/config.h"

/* The configuration must outlive it. */
struct natfw_policy policy_config(struct config *config);

#endif

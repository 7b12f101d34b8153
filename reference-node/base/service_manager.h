/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a service manager that started us hears: systemd's protocol of NOTIFY_SOCKET, sd_notify(3).
 * It is one datagram a state, so that a library for it would be longer.
 */
#ifndef NATFWD_SERVICE_MANAGER_H
#define NATFWD_SERVICE_MANAGER_H

#include <event2/event.h>

struct service_manager;

enum service_state { SERVICE_READY, SERVICE_RELOADING, SERVICE_STOPPING };

/* Opens the socket, which may be out of reach later. Returns NULL where no manager started us; that
 * is allowed in all calls below. */
struct service_manager *service_manager_create(struct event_base *base);
void service_manager_destroy(struct service_manager *manager);

/* Also, once ready, a sign of life from the loop twice within WATCHDOG_USEC. */
void service_manager_tell(struct service_manager *manager, enum service_state state);

#endif

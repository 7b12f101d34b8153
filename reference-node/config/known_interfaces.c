/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Interfaces and their indexes; see known_interfaces.h. */
#include "reference-node/config/known_interfaces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

bool known_interfaces_add(struct known_interfaces *known, const char *name)
{
    for (size_t i = 0; i < known->count; i++)
        if (strcmp(known->each[i].name, name) == 0)
            return true;
    struct known_interface *each = realloc(known->each, (known->count + 1) * sizeof(*each));
    if (!each)
        return false;
    known->each = each;
    struct known_interface *added = &each[known->count++];
    *added = (struct known_interface){0};
    snprintf(added->name, sizeof(added->name), "%s", name);
    known_interface_look(added);
    return true;
}

void known_interfaces_free(struct known_interfaces *known)
{
    free(known->each);
    *known = (struct known_interfaces){0};
}

static bool is_up(const char *name)
{
    struct ifreq request = {0};
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    bool up = descriptor >= 0 && ioctl(descriptor, SIOCGIFFLAGS, &request) == 0 &&
              (request.ifr_flags & IFF_UP) != 0;
    if (descriptor >= 0)
        close(descriptor);
    return up;
}

bool known_interface_look(struct known_interface *interface)
{
    struct known_interface before = *interface;
    uint32_t index = if_nametoindex(interface->name);
    interface->is_there = index != 0;
    interface->is_up = index != 0 && is_up(interface->name);
    if (index != 0 && index != before.indexes[0]) {
        memcpy(interface->indexes + 1, before.indexes,
            sizeof(before.indexes) - sizeof(before.indexes[0]));
        interface->indexes[0] = index;
    }
    return interface->is_there != before.is_there || interface->is_up != before.is_up ||
           interface->indexes[0] != before.indexes[0];
}

const char *known_interfaces_name_now(const struct known_interfaces *known, uint32_t index)
{
    for (size_t i = 0; i < known->count; i++)
        if (known->each[i].is_there && known->each[i].indexes[0] == index)
            return known->each[i].name;
    return NULL;
}

const char *known_interfaces_name_of(const struct known_interfaces *known, uint32_t index)
{
    for (size_t age = 0; index != 0 && age < KNOWN_INDEXES_MAX; age++)
        for (size_t i = 0; i < known->count; i++)
            if (known->each[i].indexes[age] == index)
                return known->each[i].name;
    return NULL;
}

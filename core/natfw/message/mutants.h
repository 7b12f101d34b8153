/* Wrong acts of the codec that take more than a statement; done only under their mutants. */
#ifndef NATFW_NATFW_MESSAGE_MUTANTS_H
#define NATFW_NATFW_MESSAGE_MUTANTS_H

#include "core/natfw/message/message.h"

static inline void natfw_mutant_swap_ports(struct natfw_dtinfo *dtinfo)
{
    uint16_t receiver_port = dtinfo->receiver_port;
    dtinfo->receiver_port = dtinfo->sender_port;
    dtinfo->sender_port = receiver_port;
}

#endif

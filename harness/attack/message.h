/* The messages of an attack: valid ones, so that a node has its full work with them. */
#ifndef NATFW_ATTACK_MESSAGE_H
#define NATFW_ATTACK_MESSAGE_H

#include "harness/attack/attack.h"

#include <stddef.h>

enum { ATTACK_DATAGRAM_MAX = 576 }; /* octets */

/* Each message is numbered: another session, and where the attack names no flow another flow. */
size_t attack_query(
    const struct attack *attack, unsigned long number, uint8_t octets[ATTACK_DATAGRAM_MAX]);

/* The Confirm that a Response asks for. Returns 0 when it is no Response. */
size_t attack_confirm(const struct attack *attack, const uint8_t *response, size_t length,
    uint8_t octets[ATTACK_DATAGRAM_MAX]);

/* A Data message on the routing state that was confirmed after this Response: the session's request
 * of this sequence number. */
size_t attack_data(const struct attack *attack, const uint8_t *response, size_t length,
    uint32_t sequence_number, uint8_t octets[ATTACK_DATAGRAM_MAX]);

#endif

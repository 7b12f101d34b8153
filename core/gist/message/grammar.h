/* Which objects each message has, in which order: the ABNF of RFC 5971 5.1 as tables. */
#ifndef NATFW_GIST_GRAMMAR_H
#define NATFW_GIST_GRAMMAR_H

#include "core/gist/message/object.h"

/* The one order that all messages share. */
extern const enum gist_object_type gist_object_order[GIST_OBJECT_TYPE_COUNT];

/* The place of an object in messages of this type, from 1; 0 when it has none. */
unsigned gist_grammar_place(uint8_t message_type, uint16_t object_type);

/* The first object that a message of this type lacks, or -1. present has bits 1 << type. */
int gist_grammar_missing(uint8_t message_type, uint32_t present);

#endif

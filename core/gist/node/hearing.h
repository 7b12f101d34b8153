/*
 * What associations bring, as fast as the share of their peers allows. Whoever says more is not
 * answered with an Error, and loses nothing: his octets wait, at last with himself. RFC 5971 8.4.
 */
#ifndef NATFW_GIST_HEARING_H
#define NATFW_GIST_HEARING_H

#include "core/gist/state/association.h"

void gist_hear(struct gist_node *node, struct gist_association *association, const uint8_t *octets,
    size_t length);

#endif

/* The Network-Layer-Information object: who the sender is and where it is reached. RFC 5971
 * A.3.3. */
#ifndef NATFW_GIST_NETWORK_LAYER_INFORMATION_H
#define NATFW_GIST_NETWORK_LAYER_INFORMATION_H

#include "core/gist/address.h"
#include "core/gist/message/object.h"

struct gist_nli {
    uint8_t ip_ttl;
    uint32_t validity_ms;             /* of the routing state */
    struct gist_octets peer_identity; /* up to 255 octets, without padding */
    struct gist_address interface_address;
};

/* On false, subcode is one of Object Value Error and the reader's position tells where. */
bool gist_nli_read(struct wire_reader *value, struct gist_nli *nli, uint8_t *subcode);
void gist_nli_write(struct wire_writer *writer, const struct gist_nli *nli);

#endif

/* MA-SM: opening, keeping and losing messaging associations, and sending over them. RFC 5971 4.4.5,
 * 5.4, 6.4. */
#ifndef NATFW_GIST_ASSOCIATION_MACHINE_H
#define NATFW_GIST_ASSOCIATION_MACHINE_H

#include "core/gist/state/association.h"

enum gist_association_event {
    GIST_TG_RAW_DATA,
    GIST_TG_CONNECTED,
    GIST_TG_MA_IDLE,
    GIST_RX_MESSAGE,
    GIST_RX_MA_HELLO,
    GIST_TO_SEND_HELLO,
    GIST_TO_NO_HELLO,
    GIST_ER_MA_CONNECT,
    GIST_ER_MA_FAILURE
};

/* Opens one towards a peer's endpoint. NULL when it can't be. */
struct gist_association *gist_association_open(struct gist_node *node, struct gist_peer *peer,
    enum gist_stack stack, uint16_t port, uint32_t peer_hold_ms);
/* For an inbound connection from this address; the peer is who its first Confirm names. A stranger
 * that has confirmed nothing may have to make room for it. NULL when it can't be. */
struct gist_association *gist_association_accept(struct gist_node *node, enum gist_stack stack,
    const struct gist_address *address, uint32_t interface);

/* Runs the machine. hello_id counts with GIST_RX_MA_HELLO, where 0 asks for no reply. */
void gist_association_event(struct gist_node *node, struct gist_association *association,
    enum gist_association_event event, uint32_t hello_id);

/* tg_RawData. Whose message it is, where it is not our own, has it in its share while it waits.
 * Returns false when the message can neither be written nor queued. */
bool gist_association_send(struct gist_node *node, struct gist_association *association,
    const struct gist_message *message, gist_message_handle handle,
    const struct gist_share_holder *holder);

/* Ends it as er_MAFailure does; the transport is told. */
void gist_association_fail(struct gist_node *node, struct gist_association *association);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reception, interception, forwarding; see box_router.h. */
#include "harness/shim/box_router.h"

#include "harness/shim/box_transport.h"
#include "harness/shim/gist_datagram.h"

#include <string.h>

enum { UDP_HEADER = 8, IPV4_HEADER = 20, MULTICAST_FIRST = 224 };

static const struct config_interface *interface_of(
    const struct config *config, const struct port *port)
{
    for (size_t i = 0; i < config->interface_count; i++)
        if (config->interfaces[i].index == port_interface(port))
            return &config->interfaces[i];
    return NULL;
}

static bool is_guarded(const struct config *config, const struct port *port)
{
    const struct config_interface *interface = interface_of(config, port);
    return interface && interface->default_deny;
}

static void forward(struct box *box, const struct port *in, const struct ipv4_packet *packet)
{
    const struct port *out = ports_towards(&box->ports, &packet->destination);
    if (packet->ttl <= 1 || !out || packet->length > out->mtu)
        return;
    if (!is_guarded(box->config, in) && !is_guarded(box->config, out))
        filter_model_let_pass(box->filter, packet);
    else if (!filter_model_passes(box->filter, packet, box->config->pass_other_signalling))
        return;
    memcpy(box->packet, packet->octets, packet->length);
    ipv4_packet_lower_ttl(box->packet, packet->header_length);
    box->output.packet(box->output.context, out->number, box->packet, packet->length);
}

/* Read by a node on the way, though it is for somebody else. */
static bool is_intercepted(const struct box *box, const struct ipv4_packet *packet)
{
    return box->config->natfw.forwarder && gist_datagram_is_one(packet) &&
           gist_datagram_has_c_flag(packet) && packet->destination.octets[0] < MULTICAST_FIRST &&
           (!box->config->router_alert_required || gist_datagram_has_router_alert(packet));
}

static void receive(struct box *box, const struct port *in, const struct ipv4_packet *packet)
{
    struct gist_arrival arrival = {.source.address = packet->source,
        .destination.address = packet->destination,
        .interface = port_interface(in),
        .ip_ttl = packet->ttl};
    struct query_header header = {.type_of_service = packet->type_of_service,
        .options_length = packet->header_length - IPV4_HEADER};
    size_t length = (size_t)(packet->payload[4] << 8 | packet->payload[5]) - UDP_HEADER;
    ipv4_packet_ports(packet, &arrival.source.port, &arrival.destination.port);
    arrival.q_mode =
        gist_datagram_has_c_flag(packet) || !ports_is_own(&box->ports, &packet->destination);
    memcpy(header.options, packet->octets + IPV4_HEADER, header.options_length);
    box->current_header = &header;
    gist_node_receive_datagram(
        box->gist, box_now_ms(box), &arrival, packet->payload + UDP_HEADER, length);
    box->current_header = NULL;
}

static bool is_for_gist(const struct ipv4_packet *packet)
{
    uint16_t source, destination;
    ipv4_packet_ports(packet, &source, &destination);
    return packet->protocol == PROTOCOL_UDP && destination == GIST_PORT;
}

bool box_router_packet(struct box *box, uint8_t number, const uint8_t *octets, size_t length)
{
    const struct port *port = ports_find(&box->ports, number);
    struct ipv4_packet packet;
    if (!port)
        return false;
    if (!ipv4_packet_read(&packet, octets, length))
        return true;
    bool is_own = ports_is_own(&box->ports, &packet.destination);
    if (is_for_gist(&packet) && (is_own || is_intercepted(box, &packet))) {
        if (base_token_bucket_take(&box->datagrams_in, box_now_ms(box)) &&
            ipv4_packet_is_right_udp(&packet))
            receive(box, port, &packet);
    } else if (!is_own && box->config->natfw.forwarder) {
        forward(box, port, &packet);
    }
    return true;
}

/* Streams. */

static void refuse(struct box *box, uint32_t stream)
{
    struct stream_event event = {.kind = STREAM_RESET, .stream = stream};
    box->output.stream(box->output.context, &event);
}

static void on_open(struct box *box, const struct stream_event *event)
{
    const struct gist_node_config *config = &box->config->gist;
    bool is_secure = event->stack == GIST_STACK_TLS_TCP;
    uint16_t port = is_secure ? config->secure_association_port : config->association_port;
    gist_association_id id = 0;
    if (event->stream % 2 == 1 && event->stack <= GIST_STACK_TLS_TCP && port != 0 &&
        event->own.port == port && ports_is_own(&box->ports, &event->own.address) &&
        streams_has_room(box->streams))
        id = gist_node_association_accepted(box->gist, box_now_ms(box), event->stack, &event->peer,
            &event->own, box_interface_to(box, &event->peer.address));
    if (id == 0) {
        refuse(box, event->stream);
    } else if (!streams_accept(box->streams, event, id)) {
        gist_node_association_closed(box->gist, box_now_ms(box), id);
        refuse(box, event->stream);
    }
}

static void on_accept(struct box *box, const struct stream_event *event, gist_association_id id)
{
    uint32_t interface =
        id != 0 ? box_interface_to(box, streams_peer(box->streams, event->stream)) : 0;
    streams_accepted(box->streams, event);
    if (id != 0)
        gist_node_association_connected(box->gist, box_now_ms(box), id, interface);
}

/* Whose other side ends has nothing more to say either: natfwd closes then. */
static void on_end(struct box *box, const struct stream_event *event, gist_association_id id)
{
    struct stream_event closing = {.kind = STREAM_CLOSE, .stream = event->stream};
    if (event->kind == STREAM_CLOSE && id != 0)
        box->output.stream(box->output.context, &closing);
    streams_gone(box->streams, event->stream);
    if (id != 0)
        gist_node_association_closed(box->gist, box_now_ms(box), id);
}

void box_router_stream(struct box *box, const struct stream_event *event)
{
    gist_association_id id = streams_association(box->streams, event->stream);
    switch (event->kind) {
    case STREAM_OPEN:
        on_open(box, event);
        return;
    case STREAM_ACCEPT:
        on_accept(box, event, id);
        return;
    case STREAM_OCTETS:
        if (id != 0)
            gist_node_association_received(
                box->gist, box_now_ms(box), id, event->octets, event->length);
        return;
    case STREAM_CLOSE:
    case STREAM_RESET:
        on_end(box, event, id);
        return;
    }
}

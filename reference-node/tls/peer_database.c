/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The authorised peer database; see peer_database.h. RFC 5971 4.4.2. */
#include "reference-node/tls/peer_database.h"

#include "core/spec/spec.h"
#include "reference-node/base/log.h"
#include "reference-node/base/text.h"

static bool is_for_all_flows(const struct config_authorised_peer *entry)
{
    return entry->source.address.version == 0 && entry->destination.address.version == 0;
}

/* Where any flow will do, one that is refused does not refuse all. */
static bool flow_matches(const struct config_authorised_peer *entry, const struct gist_mri *flow)
{
    bool refuses = !entry->is_allowed;
    if (!flow)
        return entry->is_allowed || is_for_all_flows(entry);
    return config_prefix_matches(&entry->source, &flow->source, flow->source_prefix, refuses) &&
           config_prefix_matches(
               &entry->destination, &flow->destination, flow->destination_prefix, refuses);
}

/* Where any address will do, likewise. */
static bool address_matches(
    const struct config_authorised_peer *entry, const struct gist_address *peer)
{
    if (!peer)
        return entry->is_allowed || entry->address.address.version == 0;
    return config_prefix_matches(
        &entry->address, peer, config_address_bits(peer), !entry->is_allowed);
}

/* The first that is about this peer and flow; NULL: none is. */
static const struct config_authorised_peer *find(const struct config_tls *tls,
    const struct peer_identity *identity, const struct gist_address *peer,
    const struct gist_mri *flow)
{
    for (size_t i = 0; i < tls->peer_count; i++) {
        const struct config_authorised_peer *entry = &tls->peers[i];
        if (address_matches(entry, peer) && flow_matches(entry, flow) &&
            identity->is(identity->context, entry->namespace, entry->identity))
            return entry;
    }
    return NULL;
}

static void log_refusal(const struct config_authorised_peer *entry,
    const struct peer_identity *identity, const struct gist_address *peer,
    const struct gist_mri *flow)
{
    char address[TEXT_ADDRESS_SIZE], shown[PEER_IDENTITY_TEXT_SIZE], text[TEXT_FLOW_SIZE] = "any";
    text_of_address(peer, address);
    identity->write(identity->context, shown);
    if (flow)
        text_of_flow(flow, text);
    log_line_about(LOG_LEVEL_WARNING, "tls", peer,
        "tls: peer=%s identity=\"%s\" is not authorised for flow=\"%s\": %s%s%s", address, shown,
        text, entry ? "peer \"" : "no entry of the section tls", entry ? entry->identity : "",
        entry ? "\" denies it" : " allows it");
}

bool peer_database_allows(const struct config_tls *tls, const struct peer_identity *identity,
    const struct gist_address *peer, const struct gist_mri *flow)
{
    const struct config_authorised_peer *entry = find(tls, identity, peer, flow);
    if (SPEC_HOLDS("RFC5971-5.7.3.1-1", 1, entry && entry->is_allowed))
        return true;
    log_refusal(entry, identity, peer, flow);
    return false;
}

bool peer_database_may_allow(const struct config_tls *tls, const struct peer_identity *identity,
    const struct gist_address *source)
{
    const struct config_authorised_peer *entry = find(tls, identity, NULL, NULL);
    if (entry && entry->is_allowed)
        return true;
    log_refusal(entry, identity, source, NULL);
    return false;
}

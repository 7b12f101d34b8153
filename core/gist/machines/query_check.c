/* The path of a Query; see query_check.h. RFC 5971 5.8.1.2, 5.8.1.3, 7.2.1, 7.4. */
#include "core/gist/machines/query_check.h"

#include "core/gist/transport/error_message.h"
#include "core/spec/spec.h"

enum { UPSTREAM_TTL_MIN = 254 };

/* 7.2.1: a NAT that knows nothing of GIST translates the IP header, but not the NLI. */
static bool check_nli(struct gist_node *node, const struct gist_reception *query)
{
    const struct gist_address *own = &query->message.nli.interface_address;
    if (!query->message.header.source_is_peer)
        return true;
    SPEC_ENSURE("RFC5971-7.2.1-1", 1, gist_address_equal(own, &query->arrival->source.address)) {
        gist_reject_object(node, query, GIST_OBJECT_TYPE_ERROR, GIST_UNTRANSLATED_OBJECT,
            SPEC_VALUE("RFC5971-7.2.1-2", 1, GIST_OBJECT_MRI, GIST_OBJECT_NLI));
        return false;
    }
    return true;
}

static bool is_reached_by(
    const struct gist_node *node, const struct gist_address *address, uint32_t interface)
{
    struct gist_route route;
    return node->transport.route(node->transport.context, address, &route) &&
           route.interface == interface;
}

/* 5.8.1.2: packets come from where packets to their sources would go. From anywhere, a flow may
 * come in anywhere. */
static bool passes_ingress_filter(
    const struct gist_node *node, const struct gist_mri *mri, uint32_t interface)
{
    if (!node->config.ingress_filter || mri->source_prefix == 0)
        return true;
    struct gist_address last = gist_address_last(&mri->source, mri->source_prefix);
    return is_reached_by(node, &mri->source, interface) &&
           (gist_address_equal(&mri->source, &last) || is_reached_by(node, &last, interface));
}

static bool refuse_mri(struct gist_node *node, const struct gist_reception *query, uint8_t subcode)
{
    gist_reject_object(node, query, GIST_MRI_VALIDATION_FAILURE, subcode, GIST_OBJECT_MRI);
    return false;
}

static bool check_downstream(struct gist_node *node, const struct gist_reception *query)
{
    bool passes = passes_ingress_filter(node, &query->message.mri, query->arrival->interface);
    SPEC_ENSURE("RFC5971-5.8.1.2-6", 1, passes) {
        return refuse_mri(node, query, GIST_INGRESS_FILTER_FAILURE);
    }
    return true;
}

/* 5.8.1.3: it was sent with TTL 255, by a neighbour. */
static bool check_upstream(struct gist_node *node, const struct gist_reception *query)
{
    SPEC_ENSURE("RFC5971-5.8.1.3-10", 1, query->arrival->ip_ttl >= UPSTREAM_TTL_MIN) {
        gist_reject(node, query, GIST_INVALID_IP_LAYER_TTL, 0);
        return false;
    }
    return true;
}

bool gist_check_query_path(struct gist_node *node, const struct gist_reception *query)
{
    const struct gist_mri *mri = &query->message.mri;
    if (!check_nli(node, query))
        return false;
    if (mri->mrm != GIST_MRM_PATH_COUPLED)
        return true;
    SPEC_ENSURE("RFC5971-7.4-2", 1, mri->source.version == query->arrival->source.address.version) {
        return refuse_mri(node, query, GIST_IP_VERSION_MISMATCH);
    }
    return mri->upstream ? check_upstream(node, query) : check_downstream(node, query);
}

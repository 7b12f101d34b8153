/* Message routing information and session identifiers compared; see mri.h. */
#include "core/gist/mri.h"

#include <string.h>

static bool same_path_coupled_fields(const struct gist_mri *a, const struct gist_mri *b)
{
    if (a->source_prefix != b->source_prefix || a->destination_prefix != b->destination_prefix)
        return false;
    if (a->has_protocol != b->has_protocol || a->has_ds_field != b->has_ds_field ||
        a->has_flow_label != b->has_flow_label || a->has_spi != b->has_spi ||
        a->has_source_port != b->has_source_port ||
        a->has_destination_port != b->has_destination_port)
        return false;
    return (!a->has_protocol || a->protocol == b->protocol) &&
           (!a->has_ds_field || a->ds_field == b->ds_field) &&
           (!a->has_flow_label || a->flow_label == b->flow_label) &&
           (!a->has_spi || a->spi == b->spi) &&
           (!a->has_source_port || a->source_port == b->source_port) &&
           (!a->has_destination_port || a->destination_port == b->destination_port);
}

bool gist_mri_same_flow(const struct gist_mri *a, const struct gist_mri *b)
{
    return a->mrm == b->mrm && gist_address_equal(&a->source, &b->source) &&
           gist_address_equal(&a->destination, &b->destination) &&
           (a->mrm != GIST_MRM_PATH_COUPLED || same_path_coupled_fields(a, b));
}

bool gist_mri_equal(const struct gist_mri *a, const struct gist_mri *b)
{
    return a->upstream == b->upstream && gist_mri_same_flow(a, b);
}

struct gist_mri gist_mri_reversed(const struct gist_mri *mri)
{
    struct gist_mri reversed = *mri;
    reversed.upstream = !mri->upstream;
    return reversed;
}

struct gist_mri gist_mri_upstream(const struct gist_mri *mri)
{
    struct gist_mri upstream = *mri;
    upstream.upstream = true;
    return upstream;
}

bool gist_session_id_equal(const struct gist_session_id *a, const struct gist_session_id *b)
{
    return memcmp(a->octets, b->octets, sizeof(a->octets)) == 0;
}

bool gist_session_id_is_zero(const struct gist_session_id *id)
{
    static const struct gist_session_id zero;
    return gist_session_id_equal(id, &zero);
}

/* GIST messages as JSON. RFC 5971 A. */
#include "core/gist/message/message.h"
#include "core/gist/message/message_parse.h"

#include "harness/codec-lines/view.h"

#include <stdio.h>

static json_t *loose_end(const struct gist_mri *mri)
{
    return json_pack("{si sn si si so so}", "mrm", mri->mrm, "n", "ip_ver", mri->source.version,
        "d", mri->upstream, "source", view_address(&mri->source), "destination",
        view_address(&mri->destination));
}

static json_t *path_coupled(const struct gist_mri *mri)
{
    json_t *fields = json_pack("{si sn si si si si si si si si so so si si so so}", "mrm", mri->mrm,
        "n", "ip_ver", mri->source.version, "p", mri->has_protocol, "t", mri->has_ds_field, "f",
        mri->has_flow_label, "s", mri->has_spi, "a", mri->has_source_port, "b",
        mri->has_destination_port, "d", mri->upstream, "source", view_address(&mri->source),
        "destination", view_address(&mri->destination), "source_prefix", mri->source_prefix,
        "dest_prefix", mri->destination_prefix, "protocol",
        view_number_if(mri->has_protocol, mri->protocol), "ds_field",
        view_number_if(mri->has_ds_field, mri->ds_field));
    if (mri->has_flow_label)
        json_object_set_new(fields, "flow_label", json_integer(mri->flow_label));
    if (mri->has_spi)
        json_object_set_new(fields, "spi", json_integer(mri->spi));
    if (mri->has_source_port || mri->has_destination_port) {
        json_object_set_new(
            fields, "source_port", view_number_if(mri->has_source_port, mri->source_port));
        json_object_set_new(
            fields, "dest_port", view_number_if(mri->has_destination_port, mri->destination_port));
    }
    return fields;
}

/* An MRI within another object: its fields, or octets where it is none. */
static json_t *quoted_mri(bool understood, const struct gist_mri *mri, struct gist_octets octets)
{
    if (!understood)
        return view_octets(octets);
    return mri->mrm == GIST_MRM_PATH_COUPLED ? path_coupled(mri) : loose_end(mri);
}

static json_t *nli(const struct gist_nli *value)
{
    return json_pack("{si si si sI so so}", "pi_length", (int)value->peer_identity.length, "ip_ttl",
        value->ip_ttl, "ip_ver", value->interface_address.version, "validity_ms",
        (json_int_t)value->validity_ms, "peer_identity", view_octets(value->peer_identity),
        "interface", view_address(&value->interface_address));
}

static json_t *stack_proposal(const struct gist_stack_proposal *value)
{
    json_t *profiles = json_array();
    struct wire_reader list = wire_reader_over(value->profiles.octets, value->profiles.length);
    struct gist_stack_profile profile;
    while (gist_stack_profile_next(&list, &profile)) {
        json_t *layers = json_array();
        for (unsigned i = 0; i < profile.layer_count; i++)
            json_array_append_new(layers, json_integer(profile.layers[i]));
        json_array_append_new(
            profiles, json_pack("{si so}", "layer_count", profile.layer_count, "layers", layers));
    }
    return json_pack("{si so}", "profile_count", value->profile_count, "profiles", profiles);
}

static json_t *stack_configuration(const struct gist_stack_configuration *value)
{
    json_t *options = json_array();
    struct wire_reader list = wire_reader_over(value->options.octets, value->options.length);
    struct gist_protocol_options one;
    while (gist_protocol_options_next(&list, &one))
        json_array_append_new(options,
            json_pack("{si si si si so}", "protocol", one.protocol, "profile", one.profile,
                "length", (int)one.data.length, "d", one.unusable, "data", view_octets(one.data)));
    return json_pack("{si sI so}", "mpo_count", value->options_count, "hold_time_ms",
        (json_int_t)value->hold_time_ms, "options", options);
}

static json_t *nat_traversal(const struct gist_nat_traversal *value)
{
    json_t *types = json_array();
    struct wire_reader list = wire_reader_over(value->types.octets, value->types.length);
    while (wire_remaining(&list) > 0)
        json_array_append_new(types, json_integer(wire_read_u16(&list)));
    json_t *replaced = json_array();
    list = wire_reader_over(value->opaque.octets, value->opaque.length);
    for (unsigned i = 0; i < value->nat_count; i++) {
        size_t length = wire_read_u16(&list);
        const uint8_t *information = wire_read_view(&list, length);
        json_array_append_new(replaced, json_pack("{si so}", "length", (int)length, "information",
                                            view_hex(information, information ? length : 0)));
        wire_skip(&list, (4 - list.position % 4) % 4);
    }
    return json_pack("{si si si so so so}", "mri_length", (int)value->mri_value.length / 4,
        "type_count", value->type_count, "nat_count", value->nat_count, "original_mri",
        quoted_mri(value->mri_understood, &value->mri, value->mri_value), "types", types,
        "replaced", replaced);
}

/* A.4.2; octets where the value is not of its type's form. */
static json_t *additional_info(const struct gist_additional_info *info)
{
    static const char *const halves[] = {NULL, "calculated_length", "link_mtu", "object_type"};
    struct wire_reader value = wire_reader_over(info->value.octets, info->value.length);
    uint16_t first = wire_read_u16(&value);
    uint16_t second = wire_read_u16(&value);
    if (info->type >= GIST_MESSAGE_LENGTH_INFO && info->type <= GIST_OBJECT_TYPE_INFO &&
        info->value.length == 4)
        return json_pack("{si}", halves[info->type], first);
    if (info->type == GIST_OBJECT_VALUE_INFO && info->value.length >= 4)
        return json_pack("{si si so}", "real_length", first & 0xfff, "offset", second, "object",
            view_hex(info->value.octets + 4, info->value.length - 4));
    return view_octets(info->value);
}

static json_t *error(const struct gist_error_data *value)
{
    uint8_t header[GIST_COMMON_HEADER_LENGTH];
    struct wire_writer writer = wire_writer_over(header, sizeof(header));
    gist_common_header_write(&writer, &value->original);
    json_t *infos = json_array();
    struct wire_reader list = wire_reader_over(value->infos.octets, value->infos.length);
    struct gist_additional_info info;
    while (gist_additional_info_next(&list, &info))
        json_array_append_new(
            infos, json_pack("{si si so}", "type", info.type, "length", (int)info.value.length / 4,
                       "value", additional_info(&info)));
    json_t *fields = json_pack("{si si si si si si si si so si so so}", "class", value->error_class,
        "code", value->code, "subcode", value->subcode, "s", value->has_session_id, "m",
        value->has_mri, "c", value->has_comment, "d", value->d_mode, "q", value->q_mode,
        "mri_length", view_number_if(value->has_mri, (uint32_t)value->mri_value.length / 4),
        "info_count", value->info_count, "original_header", view_hex(header, sizeof(header)),
        "infos", infos, "comment", view_octets(value->comment));
    if (value->has_session_id)
        json_object_set_new(fields, "original_sid",
            view_hex(value->session_id.octets, sizeof(value->session_id.octets)));
    if (value->has_mri)
        json_object_set_new(fields, "original_mri",
            quoted_mri(value->mri_understood, &value->mri, value->mri_value));
    if (value->has_comment)
        json_object_set_new(fields, "comment", view_octets(value->comment));
    return fields;
}

static json_t *gist_object_fields(const struct gist_message *message, enum gist_object_type type)
{
    switch (type) {
    case GIST_OBJECT_MRI:
        return message->mri.mrm == GIST_MRM_PATH_COUPLED ? path_coupled(&message->mri)
                                                         : loose_end(&message->mri);
    case GIST_OBJECT_SESSION_ID:
        return json_pack("{so}", "sid",
            view_hex(message->session_id.octets, sizeof(message->session_id.octets)));
    case GIST_OBJECT_NLI:
        return nli(&message->nli);
    case GIST_OBJECT_STACK_PROPOSAL:
        return stack_proposal(&message->stack_proposal);
    case GIST_OBJECT_STACK_CONFIGURATION:
        return stack_configuration(&message->stack_configuration);
    case GIST_OBJECT_QUERY_COOKIE:
        return json_pack("{so}", "cookie", view_octets(message->query_cookie));
    case GIST_OBJECT_RESPONDER_COOKIE:
        return json_pack("{so}", "cookie", view_octets(message->responder_cookie));
    case GIST_OBJECT_NAT_TRAVERSAL:
        return nat_traversal(&message->nat_traversal);
    case GIST_OBJECT_NSLP_DATA:
        return json_pack("{so}", "data", view_octets(message->nslp_data));
    case GIST_OBJECT_ERROR:
        return error(&message->error);
    case GIST_OBJECT_HELLO_ID:
        return json_pack("{sI}", "hello_id", (json_int_t)message->hello_id);
    case GIST_OBJECT_TYPE_COUNT:
        break;
    }
    return NULL;
}

/* "objects": the types that the fault may be said of; empty when it names none. */
static json_t *gist_fault_view(const struct gist_fault *fault)
{
    json_t *types = json_array();
    if (fault->has_object_type)
        json_array_append_new(types, json_integer(fault->object_type));
    for (size_t i = 0; i < 2 && fault->objects[i].octets; i++) {
        const uint8_t *octets = fault->objects[i].octets;
        json_array_append_new(types, json_integer((octets[0] << 8 | octets[1]) & 0xfff));
    }
    return json_pack("{s{si si so}}", "fault", "error", fault->code, "subcode", fault->subcode,
        "objects", types);
}

json_t *gist_view(const uint8_t *octets, size_t length)
{
    struct gist_message message;
    struct gist_fault fault;
    if (!gist_message_parse(octets, length, &message, &fault))
        return gist_fault_view(&fault);
    json_t *objects = json_object();
    for (unsigned type = 0; type < GIST_OBJECT_TYPE_COUNT; type++) {
        char key[8];
        snprintf(key, sizeof(key), "%u", type);
        if (gist_message_has(&message, type))
            json_object_set_new(objects, key, gist_object_fields(&message, type));
    }
    const struct gist_common_header *header = &message.header;
    return json_pack("{s{si si si si si si si si si} so}", "header", "version", header->version,
        "hops", header->hop_count, "length", header->length, "nslpid", header->nslp_id, "c",
        header->context_free, "type", header->type, "s", header->source_is_peer, "r",
        header->reply_requested, "e", header->explicitly_routed, "objects", objects);
}

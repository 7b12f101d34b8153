/*
 * What the core's codec makes of messages, one a line: the core's half of harness/compare-codecs.
 *
 * Reads "gist HEX" or "natfw HEX" (no magic number) from standard input, and answers each line with
 * a JSON object: "fault", or "header" and "objects" by their type. The names of the fields are
 * those of natfw-conform decode --lines; a field that is not significant is null.
 */
#include "core/gist/message.h"
#include "core/natfw/message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *number_if(bool significant, uint32_t number)
{
    return significant ? json_integer(number) : json_null();
}

static json_t *hex(const uint8_t *octets, size_t length)
{
    char *text = calloc(2 * length + 1, 1);
    for (size_t i = 0; text && i < length; i++)
        snprintf(text + 2 * i, 3, "%02x", octets[i]);
    json_t *string = json_string(text ? text : "");
    free(text);
    return string;
}

static json_t *hex_of(struct gist_octets octets)
{
    return hex(octets.octets, octets.length);
}

static json_t *address_of(const struct gist_address *address)
{
    char text[INET6_ADDRSTRLEN] = "";
    inet_ntop(address->version == 6 ? AF_INET6 : AF_INET, address->octets, text, sizeof(text));
    return json_string(text);
}

static json_t *address_v4(uint32_t host_order)
{
    struct gist_address address = gist_address_v4(host_order);
    return address_of(&address);
}

/* GIST, RFC 5971 A. */

static json_t *loose_end(const struct gist_mri *mri)
{
    return json_pack("{si sn si si so so}", "mrm", mri->mrm, "n", "ip_ver", mri->source.version,
        "d", mri->upstream, "source", address_of(&mri->source), "destination",
        address_of(&mri->destination));
}

static json_t *path_coupled(const struct gist_mri *mri)
{
    json_t *fields = json_pack("{si sn si si si si si si si si so so si si so so}", "mrm", mri->mrm,
        "n", "ip_ver", mri->source.version, "p", mri->has_protocol, "t", mri->has_ds_field, "f",
        mri->has_flow_label, "s", mri->has_spi, "a", mri->has_source_port, "b",
        mri->has_destination_port, "d", mri->upstream, "source", address_of(&mri->source),
        "destination", address_of(&mri->destination), "source_prefix", mri->source_prefix,
        "dest_prefix", mri->destination_prefix, "protocol",
        number_if(mri->has_protocol, mri->protocol), "ds_field",
        number_if(mri->has_ds_field, mri->ds_field));
    if (mri->has_flow_label)
        json_object_set_new(fields, "flow_label", json_integer(mri->flow_label));
    if (mri->has_spi)
        json_object_set_new(fields, "spi", json_integer(mri->spi));
    if (mri->has_source_port || mri->has_destination_port) {
        json_object_set_new(
            fields, "source_port", number_if(mri->has_source_port, mri->source_port));
        json_object_set_new(
            fields, "dest_port", number_if(mri->has_destination_port, mri->destination_port));
    }
    return fields;
}

static json_t *nli(const struct gist_nli *value)
{
    return json_pack("{si si si sI so so}", "pi_length", (int)value->peer_identity.length, "ip_ttl",
        value->ip_ttl, "ip_ver", value->interface_address.version, "validity_ms",
        (json_int_t)value->validity_ms, "peer_identity", hex_of(value->peer_identity), "interface",
        address_of(&value->interface_address));
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
                "length", (int)one.data.length, "d", one.unusable, "data", hex_of(one.data)));
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
                                            hex(information, information ? length : 0)));
        wire_skip(&list, (4 - list.position % 4) % 4);
    }
    return json_pack("{si si si so so so}", "mri_length", (int)value->mri_value.length / 4,
        "type_count", value->type_count, "nat_count", value->nat_count, "original_mri",
        hex_of(value->mri_value), "types", types, "replaced", replaced);
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
        json_array_append_new(infos, json_pack("{si si so}", "type", info.type, "length",
                                         (int)info.value.length / 4, "value", hex_of(info.value)));
    json_t *fields = json_pack("{si si si si si si si si so si so so}", "class", value->error_class,
        "code", value->code, "subcode", value->subcode, "s", value->has_session_id, "m",
        value->has_mri, "c", value->has_comment, "d", value->d_mode, "q", value->q_mode,
        "mri_length", number_if(value->has_mri, (uint32_t)value->mri_value.length / 4),
        "info_count", value->info_count, "original_header", hex(header, sizeof(header)), "infos",
        infos, "comment", hex_of(value->comment));
    if (value->has_session_id)
        json_object_set_new(fields, "original_sid",
            hex(value->session_id.octets, sizeof(value->session_id.octets)));
    if (value->has_mri)
        json_object_set_new(fields, "original_mri", hex_of(value->mri_value));
    if (value->has_comment)
        json_object_set_new(fields, "comment", hex_of(value->comment));
    return fields;
}

static json_t *gist_object_fields(const struct gist_message *message, enum gist_object_type type)
{
    switch (type) {
    case GIST_OBJECT_MRI:
        return message->mri.mrm == GIST_MRM_PATH_COUPLED ? path_coupled(&message->mri)
                                                         : loose_end(&message->mri);
    case GIST_OBJECT_SESSION_ID:
        return json_pack(
            "{so}", "sid", hex(message->session_id.octets, sizeof(message->session_id.octets)));
    case GIST_OBJECT_NLI:
        return nli(&message->nli);
    case GIST_OBJECT_STACK_PROPOSAL:
        return stack_proposal(&message->stack_proposal);
    case GIST_OBJECT_STACK_CONFIGURATION:
        return stack_configuration(&message->stack_configuration);
    case GIST_OBJECT_QUERY_COOKIE:
        return json_pack("{so}", "cookie", hex_of(message->query_cookie));
    case GIST_OBJECT_RESPONDER_COOKIE:
        return json_pack("{so}", "cookie", hex_of(message->responder_cookie));
    case GIST_OBJECT_NAT_TRAVERSAL:
        return nat_traversal(&message->nat_traversal);
    case GIST_OBJECT_NSLP_DATA:
        return json_pack("{so}", "data", hex_of(message->nslp_data));
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

static json_t *gist_view(const uint8_t *octets, size_t length)
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

/* NATFW, RFC 5973 4. */

static json_t *external_binding(const struct natfw_external_binding *value)
{
    json_t *addresses = json_array();
    struct wire_reader list = wire_reader_over(value->addresses, 4 * value->address_count);
    while (wire_remaining(&list) > 0)
        json_array_append_new(
            addresses, json_pack("{so}", "address", address_v4(wire_read_u32(&list))));
    return json_pack("{si si so}", "port", value->port, "ip_ver", 4, "addresses", addresses);
}

static json_t *dtinfo(const struct natfw_dtinfo *value)
{
    json_t *fields = json_pack("{si si si si so so}", "i", value->has_protocol, "p",
        value->has_ports, "s", value->has_spi, "sender_prefix", value->sender_prefix, "protocol",
        number_if(value->has_protocol, value->protocol), "address",
        address_v4(value->sender_address));
    if (value->has_ports) {
        json_object_set_new(fields, "dr_port", json_integer(value->receiver_port));
        json_object_set_new(fields, "ds_port", json_integer(value->sender_port));
    }
    if (value->has_spi)
        json_object_set_new(fields, "spi", json_integer(value->spi));
    return fields;
}

static json_t *icmp_types(const struct natfw_icmp_types *value)
{
    json_t *types = json_array();
    for (unsigned i = 0; i < value->count; i++)
        json_array_append_new(types, json_integer(value->types[i]));
    return json_pack("{si so}", "count", value->count, "types", types);
}

static json_t *natfw_object_fields(const struct natfw_message *message, enum natfw_object_type type)
{
    switch (type) {
    case NATFW_LT:
        return json_pack("{sI}", "lifetime_s", (json_int_t)message->lifetime_s);
    case NATFW_EXTERNAL_IP:
        return json_pack("{si si so}", "port", message->external_address.port, "ip_ver", 4,
            "address", address_v4(message->external_address.address));
    case NATFW_EXTERNAL_BINDING:
        return external_binding(&message->external_binding);
    case NATFW_EFI:
        return json_pack(
            "{si si}", "rule_action", message->efi.action, "sub_ports", message->efi.sub_ports);
    case NATFW_INFO:
        return json_pack("{si si si}", "class", message->info.error_class, "code",
            message->info.code, "object_type", message->info.object_type);
    case NATFW_NONCE:
        return json_pack("{sI}", "nonce", (json_int_t)message->nonce);
    case NATFW_MSN:
        return json_pack("{sI}", "msn", (json_int_t)message->sequence_number);
    case NATFW_DTINFO:
        return dtinfo(&message->dtinfo);
    case NATFW_ICMP_TYPES:
        return icmp_types(&message->icmp_types);
    }
    return NULL;
}

static json_t *natfw_view(const uint8_t *octets, size_t length)
{
    struct natfw_message message;
    struct natfw_info fault;
    if (!natfw_message_parse(octets, length, &message, &fault))
        return json_pack("{s{si si si}}", "fault", "class", fault.error_class, "code", fault.code,
            "object", fault.object_type);
    json_t *objects = json_object();
    for (unsigned type = NATFW_OBJECT_FIRST; type <= NATFW_OBJECT_LAST; type++) {
        char key[8];
        snprintf(key, sizeof(key), "%u", type);
        if (natfw_message_has(&message, type))
            json_object_set_new(objects, key, natfw_object_fields(&message, type));
    }
    bool request = message.type == NATFW_CREATE || message.type == NATFW_EXTERNAL;
    return json_pack("{s{si so so} so}", "header", "type", message.type, "p",
        number_if(request, message.proxy), "e", number_if(message.proxy, message.end_to_end),
        "objects", objects);
}

/* Turns hex into octets in place; returns their number, or -1. */
static long unhex(char *text)
{
    uint8_t *octets = (uint8_t *)text;
    long length = 0;
    for (; text[0] && text[0] != '\n'; text += 2, length++) {
        unsigned octet;
        char pair[3] = {text[0], text[1], '\0'};
        if (!text[1] || sscanf(pair, "%2x", &octet) != 1 ||
            strspn(pair, "0123456789abcdefABCDEF") < 2)
            return -1;
        octets[length] = (uint8_t)octet;
    }
    return length;
}

/* The view of one line; NULL when it is neither gist nor natfw with hex. */
static json_t *view_of(char *line)
{
    bool natfw = strncmp(line, "natfw ", 6) == 0;
    if (!natfw && strncmp(line, "gist ", 5) != 0)
        return NULL;
    char *text = line + (natfw ? 6 : 5);
    long length = unhex(text);
    if (length < 0)
        return NULL;
    /* Memory of just its size, for sanitizers. */
    uint8_t *octets = malloc((size_t)length + 1);
    if (!octets)
        return NULL;
    memcpy(octets, text, (size_t)length);
    json_t *view = natfw ? natfw_view(octets, (size_t)length) : gist_view(octets, (size_t)length);
    free(octets);
    return view;
}

int main(int count, char **words)
{
    if (count > 1) {
        bool help = strcmp(words[1], "--help") == 0;
        fprintf(help ? stdout : stderr, "usage: %s <LINES\nlines: gist HEX, natfw HEX\n", words[0]);
        return help ? 0 : 2;
    }
    char *line = NULL;
    size_t capacity = 0;
    for (unsigned number = 1; getline(&line, &capacity, stdin) > 0; number++) {
        json_t *view = view_of(line);
        if (!view) {
            fprintf(stderr, "%s: line %u: expected 'gist HEX' or 'natfw HEX'\n", words[0], number);
            return 2;
        }
        json_dumpf(view, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(view);
    }
    free(line);
    return ferror(stdin) || fflush(stdout) != 0 ? 1 : 0;
}

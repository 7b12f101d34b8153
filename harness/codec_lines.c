/*
 * What the core's codec makes of messages, one a line: the core's half of harness/compare-codecs.
 *
 * Reads "gist HEX" or "natfw HEX" (no magic number) from standard input, and answers each line with
 * a JSON object: "fault", or "header" and "objects" by their type. The names of the fields are
 * those of natfw-conform decode --lines; a field that is not significant is null.
 */
#include "core/gist/message.h"
#include "core/natfw/message.h"
#include "core/natfw/session_auth.h"

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

/* An MRI within another object: its fields, or octets where it is none. */
static json_t *quoted_mri(bool understood, const struct gist_mri *mri, struct gist_octets octets)
{
    if (!understood)
        return hex_of(octets);
    return mri->mrm == GIST_MRM_PATH_COUPLED ? path_coupled(mri) : loose_end(mri);
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
            hex(info->value.octets + 4, info->value.length - 4));
    return hex_of(info->value);
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
        "mri_length", number_if(value->has_mri, (uint32_t)value->mri_value.length / 4),
        "info_count", value->info_count, "original_header", hex(header, sizeof(header)), "infos",
        infos, "comment", hex_of(value->comment));
    if (value->has_session_id)
        json_object_set_new(fields, "original_sid",
            hex(value->session_id.octets, sizeof(value->session_id.octets)));
    if (value->has_mri)
        json_object_set_new(fields, "original_mri",
            quoted_mri(value->mri_understood, &value->mri, value->mri_value));
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

/* RFC 5981 3. */

static json_t *auth_items(const struct natfw_auth_value *value, bool object_types)
{
    json_t *list = json_array();
    struct wire_reader items = wire_reader_over(value->items, 2 * value->count);
    while (wire_remaining(&items) > 0) {
        uint16_t item = wire_read_u16(&items);
        json_array_append_new(list,
            object_types ? json_pack("{si}", "object_type", item & 0xfff) : json_integer(item));
    }
    return list;
}

static json_t *auth_address(const struct natfw_auth_value *value)
{
    struct gist_address address = {.version = value->address_length == 4 ? 4 : 6};
    memcpy(address.octets, value->address, value->address_length);
    return address_of(&address);
}

static bool is_printable(const uint8_t *octets, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (octets[i] < 32 || octets[i] > 126)
            return false;
    return true;
}

static json_t *auth_octets(const struct natfw_auth_value *value, bool text)
{
    const uint8_t *octets = value->octets.data;
    size_t length = value->octets.length;
    if (text && is_printable(octets, length))
        return json_stringn((const char *)octets, length);
    return hex(octets, length);
}

static void auth_flow_end(json_t *fields, uint8_t subtype, const struct natfw_auth_value *value)
{
    if (value->address_length > 0)
        json_object_set_new(fields, "address", auth_address(value));
    else if (subtype == NATFW_AUTH_SPI)
        json_object_set_new(fields, "spi", json_integer(value->spi));
    else
        json_object_set_new(fields, "ports", auth_items(value, false));
}

static void auth_entity(json_t *fields, uint8_t subtype, const struct natfw_auth_value *value)
{
    bool certificate = subtype == NATFW_AUTH_ENTITY_PGP_CERTIFICATE;
    if (value->address_length > 0)
        json_object_set_new(fields, "address", auth_address(value));
    else if (subtype == NATFW_AUTH_ENTITY_HMAC_SIGNED)
        json_object_set_new(fields, "transform_id", json_integer(value->transform_id));
    else
        json_object_set_new(
            fields, certificate ? "certificate" : "name", auth_octets(value, !certificate));
}

static json_t *auth_attribute(
    const struct natfw_auth_attribute *attribute, const struct natfw_auth_value *value)
{
    json_t *fields = json_pack("{si si si}", "length", (int)attribute->length + 4, "x_type",
        attribute->type, "sub_type", attribute->subtype);
    switch ((enum natfw_auth_type)attribute->type) {
    case NATFW_AUTH_ENTITY_ID:
        auth_entity(fields, attribute->subtype, value);
        break;
    case NATFW_AUTH_SESSION_ID:
        json_object_set_new(fields, "session_id", auth_octets(value, false));
        break;
    case NATFW_AUTH_SOURCE_ADDRESS:
    case NATFW_AUTH_DESTINATION_ADDRESS:
        auth_flow_end(fields, attribute->subtype, value);
        break;
    case NATFW_AUTH_START_TIME:
    case NATFW_AUTH_END_TIME:
        json_object_set_new(fields, "seconds", json_integer(value->seconds));
        json_object_set_new(fields, "fraction", json_integer(value->fraction));
        break;
    case NATFW_AUTH_OBJECT_LIST:
        json_object_set_new(fields, "object_count", json_integer((json_int_t)value->count));
        json_object_set_new(fields, "object_types", auth_items(value, true));
        break;
    case NATFW_AUTH_AUTHENTICATION_DATA:
        if (value->has_key_id)
            json_object_set_new(fields, "key_id", json_integer(value->key_id));
        json_object_set_new(fields, "authentication_data", auth_octets(value, false));
        break;
    }
    return fields;
}

/* null where the object is not sound. */
static json_t *session_auth(struct wire_reader attributes)
{
    if (!natfw_session_auth_is_sound(attributes))
        return json_null();
    json_t *list = json_array();
    uint8_t entity = 0;
    struct natfw_auth_attribute attribute;
    struct natfw_auth_value value;
    while (natfw_auth_attribute_next(&attributes, &attribute) &&
           natfw_auth_value_read(&attribute, entity, &value)) {
        entity = natfw_auth_entity(&attribute, entity);
        json_array_append_new(list, auth_attribute(&attribute, &value));
    }
    return json_pack("{so}", "attributes", list);
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
    struct wire_reader attributes;
    if (natfw_session_auth_find(&message, &attributes))
        json_object_set_new(objects, "22", session_auth(attributes));
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

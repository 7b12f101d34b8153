/* Stack-Proposal and Stack-Configuration-Data; see stack.h. RFC 5971 5.7, A.3.4, A.3.5. */
#include "core/gist/message/stack.h"

#include "core/spec/spec.h"

#include <string.h>

enum { OPTIONS_FLAG_D = 0x80, PORT_LENGTH = 2 };

static size_t padding(size_t length)
{
    return (4 - length % 4) % 4;
}

bool gist_stack_profile_next(struct wire_reader *profiles, struct gist_stack_profile *profile)
{
    if (wire_remaining(profiles) == 0)
        return false;
    profile->layer_count = wire_read_u8(profiles);
    profile->layers = wire_read_view(profiles, profile->layer_count);
    for (size_t i = padding(1 + (size_t)profile->layer_count); i > 0; i--)
        if (wire_read_u8(profiles) != 0) {
            SPEC_NEVER("RFC5971-A.3.4-3", 1) {
                return false;
            }
        }
    return !profiles->failed;
}

bool gist_protocol_options_next(struct wire_reader *list, struct gist_protocol_options *options)
{
    if (wire_remaining(list) == 0)
        return false;
    options->protocol = wire_read_u8(list);
    options->profile = wire_read_u8(list);
    options->data.length = wire_read_u8(list);
    options->unusable = wire_read_u8(list) & OPTIONS_FLAG_D;
    options->data.octets = wire_read_view(list, options->data.length);
    wire_skip(list, padding(options->data.length));
    return !list->failed;
}

bool gist_stack_proposal_read(
    struct wire_reader *value, struct gist_stack_proposal *proposal, uint8_t *subcode)
{
    proposal->profile_count = wire_read_u8(value);
    wire_skip(value, 3);
    if (value->failed)
        return gist_value_fault(subcode, GIST_INCORRECT_LENGTH);
    SPEC_ENSURE("RFC5971-A.3.4-1", 1, proposal->profile_count > 0) {
        return gist_value_fault(subcode,
            SPEC_VALUE("RFC5971-A.3.4-4a", 1, GIST_VALUE_NOT_SUPPORTED, GIST_INCORRECT_LENGTH));
    }
    proposal->profiles.octets = value->data + value->position;
    proposal->profiles.length = wire_remaining(value);
    for (unsigned i = 0; i < proposal->profile_count; i++) {
        struct gist_stack_profile profile;
        if (!gist_stack_profile_next(value, &profile))
            return gist_value_fault(subcode, GIST_INCORRECT_LENGTH);
        SPEC_ENSURE("RFC5971-A.3.4-2", 1, profile.layer_count > 0) {
            return gist_value_fault(subcode,
                SPEC_VALUE("RFC5971-A.3.4-4b", 1, GIST_EMPTY_LIST, GIST_VALUE_NOT_SUPPORTED));
        }
    }
    return wire_finished(value) || gist_value_fault(subcode, GIST_INCORRECT_LENGTH);
}

void gist_stack_proposal_write(
    struct wire_writer *writer, const struct gist_stack_proposal *proposal)
{
    wire_put_u8(writer, proposal->profile_count);
    wire_put_zeros(writer, 3);
    wire_put_bytes(writer, proposal->profiles.octets, proposal->profiles.length);
}

bool gist_stack_configuration_read(
    struct wire_reader *value, struct gist_stack_configuration *configuration, uint8_t *subcode)
{
    configuration->options_count = wire_read_u8(value);
    wire_skip(value, 3);
    configuration->hold_time_ms = wire_read_u32(value);
    if (value->failed)
        return gist_value_fault(subcode, GIST_INCORRECT_LENGTH);
    SPEC_ENSURE("RFC5971-A.3.5-2", 1, configuration->hold_time_ms != 0) {
        return gist_value_fault(subcode, GIST_VALUE_NOT_SUPPORTED);
    }
    configuration->options.octets = value->data + value->position;
    configuration->options.length = wire_remaining(value);
    for (unsigned i = 0; i < configuration->options_count; i++) {
        struct gist_protocol_options options;
        if (!gist_protocol_options_next(value, &options))
            return gist_value_fault(subcode, GIST_INCORRECT_LENGTH);
    }
    return wire_finished(value) || gist_value_fault(subcode, GIST_INCORRECT_LENGTH);
}

void gist_stack_configuration_write(
    struct wire_writer *writer, const struct gist_stack_configuration *configuration)
{
    wire_put_u8(writer, configuration->options_count);
    wire_put_zeros(writer, 3);
    wire_put_u32(writer, configuration->hold_time_ms);
    wire_put_bytes(writer, configuration->options.octets, configuration->options.length);
}

void gist_stack_profile_write(
    struct wire_writer *writer, const uint8_t *layers, uint8_t layer_count)
{
    wire_put_u8(writer, layer_count);
    wire_put_bytes(writer, layers, layer_count);
    wire_put_zeros(writer, padding(1 + (size_t)layer_count));
}

void gist_protocol_options_write(
    struct wire_writer *writer, const struct gist_protocol_options *options)
{
    if (options->data.length > 255)
        writer->failed = true;
    wire_put_u8(writer, options->protocol);
    wire_put_u8(writer, options->profile);
    wire_put_u8(writer, (uint8_t)options->data.length);
    wire_put_u8(writer, options->unusable ? OPTIONS_FLAG_D : 0);
    wire_put_bytes(writer, options->data.octets, options->data.length);
    wire_put_zeros(writer, padding(options->data.length));
}

static struct wire_reader profiles_of(const struct gist_stack_proposal *proposal)
{
    return wire_reader_over(proposal->profiles.octets, proposal->profiles.length);
}

static bool profile_has(const struct gist_stack_profile *profile, uint8_t protocol)
{
    return memchr(profile->layers, protocol, profile->layer_count) != NULL;
}

/* Whether the profile with this number, or any when it is 0, lists the protocol. */
static bool proposal_has(
    const struct gist_stack_proposal *proposal, uint8_t number, uint8_t protocol)
{
    struct wire_reader profiles = profiles_of(proposal);
    struct gist_stack_profile profile;
    for (unsigned i = 1; gist_stack_profile_next(&profiles, &profile); i++)
        if ((number == 0 || number == i) && profile_has(&profile, protocol))
            return true;
    return false;
}

/* Finds the options of a protocol in a profile; those of that very profile come first. */
static bool find_options(const struct gist_stack_configuration *configuration, unsigned number,
    uint8_t protocol, struct gist_protocol_options *found)
{
    bool any = false;
    struct gist_protocol_options options;
    struct wire_reader list =
        wire_reader_over(configuration->options.octets, configuration->options.length);
    while (gist_protocol_options_next(&list, &options)) {
        if (options.protocol != protocol || (options.profile != 0 && options.profile != number))
            continue;
        if (!any || options.profile == number)
            *found = options;
        any = true;
    }
    return any;
}

bool gist_stack_consistent(const struct gist_stack_proposal *proposal,
    const struct gist_stack_configuration *configuration, bool options_required)
{
    struct gist_protocol_options options;
    struct wire_reader list =
        wire_reader_over(configuration->options.octets, configuration->options.length);
    while (gist_protocol_options_next(&list, &options))
        if (!proposal_has(proposal, options.profile, options.protocol))
            return false;
    if (!options_required)
        return true;
    struct wire_reader profiles = profiles_of(proposal);
    struct gist_stack_profile profile;
    for (unsigned i = 1; gist_stack_profile_next(&profiles, &profile); i++)
        if (profile_has(&profile, GIST_PROTOCOL_FORWARDS_TCP) &&
            !find_options(configuration, i, GIST_PROTOCOL_FORWARDS_TCP, &options))
            return false;
    return true;
}

struct gist_stack_profile gist_stack_profile_of(enum gist_stack stack)
{
    static const uint8_t layers[] = {GIST_PROTOCOL_TLS, GIST_PROTOCOL_FORWARDS_TCP};
    if (stack == GIST_STACK_TLS_TCP)
        return (struct gist_stack_profile){2, layers};
    return (struct gist_stack_profile){1, layers + 1};
}

static bool is_of(const struct gist_stack_profile *profile, enum gist_stack stack)
{
    struct gist_stack_profile wanted = gist_stack_profile_of(stack);
    return profile->layer_count == wanted.layer_count &&
           memcmp(profile->layers, wanted.layers, wanted.layer_count) == 0;
}

bool gist_stack_find(const struct gist_stack_proposal *proposal,
    const struct gist_stack_configuration *configuration, enum gist_stack stack, uint16_t *port)
{
    struct wire_reader profiles = profiles_of(proposal);
    struct gist_stack_profile profile;
    for (unsigned i = 1; gist_stack_profile_next(&profiles, &profile); i++) {
        struct gist_protocol_options options;
        if (!is_of(&profile, stack) ||
            !find_options(configuration, i, GIST_PROTOCOL_FORWARDS_TCP, &options))
            continue;
        SPEC_ENSURE("RFC5971-5.7.1-1", 1, !options.unusable) {
            continue;
        }
        struct wire_reader data = wire_reader_over(options.data.octets, options.data.length);
        *port = wire_read_u16(&data);
        if (options.data.length >= PORT_LENGTH && *port != 0)
            return true;
    }
    return false;
}

bool gist_stack_proposes(const struct gist_stack_proposal *proposal, enum gist_stack stack)
{
    struct wire_reader profiles = profiles_of(proposal);
    struct gist_stack_profile profile;
    while (gist_stack_profile_next(&profiles, &profile))
        if (is_of(&profile, stack))
            return true;
    return false;
}

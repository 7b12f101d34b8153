/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parsing and printing of addresses, flows and verdicts; see text.h. */
#include "reference-node/base/text.h"

#include "core/natfw/info.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENDPOINT_MAX = 64 };

_Static_assert(TEXT_SID_SIZE == 2 * sizeof(struct gist_session_id) + 1, "two digits an octet");
_Static_assert(TEXT_ADDRESS_SIZE == INET6_ADDRSTRLEN, "the longest address as inet_ntop writes it");
_Static_assert(ENDPOINT_MAX >= TEXT_ADDRESS_SIZE + sizeof("[]/128:65535"), "prefix and port too");
_Static_assert(TEXT_FLOW_SIZE >= 8 + 2 * ENDPOINT_MAX + sizeof("  -> "), "both ends of a flow");

bool text_to_number(const char *text, unsigned long low, unsigned long high, unsigned long *value)
{
    char *end;
    if (!isdigit((unsigned char)text[0]))
        return false;
    *value = strtoul(text, &end, 0);
    return *end == '\0' && *value >= low && *value <= high;
}

bool text_to_address(const char *text, struct gist_address *address)
{
    memset(address, 0, sizeof(*address));
    if (inet_pton(AF_INET, text, address->octets) == 1)
        address->version = 4;
    else if (inet_pton(AF_INET6, text, address->octets) == 1)
        address->version = 6;
    return address->version != 0;
}

bool text_to_prefix(const char *text, struct gist_address *address, uint8_t *bits)
{
    char copy[ENDPOINT_MAX];
    unsigned long value;
    if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
        return false;
    char *slash = strchr(copy, '/');
    if (slash)
        *slash = '\0';
    if (!text_to_address(copy, address))
        return false;
    unsigned long longest = address->version == 4 ? 32 : 128;
    *bits = (uint8_t)longest;
    if (!slash)
        return true;
    if (!text_to_number(slash + 1, 0, longest, &value))
        return false;
    *bits = (uint8_t)value;
    return true;
}

bool text_to_endpoint(
    const char *text, struct gist_address *address, bool *has_port, uint16_t *port)
{
    char copy[ENDPOINT_MAX];
    unsigned long value = 0;
    if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
        return false;
    char *colon = strchr(copy, ':');
    *has_port = colon != NULL;
    if (colon)
        *colon = '\0';
    if (colon && !text_to_number(colon + 1, 1, 65535, &value))
        return false;
    *port = (uint16_t)value;
    return text_to_address(copy, address) && address->version == 4;
}

static const struct {
    const char *name;
    uint8_t number;
} protocols[] = {{"icmp", IPPROTO_ICMP}, {"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP},
    {"esp", IPPROTO_ESP}, {"ah", IPPROTO_AH}, {"sctp", IPPROTO_SCTP}, {"gre", IPPROTO_GRE}};

bool text_to_protocol(const char *text, uint8_t *protocol)
{
    unsigned long value;
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        if (strcmp(protocols[i].name, text) != 0)
            continue;
        *protocol = protocols[i].number;
        return true;
    }
    if (!text_to_number(text, 0, 255, &value))
        return false;
    *protocol = (uint8_t)value;
    return true;
}

bool text_to_code(const char *text, enum natfw_code *code)
{
    unsigned long class, number;
    char *end;
    *code = NATFW_NO_CODE;
    if (strcmp(text, "allow") == 0)
        return true;
    if (!isdigit((unsigned char)text[0]))
        return false;
    class = strtoul(text, &end, 10);
    if (*end != '/' || !text_to_number(end + 1, 1, 255, &number))
        return false;
    if (class < NATFW_PROTOCOL_ERROR || class > NATFW_SESSION_FAILURE)
        return false;
    *code = (enum natfw_code)NATFW_CODE(class, number);
    return true;
}

void text_of_session_id(const struct gist_session_id *id, char text[TEXT_SID_SIZE])
{
    for (size_t i = 0; i < sizeof(id->octets); i++)
        snprintf(text + 2 * i, TEXT_SID_SIZE - 2 * i, "%02x", id->octets[i]);
}

void text_of_address(const struct gist_address *address, char text[TEXT_ADDRESS_SIZE])
{
    snprintf(text, TEXT_ADDRESS_SIZE, "none");
    if (address->version != 0)
        inet_ntop(
            address->version == 4 ? AF_INET : AF_INET6, address->octets, text, TEXT_ADDRESS_SIZE);
}

static void print_end(char *text, size_t size, const struct gist_address *address, uint8_t prefix,
    bool has_port, uint16_t port)
{
    char name[TEXT_ADDRESS_SIZE];
    char bits[8] = "", port_name[8] = "*";
    bool in_brackets = address->version == 6;
    text_of_address(address, name);
    if (prefix != (address->version == 4 ? 32 : 128))
        snprintf(bits, sizeof(bits), "/%u", prefix);
    if (has_port)
        snprintf(port_name, sizeof(port_name), "%u", port);
    snprintf(text, size, "%s%s%s%s:%s", in_brackets ? "[" : "", name, in_brackets ? "]" : "", bits,
        port_name);
}

void text_of_flow(const struct gist_mri *flow, char text[TEXT_FLOW_SIZE])
{
    char from[ENDPOINT_MAX], to[ENDPOINT_MAX], protocol[8] = "*";
    if (flow->has_protocol)
        snprintf(protocol, sizeof(protocol), "%u", flow->protocol);
    for (size_t i = 0; flow->has_protocol && i < sizeof(protocols) / sizeof(protocols[0]); i++)
        if (protocols[i].number == flow->protocol)
            snprintf(protocol, sizeof(protocol), "%s", protocols[i].name);
    print_end(from, sizeof(from), &flow->source, flow->source_prefix, flow->has_source_port,
        flow->source_port);
    print_end(to, sizeof(to), &flow->destination, flow->destination_prefix,
        flow->has_destination_port, flow->destination_port);
    snprintf(text, TEXT_FLOW_SIZE, "%s %s -> %s", protocol, from, to);
}

void text_of_answer(enum natfw_code answer, char text[TEXT_ANSWER_SIZE])
{
    if (answer == NATFW_NO_CODE)
        snprintf(text, TEXT_ANSWER_SIZE, "allow");
    else
        snprintf(text, TEXT_ANSWER_SIZE, "%u/0x%02x", natfw_class_of(answer) & 0xfu,
            natfw_number_of(answer) & 0xffu);
}

static const struct {
    enum natfw_code code;
    const char *words;
} codes[] = {
    {NATFW_ROUTE_CHANGE, "the route may have changed"},
    {NATFW_REAUTHENTICATION_REQUIRED, "authentication is asked for again"},
    {NATFW_GOING_DOWN, "a node on the path is going down"},
    {NATFW_SESSION_EXPIRED, "the session expired on the path"},
    {NATFW_SESSION_TERMINATED, "the session was ended on the path"},
    {NATFW_ALL_PROCESSED, "granted"},
    {NATFW_ILLEGAL_MESSAGE_TYPE, "illegal message type"},
    {NATFW_WRONG_MESSAGE_LENGTH, "wrong message length"},
    {NATFW_BAD_FLAGS, "bad flags"},
    {NATFW_MANDATORY_OBJECT_MISSING, "a mandatory object is missing"},
    {NATFW_ILLEGAL_OBJECT, "an object is not allowed here"},
    {NATFW_UNKNOWN_OBJECT, "unknown object"},
    {NATFW_WRONG_OBJECT_LENGTH, "wrong object length"},
    {NATFW_UNKNOWN_FIELD_VALUE, "unknown value of an object's field"},
    {NATFW_INVALID_COMBINATION, "invalid combination of flags and fields"},
    {NATFW_DUPLICATE_OBJECT, "duplicate object"},
    {NATFW_EXTERNAL_ON_EXTERNAL_SIDE, "request on the external side"},
    {NATFW_RESOURCES_UNAVAILABLE, "no resources at the moment"},
    {NATFW_AUTHENTICATION_FAILED, "authentication failed"},
    {NATFW_AUTHORIZATION_FAILED, "not authorised"},
    {NATFW_INTERNAL_ERROR, "a node on the path failed"},
    {NATFW_NO_EDGE_DEVICE, "there is no edge device"},
    {NATFW_DID_NOT_REACH_NR, "did not reach a NATFW responder"},
    {NATFW_TERMINATED_ASYNCHRONOUSLY, "session ended by a node"},
    {NATFW_LIFETIME_TOO_BIG, "the lifetime is too long"},
    {NATFW_NO_RESERVATION, "no reservation matches"},
    {NATFW_POLICY_CONFLICT, "conflicts with policy"},
    {NATFW_UNKNOWN_ACTION, "unknown rule action"},
    {NATFW_ACTION_NOT_APPLICABLE, "the rule action is not applicable"},
    {NATFW_DTINFO_REQUIRED, "information on the sender is required"},
    {NATFW_SUB_PORTS_NOT_PERMITTED, "that many ports are not permitted"},
    {NATFW_PROTOCOL_NOT_SUPPORTED, "the protocol is not supported"},
    {NATFW_TRANSPORT_NEEDED, "protocol and ports are needed"},
    {NATFW_ICMP_TYPE_NOT_PERMITTED, "the ICMP type is not permitted"},
    {NATFW_SOURCE_RANGE_TOO_LARGE, "source addresses: too many"},
    {NATFW_DESTINATION_RANGE_TOO_LARGE, "destination addresses: too many"},
    {NATFW_SOURCE_PORTS_TOO_LARGE, "source ports: too many"},
    {NATFW_DESTINATION_PORTS_TOO_LARGE, "destination ports: too many"},
    {NATFW_LIFETIME_TOO_SMALL, "the lifetime is too short"},
    {NATFW_MODIFIED_LIFETIME_TOO_BIG, "the lifetime was raised on the path"},
    {NATFW_MODIFIED_LIFETIME_TOO_SMALL, "the lifetime was lowered too far"},
};

const char *text_of_code(enum natfw_code code)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (codes[i].code == code)
            return codes[i].words;
    return "unknown class or code";
}

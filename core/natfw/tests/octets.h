/* Messages written as hexadecimal words, as the figures of RFC 5973 show them. */
#ifndef NATFW_TESTS_OCTETS_H
#define NATFW_TESTS_OCTETS_H

#include "core/natfw/message/message.h"
#include "core/natfw/message/message_parse.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct octets {
    uint8_t data[512];
    size_t length;
};

/* Spaces do not count. */
static inline struct octets octets_of(const char *hex)
{
    struct octets octets = {.length = 0};
    char digits[3] = {0};
    for (size_t have = 0; *hex; hex++) {
        if (*hex == ' ')
            continue;
        digits[have++] = *hex;
        if (have < 2)
            continue;
        octets.data[octets.length++] = (uint8_t)strtoul(digits, NULL, 16);
        have = 0;
    }
    return octets;
}

/* The objects of a plain CREATE. */
#define CREATE_HEADER "01000000 "
#define LT            "000c0001 0000003c "
#define EFI           "000f0001 00010000 "
#define MSN           "00120001 00000007 "

static inline struct natfw_info fault_of(const char *hex)
{
    struct octets octets = octets_of(hex);
    struct natfw_message message;
    struct natfw_info fault;
    (void)natfw_message_parse(octets.data, octets.length, &message, &fault);
    return fault;
}

static inline bool parses(const char *hex, struct natfw_message *message)
{
    static struct octets kept; /* what is parsed points into it */
    kept = octets_of(hex);
    struct natfw_info fault;
    return natfw_message_parse(kept.data, kept.length, message, &fault);
}

static inline bool is_fault(
    struct natfw_info fault, unsigned error_class, unsigned code, uint16_t object_type)
{
    return (unsigned)fault.code == NATFW_CODE(error_class, code) &&
           fault.object_type == object_type;
}

#endif

/* core/gist: addresses, endpoints, flows and session identifiers compared. RFC 5971 5.8, A.3.1,
 * A.3.2. */
#include "core/gist/mri.h"

#include <criterion/criterion.h>

static struct gist_address v6(uint8_t first, uint8_t last)
{
    return (struct gist_address){.version = 6, .octets = {first, [15] = last}};
}

static struct gist_address v4(uint32_t host_order)
{
    return gist_address_v4(host_order);
}

Test(mri, an_address_matches_another_in_its_first_bits)
{
    const struct {
        struct gist_address a, b;
        unsigned first_difference; /* bits that agree */
        unsigned longest;          /* prefix of this version */
    } rows[] = {
        {v4(0xc0000201), v4(0xc0000201), 32, 32},
        {v4(0xc0000201), v4(0xc0000200), 31, 32},
        {v4(0xc0000201), v4(0xc0000281), 24, 32},
        {v4(0xc0000201), v4(0xc0000301), 23, 32},
        {v4(0xc0000201), v4(0x40000201), 0, 32},
        {v6(0x20, 1), v6(0x20, 1), 128, 128},
        {v6(0x20, 1), v6(0x20, 0), 127, 128},
        {v6(0x20, 1), v6(0x20, 0x81), 120, 128},
        {v6(0x20, 1), v6(0x21, 1), 7, 128},
        {v6(0x20, 1), v6(0xa0, 1), 0, 128},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (unsigned bits = 0; bits <= UINT8_MAX; bits++) {
            bool expected = bits <= rows[i].first_difference && bits <= rows[i].longest;
            cr_assert_eq(gist_address_matches(&rows[i].a, &rows[i].b, (uint8_t)bits), expected,
                "row %zu, %u bits", i, bits);
            cr_assert_eq(gist_address_matches(&rows[i].b, &rows[i].a, (uint8_t)bits), expected,
                "row %zu, %u bits", i, bits);
        }
    }
    struct gist_address four = v4(0x20000000), six = v6(0x20, 0);
    cr_assert_not(gist_address_matches(&four, &six, 0), "two versions");
}

Test(mri, the_last_address_of_a_prefix_has_ones_behind_it)
{
    const struct {
        struct gist_address address, last;
        uint8_t bits;
    } rows[] = {
        {v4(0xc0000201), v4(0xc0000201), 32},
        {v4(0xc0000200), v4(0xc0000201), 31},
        {v4(0xc0000201), v4(0xc00002ff), 24},
        {v4(0xc0000201), v4(0xc00003ff), 23},
        {v4(0xc0000201), v4(0xffffffff), 0},
        {v4(0xc0000201), v4(0xc0000201), 255},
        {v6(0x20, 1), v6(0x20, 1), 128},
        {v6(0x20, 1), v6(0x20, 0x0f), 124},
        {v6(0x20, 2), v6(0x20, 3), 127},
        {v6(0x20, 3), v6(0x20, 3), 127},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gist_address last = gist_address_last(&rows[i].address, rows[i].bits);
        cr_assert(gist_address_equal(&last, &rows[i].last), "row %zu", i);
    }
    for (unsigned bits = 0; bits <= 128; bits += 8) {
        struct gist_address six = v6(0x20, 1), last = gist_address_last(&six, (uint8_t)bits);
        for (size_t i = 0; i < 16; i++)
            cr_assert_eq(
                last.octets[i], i < bits / 8 ? six.octets[i] : 0xff, "octet %zu of /%u", i, bits);
    }
}

Test(mri, addresses_and_endpoints_are_equal_in_all_they_have)
{
    struct gist_address four = v4(0x20000000), six = v6(0x20, 0);
    cr_assert_not(gist_address_equal(&four, &six), "the same octets of two versions");
    for (size_t i = 0; i < 16; i++) {
        struct gist_address other = six;
        other.octets[i] ^= 1;
        cr_assert_not(gist_address_equal(&six, &other), "octet %zu", i);
    }
    struct gist_endpoint a = {four, 270}, b = {four, 271}, c = {v4(0x20000001), 270}, d = a;
    cr_assert(gist_endpoint_equal(&a, &d));
    cr_assert_not(gist_endpoint_equal(&a, &b));
    cr_assert_not(gist_endpoint_equal(&a, &c));
    cr_assert(gist_address_length(4) == 4 && gist_address_length(6) == 16);
    cr_assert(gist_address_length(0) == 0 && gist_address_length(5) == 0);
}

static struct gist_mri full_flow(void)
{
    return (struct gist_mri){.source = v4(0xc0000201),
        .destination = v4(0xc0000202),
        .source_prefix = 32,
        .destination_prefix = 32,
        .has_protocol = true,
        .has_ds_field = true,
        .has_flow_label = true,
        .has_spi = true,
        .has_source_port = true,
        .has_destination_port = true,
        .protocol = 17,
        .ds_field = 10,
        .flow_label = 5,
        .spi = 6,
        .source_port = 4000,
        .destination_port = 5000};
}

/* A change of a flow. Where it is of a field that only a flag makes significant, without_flag takes
 * the flag away; where it is of what only the path-coupled method has, it does not count with
 * another one. */
#define CHANGE(name, act)                                                                          \
    static void name(struct gist_mri *m)                                                           \
    {                                                                                              \
        act;                                                                                       \
    }
CHANGE(source, m->source.octets[3]++)
CHANGE(destination, m->destination.octets[3]++)
CHANGE(source_prefix, m->source_prefix--)
CHANGE(destination_prefix, m->destination_prefix--)
CHANGE(protocol, m->protocol++)
CHANGE(ds_field, m->ds_field++)
CHANGE(flow_label, m->flow_label++)
CHANGE(spi, m->spi++)
CHANGE(source_port, m->source_port++)
CHANGE(destination_port, m->destination_port++)
CHANGE(no_protocol, m->has_protocol = false)
CHANGE(no_ds_field, m->has_ds_field = false)
CHANGE(no_flow_label, m->has_flow_label = false)
CHANGE(no_spi, m->has_spi = false)
CHANGE(no_source_port, m->has_source_port = false)
CHANGE(no_destination_port, m->has_destination_port = false)

static const struct {
    void (*change)(struct gist_mri *m);
    void (*without_flag)(struct gist_mri *m); /* NULL: always significant */
    bool of_every_method;
} changes[] = {
    {source, NULL, true},
    {destination, NULL, true},
    {source_prefix, NULL, false},
    {destination_prefix, NULL, false},
    {protocol, no_protocol, false},
    {ds_field, no_ds_field, false},
    {flow_label, no_flow_label, false},
    {spi, no_spi, false},
    {source_port, no_source_port, false},
    {destination_port, no_destination_port, false},
    {no_protocol, NULL, false},
    {no_ds_field, NULL, false},
    {no_flow_label, NULL, false},
    {no_spi, NULL, false},
    {no_source_port, NULL, false},
    {no_destination_port, NULL, false},
};

Test(mri, flows_are_the_same_where_all_that_is_significant_is)
{
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct gist_mri flow = full_flow(), other = full_flow();
        cr_assert(gist_mri_same_flow(&flow, &other), "row %zu", i);
        changes[i].change(&other);
        cr_assert_not(gist_mri_same_flow(&flow, &other), "row %zu", i);
        flow.mrm = other.mrm = GIST_MRM_LOOSE_END;
        cr_assert_eq(
            gist_mri_same_flow(&flow, &other), !changes[i].of_every_method, "row %zu, loose", i);
        if (!changes[i].without_flag)
            continue;
        flow.mrm = other.mrm = GIST_MRM_PATH_COUPLED;
        changes[i].without_flag(&flow);
        changes[i].without_flag(&other);
        cr_assert(gist_mri_same_flow(&flow, &other), "row %zu, not significant", i);
    }
    struct gist_mri flow = full_flow(), other = full_flow();
    other.mrm = GIST_MRM_LOOSE_END;
    cr_assert_not(gist_mri_same_flow(&flow, &other), "two methods");
}

Test(mri, direction_tells_two_of_one_flow_apart)
{
    struct gist_mri down = full_flow(), up = gist_mri_reversed(&down);
    struct gist_mri down_again = gist_mri_reversed(&up);
    cr_assert(up.upstream && !down_again.upstream);
    cr_assert(gist_mri_same_flow(&down, &up));
    cr_assert_not(gist_mri_equal(&down, &up));
    cr_assert(gist_mri_equal(&down, &down_again));
    struct gist_mri from_down = gist_mri_upstream(&down), from_up = gist_mri_upstream(&up);
    cr_assert(gist_mri_equal(&up, &from_down) && gist_mri_equal(&up, &from_up));
    struct gist_mri elsewhere = up;
    elsewhere.destination_port++;
    cr_assert_not(gist_mri_equal(&up, &elsewhere));
}

Test(mri, session_identifiers_are_equal_in_every_octet)
{
    struct gist_session_id zero = {{0}}, id = {{0}};
    cr_assert(gist_session_id_is_zero(&id));
    for (size_t i = 0; i < sizeof(id.octets); i++) {
        id.octets[i] = 0x80;
        cr_assert_not(gist_session_id_is_zero(&id), "octet %zu", i);
        cr_assert_not(gist_session_id_equal(&id, &zero), "octet %zu", i);
        id.octets[i] = 0;
    }
    cr_assert(gist_session_id_equal(&id, &zero));
}

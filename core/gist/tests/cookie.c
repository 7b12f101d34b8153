/* core/gist: Responder-Cookies. RFC 5971 8.5. */
#include "core/gist/state/cookie.h"

#include "core/gist/tests/network.h"
#include "core/spec/tests/verify.h"

#include <criterion/criterion.h>
#include <string.h>

struct bench {
    struct network *network;
    struct base_crypto crypto;
    struct gist_cookie_secrets secrets;
    struct gist_nli nli;
    struct gist_mri mri;
    struct gist_session_id session_id;
    uint8_t cookie[GIST_RESPONDER_COOKIE_LENGTH];
};

static struct gist_cookie_binding binding_of(struct bench *bench)
{
    return (struct gist_cookie_binding){&bench->nli, &bench->mri, &bench->session_id, 33};
}

static void set_up(struct bench *bench)
{
    struct network_options options = {.seed = 7};
    *bench = (struct bench){.network = network_create(&options)};
    bench->crypto = network_seams(network_add(bench->network)).crypto;
    bench->nli = (struct gist_nli){.ip_ttl = 64,
        .validity_ms = 30000,
        .peer_identity = {(const uint8_t *)"alpha", 5},
        .interface_address = gist_address_v4(0xc0000201)};
    bench->mri = (struct gist_mri){.source = gist_address_v4(0xc0000201),
        .destination = gist_address_v4(0xc0000202),
        .source_prefix = 32,
        .destination_prefix = 32};
    memset(bench->session_id.octets, 9, 16);
    cr_assert(gist_cookie_rollover(&bench->secrets, &bench->crypto, NETWORK_START_MS, 30000));
    struct gist_cookie_binding binding = binding_of(bench);
    struct gist_cookie_content content = {.interface = 42, .stack_offered = true, .ip_distance = 3};
    cr_assert(gist_responder_cookie_make(
        &bench->secrets, &bench->crypto, &binding, &content, bench->cookie));
}

static bool verifies(struct bench *bench, uint16_t nslp_id, struct gist_cookie_content *content)
{
    struct gist_cookie_binding binding = binding_of(bench);
    binding.nslp_id = nslp_id;
    return gist_responder_cookie_verify(&bench->secrets, &bench->crypto, &binding,
        (struct gist_octets){bench->cookie, sizeof(bench->cookie)}, content);
}

Test(cookie, brings_back_what_was_put_in)
{
    struct bench bench;
    struct gist_cookie_content content;
    set_up(&bench);
    cr_assert(verifies(&bench, 33, &content));
    cr_assert_eq(content.interface, 42);
    cr_assert_eq(content.ip_distance, 3);
    cr_assert(content.stack_offered);
    network_destroy(bench.network);
}

Test(cookie, is_bound_to_peer_flow_session_and_application)
{
    VERIFIES("RFC5971-8.5-2");
    struct bench bench;
    struct gist_cookie_content content;
    set_up(&bench);
    REQUIRE("RFC5971-8.5-2", !verifies(&bench, 34, &content));
    bench.nli.peer_identity.octets = (const uint8_t *)"alphb";
    REQUIRE("RFC5971-8.5-2", !verifies(&bench, 33, &content));
    bench.nli.peer_identity.octets = (const uint8_t *)"alpha";
    bench.nli.interface_address.octets[3]++;
    REQUIRE("RFC5971-8.5-2", !verifies(&bench, 33, &content));
    bench.nli.interface_address.octets[3]--;
    bench.mri.upstream = true;
    REQUIRE("RFC5971-8.5-2", !verifies(&bench, 33, &content));
    bench.mri.upstream = false;
    bench.session_id.octets[0]++;
    REQUIRE("RFC5971-8.5-2", !verifies(&bench, 33, &content));
    bench.session_id.octets[0]--;
    bench.nli.ip_ttl = 0; /* differs between Query and Confirm */
    cr_assert(verifies(&bench, 33, &content));
    network_destroy(bench.network);
}

Test(cookie, no_octet_of_it_may_change)
{
    struct bench bench;
    struct gist_cookie_content content;
    set_up(&bench);
    for (size_t i = 0; i < sizeof(bench.cookie); i++) {
        if (i == 10 || i == 11) /* reserved: the MAC is over what was read */
            continue;
        bench.cookie[i] ^= 1;
        cr_assert_not(verifies(&bench, 33, &content), "octet %zu", i);
        bench.cookie[i] ^= 1;
    }
    network_destroy(bench.network);
}

Test(cookie, lives_for_one_rollover_and_no_more)
{
    struct bench bench;
    struct gist_cookie_content content;
    set_up(&bench);
    cr_assert(gist_cookie_rollover(&bench.secrets, &bench.crypto, NETWORK_START_MS + 30000, 30000));
    cr_assert(verifies(&bench, 33, &content));
    cr_assert(gist_cookie_rollover(&bench.secrets, &bench.crypto, NETWORK_START_MS + 60000, 30000));
    cr_assert_not(verifies(&bench, 33, &content));
    network_destroy(bench.network);
}

Test(cookie, does_not_outlive_a_long_silence)
{
    struct bench bench;
    struct gist_cookie_content content;
    set_up(&bench);
    cr_assert(
        gist_cookie_rollover(&bench.secrets, &bench.crypto, NETWORK_START_MS + 999000, 30000));
    cr_assert_not(verifies(&bench, 33, &content));
    network_destroy(bench.network);
}

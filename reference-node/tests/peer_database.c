/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who is authorised: the order of entries, their scopes, and what is refused without any.
 * RFC 5971 4.4.2. */
#include "reference-node/tls/peer_database.h"

#include "core/spec/tests/verify.h"
#include "reference-node/tests/tls_bench.h"
#include "reference-node/tls/tls_session.h"

#include <string.h>

static struct authority authority;
static struct issued issued;
static char *authority_text;
static SSL_CTX *context;
static SSL *client, *server;

static const struct gist_address near = {.version = 4, .octets = {192, 0, 2, 1}};
static const struct gist_address far = {.version = 4, .octets = {198, 51, 100, 1}};

/* The server's peer is a.example.com. */
static void start(void)
{
    const struct subject subject = {.alternatives = "DNS:a.example.com"};
    authority = authority_create("Ours");
    authority_text = authority_pem(&authority);
    issued = authority_issue(&authority, &subject);
    struct tls_end end = {.texts = {issued.certificate, issued.key, authority_text}};
    struct config_tls none = {0};
    context = bench_context_without_a_word(&end);
    client = tls_session_connect(context, &none, &near);
    server = tls_session_accept(context);
    cr_assert(bench_handshake(client, server));
}

static void stop(void)
{
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(context);
    free(authority_text);
    issued_free(&issued);
    authority_free(&authority);
}

TestSuite(peer_database, .init = start, .fini = stop);

static struct config_prefix prefix(uint8_t first, uint8_t second, uint8_t third, uint8_t bits)
{
    return (struct config_prefix){
        .address = {.version = 4, .octets = {first, second, third}}, .bits = bits};
}

static struct gist_mri flow_of(const struct gist_address *source, uint8_t bits)
{
    return (struct gist_mri){
        .source = *source, .source_prefix = bits, .destination = far, .destination_prefix = 32};
}

static struct config_authorised_peer entry(const char *identity, bool is_allowed)
{
    struct config_authorised_peer entry = {.is_allowed = is_allowed};
    strcpy(entry.identity, identity);
    return entry;
}

static bool allows(struct config_authorised_peer *entries, size_t count,
    const struct gist_address *peer, const struct gist_mri *flow)
{
    const struct config_tls tls = {.peers = entries, .peer_count = count};
    struct peer_identity identity = tls_session_identity(server);
    return peer_database_allows(&tls, &identity, peer, flow);
}

Test(peer_database, authorises_nobody_whom_no_entry_names)
{
    VERIFIES("RFC5971-5.7.3.1-1");
    struct config_authorised_peer entries[] = {entry("b.example.com", true)};
    struct gist_mri flow = flow_of(&near, 32);
    REQUIRE("RFC5971-5.7.3.1-1", !allows(entries, 0, &near, &flow));
    REQUIRE("RFC5971-5.7.3.1-1", !allows(entries, 1, &near, &flow));
    REQUIRE("RFC5971-5.7.3.1-1", !allows(entries, 1, &near, NULL));
    strcpy(entries[0].identity, "a.example.com");
    cr_assert(allows(entries, 1, &near, &flow) && allows(entries, 1, &near, NULL));
    entries[0].namespace = CONFIG_NAMESPACE_PSK;
    cr_assert_not(allows(entries, 1, &near, &flow), "a name is no shared key's");
}

Test(peer_database, has_the_first_entry_decide)
{
    struct config_authorised_peer entries[] = {
        entry("a.example.com", false), entry("*", true), entry("a.example.com", true)};
    struct gist_mri flow = flow_of(&near, 32);
    cr_assert_not(allows(entries, 3, &near, &flow));
    cr_assert_not(allows(entries, 3, &near, NULL));
    cr_assert(allows(entries + 1, 2, &near, &flow));
    strcpy(entries[0].identity, "b.example.com");
    cr_assert(allows(entries, 3, &near, &flow));
}

Test(peer_database, says_who_may_be_a_peer_for_no_flow)
{
    struct config_authorised_peer entries[] = {
        entry("b.example.com", true), entry("a.example.com", false), entry("*", true)};
    const struct config_tls one = {.peers = entries, .peer_count = 1},
                            three = {.peers = entries, .peer_count = 3};
    struct peer_identity identity = tls_session_identity(server);
    cr_assert_not(peer_database_may_allow(&one, &identity, &near));
    cr_assert_not(peer_database_may_allow(&three, &identity, &near), "it is denied first");
    entries[1].address = prefix(198, 51, 100, 24);
    cr_assert(peer_database_may_allow(&three, &identity, &near), "elsewhere it may");
    entries[1] = entry("a.example.com", false);
    entries[1].source = prefix(198, 51, 100, 24);
    cr_assert(peer_database_may_allow(&three, &identity, &near), "for another flow it may");
}

Test(peer_database, knows_where_a_peer_has_to_be)
{
    struct config_authorised_peer entries[] = {entry("a.example.com", true)};
    struct gist_mri flow = flow_of(&near, 32);
    entries[0].address = prefix(192, 0, 2, 24);
    cr_assert(allows(entries, 1, &near, &flow));
    cr_assert_not(allows(entries, 1, &far, &flow));
}

Test(peer_database, knows_for_which_flows)
{
    struct config_authorised_peer entries[] = {
        entry("a.example.com", true), entry("a.example.com", true)};
    struct gist_mri ours = flow_of(&near, 32), wide = flow_of(&near, 16), other = flow_of(&far, 32);
    entries[0].source = prefix(192, 0, 2, 24);
    cr_assert(allows(entries, 1, &near, &ours));
    cr_assert_not(allows(entries, 1, &near, &wide), "a part of it only");
    cr_assert_not(allows(entries, 1, &near, &other));
    cr_assert(allows(entries, 1, &near, NULL), "for some flow it is");
    entries[0].destination = prefix(203, 0, 113, 24);
    cr_assert_not(allows(entries, 1, &near, &ours));
    entries[0].destination = prefix(198, 51, 100, 24);
    cr_assert(allows(entries, 1, &near, &ours));
    entries[0].is_allowed = false;
    cr_assert_not(allows(entries, 2, &near, &ours));
    cr_assert_not(allows(entries, 2, &near, &wide), "a part of it is refused");
    cr_assert(allows(entries, 2, &near, &other));
    cr_assert(allows(entries, 2, &near, NULL), "for another flow it is");
    entries[0].source = (struct config_prefix){0};
    ours.destination_prefix = 16;
    cr_assert_not(allows(entries, 2, &near, &ours), "a part of where it goes is refused");
    cr_assert(allows(entries, 2, &near, NULL), "elsewhere it is");
}

/* Cookies made and verified; see cookie.h. RFC 5971 8.5. */
#include "core/gist/state/cookie.h"

#include "core/gist/message/mri_object.h"
#include "core/spec/spec.h"

#include <string.h>

enum {
    CONTENT_LENGTH = 12,
    MAC_LENGTH = GIST_RESPONDER_COOKIE_LENGTH - CONTENT_LENGTH,
    STACK_OFFERED = 0x01,
    BOUND_MAX = CONTENT_LENGTH + 2 + 16 + GIST_MRI_VALUE_MAX + 12 + 256 + 16,
};

bool gist_cookie_equal(const uint8_t *a, const uint8_t *b, size_t length)
{
    uint8_t difference = 0;
    for (size_t i = 0; i < length; i++)
        difference |= a[i] ^ b[i];
    return difference == 0;
}

bool gist_cookie_rollover(struct gist_cookie_secrets *secrets, const struct base_crypto *crypto,
    uint64_t now_ms, uint32_t rollover_ms)
{
    if (secrets->present.valid && now_ms < secrets->rollover_at_ms)
        return true;
    struct gist_cookie_secret fresh = {.valid = true};
    uint8_t generation[4];
    if (!crypto->random(crypto->context, fresh.key, sizeof(fresh.key)) ||
        !crypto->random(crypto->context, generation, sizeof(generation)))
        return false;
    memcpy(&fresh.generation, generation, sizeof(generation));
    /* After a long silence the present secret is too old to be accepted even as the last one. */
    bool lately = now_ms < secrets->rollover_at_ms + rollover_ms;
    secrets->last = lately ? secrets->present : (struct gist_cookie_secret){0};
    secrets->present = fresh;
    secrets->rollover_at_ms = now_ms + rollover_ms;
    return true;
}

static void write_content(struct wire_writer *writer, const struct gist_cookie_secret *secret,
    const struct gist_cookie_content *content)
{
    wire_put_u32(writer, secret->generation);
    wire_put_u32(writer, content->interface);
    wire_put_u8(writer, content->stack_offered ? STACK_OFFERED : 0);
    wire_put_u8(writer, content->ip_distance);
    wire_put_u8(writer, content->hop_count);
    wire_put_u8(writer, 0);
}

/* Only what names the peer counts of its NLI: the TTL differs between Query and Confirm. */
static void write_binding(struct wire_writer *writer, const struct gist_cookie_binding *binding)
{
    struct gist_nli peer = {
        .peer_identity = binding->nli->peer_identity,
        .interface_address = binding->nli->interface_address,
    };
    wire_put_u16(writer, binding->nslp_id);
    wire_put_bytes(writer, binding->session_id->octets, sizeof(binding->session_id->octets));
    gist_mri_write(writer, binding->mri);
    gist_nli_write(writer, &peer);
}

static bool compute_mac(const struct gist_cookie_secret *secret, const struct base_crypto *crypto,
    const struct gist_cookie_binding *binding, const struct gist_cookie_content *content,
    uint8_t mac[BASE_MAC_LENGTH])
{
    uint8_t bound[BOUND_MAX];
    struct wire_writer writer = wire_writer_over(bound, sizeof(bound));
    write_content(&writer, secret, content);
    write_binding(&writer, binding);
    size_t length = wire_written(&writer);
    return length > 0 && crypto->mac(crypto->context, secret->key, bound, length, mac);
}

bool gist_responder_cookie_make(const struct gist_cookie_secrets *secrets,
    const struct base_crypto *crypto, const struct gist_cookie_binding *binding,
    const struct gist_cookie_content *content, uint8_t cookie[GIST_RESPONDER_COOKIE_LENGTH])
{
    uint8_t mac[BASE_MAC_LENGTH];
    if (!secrets->present.valid || !compute_mac(&secrets->present, crypto, binding, content, mac))
        return false;
    struct wire_writer writer = wire_writer_over(cookie, GIST_RESPONDER_COOKIE_LENGTH);
    write_content(&writer, &secrets->present, content);
    wire_put_bytes(&writer, mac, MAC_LENGTH);
    return wire_written(&writer) == GIST_RESPONDER_COOKIE_LENGTH;
}

static const struct gist_cookie_secret *find_secret(
    const struct gist_cookie_secrets *secrets, uint32_t generation)
{
    if (secrets->present.valid && secrets->present.generation == generation)
        return &secrets->present;
    if (secrets->last.valid && secrets->last.generation == generation)
        return &secrets->last;
    return NULL;
}

bool gist_responder_cookie_verify(const struct gist_cookie_secrets *secrets,
    const struct base_crypto *crypto, const struct gist_cookie_binding *binding,
    struct gist_octets cookie, struct gist_cookie_content *content)
{
    struct wire_reader reader = wire_reader_over(cookie.octets, cookie.length);
    const struct gist_cookie_secret *secret = find_secret(secrets, wire_read_u32(&reader));
    content->interface = wire_read_u32(&reader);
    content->stack_offered = wire_read_u8(&reader) & STACK_OFFERED;
    content->ip_distance = wire_read_u8(&reader);
    content->hop_count = wire_read_u8(&reader);
    wire_skip(&reader, 1);
    const uint8_t *received = wire_read_view(&reader, MAC_LENGTH);
    uint8_t mac[BASE_MAC_LENGTH];
    if (!secret || !wire_finished(&reader) || !compute_mac(secret, crypto, binding, content, mac))
        return false;
    return SPEC_HOLDS("RFC5971-8.5-2", 1, gist_cookie_equal(received, mac, MAC_LENGTH));
}

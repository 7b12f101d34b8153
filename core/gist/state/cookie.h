/*
 * Cookies. RFC 5971 8.5.
 *
 * A Query-Cookie is random, one for each Query sent. A Responder-Cookie lets this node recognise
 * its own Response in a Confirm without having kept anything:
 *
 *     generation (4 octets), interface (4), what was offered (1), IP distance (1), hop count (1),
 *     zero (1), MAC (16)
 *
 * The generation names one of two secrets, the present and the last; it is random, so that it can't
 * be guessed. The MAC is over all that the routing state will be made of.
 */
#ifndef NATFW_GIST_COOKIE_H
#define NATFW_GIST_COOKIE_H

#include "core/base/crypto.h"
#include "core/gist/message/network_layer_information.h"
#include "core/gist/mri.h"

enum { GIST_QUERY_COOKIE_LENGTH = 16, GIST_RESPONDER_COOKIE_LENGTH = 28 }; /* octets */

struct gist_cookie_secret {
    bool valid;
    uint32_t generation;
    uint8_t key[BASE_KEY_LENGTH];
};

struct gist_cookie_secrets {
    struct gist_cookie_secret present;
    struct gist_cookie_secret last;
    uint64_t rollover_at_ms;
};

/* What a Responder-Cookie is bound to: the Query's, which the Confirm repeats. */
struct gist_cookie_binding {
    const struct gist_nli *nli;
    const struct gist_mri *mri;
    const struct gist_session_id *session_id;
    uint16_t nslp_id;
};

/* What a Responder-Cookie brings back to its maker. */
struct gist_cookie_content {
    uint32_t interface;
    bool stack_offered; /* the Response had a Stack-Proposal */
    uint8_t ip_distance;
    uint8_t hop_count; /* that the Query had left */
};

/* Puts a new secret in place when the present one has had its time. Returns false without
 * randomness; the present one then stays. */
bool gist_cookie_rollover(struct gist_cookie_secrets *secrets, const struct base_crypto *crypto,
    uint64_t now_ms, uint32_t rollover_ms);

bool gist_responder_cookie_make(const struct gist_cookie_secrets *secrets,
    const struct base_crypto *crypto, const struct gist_cookie_binding *binding,
    const struct gist_cookie_content *content, uint8_t cookie[GIST_RESPONDER_COOKIE_LENGTH]);

/* Returns false for a cookie that this node did not make, for this binding, lately. */
bool gist_responder_cookie_verify(const struct gist_cookie_secrets *secrets,
    const struct base_crypto *crypto, const struct gist_cookie_binding *binding,
    struct gist_octets cookie, struct gist_cookie_content *content);

/* Compares in a time that does not depend on the octets. */
bool gist_cookie_equal(const uint8_t *a, const uint8_t *b, size_t length);

#endif

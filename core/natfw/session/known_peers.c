/* Known peers as a cache of rows; see known_peers.h. */
#include "core/natfw/session/known_peers.h"

static size_t row_of(const struct natfw_known_peers *peers, const struct gist_address *address)
{
    return base_hash(peers->hash_key, (const uint8_t *)address, sizeof(*address)) &
           (NATFW_KNOWN_ROWS - 1);
}

void natfw_known_peers_add(struct natfw_known_peers *peers, uint64_t now_ms,
    const struct gist_address *address, uint64_t expires_ms)
{
    struct natfw_known_peer *row = peers->rows[row_of(peers, address)];
    struct natfw_known_peer *place = row;
    uint64_t until_ms = now_ms + NATFW_KNOWN_FOR_MS;
    if (address->version == 0)
        return;
    for (size_t i = 0; i < NATFW_KNOWN_PLACES; i++) {
        if (gist_address_equal(&row[i].address, address)) {
            place = &row[i];
            break;
        }
        if (row[i].until_ms < place->until_ms)
            place = &row[i];
    }
    *place = (struct natfw_known_peer){
        .address = *address, .until_ms = expires_ms > until_ms ? expires_ms : until_ms};
}

bool natfw_known_peers_have(
    const struct natfw_known_peers *peers, uint64_t now_ms, const struct gist_address *address)
{
    const struct natfw_known_peer *row = peers->rows[row_of(peers, address)];
    for (size_t i = 0; i < NATFW_KNOWN_PLACES; i++)
        if (now_ms < row[i].until_ms && gist_address_equal(&row[i].address, address))
            return true;
    return false;
}

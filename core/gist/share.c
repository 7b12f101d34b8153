/* Shares by host, network and interface; see share.h. */
#include "core/gist/share.h"

#include <string.h>

/* A share is counted on each of these levels; of a known peer not on those of strangers. */
enum level { OF_HOST, OF_NETWORK, OF_INTERFACE, OF_STRANGERS, OF_ALL, LEVELS };

/* A rate is time used: at a limit of n, each costs a second's nth part. */
enum { SECOND = 1000 * GIST_SHARE_RATE_PER_MS };

static uint64_t part_of(uint64_t whole, uint64_t parts)
{
    return (whole + parts - 1) / parts;
}

static uint64_t at_most(uint64_t limit, uint64_t bound)
{
    return bound > 0 && (limit == 0 || limit > bound) ? bound : limit;
}

struct gist_share_limits gist_share_limits_of(uint64_t all, uint64_t stranger, uint64_t known)
{
    return (struct gist_share_limits){.stranger = at_most(stranger, part_of(all, 4)),
        .known = at_most(known, part_of(all, 2)),
        .interface = part_of(all, 4),
        .strangers = part_of(all, 2),
        .all = all};
}

static uint64_t limit_on(const struct gist_share_limits *limits, enum level level, bool known)
{
    switch (level) {
    case OF_HOST:
        return known ? limits->known : limits->stranger;
    case OF_NETWORK:
        return known ? limits->known_network : GIST_SHARE_HOSTS_IN_NETWORK * limits->stranger;
    case OF_INTERFACE:
        return known ? 0 : limits->interface;
    case OF_STRANGERS:
        return known ? 0 : limits->strangers;
    default:
        return limits->all;
    }
}

/* Hashed as it lies there, so it has no padding. */
struct name {
    uint8_t level;
    uint8_t known;
    struct gist_address address;
    uint8_t interface[4];
};

_Static_assert(sizeof(struct name) == 2 + sizeof(struct gist_address) + 4, "octets only");

static struct gist_address first_octets(const struct gist_address *address, size_t v4, size_t v6)
{
    struct gist_address first = {.version = address->version};
    memcpy(first.octets, address->octets, address->version == 4 ? v4 : v6);
    return first;
}

struct gist_address gist_share_host(const struct gist_address *address)
{
    return first_octets(address, 4, 8);
}

struct gist_address gist_share_network(const struct gist_address *address)
{
    return first_octets(address, 3, 6);
}

static struct name name_of(const struct gist_share_holder *holder, enum level level)
{
    struct name name = {.level = (uint8_t)level};
    if (level == OF_INTERFACE)
        memcpy(name.interface, &holder->interface, sizeof(name.interface));
    if (level == OF_NETWORK)
        name.address = gist_share_network(&holder->address);
    if (level == OF_HOST)
        name.address = gist_share_host(&holder->address);
    if (level == OF_NETWORK || level == OF_HOST)
        name.known = holder->known;
    return name;
}

static bool is_rate(const struct gist_share *share)
{
    return share->shares->returns_per_ms > 0;
}

/* What is kept counts also where nothing limits it, for a limit may come before it is given back.
 */
static bool counts_on(const struct gist_share *share, enum level level, bool known)
{
    if (is_rate(share))
        return limit_on(&share->limits, level, known) > 0;
    return !known || (level != OF_INTERFACE && level != OF_STRANGERS);
}

static uint64_t cost(const struct gist_share *share, uint64_t amount, uint64_t limit)
{
    return is_rate(share) ? amount * SECOND / limit : amount;
}

static uint64_t taken_by(const struct gist_share *share, uint64_t now_ms,
    const struct gist_share_holder *holder, enum level level)
{
    struct name name = name_of(holder, level);
    return base_share_taken(share->shares, now_ms, (struct base_share_name){&name, sizeof(name)});
}

static bool has_room(const struct gist_share *share, uint64_t now_ms,
    const struct gist_share_holder *holder, uint64_t amount, enum level level)
{
    uint64_t limit = limit_on(&share->limits, level, holder->known);
    if (limit == 0)
        return true;
    uint64_t taken = taken_by(share, now_ms, holder, level);
    if (level == OF_HOST && !is_rate(share)) { /* as whom it came before, or was known then */
        struct gist_share_holder other = *holder;
        other.known = !holder->known;
        taken += taken_by(share, now_ms, &other, level);
    }
    return taken + cost(share, amount, limit) <= (is_rate(share) ? SECOND : limit);
}

enum gist_share_answer gist_share_take(const struct gist_share *share, uint64_t now_ms,
    const struct gist_share_holder *holder, uint64_t amount)
{
    for (enum level level = 0; level < LEVELS; level++)
        if (!has_room(share, now_ms, holder, amount, level))
            return level <= OF_NETWORK ? GIST_SHARE_USED_UP : GIST_SHARE_CROWDED;
    for (enum level level = 0; level < LEVELS; level++) {
        uint64_t limit = limit_on(&share->limits, level, holder->known);
        struct name name = name_of(holder, level);
        if (counts_on(share, level, holder->known))
            base_share_take(share->shares, now_ms, (struct base_share_name){&name, sizeof(name)},
                cost(share, amount, limit));
    }
    return GIST_SHARE_TAKEN;
}

void gist_share_give_back(const struct gist_share *share, uint64_t now_ms,
    const struct gist_share_holder *holder, uint64_t amount)
{
    for (enum level level = 0; level < LEVELS; level++) {
        struct name name = name_of(holder, level);
        if (counts_on(share, level, holder->known))
            base_share_give_back(
                share->shares, now_ms, (struct base_share_name){&name, sizeof(name)}, amount);
    }
}

#include "packet_filter.h"

#include <string.h>

enum { UDP = 17, TCP = 6, GIST_PORT = 270, IPV4_HEADER = 20, IPV6_HEADER = 40 };
enum { UDP_HEADER = 8, TCP_HEADER = 20, TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

static const uint8_t MAGIC[4] = {0x4e, 0x04, 0xbd, 0xa5};

/* Where the transport layer of an IP packet begins, and how much of it there is. */
struct datagram {
    const uint8_t *addresses;
    size_t address_size;
    uint8_t version;
    uint8_t protocol;
    bool fragment;
    bool cut; /* the capture has less of it than was sent */
    const uint8_t *octets;
    size_t size;
};

static unsigned word(const uint8_t *octets)
{
    return (unsigned)octets[0] << 8 | octets[1];
}

static bool read_ipv4(struct datagram *datagram, const uint8_t *octets, size_t size)
{
    size_t head = (size_t)(octets[0] & 15) * 4;
    size_t total = word(octets + 2);
    if (total == 0) { /* segmentation was left to the network card */
        total = size;
    }
    if (head < IPV4_HEADER || size < head || total < head) {
        return false;
    }
    size_t end = total < size ? total : size;
    *datagram = (struct datagram){.addresses = octets + 12,
        .address_size = 4,
        .version = 4,
        .protocol = octets[9],
        .fragment = (word(octets + 6) & 0x3fff) != 0,
        .cut = total > size,
        .octets = octets + head,
        .size = end - head};
    return true;
}

static bool read_ipv6(struct datagram *datagram, const uint8_t *octets, size_t size)
{
    enum { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, DESTINATION = 60 };
    if (size < IPV6_HEADER) {
        return false;
    }
    size_t total = IPV6_HEADER + word(octets + 4);
    size_t end = total < size ? total : size;
    size_t at = IPV6_HEADER;
    uint8_t next = octets[6];
    while (next == HOP_BY_HOP || next == ROUTING || next == DESTINATION) {
        if (end - at < 8) {
            return false;
        }
        next = octets[at];
        size_t length = ((size_t)octets[at + 1] + 1) * 8;
        at = length < end - at ? at + length : end;
    }
    *datagram = (struct datagram){.addresses = octets + 8,
        .address_size = 16,
        .version = 6,
        .protocol = next,
        .fragment = next == FRAGMENT,
        .cut = total > size,
        .octets = octets + at,
        .size = end - at};
    return true;
}

static bool read_datagram(struct datagram *datagram, const uint8_t *octets, size_t size)
{
    if (size < IPV4_HEADER) {
        return false;
    }
    return octets[0] >> 4 == 4   ? read_ipv4(datagram, octets, size)
           : octets[0] >> 4 == 6 ? read_ipv6(datagram, octets, size)
                                 : false;
}

static struct filter_direction direction_of(const struct datagram *datagram, bool reverse)
{
    struct filter_direction found = {.version = datagram->version};
    size_t size = datagram->address_size;
    const uint8_t *source = datagram->addresses + (reverse ? size : 0);
    const uint8_t *destination = datagram->addresses + (reverse ? 0 : size);
    memcpy(found.ends, source, size);
    memcpy(found.ends + size, destination, size);
    memcpy(found.ends + 2 * size, datagram->octets + (reverse ? 2 : 0), 2);
    memcpy(found.ends + 2 * size + 2, datagram->octets + (reverse ? 0 : 2), 2);
    return found;
}

/* FNV-1a. */
static size_t set_of(const struct filter_direction *direction)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < FILTER_ENDS; i++) {
        hash = (hash ^ direction->ends[i]) * 16777619U;
    }
    return (hash ^ hash >> 16) % FILTER_SETS;
}

static struct filter_direction *find(
    struct packet_filter *filter, const struct filter_direction *direction)
{
    struct filter_direction *set = filter->ignored[set_of(direction)];
    for (size_t i = 0; i < FILTER_WAYS; i++) {
        if (memcmp(&set[i], direction, sizeof *direction) == 0) {
            return &set[i];
        }
    }
    return NULL;
}

static bool is_ignored(struct packet_filter *filter, const struct datagram *datagram, bool reverse)
{
    struct filter_direction direction = direction_of(datagram, reverse);
    return find(filter, &direction) != NULL;
}

static void ignore(struct packet_filter *filter, const struct filter_direction *direction)
{
    if (find(filter, direction)) {
        return;
    }
    size_t set = set_of(direction);
    filter->ignored[set][filter->next[set]] = *direction;
    filter->next[set] = (uint8_t)((filter->next[set] + 1) % FILTER_WAYS);
}

static void heed(struct packet_filter *filter, const struct datagram *datagram, bool reverse)
{
    struct filter_direction direction = direction_of(datagram, reverse);
    struct filter_direction *found = find(filter, &direction);
    if (found) {
        memset(found, 0, sizeof *found);
    }
}

static bool segment_passes(struct packet_filter *filter, const struct datagram *datagram)
{
    if (datagram->size < TCP_HEADER) {
        return true;
    }
    uint8_t flags = datagram->octets[13];
    if ((flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
        heed(filter, datagram, false);
        heed(filter, datagram, true);
        return true;
    }
    if (is_ignored(filter, datagram, false)) {
        return false;
    }
    /* What only acknowledges such a direction says nothing either. */
    size_t head = (size_t)(datagram->octets[12] >> 4) * 4;
    bool bare = datagram->size <= head && !(flags & (TCP_SYN | TCP_FIN | TCP_RST));
    return !(bare && is_ignored(filter, datagram, true));
}

static bool udp_passes(const struct datagram *datagram)
{
    if (datagram->size < UDP_HEADER) {
        return true;
    }
    if (word(datagram->octets) == GIST_PORT && word(datagram->octets + 2) == GIST_PORT) {
        return true;
    }
    if (datagram->size < UDP_HEADER + sizeof MAGIC) {
        return datagram->cut;
    }
    return memcmp(datagram->octets + UDP_HEADER, MAGIC, sizeof MAGIC) == 0;
}

bool packet_filter_passes(struct packet_filter *filter, const uint8_t *octets, size_t size)
{
    struct datagram datagram;
    if (!read_datagram(&datagram, octets, size) || datagram.fragment) {
        return true;
    }
    if (datagram.protocol == UDP) {
        return udp_passes(&datagram);
    }
    return datagram.protocol == TCP && segment_passes(filter, &datagram);
}

void packet_filter_ignore(
    struct packet_filter *filter, const uint8_t *octets, size_t size, bool both)
{
    struct datagram datagram;
    if (!read_datagram(&datagram, octets, size) || datagram.fragment ||
        datagram.size < TCP_HEADER) {
        return;
    }
    struct filter_direction direction = direction_of(&datagram, false);
    ignore(filter, &direction);
    if (both) {
        direction = direction_of(&datagram, true);
        ignore(filter, &direction);
    }
}

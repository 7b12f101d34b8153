/* Which packets of a capture can matter to who reads GIST in it, RFC 5971, 5.3 and 5.4: datagrams
 * that begin with the magic number or go from GIST's port to it, fragments, and of TCP what has not
 * been found to carry something else. What is kept back is certain; all else the reader decides. */
#ifndef NATFW_CONFORM_PACKET_FILTER_H
#define NATFW_CONFORM_PACKET_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FILTER_SETS = 32768, FILTER_WAYS = 8, FILTER_ENDS = 36 };

/* One direction of a TCP connection: addresses, then ports. */
struct filter_direction {
    uint8_t ends[FILTER_ENDS];
    uint8_t version; /* of IP; 0 where nothing is kept here */
};

/* Directions that carry no GIST. Where a set is full, one of it gives way, and the reader is asked
 * about its connection again. Zeroed, it has none. */
struct packet_filter {
    struct filter_direction ignored[FILTER_SETS][FILTER_WAYS];
    uint8_t next[FILTER_SETS];
};

/* Whether an IP packet has to be read. A SYN ends what was known of its connection. */
bool packet_filter_passes(struct packet_filter *filter, const uint8_t *octets, size_t size);

/* The direction of this TCP packet carries no GIST, up to the next SYN; `both`: nor the other one.
 */
void packet_filter_ignore(
    struct packet_filter *filter, const uint8_t *octets, size_t size, bool both);

#endif

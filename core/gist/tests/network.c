/* Places, clock, memory and randomness of the in-memory network; see network.h. */
#include "core/gist/tests/network.h"

#include "core/base/table.h"
#include "core/gist/tests/network_internal.h"

#include <stdlib.h>
#include <string.h>

struct network *network_create(const struct network_options *options)
{
    struct network *network = calloc(1, sizeof(*network));
    if (!network)
        abort();
    network->options = *options;
    network->now_ms = NETWORK_START_MS;
    network->random = options->seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    network->last_foreign = UINT32_C(0x80000000);
    return network;
}

void network_destroy(struct network *network)
{
    for (size_t i = 0; i < network->event_count; i++)
        free(network->events[i]);
    network_streams_release(network);
    for (size_t i = 0; i < network->place_count; i++)
        free(network->places[i]);
    free(network->events);
    free(network->places);
    free(network);
}

struct network_options *network_options(struct network *network)
{
    return &network->options;
}

struct network_memory *network_memory(struct network *network)
{
    return &network->memory;
}

uint64_t network_now_ms(const struct network *network)
{
    return network->now_ms;
}

/* splitmix64 */
uint64_t network_random(struct network *network)
{
    uint64_t z = network->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

struct network_place *network_add(struct network *network)
{
    struct network_place *place = calloc(1, sizeof(*place));
    struct network_place **places =
        realloc(network->places, (network->place_count + 1) * sizeof(*places));
    if (!place || !places)
        abort();
    *place = (struct network_place){.network = network,
        .number = (unsigned)network->place_count,
        .intercepts = true,
        .deadline_ms = GIST_NO_DEADLINE,
        .user_deadline_ms = GIST_NO_DEADLINE};
    network->places = places;
    places[network->place_count++] = place;
    return place;
}

void network_give_address(struct network_place *place, struct gist_address address)
{
    if (place->address_count == NETWORK_ADDRESSES_MAX)
        abort();
    place->addresses[place->address_count++] = address;
}

void network_give_route(struct network_place *place, struct gist_address prefix,
    uint8_t prefix_bits, struct network_place *next, uint32_t interface, struct gist_address source)
{
    if (place->route_count == NETWORK_ROUTES_MAX)
        abort();
    size_t i = place->route_count++;
    place->routes[i].prefix = prefix;
    place->routes[i].prefix_bits = prefix_bits;
    place->routes[i].next = next;
    place->routes[i].interface = interface;
    place->routes[i].source = source;
}

bool network_is_at(const struct network_place *place, const struct gist_address *address)
{
    for (size_t i = 0; i < place->address_count; i++)
        if (gist_address_equal(&place->addresses[i], address))
            return true;
    return false;
}

struct network_place *network_place_at(struct network *network, const struct gist_address *address)
{
    for (size_t i = 0; i < network->place_count; i++)
        if (network_is_at(network->places[i], address))
            return network->places[i];
    return NULL;
}

int network_find_route(const struct network_place *place, const struct gist_address *address)
{
    int best = -1;
    for (size_t i = 0; i < place->route_count; i++)
        if (gist_address_matches(&place->routes[i].prefix, address, place->routes[i].prefix_bits) &&
            (best < 0 || place->routes[i].prefix_bits > place->routes[best].prefix_bits))
            best = (int)i;
    return best;
}

static bool earlier(const struct event *a, const struct event *b)
{
    return a->time_ms != b->time_ms ? a->time_ms < b->time_ms : a->sequence < b->sequence;
}

static void swap(struct event **a, struct event **b)
{
    struct event *kept = *a;
    *a = *b;
    *b = kept;
}

static void put_event(struct network *network, struct event *event)
{
    if (network->event_count == network->event_capacity) {
        network->event_capacity = network->event_capacity ? 2 * network->event_capacity : 64;
        network->events =
            realloc(network->events, network->event_capacity * sizeof(*network->events));
        if (!network->events)
            abort();
    }
    size_t i = network->event_count++;
    network->events[i] = event;
    while (i > 0 && earlier(network->events[i], network->events[(i - 1) / 2])) {
        swap(&network->events[i], &network->events[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}

static struct event *take_event(struct network *network)
{
    struct event *first = network->events[0];
    network->events[0] = network->events[--network->event_count];
    for (size_t i = 0;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < network->event_count; child++)
            if (earlier(network->events[child], network->events[least]))
                least = child;
        if (least == i)
            return first;
        swap(&network->events[i], &network->events[least]);
        i = least;
    }
}

struct event *network_schedule(struct network *network, struct network_place *place,
    enum event_kind kind, unsigned hops, const uint8_t *octets, size_t length)
{
    struct event *event = calloc(1, sizeof(*event) + length);
    if (!event)
        abort();
    event->time_ms = network->now_ms + (uint64_t)hops * network->options.latency_ms;
    event->sequence = network->sequence++;
    event->kind = kind;
    event->place = place;
    event->length = length;
    if (length > 0)
        memcpy(event->octets, octets, length);
    put_event(network, event);
    return event;
}

static void happen(struct event *event)
{
    if (event->kind == EVENT_DATAGRAM)
        network_arrive(event);
    else
        network_stream_event(event);
    free(event);
}

static struct network_place *next_due(struct network *network, uint64_t *time_ms)
{
    struct network_place *due = NULL;
    for (size_t i = 0; i < network->place_count; i++) {
        struct network_place *place = network->places[i];
        uint64_t deadline_ms = place->deadline_ms < place->user_deadline_ms
                                   ? place->deadline_ms
                                   : place->user_deadline_ms;
        if (deadline_ms < *time_ms) {
            *time_ms = deadline_ms;
            due = place;
        }
    }
    return due;
}

static void tick(struct network *network, struct network_place *place)
{
    if (place->deadline_ms <= network->now_ms) {
        place->deadline_ms = GIST_NO_DEADLINE;
        if (place->node)
            gist_node_tick(place->node, network->now_ms);
    }
    if (place->user_deadline_ms <= network->now_ms) {
        place->user_deadline_ms = GIST_NO_DEADLINE;
        if (place->user_tick)
            place->user_tick(place, network->now_ms);
    }
}

size_t network_run_until(struct network *network, uint64_t time_ms)
{
    for (size_t happened = 0;; happened++) {
        uint64_t next_ms = GIST_NO_DEADLINE;
        struct network_place *due = next_due(network, &next_ms);
        bool event = network->event_count > 0 && network->events[0]->time_ms <= next_ms;
        if (event)
            next_ms = network->events[0]->time_ms;
        if (next_ms > time_ms || (!event && !due)) {
            network->now_ms = time_ms;
            return happened;
        }
        if (next_ms > network->now_ms)
            network->now_ms = next_ms;
        if (event)
            happen(take_event(network));
        else if (due)
            tick(network, due);
    }
}

size_t network_run_for(struct network *network, uint64_t duration_ms)
{
    return network_run_until(network, network->now_ms + duration_ms);
}

static void *allocate(void *context, size_t length)
{
    struct network_memory *memory = &((struct network *)context)->memory;
    memory->allocations++;
    if (memory->fail_at != 0 &&
        (memory->allocations == memory->fail_at ||
            (memory->fail_from_then && memory->allocations > memory->fail_at)))
        return NULL;
    size_t *block = calloc(1, sizeof(size_t) * 2 + length);
    if (!block)
        return NULL;
    block[0] = length;
    memory->outstanding++;
    memory->octets += length;
    return block + 2;
}

static void release(void *context, void *octets, size_t length)
{
    struct network_memory *memory = &((struct network *)context)->memory;
    if (!octets)
        return;
    size_t *block = (size_t *)octets - 2;
    memory->wrong_lengths += block[0] != length;
    memory->outstanding--;
    memory->octets -= block[0];
    free(block);
}

static bool fill_random(void *context, uint8_t *octets, size_t length)
{
    for (size_t i = 0; i < length; i++)
        octets[i] = (uint8_t)(network_random(context) >> 32);
    return true;
}

/* Keyed and deterministic is all that a simulation asks of a MAC. */
static bool compute_mac(void *context, const uint8_t key[BASE_KEY_LENGTH], const uint8_t *data,
    size_t length, uint8_t mac[BASE_MAC_LENGTH])
{
    (void)context;
    for (size_t i = 0; i < BASE_MAC_LENGTH; i += 8) {
        uint8_t part[BASE_HASH_KEY_LENGTH];
        memcpy(part, key + i % 16, sizeof(part));
        part[0] ^= (uint8_t)i;
        uint64_t hash = base_hash(part, data, length);
        memcpy(mac + i, &hash, 8);
    }
    return true;
}

struct gist_seams network_seams(struct network_place *place)
{
    return (struct gist_seams){
        .allocator = {place->network, allocate, release},
        .crypto = {place->network, fill_random, compute_mac},
        .transport = network_transport(place),
    };
}

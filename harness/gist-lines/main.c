/* SPDX-License-Identifier: MIT */
/*
 * A GIST node on its standard input and output, for harness/foreign-captures: a line tells what
 * happens to it, lines tell what it does, and "done" ends each answer. Octets are hexadecimal; time
 * stands still.
 *
 *   datagram SOURCE PORT DESTINATION PORT TTL Q OCTETS   Q: 1 for the Q-mode encapsulation
 *   accepted PEER PORT OWN PORT                          a connection; answered by association ID
 *   connected ID, closed ID, octets ID OCTETS            of an association
 *   send MRI SID RELIABLE OCTETS                         the application sends
 *
 * It says: datagram PEER PORT OCTETS; query SOURCE DESTINATION TTL ALERT OCTETS; open ID PEER PORT;
 * octets ID OCTETS; close ID; received ID OCTETS (0: in D-mode); sent RESULT.
 */
#include "core/gist/message/mri_object.h"
#include "core/gist/node.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOW_MS = 1 << 30, OCTETS_MAX = 65536, LINE_MAX = 2 * OCTETS_MAX + 512, WORDS_MAX = 8 };

static struct gist_address own;
static struct gist_node *node;

static void *allocate(void *context, size_t length)
{
    (void)context;
    return calloc(1, length);
}

static void release(void *context, void *memory, size_t length)
{
    (void)context;
    (void)length;
    free(memory);
}

/* Each octet is another one than before. */
static bool fill_random(void *context, uint8_t *octets, size_t length)
{
    static uint8_t next;
    (void)context;
    for (size_t i = 0; i < length; i++)
        octets[i] = ++next;
    return true;
}

/* Nobody forges a cookie here. */
static bool compute_mac(void *context, const uint8_t key[BASE_KEY_LENGTH], const uint8_t *data,
    size_t length, uint8_t mac[BASE_MAC_LENGTH])
{
    (void)context;
    memcpy(mac, key, BASE_MAC_LENGTH < BASE_KEY_LENGTH ? BASE_MAC_LENGTH : BASE_KEY_LENGTH);
    for (size_t i = 0; i < length; i++)
        mac[i % BASE_MAC_LENGTH] = (uint8_t)(mac[i % BASE_MAC_LENGTH] * 31 + data[i]);
    return true;
}

static const char *text_of(const struct gist_address *address)
{
    static char texts[2][INET6_ADDRSTRLEN];
    static unsigned turn;
    char *text = texts[++turn % 2];
    inet_ntop(address->version == 6 ? AF_INET6 : AF_INET, address->octets, text, INET6_ADDRSTRLEN);
    return text;
}

static void say_octets(const uint8_t *octets, size_t length)
{
    putchar(' ');
    for (size_t i = 0; i < length; i++)
        printf("%02x", octets[i]);
    putchar('\n');
}

/* What it does. */

static bool send_datagram(
    void *context, const struct gist_endpoint *peer, const uint8_t *payload, size_t length)
{
    (void)context;
    printf("datagram %s %u", text_of(&peer->address), peer->port);
    say_octets(payload, length);
    return true;
}

static bool send_query(
    void *context, const struct gist_query_route *route, const uint8_t *payload, size_t length)
{
    (void)context;
    printf("query %s %s %u %u", text_of(&route->source), text_of(&route->destination),
        route->ip_ttl, route->has_router_alert ? route->router_alert : 0);
    say_octets(payload, length);
    return true;
}

static bool forward_query(
    void *context, const struct gist_arrival *arrival, const uint8_t *payload, size_t length)
{
    (void)context;
    printf("forwarded %s", text_of(&arrival->destination.address));
    say_octets(payload, length);
    return true;
}

static bool association_open(
    void *context, gist_association_id id, enum gist_stack stack, const struct gist_endpoint *peer)
{
    (void)context;
    printf("open %u %s %u\n", id, text_of(&peer->address), peer->port);
    return stack == GIST_STACK_TCP;
}

static bool association_write(
    void *context, gist_association_id id, const uint8_t *octets, size_t length)
{
    (void)context;
    printf("octets %u", id);
    say_octets(octets, length);
    return true;
}

static void association_close(void *context, gist_association_id id)
{
    (void)context;
    printf("close %u\n", id);
}

static bool is_local(void *context, const struct gist_address *address)
{
    (void)context;
    return gist_address_equal(address, &own);
}

static bool find_route(
    void *context, const struct gist_address *destination, struct gist_route *route)
{
    (void)context;
    (void)destination;
    *route = (struct gist_route){.local = own, .interface = 1};
    return true;
}

static void set_deadline(void *context, uint64_t deadline_ms)
{
    (void)context;
    (void)deadline_ms;
}

static enum gist_peering receive(
    void *context, uint64_t now_ms, const struct gist_received *message)
{
    (void)context;
    (void)now_ms;
    if (message->length > 0) {
        printf("received %u", message->association);
        say_octets(message->data, message->length);
    }
    return GIST_PEER;
}

static void message_status(
    void *context, uint64_t now_ms, gist_message_handle handle, enum gist_message_status status)
{
    (void)context;
    (void)now_ms;
    (void)handle;
    printf("status %d\n", (int)status);
}

static void network_notification(void *context, uint64_t now_ms, const struct gist_mri *mri,
    const struct gist_session_id *session_id, enum gist_notification notification)
{
    (void)context;
    (void)now_ms;
    (void)mri;
    (void)session_id;
    printf("notification %d\n", (int)notification);
}

/* What happens to it. */

static bool read_address(const char *text, struct gist_address *address)
{
    *address = (struct gist_address){.version = strchr(text, ':') ? 6 : 4};
    return inet_pton(address->version == 6 ? AF_INET6 : AF_INET, text, address->octets) == 1;
}

static bool read_endpoint(char **words, struct gist_endpoint *endpoint)
{
    endpoint->port = (uint16_t)strtoul(words[1], NULL, 10);
    return read_address(words[0], &endpoint->address);
}

static int nibble_of(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = digit == '\0' ? NULL : strchr(digits, digit);
    return found ? (int)(found - digits) : -1;
}

/* As far as they are hexadecimal. */
static size_t read_octets(const char *text, uint8_t octets[OCTETS_MAX])
{
    size_t length = 0;
    for (; length < OCTETS_MAX && nibble_of(text[0]) >= 0 && nibble_of(text[1]) >= 0; text += 2)
        octets[length++] = (uint8_t)(nibble_of(text[0]) * 16 + nibble_of(text[1]));
    return length;
}

static bool on_datagram(char **words)
{
    static uint8_t octets[OCTETS_MAX];
    struct gist_arrival arrival = {.interface = 1,
        .ip_ttl = (uint8_t)strtoul(words[5], NULL, 10),
        .q_mode = words[6][0] == '1'};
    size_t length = read_octets(words[7], octets);
    if (!read_endpoint(words + 1, &arrival.source) ||
        !read_endpoint(words + 3, &arrival.destination))
        return false;
    gist_node_receive_datagram(node, NOW_MS, &arrival, octets, length);
    return true;
}

static bool on_accepted(char **words)
{
    struct gist_endpoint peer, local;
    if (!read_endpoint(words + 1, &peer) || !read_endpoint(words + 3, &local))
        return false;
    printf("association %u\n",
        gist_node_association_accepted(node, NOW_MS, GIST_STACK_TCP, &peer, &local, 1));
    return true;
}

static bool on_connected(char **words)
{
    gist_node_association_connected(
        node, NOW_MS, (gist_association_id)strtoul(words[1], NULL, 10), 1);
    return true;
}

static bool on_closed(char **words)
{
    gist_node_association_closed(node, NOW_MS, (gist_association_id)strtoul(words[1], NULL, 10));
    return true;
}

static bool on_octets(char **words)
{
    static uint8_t octets[OCTETS_MAX];
    size_t length = read_octets(words[2], octets);
    gist_node_association_received(
        node, NOW_MS, (gist_association_id)strtoul(words[1], NULL, 10), octets, length);
    return true;
}

static bool on_send(char **words)
{
    static uint8_t octets[OCTETS_MAX], mri[OCTETS_MAX], sid[OCTETS_MAX];
    struct gist_send_request request = {.attributes = {.reliable = words[3][0] == '1'}};
    struct wire_reader value = wire_reader_over(mri, read_octets(words[1], mri));
    uint8_t subcode;
    if (!gist_mri_read(&value, &request.mri, &subcode) ||
        read_octets(words[2], sid) != sizeof(request.session_id.octets))
        return false;
    memcpy(request.session_id.octets, sid, sizeof(request.session_id.octets));
    request.data = octets;
    request.length = read_octets(words[4], octets);
    printf("sent %d\n", (int)gist_send_message(node, NOW_MS, &request));
    return true;
}

static const struct {
    const char *name;
    size_t words;
    bool (*run)(char **words);
} commands[] = {{"datagram", 8, on_datagram}, {"accepted", 5, on_accepted},
    {"connected", 2, on_connected}, {"closed", 2, on_closed}, {"octets", 3, on_octets},
    {"send", 5, on_send}};

static bool obey(char *line)
{
    char *words[WORDS_MAX] = {NULL}, *rest = NULL;
    size_t count = 0;
    for (char *word = strtok_r(line, " \n", &rest); word && count < WORDS_MAX;
         word = strtok_r(NULL, " \n", &rest))
        words[count++] = word;
    for (size_t i = 0; count > 0 && i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(commands[i].name, words[0]) == 0 && commands[i].words == count)
            return commands[i].run(words);
    return false;
}

static struct gist_node *create(unsigned long nslp_id, unsigned long port)
{
    struct gist_node_config config = gist_node_config_default();
    config.nslp_id = (uint16_t)nslp_id;
    config.udp_port = GIST_PORT;
    config.association_port = (uint16_t)port;
    config.peer_identity_length = 4;
    memcpy(config.peer_identity, "ours", 4);
    struct gist_seams seams = {.allocator = {.allocate = allocate, .release = release},
        .crypto = {.random = fill_random, .mac = compute_mac},
        .transport = {.send_datagram = send_datagram,
            .send_query = send_query,
            .forward_query = forward_query,
            .association_open = association_open,
            .association_write = association_write,
            .association_close = association_close,
            .route = find_route,
            .is_local = is_local,
            .set_deadline = set_deadline},
        .application = {.receive = receive,
            .message_status = message_status,
            .network_notification = network_notification}};
    return gist_node_create(&config, &seams, NOW_MS);
}

int main(int count, char **words)
{
    static char line[LINE_MAX];
    if (count != 4 || !read_address(words[2], &own)) {
        fprintf(stderr, "usage: gist-lines NSLPID OWN-ADDRESS ASSOCIATION-PORT\n");
        return 2;
    }
    node = create(strtoul(words[1], NULL, 10), strtoul(words[3], NULL, 10));
    if (!node)
        return 1;
    while (fgets(line, sizeof(line), stdin)) {
        if (!obey(line))
            printf("nonsense\n");
        printf("done\n");
        fflush(stdout);
    }
    gist_node_destroy(node);
    return 0;
}

/* Nodes in a row, each with an application that remembers what it is told; for the tests of
 * core/gist. */
#ifndef NATFW_GIST_TESTS_PAIR_H
#define NATFW_GIST_TESTS_PAIR_H

#include "core/gist/message/message.h"
#include "core/gist/tests/network.h"

enum { ROW_MAX = 4, HEARD_MAX = 256, HEARD_DATA_MAX = 1024, WIRE_MAX = 512 };

struct heard {
    struct gist_received received;
    uint8_t data[HEARD_DATA_MAX];
};

struct told {
    gist_message_handle handle;
    enum gist_message_status status;
};

struct row_node {
    struct row *row;
    struct network_place *place;
    struct gist_node *gist;
    struct gist_address address;
    enum gist_peering peering;     /* what it answers when asked */
    bool replies;                  /* sends what it gets back, from within the call */
    bool relays;                   /* sends it on, with the hops that are left */
    struct heard heard[HEARD_MAX]; /* messages, not the questions about peering */
    size_t heard_count;
    size_t asked;
    struct gist_received last_asked;
    struct told told[HEARD_MAX];
    size_t told_count;
    unsigned notifications[4]; /* by enum gist_notification */
    struct gist_address known; /* the one that its application knows; version 0: nobody */
};

/* A message seen on the wire, parsed. */
struct seen {
    uint8_t octets[2048];
    size_t length;
    struct gist_message message;
    bool parsed;
    bool d_mode;
    bool q_mode;
    bool secure;
    unsigned from;
    unsigned to;
    uint64_t time_ms;
    struct gist_endpoint source;
};

struct row {
    struct network *network;
    struct row_node nodes[ROW_MAX];
    size_t count;
    struct seen seen[WIRE_MAX];
    size_t seen_count;
    /* Spoils or drops a message; may be NULL. The octets are without the magic number. */
    bool (*spoil)(struct row *row, struct seen *seen, uint8_t *octets);
    unsigned spoiled;
};

/* Nodes 0 to count - 1 at 192.0.2.1, .2 and so on, each a hop from the next. */
struct row *row_create(size_t count, const struct gist_node_config *config);
struct row *row_create_failing(size_t count, const struct gist_node_config *config, size_t fail_at);
void row_destroy(struct row *row);

/* A configuration for node number i of a row. */
struct gist_node_config row_config(void);

/* A UDP flow from node 0 to the last one, downstream. */
struct gist_mri row_mri(const struct row *row);
struct gist_session_id row_session(uint8_t number);

/* Sends text, padded to words, from a node. */
enum gist_send_result row_send(struct row *row, size_t from, const struct gist_mri *mri,
    const struct gist_session_id *session_id, const char *text, bool reliable);

/* The nth message of a type on the wire, from 0; NULL when there were fewer. */
const struct seen *row_seen(const struct row *row, enum gist_message_type type, size_t n);
size_t row_seen_count(const struct row *row, enum gist_message_type type);
/* The last Error on the wire, or NULL. */
const struct seen *row_error(const struct row *row);

/* A sound message of session 1 from node 0 to node 1, to spoil. */
struct gist_message row_message(const struct row *row, enum gist_message_type type);
/* Whether the last Error on the wire is this one. */
bool row_refused(const struct row *row, unsigned code, unsigned subcode);

/* Hands octets to a node as a datagram from a stranger at this address. */
void row_inject(struct row *row, size_t to, const struct gist_message *message,
    struct gist_address source, bool q_mode);
void row_inject_octets(struct row *row, size_t to, const uint8_t *octets, size_t length,
    struct gist_address source, bool q_mode);

#endif

/*
 * Sends a GIST node what it should survive: datagrams with the right magic number and C flag and
 * mutated bodies, and TCP associations that break.
 *
 * Bodies are mutations of the messages in a directory of seeds. The version, the hop count and the
 * NSLPID stay as they are in a message for NATFW, so that every datagram comes as far as the
 * parser. An association gets garbage, half a message or a mutated one, and is closed, reset, or
 * left alone until the node ends it.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    SEEDS_MAX = 1024,
    MESSAGE_MAX = 1400, /* octets, magic number included */
    MAGIC_LENGTH = 4,
    HEADER_LENGTH = 8,
    BATCH = 32,
    HELD_MAX = 1024,
    HELD_FOR_S = 60,
};

struct message {
    uint8_t octets[MESSAGE_MAX]; /* the magic number first */
    size_t length;
};

struct options {
    struct sockaddr_in to;
    uint16_t association_port;
    const char *seeds;
    unsigned long count;
    unsigned long associations;
    unsigned long per_second; /* 0: as fast as it goes */
    uint64_t random;
};

static struct message seeds[SEEDS_MAX];
static size_t seed_count;

/* xorshift64*: the same seed, the same flood. */
static uint32_t next_random(struct options *options, uint32_t below)
{
    uint64_t state = options->random;
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    options->random = state;
    return (uint32_t)((state * UINT64_C(0x2545f4914f6cdd1d)) >> 32) % below;
}

static void load_seed(const char *directory, const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        return;
    struct message *seed = &seeds[seed_count];
    static const uint8_t magic[MAGIC_LENGTH] = {0x4e, 0x04, 0xbd, 0xa5};
    memcpy(seed->octets, magic, MAGIC_LENGTH);
    size_t length = fread(seed->octets + MAGIC_LENGTH, 1, MESSAGE_MAX - MAGIC_LENGTH, file);
    seed->length = MAGIC_LENGTH + length;
    seed_count += length >= HEADER_LENGTH;
    fclose(file);
}

static bool load_seeds(const char *directory)
{
    DIR *entries = opendir(directory);
    if (!entries)
        return false;
    struct dirent *entry;
    while ((entry = readdir(entries)) && seed_count < SEEDS_MAX)
        if (entry->d_name[0] != '.')
            load_seed(directory, entry->d_name);
    closedir(entries);
    return seed_count > 0;
}

/* What brings a datagram to the parser: version, hop count, NSLPID, C flag. */
static void set_header(struct message *message, bool c_flag)
{
    uint8_t *header = message->octets + MAGIC_LENGTH;
    header[0] = 1;
    header[1] = header[1] ? header[1] : 1;
    header[4] = 0;
    header[5] = 33;
    if (c_flag)
        header[6] |= 0x80;
}

/* Makes the Message Length right, so that more than that is looked at. */
static void set_length(struct message *message)
{
    size_t words = (message->length - MAGIC_LENGTH - HEADER_LENGTH) / 4;
    message->octets[MAGIC_LENGTH + 2] = (uint8_t)(words >> 8);
    message->octets[MAGIC_LENGTH + 3] = (uint8_t)words;
}

static struct message mutated(struct options *options, bool c_flag)
{
    struct message message = seeds[next_random(options, (uint32_t)seed_count)];
    for (unsigned left = next_random(options, 5); left > 0; left--) {
        uint32_t position = next_random(options, (uint32_t)(message.length - MAGIC_LENGTH));
        uint8_t *octet = &message.octets[MAGIC_LENGTH + position];
        switch (next_random(options, 4)) {
        case 0:
            *octet = (uint8_t)next_random(options, 256);
            break;
        case 1:
            if (position >= HEADER_LENGTH)
                message.length = MAGIC_LENGTH + position - position % 4;
            break;
        default:
            *octet ^= (uint8_t)(1 << next_random(options, 8));
        }
    }
    if (next_random(options, 8) > 0)
        set_length(&message);
    set_header(&message, c_flag);
    return message;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void keep_pace(const struct options *options, unsigned long sent, double start)
{
    if (options->per_second == 0)
        return;
    double ahead = (double)sent / (double)options->per_second - (seconds_now() - start);
    if (ahead > 0) {
        struct timespec pause = {(time_t)ahead, (long)((ahead - (double)(time_t)ahead) * 1e9)};
        nanosleep(&pause, NULL);
    }
}

static int fail(const char *what)
{
    fprintf(stderr, "natfw-flood: %s: %s\n", what, strerror(errno));
    return 1;
}

static int send_datagrams(struct options *options)
{
    static struct message batch[BATCH];
    int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    double start = seconds_now();
    unsigned long sent = 0;
    while (descriptor >= 0 && sent < options->count) {
        struct iovec parts[BATCH];
        struct mmsghdr headers[BATCH] = {0};
        unsigned length = options->count - sent < BATCH ? (unsigned)(options->count - sent) : BATCH;
        for (unsigned i = 0; i < length; i++) {
            batch[i] = mutated(options, true);
            parts[i] = (struct iovec){batch[i].octets, batch[i].length};
            headers[i].msg_hdr = (struct msghdr){.msg_name = &options->to,
                .msg_namelen = sizeof(options->to),
                .msg_iov = &parts[i],
                .msg_iovlen = 1};
        }
        int done = sendmmsg(descriptor, headers, length, 0);
        if (done < 0 && errno != ENOBUFS && errno != EINTR && errno != ECONNREFUSED)
            return fail("sendmmsg");
        sent += done > 0 ? (unsigned long)done : 0;
        keep_pace(options, sent, start);
    }
    if (descriptor < 0)
        return fail("socket");
    close(descriptor);
    printf("%lu datagrams in %.1f s\n", sent, seconds_now() - start);
    return 0;
}

static void write_something(struct options *options, int descriptor)
{
    struct message message = mutated(options, false);
    const uint8_t *octets = message.octets + MAGIC_LENGTH;
    size_t length = message.length - MAGIC_LENGTH;
    switch (next_random(options, 4)) {
    case 0: /* garbage */
        for (size_t i = 0; i < message.length; i++)
            message.octets[i] = (uint8_t)next_random(options, 256);
        break;
    case 1: /* the beginning of a message */
        length = next_random(options, (uint32_t)length);
        break;
    case 2: /* nothing at all */
        return;
    default:
        break;
    }
    (void)!send(descriptor, octets, length, MSG_NOSIGNAL);
}

/* Waits until the node has ended every association that was left alone. */
static int wait_for_end(struct pollfd *held, size_t count)
{
    double until = seconds_now() + HELD_FOR_S;
    size_t open = count;
    while (open > 0 && seconds_now() < until) {
        if (poll(held, count, 1000) < 0)
            return fail("poll");
        for (size_t i = 0; i < count; i++) {
            uint8_t octets[4096];
            if (held[i].fd < 0 || !held[i].revents || read(held[i].fd, octets, sizeof(octets)) > 0)
                continue;
            close(held[i].fd);
            held[i].fd = -1;
            open--;
        }
    }
    if (open > 0)
        fprintf(stderr, "natfw-flood: the node did not end %zu of %zu associations within %d s\n",
            open, count, HELD_FOR_S);
    return open > 0;
}

static int break_associations(struct options *options)
{
    static struct pollfd held[HELD_MAX];
    struct sockaddr_in to = options->to;
    to.sin_port = htons(options->association_port);
    size_t held_count = 0;
    for (unsigned long i = 0; i < options->associations; i++) {
        int descriptor = socket(AF_INET, SOCK_STREAM, 0);
        if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&to, sizeof(to)) < 0)
            return fail("connect");
        write_something(options, descriptor);
        if (i % 3 == 2 && held_count < HELD_MAX) {
            held[held_count++] = (struct pollfd){.fd = descriptor, .events = POLLIN};
            continue;
        }
        struct linger reset = {.l_onoff = 1, .l_linger = 0};
        if (i % 3 == 1)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(descriptor);
    }
    int status = wait_for_end(held, held_count);
    printf("%lu associations, %zu of them left for the node to end\n", options->associations,
        held_count);
    return status;
}

static void usage(FILE *out)
{
    fputs("usage: natfw-flood --to ADDRESS --seeds DIRECTORY [OPTION]...\n"
          "  --datagrams NUMBER      mutated datagrams to UDP port 270 (default 0)\n"
          "  --associations NUMBER   broken TCP associations (default 0)\n"
          "  --port NUMBER           where associations are accepted (default 30270)\n"
          "  --per-second NUMBER     pace of the datagrams (default: as fast as it goes)\n"
          "  --seed NUMBER           of every chance (default 1)\n"
          "exit status: 0 all was sent, and the node ended what was left to it; 1 not so; 2 bad "
          "usage\n",
        out);
}

static bool read_option(struct options *options, int option)
{
    switch (option) {
    case 't':
        return inet_pton(AF_INET, optarg, &options->to.sin_addr) == 1;
    case 's':
        options->seeds = optarg;
        return true;
    case 'd':
        options->count = strtoul(optarg, NULL, 10);
        return true;
    case 'a':
        options->associations = strtoul(optarg, NULL, 10);
        return true;
    case 'p':
        options->association_port = (uint16_t)strtoul(optarg, NULL, 10);
        return true;
    case 'r':
        options->per_second = strtoul(optarg, NULL, 10);
        return true;
    case 'x':
        options->random = strtoull(optarg, NULL, 10) * UINT64_C(0x9e3779b97f4a7c15) | 1;
        return true;
    default:
        return false;
    }
}

int main(int count, char **words)
{
    static const struct option known[] = {{"to", required_argument, NULL, 't'},
        {"seeds", required_argument, NULL, 's'}, {"datagrams", required_argument, NULL, 'd'},
        {"associations", required_argument, NULL, 'a'}, {"port", required_argument, NULL, 'p'},
        {"per-second", required_argument, NULL, 'r'}, {"seed", required_argument, NULL, 'x'},
        {"help", no_argument, NULL, 'h'}, {0}};
    struct options options = {.to = {.sin_family = AF_INET, .sin_port = htons(270)},
        .association_port = 30270,
        .random = UINT64_C(0x9e3779b97f4a7c15)};
    int option;
    while ((option = getopt_long(count, words, "", known, NULL)) != -1) {
        if (option == 'h') {
            usage(stdout);
            return 0;
        }
        if (!read_option(&options, option)) {
            usage(stderr);
            return 2;
        }
    }
    if (optind < count || !options.seeds || options.to.sin_addr.s_addr == 0) {
        usage(stderr);
        return 2;
    }
    if (!load_seeds(options.seeds))
        return fail(options.seeds);
    int status = options.count > 0 ? send_datagrams(&options) : 0;
    return status == 0 && options.associations > 0 ? break_associations(&options) : status;
}

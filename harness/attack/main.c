/*
 * Attacks a node with messages that are valid, or nearly so: what one host could send to have the
 * node keep or do more than its share. harness/attacks says which, and what becomes of a peer that
 * the node knows meanwhile.
 */
#include "harness/attack/connections.h"
#include "harness/attack/datagrams.h"
#include "harness/attack/established.h"
#include "harness/attack/hellos.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void usage(FILE *out)
{
    fputs("usage: natfw-attack queries|handshakes|data|refreshes|connections|hellos --from ADDRESS "
          "--to ADDRESS [OPTION]...\n"
          "  --addresses NUMBER   sources counted on from --from (default 1)\n"
          "  --count NUMBER       of Queries, handshakes, connections or hellos of TLS (default "
          "1000)\n"
          "  --per-second NUMBER  pace (default: as fast as it goes)\n"
          "  --lifetime SECONDS   of sessions that are asked for (default 60)\n"
          "  --create             handshakes: each Confirm asks for a session\n"
          "  --flow-from ADDRESS  handshakes: all for one UDP flow, port 4000 to 5000 of --to\n"
          "  --seconds NUMBER     data, refreshes, connections, hellos: how long (default: until "
          "killed)\n"
          "  --every-ms NUMBER    connections: a meaningless message on each so often\n"
          "  --pile               connections: meaningless messages on each as fast as it goes\n"
          "  --octets NUMBER      connections: announce a message so long and hold its end back\n"
          "  --port NUMBER        connections, hellos: where they are accepted (default 30270)\n"
          "exit status: 0 all was tried; 1 it could not be; 2 bad usage\n",
        out);
}

static bool read_address(const char *text, struct gist_address *address)
{
    struct in_addr ipv4;
    if (inet_pton(AF_INET, text, &ipv4) != 1)
        return false;
    *address = gist_address_v4(ntohl(ipv4.s_addr));
    return true;
}

static bool read_number(const char *text, unsigned long *number)
{
    char *end;
    *number = strtoul(text, &end, 10);
    return end != text && *end == '\0';
}

static bool read_option(struct attack *attack, int option)
{
    unsigned long number;
    switch (option) {
    case 'f':
        return read_address(optarg, &attack->from);
    case 't':
        return read_address(optarg, &attack->to);
    case 'v':
        attack->flow = (struct gist_mri){.source_prefix = 32,
            .destination_prefix = 32,
            .has_protocol = true,
            .protocol = 17,
            .has_source_port = true,
            .source_port = 4000,
            .has_destination_port = true,
            .destination_port = 5000};
        return read_address(optarg, &attack->flow.source);
    case 'i':
        attack->piles = true;
        return true;
    case 'w':
        attack->with_create = true;
        return true;
    case 'c':
        return read_number(optarg, &attack->count);
    case 'r':
        return read_number(optarg, &attack->per_second);
    case 'l':
        return read_number(optarg, &attack->lifetime_s);
    case 's':
        return read_number(optarg, &attack->seconds);
    case 'e':
        return read_number(optarg, &attack->every_ms);
    case 'o':
        return read_number(optarg, &attack->octets);
    case 'a':
    case 'p':
        if (!read_number(optarg, &number) || number == 0)
            return false;
        if (option == 'a')
            attack->from_count = (uint32_t)number;
        else
            attack->association_port = (uint16_t)number;
        return true;
    default:
        return false;
    }
}

static int (*named(const char *name))(const struct attack *)
{
    static const struct {
        const char *name;
        int (*run)(const struct attack *attack);
    } kinds[] = {{"queries", attack_by_queries}, {"handshakes", attack_by_handshakes},
        {"data", attack_by_data}, {"refreshes", attack_by_refreshes},
        {"connections", attack_by_connections}, {"hellos", attack_by_hellos}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return kinds[i].run;
    return NULL;
}

int main(int count, char **words)
{
    static const struct option known[] = {{"from", required_argument, NULL, 'f'},
        {"to", required_argument, NULL, 't'}, {"addresses", required_argument, NULL, 'a'},
        {"count", required_argument, NULL, 'c'}, {"per-second", required_argument, NULL, 'r'},
        {"create", no_argument, NULL, 'w'}, {"flow-from", required_argument, NULL, 'v'},
        {"seconds", required_argument, NULL, 's'}, {"every-ms", required_argument, NULL, 'e'},
        {"octets", required_argument, NULL, 'o'}, {"port", required_argument, NULL, 'p'},
        {"pile", no_argument, NULL, 'i'}, {"lifetime", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'}, {0}};
    struct attack attack = {
        .from_count = 1, .count = 1000, .lifetime_s = 60, .association_port = 30270};
    int option;
    while ((option = getopt_long(count, words, "", known, NULL)) != -1) {
        if (option == 'h') {
            usage(stdout);
            return 0;
        }
        if (!read_option(&attack, option)) {
            usage(stderr);
            return 2;
        }
    }
    int (*run)(const struct attack *) = optind == count - 1 ? named(words[optind]) : NULL;
    if (!run || attack.from.version == 0 || attack.to.version == 0) {
        usage(stderr);
        return 2;
    }
    attack.flow.destination = attack.to;
    return run(&attack);
}

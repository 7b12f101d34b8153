/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The loader: a process apart, started before privileges are dropped, that reads the configuration
 * and the files that it names, and has nft make the ruleset of it. It takes no argument from the
 * daemon and hears nothing of any peer: who takes the daemon over can make it read the same file
 * again, and nothing else.
 */
#ifndef NATFWD_LOADER_H
#define NATFWD_LOADER_H

#include "reference-node/config/config.h"
#include "reference-node/netfilter/nft_ruleset.h"
#include "reference-node/tls/credentials.h"

struct loader;

/* Starts the process. Returns NULL with errno set. */
struct loader *loader_start(const char *config_path);
/* Ends the process and waits for it. */
void loader_stop(struct loader *loader);

/* What it answers with; each part is to be freed. */
struct load {
    struct config *config;      /* NULL: it cannot be used */
    struct nft_ruleset ruleset; /* empty where the configuration asks for none */
    struct credentials credentials;
};

/* Asks for the configuration as the file is now; the answer comes on the descriptor. */
bool loader_ask(struct loader *loader);
int loader_descriptor(const struct loader *loader);
/* Takes the answer, and waits for it where it is not there yet. Returns false after saying on
 * errors what is wrong with the file, the ruleset or the loader. */
bool loader_take(struct loader *loader, struct load *load, FILE *errors);
void load_free(struct load *load);

#endif

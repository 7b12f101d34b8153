/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The process that reads the configuration and makes the ruleset; see loader.h. */
#include "reference-node/daemon/loader.h"

#include "reference-node/base/descriptors.h"
#include "reference-node/config/config_file.h"
#include "reference-node/netfilter/nft_compiler.h"
#include "reference-node/netfilter/ruleset.h"
#include "reference-node/tls/tls_context.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct loader {
    pid_t process;
    int descriptor;
    char path[sizeof(((struct config *)0)->path)];
};

/* Of an answer, in this order; those of the credentials follow. */
enum part { PART_ERRORS, PART_CONFIG, PART_RULESET, PART_CREDENTIALS };
enum { PARTS = PART_CREDENTIALS + CONFIG_CREDENTIALS };

/* What precedes it: the octets of each part. */
struct answer {
    bool is_usable;
    size_t lengths[PARTS];
};

static bool make_ruleset(const struct config *config, struct nft_ruleset *ruleset, FILE *errors)
{
    char draft[RULESET_NAME_MAX];
    if (!ruleset_is_needed(config))
        return true;
    char *text = ruleset_draft(config, draft);
    bool made = text && nft_compile(text, draft, config->table, ruleset, errors);
    free(text);
    return made;
}

static bool write_parts(int descriptor, struct answer *answer, const void *const parts[PARTS])
{
    for (size_t i = PART_ERRORS + 1; !answer->is_usable && i < PARTS; i++)
        answer->lengths[i] = 0;
    bool told = descriptor_write_all(descriptor, answer, sizeof(*answer));
    for (size_t i = 0; i < PARTS; i++)
        told = told && descriptor_write_all(descriptor, parts[i], answer->lengths[i]);
    return told;
}

static bool answer_once(const char *path, int descriptor)
{
    struct answer answer = {0};
    struct nft_ruleset ruleset = {0};
    struct credentials credentials = {0};
    const void *parts[PARTS];
    char *said = NULL;
    FILE *errors = open_memstream(&said, &answer.lengths[PART_ERRORS]);
    char *text = errors ? config_read_file(path, errors) : NULL;
    struct config *config = text ? config_read_text(path, text, errors) : NULL;
    answer.is_usable = config && tls_credentials_read(&config->tls, &credentials, errors) &&
                       make_ruleset(config, &ruleset, errors);
    bool told = errors && fclose(errors) == 0;
    answer.lengths[PART_CONFIG] = text ? strlen(text) : 0;
    answer.lengths[PART_RULESET] = ruleset.length;
    parts[PART_ERRORS] = said;
    parts[PART_CONFIG] = text;
    parts[PART_RULESET] = ruleset.messages;
    for (size_t i = 0; i < CONFIG_CREDENTIALS; i++) {
        answer.lengths[PART_CREDENTIALS + i] = credentials.each[i].length;
        parts[PART_CREDENTIALS + i] = credentials.each[i].text;
    }
    told = told && write_parts(descriptor, &answer, parts);
    config_free(config);
    nft_ruleset_free(&ruleset);
    credentials_free(&credentials);
    free(text);
    free(said);
    return told;
}

/* Until the daemon is gone. Of what the daemon has open, only standard error is kept. */
static void serve(const char *path, int descriptor)
{
    enum { OURS = STDERR_FILENO + 1 };
    char request;
    dup2(descriptor, OURS);
    closefrom(OURS + 1);
    close(STDOUT_FILENO);
    signal(SIGTERM, SIG_IGN); /* the daemon stops first */
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    prctl(PR_SET_NAME, "natfwd-loader");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (descriptor_read_all(OURS, &request, 1) && answer_once(path, OURS))
        continue;
}

struct loader *loader_start(const char *config_path)
{
    int ends[2];
    struct loader *loader = calloc(1, sizeof(*loader));
    if (!loader || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        free(loader);
        return NULL;
    }
    snprintf(loader->path, sizeof(loader->path), "%s", config_path);
    loader->descriptor = ends[0];
    loader->process = fork();
    if (loader->process == 0) {
        close(ends[0]);
        serve(loader->path, ends[1]);
        _exit(0);
    }
    close(ends[1]);
    if (loader->process > 0)
        return loader;
    int error = errno;
    close(ends[0]);
    free(loader);
    errno = error;
    return NULL;
}

void loader_stop(struct loader *loader)
{
    if (!loader)
        return;
    close(loader->descriptor);
    waitpid(loader->process, NULL, WNOHANG); /* it may stand still with a file; it ends with us */
    free(loader);
}

bool loader_ask(struct loader *loader)
{
    return send(loader->descriptor, "", 1, MSG_NOSIGNAL) == 1;
}

int loader_descriptor(const struct loader *loader)
{
    return loader->descriptor;
}

/* Returns what is to be freed, with a NUL behind it; NULL when the loader is gone. */
static char *take_part(struct loader *loader, size_t length)
{
    char *part = malloc(length + 1);
    if (part && descriptor_read_all(loader->descriptor, part, length)) {
        part[length] = '\0';
        return part;
    }
    free(part);
    return NULL;
}

/* The loader has found no fault in it, and said what there was to say. */
static struct config *parse_again(const char *path, const char *text)
{
    char *said = NULL;
    size_t length;
    FILE *again = open_memstream(&said, &length);
    struct config *config = again ? config_read_text(path, text, again) : NULL;
    if (again)
        fclose(again);
    free(said);
    return config;
}

static void take_credentials(
    const struct answer *answer, char *const parts[PARTS], struct credentials *credentials)
{
    for (size_t i = 0; i < CONFIG_CREDENTIALS; i++) {
        size_t length = answer->lengths[PART_CREDENTIALS + i];
        if (length > 0)
            credentials->each[i] = (struct credential){parts[PART_CREDENTIALS + i], length};
        else
            free(parts[PART_CREDENTIALS + i]);
    }
}

bool loader_take(struct loader *loader, struct load *load, FILE *errors)
{
    struct answer answer = {0};
    char *parts[PARTS] = {NULL};
    *load = (struct load){0};
    bool is_whole = descriptor_read_all(loader->descriptor, &answer, sizeof(answer));
    for (size_t i = 0; is_whole && i < PARTS; i++)
        is_whole = (parts[i] = take_part(loader, answer.lengths[i]));
    if (parts[PART_ERRORS])
        fputs(parts[PART_ERRORS], errors);
    if (!is_whole)
        fprintf(errors, "loader: it has ended; restart natfwd\n");
    else if (answer.is_usable)
        load->config = parse_again(loader->path, parts[PART_CONFIG]);
    load->ruleset = (struct nft_ruleset){
        .messages = (uint8_t *)parts[PART_RULESET], .length = answer.lengths[PART_RULESET]};
    take_credentials(&answer, parts, &load->credentials);
    free(parts[PART_ERRORS]);
    free(parts[PART_CONFIG]);
    if (load->config)
        return true;
    load_free(load);
    return false;
}

void load_free(struct load *load)
{
    config_free(load->config);
    nft_ruleset_free(&load->ruleset);
    credentials_free(&load->credentials);
    *load = (struct load){0};
}

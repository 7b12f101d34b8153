/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reloading; see reload.h. */
#include "reference-node/daemon/reload.h"

#include "reference-node/base/log.h"

#include <stdlib.h>
#include <string.h>

struct reload {
    struct loader *loader;
    struct daemon *daemon;
    struct event *answered;
    reload_done *done;
    void *context;
    uint64_t attempt; /* that runs, or was the last */
    bool is_running;
    bool is_wanted_again;
};

static void log_each_line(const char *text)
{
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        log_line(LOG_LEVEL_ERROR, "%.*s", (int)strcspn(line, "\n"), line);
        if (line[strcspn(line, "\n")] == '\0')
            return;
    }
}

static bool take(struct reload *reload, FILE *errors)
{
    struct load load;
    if (!loader_take(reload->loader, &load, errors))
        return false;
    bool taken = daemon_take(reload->daemon, &load, errors);
    load_free(&load);
    return taken;
}

static void finish(struct reload *reload, bool taken, const char *said)
{
    struct reload_outcome outcome = {.attempt = reload->attempt,
        .is_taken = taken,
        .is_last = !reload->is_wanted_again,
        .said = said};
    log_each_line(said);
    log_line(taken ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR,
        taken ? "the configuration is taken over" : "the configuration stays as it was");
    reload->done(reload->context, &outcome);
}

static void begin(struct reload *reload)
{
    reload->attempt++;
    reload->is_wanted_again = false;
    reload->is_running = loader_ask(reload->loader) && event_add(reload->answered, NULL) == 0;
    if (!reload->is_running)
        finish(reload, false, "the loader has ended; restart natfwd");
}

static void on_answered(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    struct reload *reload = context;
    char *said = NULL;
    size_t length;
    FILE *errors = open_memstream(&said, &length);
    bool taken = errors && take(reload, errors);
    reload->is_running = false;
    if (!errors || fclose(errors) != 0)
        finish(reload, taken, "no memory");
    else
        finish(reload, taken, said);
    free(said);
    if (reload->is_wanted_again)
        begin(reload);
}

struct reload *reload_create(struct event_base *base, struct loader *loader, struct daemon *daemon,
    reload_done *done, void *context)
{
    struct reload *reload = calloc(1, sizeof(*reload));
    if (!reload)
        return NULL;
    reload->loader = loader;
    reload->daemon = daemon;
    reload->done = done;
    reload->context = context;
    reload->answered = event_new(base, loader_descriptor(loader), EV_READ, on_answered, reload);
    if (reload->answered)
        return reload;
    free(reload);
    return NULL;
}

void reload_destroy(struct reload *reload)
{
    if (!reload)
        return;
    event_free(reload->answered);
    free(reload);
}

uint64_t reload_begin(struct reload *reload)
{
    if (reload->is_running) {
        reload->is_wanted_again = true;
        return reload->attempt + 1;
    }
    begin(reload);
    return reload->attempt;
}

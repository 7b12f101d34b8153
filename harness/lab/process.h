/*
 * Programs that run in hosts of the lab, with what they print kept for the scenario.
 */
#ifndef NATFW_LAB_PROCESS_H
#define NATFW_LAB_PROCESS_H

#include "host.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct process {
    pid_t pid;
    int output_fd; /* of stdout and stderr; -1 once both are closed */
    char *output;
    size_t output_length;
    bool ended;
    int status; /* exit status, or 128 + signal */
};

/* Starts arguments[0] in the host (NULL: in the lab itself), its output collected, or passed
 * through to the terminal; one that is prompt is scheduled so. Returns 0 or a negative errno. */
int process_start(struct process *process, const struct host *host, char *const arguments[],
    bool pass_through, bool is_prompt);

/* Collects output until text is found in it from position on, the process ends, or the time is
 * over. With text NULL waits for the end. Returns true when what was waited for came. */
bool process_wait(struct process *process, const char *text, size_t position, unsigned timeout_ms);
void process_signal(struct process *process, int number);
/* Ends the process, if need be by SIGKILL, and forgets it. */
void process_destroy(struct process *process);

#endif

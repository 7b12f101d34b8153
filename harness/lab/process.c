/* Programs in hosts; see process.h. */
#define _GNU_SOURCE
#include "process.h"

#include "schedule.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { END_GRACE_MS = 3000 };

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void become(const struct host *host, char *const arguments[], int output_fd, bool is_prompt)
{
    if (is_prompt)
        schedule_promptly(true);
    if (output_fd >= 0) {
        setpgid(0, 0); /* what the terminal asks for is not its business */
        dup2(output_fd, STDOUT_FILENO);
        dup2(output_fd, STDERR_FILENO);
    }
    if (host && host_enter(host) < 0)
        _exit(126);
    signal(SIGPIPE, SIG_DFL);
    execvp(arguments[0], arguments);
    dprintf(STDERR_FILENO, "%s: %s\n", arguments[0], strerror(errno));
    _exit(127);
}

int process_start(struct process *process, const struct host *host, char *const arguments[],
    bool pass_through, bool is_prompt)
{
    int pipe_fds[2] = {-1, -1};
    *process = (struct process){.output_fd = -1};
    if (!pass_through && pipe2(pipe_fds, O_CLOEXEC) < 0)
        return -errno;
    process->pid = fork();
    if (process->pid == 0)
        become(host, arguments, pipe_fds[1], is_prompt);
    int result = process->pid < 0 ? -errno : 0;
    if (!pass_through)
        close(pipe_fds[1]);
    process->output_fd = pipe_fds[0];
    if (process->output_fd >= 0)
        fcntl(process->output_fd, F_SETFL, O_NONBLOCK);
    return result;
}

static void collect_output(struct process *process)
{
    char buffer[4096];
    ssize_t length;
    while (process->output_fd >= 0 &&
           (length = read(process->output_fd, buffer, sizeof(buffer))) >= 0) {
        if (length == 0) {
            close(process->output_fd);
            process->output_fd = -1;
            return;
        }
        char *grown = realloc(process->output, process->output_length + (size_t)length + 1);
        if (!grown)
            return;
        process->output = grown;
        memcpy(grown + process->output_length, buffer, (size_t)length);
        process->output_length += (size_t)length;
        grown[process->output_length] = '\0';
    }
}

static void collect_end(struct process *process)
{
    int status;
    if (process->ended || waitpid(process->pid, &status, WNOHANG) != process->pid)
        return;
    process->ended = true;
    process->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool has_text(const struct process *process, const char *text, size_t position)
{
    return process->output && position <= process->output_length &&
           memmem(
               process->output + position, process->output_length - position, text, strlen(text));
}

bool process_wait(struct process *process, const char *text, size_t position, unsigned timeout_ms)
{
    uint64_t until_ms = now_ms() + timeout_ms;
    int pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    bool came = false;
    for (;;) {
        collect_output(process);
        collect_end(process);
        if (process->ended)
            collect_output(process);
        came = text ? has_text(process, text, position) : process->ended;
        uint64_t now = now_ms();
        if (came || process->ended || now >= until_ms)
            break;
        struct pollfd events[2] = {
            {.fd = process->output_fd, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
        poll(events, 2, (int)(until_ms - now));
    }
    if (pidfd >= 0)
        close(pidfd);
    return came;
}

void process_signal(struct process *process, int number)
{
    collect_end(process);
    if (!process->ended)
        kill(process->pid, number);
}

void process_destroy(struct process *process)
{
    process_signal(process, SIGTERM);
    if (!process_wait(process, NULL, 0, END_GRACE_MS)) {
        process_signal(process, SIGKILL);
        process_wait(process, NULL, 0, END_GRACE_MS);
    }
    if (process->output_fd >= 0)
        close(process->output_fd);
    free(process->output);
    *process = (struct process){.output_fd = -1, .ended = true};
}

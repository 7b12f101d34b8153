/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Has nft(8) load a text, and reads what it made; see nft_compiler.h. */
#include "reference-node/netfilter/nft_compiler.h"

#include "reference-node/base/descriptors.h"
#include "reference-node/netfilter/nft_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REQUEST_SIZE = 1 << 15 }; /* of a socket that only asks */

static void run_nft(int input, int output)
{
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin", 1);
    execlp("nft", "nft", "-f", "-", (char *)NULL);
    dprintf(STDERR_FILENO, "cannot run nft: %s; is nftables installed?\n", strerror(errno));
    _exit(127);
}

static void pass_on(int from, FILE *to)
{
    char line[512];
    ssize_t length;
    while ((length = read(from, line, sizeof(line))) > 0)
        fwrite(line, 1, (size_t)length, to);
}

/* The text goes by way of a file, for a pipe could block while nft complains. */
bool nft_load(const char *text, FILE *errors)
{
    int output[2];
    int input = memfd_create("ruleset", MFD_CLOEXEC);
    if (input < 0 || !descriptor_write_all(input, text, strlen(text)) ||
        lseek(input, 0, SEEK_SET) < 0 || pipe(output) < 0) {
        fprintf(errors, "ruleset: cannot hand it to nft: %s\n", strerror(errno));
        if (input >= 0)
            close(input);
        return false;
    }
    pid_t child = fork();
    if (child == 0)
        run_nft(input, output[1]);
    close(output[1]);
    close(input);
    pass_on(output[0], errors);
    close(output[0]);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status) ||
        WEXITSTATUS(status) != 0) {
        fprintf(errors, "ruleset: nft did not load it\n");
        return false;
    }
    return true;
}

bool nft_compile(const char *text, const char *draft, const char *table,
    struct nft_ruleset *ruleset, FILE *errors)
{
    *ruleset = (struct nft_ruleset){0};
    if (!nft_load(text, errors))
        return false;
    struct nft_socket *socket = nft_socket_open(REQUEST_SIZE);
    struct nft_table *made = socket ? nft_table_create(socket, draft, CONFIG_UNOWNED) : NULL;
    int error = made ? nft_ruleset_read(socket, draft, table, ruleset) : errno;
    int left = made ? nft_table_delete(made) : 0;
    nft_table_destroy(made);
    nft_socket_close(socket);
    if (error || left)
        fprintf(errors, "ruleset: cannot be read back: %s\n", strerror(error ? error : left));
    return error == 0 && left == 0;
}

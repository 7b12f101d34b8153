/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS of the daemon; see security.h. RFC 5971 4.4.2, 5.7.3. */
#include "reference-node/daemon/security.h"

#include "reference-node/base/clock.h"
#include "reference-node/base/log.h"
#include "reference-node/daemon/parts.h"
#include "reference-node/tls/tls_context.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* For nobody else's eyes, whoever has made it. */
static bool is_ours_alone(int descriptor)
{
    struct stat found;
    if (fstat(descriptor, &found) < 0)
        return false;
    errno = EINVAL;
    return S_ISREG(found.st_mode) && found.st_nlink == 1 && fchmod(descriptor, 0600) == 0;
}

static FILE *open_key_log(const char *path)
{
    int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    int descriptor = open(path, flags, 0600);
    bool is_usable = descriptor >= 0 && is_ours_alone(descriptor);
    FILE *file = is_usable ? fdopen(descriptor, "a") : NULL;
    int error = errno;
    if (!file && descriptor >= 0)
        close(descriptor);
    errno = error;
    return file;
}

bool security_open(struct daemon *daemon, FILE *errors)
{
    const char *path = daemon->config->tls.key_log;
    if (path[0] == '\0')
        return true;
    daemon->key_log = open_key_log(path);
    if (daemon->key_log)
        log_line(LOG_LEVEL_WARNING, "tls: who reads %s reads each association", path);
    else
        fprintf(errors, "%s: key_log: %s: %s\n", daemon->config->path, path, strerror(errno));
    return daemon->key_log;
}

void security_close(struct daemon *daemon)
{
    if (daemon->key_log)
        fclose(daemon->key_log);
}

/* The loader has told what there is to tell of the files; it fails for want of memory only. */
bool security_prepare(
    const struct daemon *daemon, const struct load *load, SSL_CTX **tls, FILE *errors)
{
    char *said = NULL;
    size_t length;
    *tls = NULL;
    if (!load->config->tls.is_on)
        return true;
    if (daemon->tls && credentials_are_equal(&daemon->load->credentials, &load->credentials)) {
        SSL_CTX_up_ref(daemon->tls);
        *tls = daemon->tls;
        return true;
    }
    FILE *again = open_memstream(&said, &length);
    if (again) {
        *tls = tls_context_create(&load->config->tls, &load->credentials, again);
        fclose(again);
    }
    if (!*tls)
        fputs(said ? said : "tls: no memory\n", errors);
    else if (daemon->key_log)
        tls_context_log_keys(*tls, daemon->key_log);
    free(said);
    return *tls;
}

void security_take(struct daemon *daemon, SSL_CTX *tls)
{
    daemon->tls = tls;
    association_socket_secure(daemon->associations, tls, &daemon->config->tls);
    gist_node_authorise_anew(daemon->gist, clock_now_ms());
}

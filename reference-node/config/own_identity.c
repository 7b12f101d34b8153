/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A Peer-Identity of this host's own; see own_identity.h. */
#include "reference-node/config/own_identity.h"

#include "core/spec/spec.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TOKEN_OCTETS = 8, TOKEN_LENGTH = 1 + 2 * TOKEN_OCTETS, MACHINE_ID_MAX = 64 };

_Static_assert(
    (int)TOKEN_LENGTH < (int)GIST_PEER_IDENTITY_MAX, "the host's name has room beside the token");

static void write_token(char token[TOKEN_LENGTH + 1], const char *machine_id)
{
    char text[MACHINE_ID_MAX + 32];
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    int length = snprintf(text, sizeof(text), "natfwd peer identity %.64s", machine_id);
    EVP_Digest(text, (size_t)length, digest, NULL, EVP_sha256(), NULL);
    token[0] = '-';
    for (size_t i = 0; i < TOKEN_OCTETS; i++)
        snprintf(token + 1 + 2 * i, 3, "%02x", digest[i]);
}

size_t own_identity_of(
    char identity[GIST_PEER_IDENTITY_MAX], const char *host, const char *machine_id)
{
    char token[TOKEN_LENGTH + 1] = "";
    SPEC_DO("RFC5971-4.4.3-1a", 1) {
        write_token(token, machine_id);
    }
    size_t name = strnlen(host, GIST_PEER_IDENTITY_MAX - TOKEN_LENGTH);
    size_t length = strlen(token);
    memcpy(identity, host, name);
    memcpy(identity + name, token, length);
    return name + length;
}

static bool read_line(const char *path, char text[MACHINE_ID_MAX + 1])
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool read = fgets(text, MACHINE_ID_MAX + 1, file) && text[0] != '\n';
    fclose(file);
    return read;
}

size_t own_identity(char identity[GIST_PEER_IDENTITY_MAX])
{
    char host[GIST_PEER_IDENTITY_MAX + 1] = "natfwd";
    char machine_id[MACHINE_ID_MAX + 1] = "";
    gethostname(host, GIST_PEER_IDENTITY_MAX);
    /* Without a machine-id the identity lasts as long as the kernel runs. */
    if (!read_line("/etc/machine-id", machine_id))
        read_line("/proc/sys/kernel/random/boot_id", machine_id);
    return own_identity_of(identity, host, machine_id);
}

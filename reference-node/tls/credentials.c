/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates and keys as texts; see credentials.h. */
#include "reference-node/tls/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX = 16 << 20 };

/* Returns 0, or an errno. */
static int read_stream(FILE *file, struct credential *credential)
{
    struct stat found;
    if (fstat(fileno(file), &found) < 0)
        return errno;
    if (!S_ISREG(found.st_mode))
        return S_ISDIR(found.st_mode) ? EISDIR : EINVAL;
    if (found.st_size > FILE_MAX)
        return EFBIG;
    credential->text = calloc(1, (size_t)found.st_size + 1);
    if (!credential->text)
        return ENOMEM;
    credential->length = fread(credential->text, 1, (size_t)found.st_size, file);
    if (ferror(file))
        return EIO;
    return strlen(credential->text) == credential->length ? 0 : EILSEQ; /* a NUL is no text's */
}

static bool read_file(const char *path, struct credential *credential, FILE *errors)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
    int error = file ? read_stream(file, credential) : errno;
    if (file)
        fclose(file);
    if (error)
        fprintf(errors, "%s: cannot be read: %s; see the section tls\n", path, strerror(error));
    return error == 0;
}

bool credentials_read(const struct config_tls *tls, struct credentials *credentials, FILE *errors)
{
    *credentials = (struct credentials){0};
    for (size_t i = 0; i < CONFIG_CREDENTIALS; i++)
        if (tls->files[i][0] != '\0' && !read_file(tls->files[i], &credentials->each[i], errors)) {
            credentials_free(credentials);
            return false;
        }
    return true;
}

bool credentials_are_equal(const struct credentials *one, const struct credentials *other)
{
    for (size_t i = 0; i < CONFIG_CREDENTIALS; i++)
        if (one->each[i].length != other->each[i].length ||
            (one->each[i].length > 0 &&
                CRYPTO_memcmp(one->each[i].text, other->each[i].text, one->each[i].length) != 0))
            return false;
    return true;
}

void credentials_free(struct credentials *credentials)
{
    for (size_t i = 0; i < CONFIG_CREDENTIALS; i++) {
        struct credential *credential = &credentials->each[i];
        if (credential->text)
            OPENSSL_cleanse(credential->text, credential->length);
        free(credential->text);
    }
    *credentials = (struct credentials){0};
}

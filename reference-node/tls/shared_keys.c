/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pre-shared keys; see shared_keys.h. */
#include "reference-node/tls/shared_keys.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

struct line {
    const char *text;
    size_t length;
    size_t colon; /* the last one; its length where there is none */
};

static struct line line_at(const char *text)
{
    struct line line = {.text = text, .length = strcspn(text, "\r\n")};
    line.colon = line.length;
    for (size_t i = 0; i < line.length; i++)
        if (text[i] == ':')
            line.colon = i;
    return line;
}

static int nibble_of(char digit)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *found = digit == '\0' ? NULL : strchr(digits, digit);
    return found ? (int)((found - digits) % 16) : -1;
}

static const char *read_key(const struct line *line, struct shared_key *key)
{
    const char *hex = line->text + line->colon + 1;
    size_t digits = line->colon < line->length ? line->length - line->colon - 1 : 0;
    if (line->colon == 0 || line->colon == line->length)
        return "no IDENTITY:HEX; give both";
    if (line->colon > SHARED_KEY_IDENTITY_MAX)
        return "the identity is longer than 255 octets";
    if (digits % 2 != 0 || digits / 2 < SHARED_KEY_MIN || digits / 2 > SHARED_KEY_MAX)
        return "the key must have 32 to 128 hexadecimal digits";
    for (size_t i = 0; i < digits / 2; i++) {
        int high = nibble_of(hex[2 * i]), low = nibble_of(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return "the key must be hexadecimal";
        key->octets[i] = (uint8_t)(high * 16 + low);
    }
    key->length = digits / 2;
    key->identity = strndup(line->text, line->colon);
    return key->identity ? NULL : "no memory";
}

static size_t count_lines(const char *text)
{
    size_t count = 1;
    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

static const char *add_line(struct shared_keys *keys, const struct line *line)
{
    struct shared_key *key = &keys->each[keys->count];
    if (line->length == 0 || line->text[0] == '#')
        return NULL;
    const char *fault = read_key(line, key);
    if (fault)
        return fault;
    bool is_second = shared_keys_find(keys, key->identity);
    keys->count++; /* it is freed with the others */
    return is_second ? "this identity has a key already" : NULL;
}

bool shared_keys_read(struct shared_keys *keys, const char *path, const char *text, FILE *errors)
{
    *keys = (struct shared_keys){.each = calloc(count_lines(text), sizeof(*keys->each))};
    const char *fault = keys->each ? NULL : "no memory";
    for (unsigned number = 1; !fault && *text != '\0'; number++) {
        struct line line = line_at(text);
        fault = add_line(keys, &line);
        if (fault)
            fprintf(errors, "%s:%u: %s\n", path, number, fault);
        text += line.length;
        text += text[0] == '\r' && text[1] == '\n' ? 2 : *text != '\0';
    }
    if (!fault && keys->count == 0)
        fprintf(errors, "%s: %s\n", path, fault = "it holds no key; give IDENTITY:HEX");
    if (fault)
        shared_keys_free(keys);
    return !fault;
}

void shared_keys_free(struct shared_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        OPENSSL_cleanse(keys->each[i].octets, sizeof(keys->each[i].octets));
        free(keys->each[i].identity);
    }
    free(keys->each);
    *keys = (struct shared_keys){0};
}

const struct shared_key *shared_keys_find(const struct shared_keys *keys, const char *identity)
{
    for (size_t i = 0; i < keys->count; i++)
        if (strcmp(keys->each[i].identity, identity) == 0)
            return &keys->each[i];
    return NULL;
}

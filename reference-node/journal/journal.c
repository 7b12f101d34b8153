/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sessions' file; see journal.h. */
#include "reference-node/journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>

enum { LINE_SIZE = RECORD_MAX, BOOT_SIZE = 64 };

/* Line 0 tells the format and the boot; a line of blanks is free. */
#define HEAD "natfwd sessions 1, boot "

struct place {
    struct gist_session_id id;
    size_t line;
    bool is_found; /* at the start, and not put since */
    UT_hash_handle hh;
};

struct journal {
    int descriptor;
    size_t lines; /* of the file, the first included */
    struct place *places;
    size_t *free_lines; /* a stack */
    size_t free_count;
    size_t free_size;
    struct natfw_snapshot *found;
    size_t found_count;
    bool is_of_this_boot;
    bool has_failed;
};

static bool write_line(struct journal *journal, size_t line, const char *text, size_t length)
{
    char padded[LINE_SIZE];
    memset(padded, ' ', sizeof(padded));
    memcpy(padded, text, length);
    padded[LINE_SIZE - 1] = '\n';
    ssize_t written =
        pwrite(journal->descriptor, padded, LINE_SIZE, (off_t)(line * (size_t)LINE_SIZE));
    if (written >= 0 && written < LINE_SIZE)
        errno = ENOSPC;
    bool told = journal->has_failed;
    journal->has_failed = written < LINE_SIZE;
    return !journal->has_failed || told;
}

static struct place *find(struct journal *journal, const struct gist_session_id *id)
{
    struct place *place;
    HASH_FIND(hh, journal->places, id, sizeof(*id), place);
    return place;
}

static struct place *add(struct journal *journal, const struct gist_session_id *id, size_t line)
{
    struct place *place = calloc(1, sizeof(*place));
    if (!place)
        return NULL;
    place->id = *id;
    place->line = line;
    HASH_ADD(hh, journal->places, id, sizeof(place->id), place);
    return place;
}

/* A line that cannot be noted as free is not used again before the next start. */
static void free_line(struct journal *journal, size_t line)
{
    if (journal->free_count == journal->free_size) {
        size_t size = journal->free_size ? 2 * journal->free_size : 64;
        size_t *grown = realloc(journal->free_lines, size * sizeof(*grown));
        if (!grown)
            return;
        journal->free_lines = grown;
        journal->free_size = size;
    }
    journal->free_lines[journal->free_count++] = line;
}

static void read_boot(char boot[BOOT_SIZE])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    boot[0] = '\0';
    if (file && fgets(boot, BOOT_SIZE, file))
        boot[strcspn(boot, "\n")] = '\0';
    if (file)
        fclose(file);
}

static bool write_head(struct journal *journal)
{
    char boot[BOOT_SIZE], head[sizeof(HEAD) + BOOT_SIZE];
    read_boot(boot);
    snprintf(head, sizeof(head), HEAD "%s", boot);
    return write_line(journal, 0, head, strlen(head));
}

static bool is_head_of_this_boot(const char *line)
{
    char boot[BOOT_SIZE];
    read_boot(boot);
    return boot[0] != '\0' && strncmp(line + sizeof(HEAD) - 1, boot, strlen(boot)) == 0;
}

static bool is_blank(const char *line)
{
    return line[strspn(line, " \n")] == '\0';
}

static struct natfw_snapshot *find_found(struct journal *journal, const struct gist_session_id *id)
{
    size_t i = 0;
    while (i + 1 < journal->found_count && !gist_session_id_equal(&journal->found[i].id, id))
        i++;
    return &journal->found[i];
}

/* By the serial number arithmetic of RFC 1982. */
static bool is_before(uint32_t sequence_number, uint32_t other)
{
    return sequence_number - other > INT32_MAX;
}

/* A second line of one session: the first could not be blanked when it was to be. Its place in the
 * file does not tell which of them was written later, but the sequence number does. */
static void take_later(
    struct journal *journal, struct place *place, size_t number, const struct natfw_snapshot *other)
{
    struct natfw_snapshot *known = find_found(journal, &place->id);
    size_t earlier = number;
    if (is_before(known->sequence_number, other->sequence_number)) {
        *known = *other;
        earlier = place->line;
        place->line = number;
    }
    write_line(journal, earlier, "", 0); /* to be used again after the next start */
}

/* One line of the file. Returns false without memory. */
static bool take_line(struct journal *journal, size_t number, const char *line,
    struct record_time now, const char *path, FILE *errors)
{
    struct natfw_snapshot snapshot;
    if (is_blank(line)) {
        free_line(journal, number);
        return true;
    }
    if (!record_read(line, now, journal->is_of_this_boot, &snapshot)) {
        fprintf(errors, "%s:%zu: no session; this line is left out\n", path, number + 1);
        free_line(journal, number);
        return true;
    }
    struct place *place = find(journal, &snapshot.id);
    if (place) {
        take_later(journal, place, number, &snapshot);
        return true;
    }
    struct natfw_snapshot *grown =
        realloc(journal->found, (journal->found_count + 1) * sizeof(*grown));
    if (!grown)
        return false;
    journal->found = grown;
    grown[journal->found_count++] = snapshot;
    place = add(journal, &snapshot.id, number);
    if (place)
        place->is_found = true;
    return place;
}

static bool read_all(
    struct journal *journal, struct record_time now, const char *path, FILE *errors)
{
    char line[LINE_SIZE + 1];
    ssize_t length;
    for (; (length = pread(journal->descriptor, line, LINE_SIZE,
                (off_t)(journal->lines * (size_t)LINE_SIZE))) > 0;
         journal->lines++) {
        line[length] = '\0';
        if (journal->lines > 0) {
            if (!take_line(journal, journal->lines, line, now, path, errors))
                return false;
        } else if (strncmp(line, HEAD, sizeof(HEAD) - 1) == 0) {
            journal->is_of_this_boot = is_head_of_this_boot(line);
        } else {
            fprintf(
                errors, "%s:1: not a file of natfwd's sessions; give another state_file\n", path);
            return false;
        }
    }
    if (journal->lines == 0)
        journal->lines = 1;
    if (length < 0 || !write_head(journal))
        fprintf(errors, "%s: %s\n", path, strerror(errno));
    return length >= 0 && !journal->has_failed;
}

/* The folder alone; those above it are not ours to make. */
static void make_folder(const char *path)
{
    char *folder = strdup(path), *last = folder ? strrchr(folder, '/') : NULL;
    if (last && last != folder) {
        *last = '\0';
        mkdir(folder, 0700);
    }
    free(folder);
}

struct journal *journal_open(const char *path, struct record_time now, FILE *errors)
{
    struct journal *journal = calloc(1, sizeof(*journal));
    if (!journal)
        return NULL;
    make_folder(path);
    journal->descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (journal->descriptor < 0)
        fprintf(
            errors, "%s: %s; make its folder, or give another state_file\n", path, strerror(errno));
    else if (flock(journal->descriptor, LOCK_EX | LOCK_NB) < 0)
        fprintf(errors, "%s: another natfwd uses it; give another state_file\n", path);
    else if (read_all(journal, now, path, errors))
        return journal;
    journal_close(journal);
    return NULL;
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    struct place *place, *next;
    HASH_ITER(hh, journal->places, place, next) {
        HASH_DEL(journal->places, place);
        free(place);
    }
    if (journal->descriptor >= 0)
        close(journal->descriptor);
    free(journal->found);
    free(journal->free_lines);
    free(journal);
}

const struct natfw_snapshot *journal_found(const struct journal *journal, size_t *count)
{
    *count = journal->found_count;
    return journal->found;
}

void journal_forget_found(struct journal *journal)
{
    struct place *place, *next;
    HASH_ITER(hh, journal->places, place, next)
        if (place->is_found)
            journal_drop(journal, &place->id);
    free(journal->found);
    journal->found = NULL;
    journal->found_count = 0;
}

bool journal_is_of_this_boot(const struct journal *journal)
{
    return journal->is_of_this_boot;
}

bool journal_put(
    struct journal *journal, const struct natfw_snapshot *snapshot, struct record_time now)
{
    char text[RECORD_MAX];
    size_t length = record_write(snapshot, now, text);
    struct place *place = find(journal, &snapshot->id);
    if (length == 0 || length >= LINE_SIZE) {
        errno = ENOMEM;
        return false;
    }
    if (!place) {
        size_t line =
            journal->free_count > 0 ? journal->free_lines[journal->free_count - 1] : journal->lines;
        place = add(journal, &snapshot->id, line);
        if (!place) {
            errno = ENOMEM;
            return false;
        }
        if (journal->free_count > 0)
            journal->free_count--;
        else
            journal->lines++;
    }
    place->is_found = false;
    return write_line(journal, place->line, text, length);
}

bool journal_drop(struct journal *journal, const struct gist_session_id *id)
{
    struct place *place = find(journal, id);
    if (!place)
        return true;
    size_t line = place->line;
    HASH_DEL(journal->places, place);
    free(place);
    free_line(journal, line);
    return write_line(journal, line, "", 0);
}

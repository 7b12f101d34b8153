/*
 * Runs a fuzz target over files instead of an engine: how committed seeds become plain tests, and
 * how a finding is looked at.
 *
 * usage: PROGRAM [--at-least NUMBER] FILE|DIRECTORY...
 * Exit status: 0 all were run, 1 there were fewer than NUMBER, or a file could not be read; a
 * violation ends the process by a signal.
 */
#include "fuzz/target.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

static unsigned run_count;

static bool complain(const char *path)
{
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    return false;
}

/* The input lies in memory of just its size, so that AddressSanitizer sees each octet too far. */
static bool run_file(const char *path, size_t length)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return complain(path);
    uint8_t *octets = malloc(length ? length : 1);
    bool right = octets && fread(octets, 1, length, file) == length;
    fclose(file);
    if (right) {
        LLVMFuzzerTestOneInput(octets, length);
        run_count++;
    }
    free(octets);
    return right || complain(path);
}

static bool run_path(const char *path);

static bool run_directory(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0)
        return complain(path);
    bool right = true;
    for (int i = 0; i < count; i++) {
        char inner[4096];
        int length = snprintf(inner, sizeof(inner), "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            right = length < (int)sizeof(inner) && run_path(inner) && right;
        free(entries[i]);
    }
    free(entries);
    return right;
}

static bool run_path(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return complain(path);
    return S_ISDIR(status.st_mode) ? run_directory(path) : run_file(path, (size_t)status.st_size);
}

int main(int count, char **words)
{
    unsigned at_least = 1;
    int first = 1;
    if (count > 2 && strcmp(words[1], "--at-least") == 0) {
        at_least = (unsigned)strtoul(words[2], NULL, 10);
        first = 3;
    }
    if (first >= count || words[first][0] == '-') {
        fprintf(stderr, "usage: %s [--at-least NUMBER] FILE|DIRECTORY...\n", words[0]);
        return first < count && strcmp(words[first], "--help") == 0 ? 0 : 2;
    }
    bool right = true;
    for (int i = first; i < count; i++)
        right = run_path(words[i]) && right;
    printf("%u inputs run\n", run_count);
    if (run_count < at_least)
        fprintf(stderr, "%s: %u inputs are fewer than %u\n", words[0], run_count, at_least);
    return right && run_count >= at_least ? 0 : 1;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stands in for libgit2 in the tests' programs, where Criterion alone uses it: of two texts that
 * differ it shows the one and then the other, whole. */
#include <git2/diff.h>
#include <git2/global.h>

int git_libgit2_init(void)
{
    return 1;
}

int git_libgit2_shutdown(void)
{
    return 0;
}

static int show(char origin, const void *text, size_t size, git_diff_line_cb line_cb, void *payload)
{
    const git_diff_line line = {
        .origin = origin, .num_lines = 1, .content = text, .content_len = size};
    return line_cb(NULL, NULL, &line, payload);
}

int git_diff_buffers(const void *old_buffer, size_t old_len, const char *old_as_path,
    const void *new_buffer, size_t new_len, const char *new_as_path,
    const git_diff_options *options, git_diff_file_cb file_cb, git_diff_binary_cb binary_cb,
    git_diff_hunk_cb hunk_cb, git_diff_line_cb line_cb, void *payload)
{
    (void)old_as_path, (void)new_as_path, (void)options;
    (void)file_cb, (void)binary_cb, (void)hunk_cb;
    const int stopped = show(GIT_DIFF_LINE_DELETION, old_buffer, old_len, line_cb, payload);
    return stopped ? stopped : show(GIT_DIFF_LINE_ADDITION, new_buffer, new_len, line_cb, payload);
}

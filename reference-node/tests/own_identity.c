/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The identity of a node that is given none: its own, and the same each time. RFC 5971 4.4.3. */
#include "reference-node/config/own_identity.h"
#include "core/spec/tests/verify.h"

#include <string.h>

enum { LONG_NAME = 80 };

static size_t write_identity(
    char identity[GIST_PEER_IDENTITY_MAX], const char *host, const char *id)
{
    memset(identity, 0, GIST_PEER_IDENTITY_MAX);
    size_t length = own_identity_of(identity, host, id);
    cr_assert(length > 0 && length <= GIST_PEER_IDENTITY_MAX);
    return length;
}

static bool are_equal(
    const char *host, const char *id, const char *other_host, const char *other_id)
{
    char one[GIST_PEER_IDENTITY_MAX], other[GIST_PEER_IDENTITY_MAX];
    return write_identity(one, host, id) == write_identity(other, other_host, other_id) &&
           memcmp(one, other, sizeof(one)) == 0;
}

Test(own_identity, differs_from_host_to_host_though_their_names_are_the_same)
{
    VERIFIES("RFC5971-4.4.3-1a");
    REQUIRE("RFC5971-4.4.3-1a", !are_equal("localhost", "8f3c", "localhost", "8f3d"));
    REQUIRE("RFC5971-4.4.3-1a", !are_equal("localhost", "8f3c", "other", "8f3c"));
    cr_assert(are_equal("localhost", "8f3c", "localhost", "8f3c"));
}

Test(own_identity, keeps_its_token_where_the_name_is_long)
{
    char name[LONG_NAME + 1];
    memset(name, 'n', LONG_NAME);
    name[LONG_NAME] = '\0';
    cr_assert_not(are_equal(name, "8f3c", name, "8f3d"));
}

Test(own_identity, does_not_show_the_machine_id)
{
    char identity[GIST_PEER_IDENTITY_MAX + 1] = "";
    write_identity(identity, "host", "0123456789abcdef0123456789abcdef");
    cr_assert_null(strstr(identity, "0123456789abcdef"));
    cr_assert_eq(strncmp(identity, "host-", 5), 0);
}

Test(own_identity, of_this_host_is_the_same_each_time)
{
    char one[GIST_PEER_IDENTITY_MAX] = "", other[GIST_PEER_IDENTITY_MAX] = "";
    cr_assert_eq(own_identity(one), own_identity(other));
    cr_assert_arr_eq(one, other, GIST_PEER_IDENTITY_MAX);
}

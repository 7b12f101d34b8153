/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sessions over TLS between natfwds: who is a peer, who is not and why, and what a reload changes.
 * RFC 5971 4.4.2, 5.7.3. */
#include "core/spec/tests/verify.h"
#include "reference-node/tests/authority.h"
#include "reference-node/tests/network.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECURE_ONLY                                                                                \
    "policy {\ndefault_internal = \"5/0x02\"\nrule s {\nsecure = true\nanswer = allow\n}\n}\n"
#define KEYS "left:000102030405060708090a0b0c0d0e0f\n"

static struct authority authority;
static char directory[] = "/tmp/natfwXXXXXX";
static const struct subject host = {.common_names = {"host.example.com"}};
static const struct subject firewall = {.common_names = {"fw.example.com"}};

static void write_file(const char *name, const char *text)
{
    char path[64];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "we");
    cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
    chmod(path, 0600);
}

/* NAME.pem and NAME.key. */
static void issue(const char *name, const struct subject *subject)
{
    char file[32];
    struct issued issued = authority_issue(&authority, subject);
    snprintf(file, sizeof(file), "%s.pem", name);
    write_file(file, issued.certificate);
    snprintf(file, sizeof(file), "%s.key", name);
    write_file(file, issued.key);
    issued_free(&issued);
}

static void start(void)
{
    cr_assert(mkdtemp(directory));
    authority = authority_create("Ours");
    char *text = authority_pem(&authority);
    write_file("ca", text);
    free(text);
    issue("fw", &firewall);
    issue("host", &host);
    write_file("keys", KEYS);
}

static void stop(void)
{
    run("rm -r %s", directory);
    authority_free(&authority);
}

TestSuite(secure, .init = start, .fini = stop);

/* The section of a node that has NAME's certificate and this peer; more goes into it. */
struct section {
    char text[TEXT_MAX];
};
static struct section section(const char *name, const char *peer, const char *more)
{
    struct section section;
    snprintf(section.text, sizeof(section.text),
        "tls {\ncertificate = \"%s/%s.pem\"\nkey = \"%s/%s.key\"\nauthorities = \"%s/ca\"\n"
        "peer \"%s\" { answer = allow }\n%s\n}\n",
        directory, name, directory, name, directory, peer, more);
    return section;
}

static struct network begin(const char *firewall_more, const char *host_more)
{
    struct section middle = section("fw", "host.example.com", firewall_more);
    struct section hosts = section("host", "fw.example.com", host_more);
    return network_start(middle.text, hosts.text);
}

/* What becomes of an open that has to be secure. */
static int open_securely(const struct network *network)
{
    int status;
    json_decref(control(network, LEFT,
        "open --from 192.0.2.2:4000 --to 198.51.100.2:5000 --protocol udp --secure --timeout 4",
        &status));
    return status;
}

static json_int_t unauthorised_at(const struct network *network, enum node which)
{
    json_t *reply = control_ok(network, which, "stats");
    json_t *gist = json_object_get(reply, "gist");
    const json_t *tls = json_object_get(reply, "tls");
    json_int_t count = json_integer_value(json_object_get(gist, "peers_unauthorised")) +
                       json_integer_value(json_object_get(tls, "unauthorised"));
    cr_assert(json_object_get(gist, "peers_unauthorised") && json_object_get(tls, "unauthorised"));
    json_decref(reply);
    return count;
}

static void reload(const struct network *network, enum node which)
{
    json_decref(control_ok(network, which, "reload"));
}

Test(secure, a_session_is_opened_over_tls_and_says_so_at_each_node)
{
    struct network network = begin("", "");
    struct flow flow = make_flow(&network, 5000);
    VERIFIES("RFC5971-8.1-1a");
    json_t *opened = control_ok(&network, LEFT, OPEN "--secure");
    REQUIRE("RFC5971-8.1-1a", passes(flow.left, flow.right, PATIENCE_MS));
    for (enum node which = 0; which < NODE_COUNT; which++) {
        char command[64];
        snprintf(command, sizeof(command), "show %s", session_of(opened));
        json_t *shown = control_ok(&network, which, command);
        json_t *session = json_object_get(shown, "session");
        cr_assert(json_is_true(json_object_get(session, "secure")), "%s", node_names[which]);
        json_decref(shown);
    }
    json_decref(opened);
    network_stop(&network);
}

Test(secure, a_session_that_could_be_plain_prefers_tls_too)
{
    struct section middle = section("fw", "host.example.com", "");
    struct section hosts = section("host", "fw.example.com", "");
    char both[TEXT_MAX];
    snprintf(both, sizeof(both), "%.300s" SECURE_ONLY, middle.text);
    struct network network = network_start(both, hosts.text);
    json_decref(control_ok(&network, LEFT, OPEN));
    network_stop(&network);
}

#define ONE_HOST_ONLY                                                                              \
    "policy {\ndefault_internal = \"5/0x02\"\nrule s {\nidentity = \"%s\"\nanswer = "              \
    "allow\n}\n}\n%.300s"

Test(secure, a_rule_may_be_for_a_name_and_a_reload_may_change_it)
{
    char text[TEXT_MAX];
    struct section middle = section("fw", "host.example.com", "");
    struct section hosts = section("host", "fw.example.com", "");
    snprintf(text, sizeof(text), ONE_HOST_ONLY, "*.example.com", middle.text);
    struct network network = network_start(text, hosts.text);
    cr_assert_eq(open_securely(&network), 0);
    snprintf(text, sizeof(text), ONE_HOST_ONLY, "other.example.com", middle.text);
    write_firewall_config(&network, text);
    reload(&network, MIDDLE);
    cr_assert_eq(open_securely(&network), 1);
    snprintf(text, sizeof(text), ONE_HOST_ONLY, "host.example.com", middle.text);
    write_firewall_config(&network, text);
    reload(&network, MIDDLE);
    cr_assert_eq(open_securely(&network), 0);
    network_stop(&network);
}

Test(secure, a_peer_that_the_database_does_not_name_is_none)
{
    struct section middle = section("fw", "other.example.com", "");
    struct section hosts = section("host", "fw.example.com", "");
    struct network network = network_start(middle.text, hosts.text);
    cr_assert_eq(open_securely(&network), 1);
    require_logged(
        &network, MIDDLE, "identity=\"/CN=host.example.com\" is not authorised for flow=\"");
    cr_assert(unauthorised_at(&network, MIDDLE) > 0 && unauthorised_at(&network, LEFT) == 0);
    json_t *stats = control_ok(&network, MIDDLE, "stats");
    json_t *gist = json_object_get(stats, "gist");
    cr_assert_eq(
        json_integer_value(json_object_get(gist, "peers_unauthorised")), 0, "it was heard");
    json_decref(stats);
    cr_assert_eq(sessions_at(&network, MIDDLE), 0);
    network_stop(&network);
}

Test(secure, a_firewall_that_the_host_does_not_name_is_none)
{
    struct section middle = section("fw", "host.example.com", "");
    struct section hosts = section("host", "other.example.com", "");
    struct network network = network_start(middle.text, hosts.text);
    cr_assert_eq(open_securely(&network), 1);
    require_logged(&network, LEFT, "identity=\"/CN=fw.example.com\" is not authorised for flow=\"");
    cr_assert_eq(sessions_at(&network, MIDDLE), 0);
    network_stop(&network);
}

Test(secure, an_expired_certificate_and_one_of_an_unknown_authority_are_refused_by_name)
{
    struct subject expired = host;
    struct authority other = authority_create("Theirs"), ours = authority;
    struct network network = begin("", "");
    expired.from_s = -200;
    expired.until_s = -100;
    issue("host", &expired);
    reload(&network, LEFT);
    require_logged(&network, LEFT, "host.pem: certificate 1 has expired");
    cr_assert_eq(open_securely(&network), 1);
    require_logged(&network, MIDDLE,
        "tls: peer=192.0.2.2: no association: its certificate is refused: "
        "certificate has expired");
    authority = other;
    issue("host", &host);
    authority = ours;
    reload(&network, LEFT);
    cr_assert_eq(open_securely(&network), 1);
    require_logged(&network, MIDDLE, "its certificate is refused: unable to get local issuer");
    issue("host", &host);
    reload(&network, LEFT);
    cr_assert_eq(open_securely(&network), 0);
    authority_free(&other);
    network_stop(&network);
}

Test(secure, a_certificate_that_is_revoked_ends_what_it_had_begun)
{
    char more[128];
    snprintf(more, sizeof(more), "revocations = \"%s/crl\"", directory);
    char *none = authority_revoke(&authority, 0);
    write_file("crl", none);
    struct network network = begin(more, "");
    cr_assert_eq(open_securely(&network), 0);
    cr_assert_eq(unauthorised_at(&network, MIDDLE), 0);
    char *hosts = authority_revoke(&authority, authority.last_serial);
    write_file("crl", hosts);
    reload(&network, MIDDLE);
    cr_assert(unauthorised_at(&network, MIDDLE) > 0);
    require_logged(
        &network, MIDDLE, "identity=\"/CN=host.example.com\": what authenticated it holds");
    cr_assert_eq(open_securely(&network), 1);
    require_logged(&network, MIDDLE, "its certificate is refused: certificate revoked");
    free(none);
    free(hosts);
    network_stop(&network);
}

Test(secure, a_peer_that_is_taken_from_the_database_is_none_any_more)
{
    VERIFIES("RFC5971-4.4.2-7");
    struct network network = begin("", "");
    struct section other = section("fw", "other.example.com", "");
    struct section same = section("fw", "host.example.com", "");
    cr_assert_eq(open_securely(&network), 0);
    write_firewall_config(&network, same.text);
    reload(&network, MIDDLE);
    cr_assert_eq(unauthorised_at(&network, MIDDLE), 0);
    write_firewall_config(&network, other.text);
    reload(&network, MIDDLE);
    REQUIRE("RFC5971-4.4.2-7", unauthorised_at(&network, MIDDLE) > 0);
    cr_assert_eq(open_securely(&network), 1);
    network_stop(&network);
}

/* The association that is there goes on with what it began with. */
Test(secure, a_new_certificate_is_used_without_a_restart)
{
    struct network network = begin("", "");
    struct flow flow = make_flow(&network, 5000);
    json_decref(control_ok(&network, LEFT, OPEN "--secure"));
    issue("fw", &firewall);
    reload(&network, MIDDLE);
    cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    cr_assert_eq(unauthorised_at(&network, MIDDLE) + unauthorised_at(&network, LEFT), 0);
    cr_assert_eq(open_securely(&network), 0);
    network_stop(&network);
}

/* The tls of its status; to be freed. */
static json_t *tls_of(const struct network *network, enum node which)
{
    json_t *status = control_ok(network, which, "status");
    json_t *tls = json_object_get(json_object_get(status, "in_force"), "tls");
    json_incref(tls);
    json_decref(status);
    return tls;
}

Test(secure, the_status_says_until_when_the_certificate_holds)
{
    struct subject year = firewall;
    run("mkdir %s/first && cp %s/fw.* %s/first", directory, directory, directory);
    struct network network = begin("", "");
    json_t *before = tls_of(&network, MIDDLE);
    const char *until = json_string_value(json_object_get(before, "certificate_until"));
    cr_assert(json_integer_value(json_object_get(before, "port")) == 30271);
    cr_assert(json_is_false(json_object_get(before, "required")));
    cr_assert(until && strlen(until) == 20 && until[19] == 'Z', "%s", until);
    year.until_s = 365 * 86400L;
    issue("fw", &year);
    reload(&network, MIDDLE);
    json_t *after = tls_of(&network, MIDDLE);
    const char *later = json_string_value(json_object_get(after, "certificate_until"));
    cr_assert(later && strcmp(later, until) > 0, "%s after %s", later, until);
    run("cp %s/first/* %s", directory, directory);
    reload(&network, MIDDLE);
    json_t *again = tls_of(&network, MIDDLE);
    cr_assert_str_eq(json_string_value(json_object_get(again, "certificate_until")), until);
    json_decref(again);
    json_decref(before);
    json_decref(after);
    write_config(&network, LEFT, "roles = {\"initiator\"}");
    end_daemon(&network, LEFT, SIGTERM);
    start_daemon(&network, LEFT);
    cr_assert(json_is_null(tls_of(&network, LEFT)));
    network_stop(&network);
}

Test(secure, files_that_cannot_be_used_leave_a_reload_without_effect)
{
    struct network network = begin("", "");
    int status;
    write_file("fw.pem", "no certificate at all\n");
    json_t *reply = control(&network, MIDDLE, "reload", &status);
    const char *message = json_string_value(json_object_get(reply, "message"));
    cr_assert(
        status == 1 && strstr(message, "fw.pem: there is no certificate in it"), "%s", message);
    cr_assert_eq(open_securely(&network), 0);
    json_decref(reply);
    network_stop(&network);
}

Test(secure, where_tls_is_required_nothing_else_is_heard)
{
    int status;
    struct network network = begin("required = true", "");
    run("! (ss -Hltn | grep -q ':30270 ')");
    run("ss -Hltn | grep -q ':30271 '");
    write_config(&network, LEFT, "roles = {\"initiator\"}");
    end_daemon(&network, LEFT, SIGTERM);
    start_daemon(&network, LEFT);
    json_decref(control(&network, LEFT, OPEN "--timeout 4", &status));
    cr_assert_eq(status, 1, "over plain TCP: %d", status);
    json_t *reply = control(&network, LEFT, OPEN "--secure", &status);
    cr_assert_eq(status, 1);
    cr_assert(strstr(json_string_value(json_object_get(reply, "message")), "no TLS"));
    json_decref(reply);
    cr_assert_eq(sessions_at(&network, MIDDLE), 0);
    network_stop(&network);
}

Test(secure, a_shared_key_does_for_a_certificate)
{
    char text[TEXT_MAX];
    snprintf(text, sizeof(text),
        "tls {\nshared_keys = \"%s/keys\"\npeer left {\nnamespace = psk\nanswer = allow\n}\n}\n",
        directory);
    struct network network = network_start(text, text);
    cr_assert_eq(open_securely(&network), 0);
    write_file("keys", "left:f00102030405060708090a0b0c0d0e0f\n");
    reload(&network, MIDDLE);
    cr_assert(unauthorised_at(&network, MIDDLE) > 0);
    cr_assert_eq(open_securely(&network), 1);
    network_stop(&network);
}

Test(secure, the_secrets_are_written_down_where_that_is_asked_for_only)
{
    char more[128], path[64];
    struct stat found;
    snprintf(more, sizeof(more), "key_log = \"%s/log\"", directory);
    run("touch %s/log && chmod 644 %s/log", directory, directory);
    struct network network = begin(more, "");
    cr_assert_eq(open_securely(&network), 0);
    snprintf(path, sizeof(path), "%s/log", directory);
    cr_assert(stat(path, &found) == 0 && (found.st_mode & 0777) == 0600);
    run("grep -q '^CLIENT_TRAFFIC_SECRET_0 ' %s", path);
    run("truncate -s 0 %s", path);
    issue("fw", &firewall);
    issue("host", &host);
    reload(&network, MIDDLE);
    end_daemon(&network, LEFT, SIGTERM);
    start_daemon(&network, LEFT);
    cr_assert_eq(open_securely(&network), 0);
    run("grep -q '^CLIENT_TRAFFIC_SECRET_0 ' %s", path);
    require_logged(&network, MIDDLE, "reads each association");
    network_stop(&network);
}

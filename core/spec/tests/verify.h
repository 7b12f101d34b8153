/*
 * What a unit test says of the requirements that it proves.
 *
 * VERIFIES names them at the top of a test; REQUIRE is an assertion that carries one of them. A
 * test proves a requirement only by an assertion that carries its id: a test that claims an id and
 * returns without having evaluated such an assertion fails.
 *
 * With NATFW_TRACE_FILE set, each test appends what it reached and required to that file, one line
 * each, for harness/trace and harness/mutants:
 *     point TEST ID#N HITS      required TEST ID FILE:LINE      failed TEST ID FILE:LINE
 * With NATFW_MUTANT set, the point it names is broken before the test starts.
 */
#ifndef NATFW_SPEC_TESTS_VERIFY_H
#define NATFW_SPEC_TESTS_VERIFY_H

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stddef.h>

struct verify_claims {
    const char *function;
    const char *file;
    const char *const *ids; /* ends in NULL */
};

struct verify_running {
    const struct verify_claims *claims;
};

#define VERIFIES(...)                                                                              \
    static const char *const verify_ids_[] = {__VA_ARGS__, NULL};                                  \
    static const struct verify_claims verify_here_ = {                                             \
        .function = "?", .file = __FILE__, .ids = verify_ids_};                                    \
    static const struct verify_claims *const verify_listed_                                        \
        __attribute__((section("verify_claims"), used)) = &verify_here_;                           \
    __attribute__((cleanup(verify_end), unused)) struct verify_running verify_running_ =           \
        verify_begin(&verify_here_)

#define REQUIRE(id, condition)                                                                     \
    do {                                                                                           \
        bool verify_holds_ = (condition);                                                          \
        verify_required(id, verify_holds_, __FILE__, __LINE__);                                    \
        cr_assert(verify_holds_, "[%s] %s", id, #condition);                                       \
    } while (0)

struct verify_running verify_begin(const struct verify_claims *claims);
void verify_end(struct verify_running *running);
void verify_required(const char *id, bool holds, const char *file, unsigned line);

#endif

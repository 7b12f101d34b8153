/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a running natfwd may still do, read from the process, and what fails when it is tried. */
#include "reference-node/base/privileges.h"

#include "reference-node/base/memory.h"
#include "reference-node/base/sandbox.h"
#include "reference-node/tests/network.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { USER = 64999, ALL_AS_IT_SHOULD = 42 };

static void expect_status(pid_t process, const char *line)
{
    char *status = output_of("cat /proc/%d/status", (int)process);
    cr_assert(strstr(status, line), "%s is not in\n%s", line, status);
    free(status);
}

Test(privileges, a_running_natfwd_has_given_up_all_but_two_capabilities)
{
    struct network network = network_start("", "");
    pid_t process = network.daemons[MIDDLE];
    expect_status(process, "Uid:\t64999\t64999\t64999\t64999\n");
    expect_status(process, "Gid:\t64999\t64999\t64999\t64999\n");
    expect_status(process, "Groups:\t \n");
    expect_status(process, "CapInh:\t0000000000000000\nCapPrm:\t0000000000003000\n"
                           "CapEff:\t0000000000003000\nCapBnd:\t0000000000003000\n"
                           "CapAmb:\t0000000000000000\nNoNewPrivs:\t1\n");
    if (sandbox_is_there()) {
        expect_status(process, "Seccomp:\t2\n");
        char *root = output_of("ls -A /proc/%d/root/", (int)process);
        cr_assert_str_eq(root, "", "it sees files: %s", root);
        free(root);
    }
    network_stop(&network);
}

Test(privileges, who_asks_to_keep_them_keeps_them)
{
    struct network network = network_start("drop_privileges = no", "");
    expect_status(network.daemons[MIDDLE], "Uid:\t0\t0\t0\t0\n");
    expect_status(network.daemons[MIDDLE], "Seccomp:\t0\n");
    network_stop(&network);
}

Test(privileges, a_user_that_is_not_there_is_told_before_anything_is_changed)
{
    namespace_enter_new();
    run("ip link add inside type veth peer name outside");
    char *said = output_of("printf 'roles = {\"forwarder\"}\nuser = nobody-of-this-name\n"
                           "interface \"inside\" { side = internal }\n"
                           "interface \"outside\" { side = external }\n' >/tmp/natfwd-user-$$.conf;"
                           "%s -c /tmp/natfwd-user-$$.conf 2>&1; echo \" $?\"; nft list tables;"
                           "rm /tmp/natfwd-user-$$.conf",
        getenv("NATFWD"));
    cr_assert(strstr(said, ": user: there is no \"nobody-of-this-name\""), "%s", said);
    cr_assert(strstr(said, " 2\n") && !strstr(said, "inet natfw"), "%s", said);
    free(said);
}

/* In a process that has become what natfwd becomes; each returns whether it was let. */
static bool can_run_a_program(void)
{
    execl("/bin/true", "true", (char *)NULL);
    return false; /* where it can, the process ends with status 0 */
}

static bool can_open(const char *path)
{
    int descriptor = open(path, O_RDONLY);
    return descriptor >= 0;
}

static bool can_bind_a_low_port(void)
{
    struct sockaddr_in low = {.sin_family = AF_INET, .sin_port = htons(80)};
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    return descriptor < 0 || bind(descriptor, (struct sockaddr *)&low, sizeof(low)) == 0;
}

static bool can_open_a_raw_socket(void)
{
    return socket(AF_INET, SOCK_RAW, IPPROTO_UDP) >= 0;
}

/* The number of the first that went wrong; 0: none did. */
static int try_all(void)
{
    struct privileges_user user;
    memory_open();
    if (!privileges_find_user("64999", &user) || !privileges_empty_root() ||
        !privileges_drop(&user))
        return 1;
    if (setuid(0) == 0 || seteuid(0) == 0)
        return 2;
    if (can_open("/etc/passwd") || can_open("/proc/self/status") || can_open("."))
        return 3;
    if (open("file", O_WRONLY | O_CREAT, 0600) >= 0)
        return 4;
    if (can_bind_a_low_port())
        return 5;
    if (unshare(CLONE_NEWNET) == 0 || mount("none", "/", "tmpfs", 0, NULL) == 0 || chroot("/") == 0)
        return 6;
    if (kill(getppid(), 0) == 0 || ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0)
        return 7;
    if (!can_open_a_raw_socket() || memory_resident_kib() <= 0)
        return 8;
    if (!sandbox_enter())
        return 9;
    if (sandbox_is_there() && (fork() >= 0 || unshare(CLONE_NEWUSER) == 0))
        return 10;
    if (!can_open_a_raw_socket() || memory_resident_kib() <= 0)
        return 11;
    return sandbox_is_there() && can_run_a_program() ? 12 : 0;
}

static void expect_all_right(int (*try)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        int wrong = try();
        _exit(wrong == 0 ? ALL_AS_IT_SHOULD : wrong);
    }
    cr_assert(waitpid(child, &status, 0) == child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == ALL_AS_IT_SHOULD,
        "status %d: the %dth went wrong", status, WEXITSTATUS(status));
}

Test(privileges, what_it_gave_up_it_cannot_do_and_what_it_needs_it_can)
{
    namespace_enter_new();
    expect_all_right(try_all);
}

static int try_files(void)
{
    struct privileges_user user;
    int before = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    if (!privileges_find_user("64999", &user) || !privileges_drop(&user))
        return 1;
    if (!can_open("/etc/passwd"))
        return 2;
    if (!privileges_close_files())
        return 3;
    if (can_open("/etc/passwd") || can_open("/proc/self/status") || can_open("/"))
        return 4;
    if (open("/tmp/natfwd-made", O_WRONLY | O_CREAT, 0600) >= 0 ||
        mkdir("/tmp/natfwd-made", 0) == 0)
        return 5;
    if (write(before, "still", 5) != 5 || ftruncate(before, 0) != 0)
        return 6;
    return can_open_a_raw_socket() ? 0 : 7;
}

/* As a service manager's or a container's filter may: seccomp(2) and Landlock are refused. */
static bool hide_calls(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static int try_within_another_filter(void)
{
    struct privileges_user user;
    if (!hide_calls() || syscall(SYS_seccomp, 0, 0, NULL) == 0 || errno != EPERM)
        return 1;
    if (!privileges_find_user("64999", &user) || !privileges_drop(&user))
        return 2;
    if (!privileges_close_files())
        return 3;
    if (!sandbox_enter())
        return 4;
    return sandbox_is_there() && (fork() >= 0 || can_run_a_program()) ? 5 : 0;
}

Test(privileges, a_filter_around_it_does_not_keep_it_from_its_own)
{
    expect_all_right(try_within_another_filter);
}

Test(privileges, whom_no_root_has_started_sees_no_file_either)
{
    expect_all_right(try_files);
}

Test(privileges, users_are_found_by_name_and_number)
{
    struct privileges_user user;
    cr_assert(privileges_find_user("root", &user) && user.user == 0 && user.group == 0);
    cr_assert(privileges_find_user("0", &user) && user.user == 0);
    cr_assert(privileges_find_user("64999", &user) && user.user == USER && user.group == USER);
    cr_assert(!privileges_find_user("nobody-of-this-name", &user));
    cr_assert(!privileges_find_user("64999x", &user) && !privileges_find_user("", &user));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets: connected or not within the deadline, with the kernel's own reason. */
#include "runbook/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>

#include "tests/harness/unit.h"

union address {
        struct sockaddr any;
        struct sockaddr_in tcp;
        struct sockaddr_un unix_;
};

/* Listens for one connection at a time, on a port or under an abstract name of the kernel's choice. */
static int listen_at(sa_family_t family, union address *ret, socklen_t *ret_length)
{
        union address address = {.any.sa_family = family};
        socklen_t length = family == AF_INET ? sizeof(address.tcp) : sizeof(address.any.sa_family);
        int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (family == AF_INET)
                address.tcp.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        assert_true(fd >= 0);
        assert_int_equal(bind(fd, &address.any, length), 0);
        assert_int_equal(listen(fd, 0), 0);
        *ret_length = sizeof(*ret);
        assert_int_equal(getsockname(fd, &ret->any, ret_length), 0);
        return fd;
}

static void test_connects_and_waits_for_the_peer(void **state _unused_)
{
        static const sa_family_t families[] = {AF_INET, AF_UNIX};
        for (size_t i = 0; i < N_ELEMENTS(families); i++) {
                union address address;
                socklen_t length;
                _cleanup_close_ int listening = listen_at(families[i], &address, &length), fd = -1;
                assert_int_equal(socket_connect(&address.any, length, deadline_in(60 * NSEC_PER_SEC), &fd),
                                 0);
                assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
                assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
                _cleanup_close_ int peer = accept(listening, NULL, NULL);
                assert_int_equal(socket_wait(fd, POLLOUT, DEADLINE_NEVER), POLLOUT);
                assert_int_equal(socket_wait(fd, POLLIN, deadline_in(0)), -ETIMEDOUT);
                assert_int_equal(write(peer, "x", 1), 1);
                assert_int_equal(socket_wait(fd, POLLIN, DEADLINE_NEVER), POLLIN);
                assert_int_equal(socket_wait(fd, POLLIN | POLLOUT, deadline_in(0)), POLLIN | POLLOUT);
        }
}

static void test_nobody_listens(void **state _unused_)
{
        union address tcp, named = {.unix_ = {.sun_family = AF_UNIX, .sun_path = "/nowhere/at/all"}};
        socklen_t length;
        int fd = 77;
        close(listen_at(AF_INET, &tcp, &length));
        assert_int_equal(socket_connect(&tcp.any, length, DEADLINE_NEVER, &fd), -ECONNREFUSED);
        assert_int_equal(socket_connect(&named.any, sizeof(named.unix_), DEADLINE_NEVER, &fd), -ENOENT);
        assert_int_equal(fd, 77);
}

/* The kernel answers no more when nobody accepts; on a unix socket it says so. */
static void test_nobody_accepts(void **state _unused_)
{
        static const struct {
                sa_family_t family;
                int result;
        } cases[] = {{AF_INET, -ETIMEDOUT}, {AF_UNIX, -EAGAIN}};
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                union address address;
                socklen_t length;
                _cleanup_close_ int listening = listen_at(cases[i].family, &address, &length);
                int fds[16], r = 0;
                size_t count = 0;
                while (count < N_ELEMENTS(fds) &&
                       (r = socket_connect(&address.any, length, deadline_in(20 * NSEC_PER_MSEC),
                                           &fds[count])) == 0)
                        count++;
                assert_int_equal(r, cases[i].result);
                while (count > 0)
                        close(fds[--count]);
        }
}

static void ignore(int number _unused_) {}

static void test_no_signal_ends_the_waiting(void **state _unused_)
{
        const struct sigaction action = {.sa_handler = ignore};
        const struct itimerval every = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
        union address address;
        socklen_t length;
        _cleanup_close_ int listening = listen_at(AF_INET, &address, &length);
        struct deadline deadline = deadline_in(20 * NSEC_PER_MSEC);
        assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
        assert_int_equal(setitimer(ITIMER_REAL, &every, NULL), 0);
        assert_int_equal(socket_wait(listening, POLLIN, deadline), -ETIMEDOUT);
        assert_true(deadline_passed(deadline));
        assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
        signal(SIGALRM, SIG_DFL);
        assert_int_equal(socket_wait(-1, POLLIN, DEADLINE_NEVER), -EBADF); /* which poll() would wait for */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_connects_and_waits_for_the_peer),
                cmocka_unit_test(test_nobody_listens),
                cmocka_unit_test(test_nobody_accepts),
                cmocka_unit_test(test_no_signal_ends_the_waiting),
        };
        return cmocka_run_group_tests_name("socket", tests, NULL, NULL);
}

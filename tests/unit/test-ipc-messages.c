/* SPDX-License-Identifier: MIT */

/* The channel between manager and template: what arrives, what is refused, and that nothing leaks. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helpers/fds.h"
#include "ipc/messages.h"

static void test_spawn_with_descriptors(void **state _unused_)
{
        IpcMessage message = { .type = IPC_SPAWN, .n = IPC_SPAWN_MAX }, got;
        int pair[2], sent[IPC_SPAWN_MAX], fds[IPC_SPAWN_MAX];
        size_t before = count_fds();

        open_queue(pair);
        for (uint32_t i = 0; i < IPC_SPAWN_MAX; i++) {
                message.workers[i].slot = 100 + i;
                sent[i] = pair[1];
        }
        assert_int_equal(ipc_send(pair[0], &message, sent, IPC_SPAWN_MAX), 0);
        assert_int_equal(ipc_receive(pair[1], &got, fds), 1);
        assert_int_equal(got.type, IPC_SPAWN);
        assert_int_equal(got.n, IPC_SPAWN_MAX);
        for (uint32_t i = 0; i < IPC_SPAWN_MAX; i++) {
                assert_int_equal(got.workers[i].slot, 100 + i);
                assert_int_equal(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
                fd_close(fds[i]);
        }
        close_pair(pair);
        assert_int_equal(count_fds(), before);
}

static void test_trace(void **state _unused_)
{
        IpcMessage message = { .type = IPC_TRACE, .n = 1, .workers = { { .slot = 7, .pid = 4711 } } }, got;
        int pair[2], fds[IPC_SPAWN_MAX];

        open_queue(pair);
        assert_int_equal(ipc_send(pair[0], &message, NULL, 0), 0);
        assert_int_equal(ipc_receive(pair[1], &got, fds), 1);
        assert_int_equal(got.type, IPC_TRACE);
        assert_int_equal(got.workers[0].slot, 7);
        assert_int_equal(got.workers[0].pid, 4711);
        close_pair(pair);
}

static void test_text_ends(void **state _unused_)
{
        IpcMessage message = { .type = IPC_FAILED }, got;
        int pair[2], fds[IPC_SPAWN_MAX];

        open_queue(pair);
        memset(message.text, 'x', sizeof message.text);
        assert_int_equal(ipc_send(pair[0], &message, NULL, 0), 0);
        assert_int_equal(ipc_receive(pair[1], &got, fds), 1);
        assert_int_equal(strlen(got.text), IPC_TEXT_MAX - 1);
        close_pair(pair);
}

static void test_end_of_channel(void **state _unused_)
{
        IpcMessage message = { .type = IPC_STARTED }, got;
        int pair[2], fds[IPC_SPAWN_MAX];

        open_queue(pair);
        assert_int_equal(ipc_receive(pair[1], &got, fds), -EAGAIN);
        assert_int_equal(ipc_send(pair[0], &message, NULL, 0), 0);
        pair[0] = fd_close(pair[0]);
        assert_int_equal(ipc_receive(pair[1], &got, fds), 1); /* what was said before still counts */
        assert_int_equal(ipc_receive(pair[1], &got, fds), 0);
        assert_int_equal(ipc_send(pair[1], &message, NULL, 0), -EPIPE); /* and no SIGPIPE */
        close_pair(pair);

        /* The other side ended without reading what we said: ECONNRESET, which is an end as well. */
        open_queue(pair);
        assert_int_equal(ipc_send(pair[1], &message, NULL, 0), 0);
        pair[0] = fd_close(pair[0]);
        assert_int_equal(ipc_receive(pair[1], &got, fds), 0);
        close_pair(pair);
}

/* Each is one step beyond what is allowed; descriptors that came along are closed. */
static void test_refused(void **state _unused_)
{
        static const struct {
                unsigned type;
                uint32_t n;
                pid_t pid;
                size_t n_fds;
                size_t size_less;
        } cases[] = {
                { .type = _IPC_TYPE_MAX },
                { .type = 0xffffffff },
                { .type = IPC_SPAWN, .n = IPC_SPAWN_MAX + 1, .n_fds = IPC_SPAWN_MAX + 1 },
                { .type = IPC_SPAWN, .n = IPC_SPAWN_MAX + 1, .n_fds = IPC_SPAWN_MAX },
                { .type = IPC_SPAWN, .n = 2, .n_fds = 1 },
                { .type = IPC_SPAWN, .n = 1, .n_fds = 2 },
                { .type = IPC_SPAWNED, .n = 1, .n_fds = 1 },
                { .type = IPC_SPAWNED, .n = 1, .pid = -1 },
                { .type = IPC_SPAWNED, .n = UINT32_MAX },
                { .type = IPC_TRACE, .n = 0 },
                { .type = IPC_TRACE, .n = 1, .pid = 0 },
                { .type = IPC_TRACE, .n = 1, .pid = -1 },
                { .type = IPC_TRACE, .n = 2, .pid = 1 },
                { .type = IPC_TRACE, .n = 1, .pid = 1, .n_fds = 1 },
                { .type = IPC_STARTED, .size_less = 1 },
                { .type = IPC_SPAWN, .n_fds = 1, .size_less = sizeof(IpcMessage) }, /* which is no end */
        };
        size_t before = count_fds();
        int pair[2];

        open_queue(pair);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                IpcMessage message = { .type = (IpcType) cases[i].type, .n = cases[i].n }, got;
                int sent[IPC_SPAWN_MAX + 1], fds[IPC_SPAWN_MAX], r;

                message.workers[0].pid = cases[i].pid;
                for (size_t k = 0; k < ELEMENTSOF(sent); k++)
                        sent[k] = pair[0];
                assert_int_equal(fd_send(pair[0], &message, sizeof message - cases[i].size_less, sent,
                                         cases[i].n_fds, 0),
                                 0);
                r = ipc_receive(pair[1], &got, fds);
                assert_int_equal(r, cases[i].n_fds > IPC_SPAWN_MAX ? -EXFULL : -EBADMSG);
        }
        close_pair(pair);
        assert_int_equal(count_fds(), before);
}

static void test_message_that_is_too_long(void **state _unused_)
{
        uint8_t bytes[sizeof(IpcMessage) + 1] = {};
        int pair[2], fds[IPC_SPAWN_MAX];
        IpcMessage got;

        open_queue(pair);
        assert_int_equal(fd_send(pair[0], bytes, sizeof bytes, NULL, 0, 0), 0);
        assert_int_equal(ipc_receive(pair[1], &got, fds), -EMSGSIZE);
        close_pair(pair);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_spawn_with_descriptors), cmocka_unit_test(test_text_ends),
                cmocka_unit_test(test_trace),
                cmocka_unit_test(test_end_of_channel),         cmocka_unit_test(test_refused),
                cmocka_unit_test(test_message_that_is_too_long),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */

/* What manager and workers hand each other: what arrives is what was sent, and a lie is told from it. */

#include "helpers/unit.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helpers/fds.h"
#include "helpers/handoff.h"

static void test_the_same_connection(void **state _unused_)
{
        int pair[2], connection[2];
        size_t before = count_fds();
        Handoff got;
        char c;

        open_queue(pair);
        open_stream(connection);
        assert_int_equal(handoff_receive(pair[1], HANDOFF_MANAGER, &got), -EAGAIN);

        assert_int_equal(hand_off(pair[0], HANDOFF_PARK, &ORIGIN_UNIX, connection[0]), 0);
        fd_close(connection[0]); /* it lives in the queue */
        assert_int_equal(handoff_receive(pair[1], HANDOFF_MANAGER, &got), 1);
        assert_int_equal(got.kind, HANDOFF_PARK);
        assert_int_equal(got.origin.protocol, PROTOCOL_FASTCGI);
        assert_true(got.origin.unix_socket);
        assert_int_equal(got.origin.head, -EBADF);
        assert_int_equal(fcntl(got.fd, F_GETFD), FD_CLOEXEC);

        assert_int_equal(send(got.fd, "x", 1, 0), 1);
        assert_int_equal(recv(connection[1], &c, 1, 0), 1);
        handoff_close(&got);
        assert_int_equal(got.fd, -EBADF);
        expect_eof(connection[1]);
        fd_close(connection[1]);
        close_pair(pair);
        assert_int_equal(count_fds(), before);
}

/* Descriptor 0 is as good a head as any: there is none only where it is negative. */
static void test_head_goes_along(void **state _unused_)
{
        const Origin origin = { .head = 0, .moves = 255, .deadline = 7 };
        size_t before = count_fds();
        int pair[2];
        Handoff got;

        open_queue(pair);
        assert_int_equal(hand_off(pair[0], HANDOFF_SERVE, &origin, pair[0]), 0);
        assert_int_equal(handoff_receive(pair[1], HANDOFF_WORKER, &got), 1);
        assert_true(got.origin.head > 0);
        assert_int_equal(fcntl(got.origin.head, F_GETFD), FD_CLOEXEC);
        assert_int_equal(got.origin.moves, 255);
        assert_int_equal(got.origin.deadline, 7);
        assert_false(got.origin.unix_socket);
        handoff_close(&got);
        assert_int_equal(got.origin.head, -EBADF);
        close_pair(pair);
        assert_int_equal(count_fds(), before);
}

static void test_question_and_page(void **state _unused_)
{
        Handoff question = { .kind = HANDOFF_QUESTION, .question = { .format = 3, .full = true } }, got;
        size_t before = count_fds();
        int pair[2], own[2], page;

        open_queue(pair);
        open_queue(own);
        question.fd = own[1];
        assert_int_equal(handoff_send(pair[0], &question), 0);
        assert_int_equal(handoff_receive(pair[1], HANDOFF_MANAGER, &got), 1);
        assert_int_equal(got.kind, HANDOFF_QUESTION);
        assert_int_equal(got.question.format, 3);
        assert_true(got.question.full);

        assert_int_equal(fd_new_sealed_memfd("page", "x", 1, &page), 0);
        assert_int_equal(handoff_send(got.fd, &(Handoff) { .kind = HANDOFF_PAGE, .fd = page }), 0);
        fd_close(page);
        handoff_close(&got);
        assert_int_equal(handoff_receive(own[0], HANDOFF_ASKER, &got), 1);
        assert_int_equal(got.kind, HANDOFF_PAGE);
        handoff_close(&got);
        close_pair(own);
        close_pair(pair);
        assert_int_equal(count_fds(), before);
}

static void test_full_queue(void **state _unused_)
{
        size_t before = count_fds(), sent = 0, received = 0;
        Origin origin = ORIGIN_UNIX;
        int pair[2], r, fd;

        open_queue(pair);
        do {
                origin.unix_socket = sent % 3 == 0;
                r = hand_off(pair[0], HANDOFF_PARK, &origin, pair[0]);
        } while (r == 0 && ++sent);
        assert_int_equal(r, -EAGAIN);
        assert_true(sent > 0);

        while (take_over(pair[1], HANDOFF_MANAGER, &origin, &fd) == 1) {
                assert_int_equal(origin.unix_socket, received % 3 == 0);
                received++;
                fd_close(fd);
        }
        assert_int_equal(received, sent);
        assert_int_equal(hand_off(pair[0], HANDOFF_PARK, &ORIGIN_UNIX, pair[0]), 0);
        close_pair(pair);
        assert_int_equal(count_fds(), before);
}

static void test_other_side_gone(void **state _unused_)
{
        int pair[2];
        Handoff got;

        open_queue(pair);
        assert_int_equal(hand_off(pair[0], HANDOFF_PARK, &ORIGIN_UNIX, STDOUT_FILENO), 0);
        pair[0] = fd_close(pair[0]);
        /* What was handed over still counts. */
        assert_int_equal(handoff_receive(pair[1], HANDOFF_MANAGER, &got), 1);
        handoff_close(&got);
        assert_int_equal(handoff_receive(pair[1], HANDOFF_MANAGER, &got), 0);
        assert_int_equal(hand_off(pair[1], HANDOFF_PARK, &ORIGIN_UNIX, STDOUT_FILENO), -EPIPE);
        close_pair(pair);

        open_queue(pair);
        assert_int_equal(hand_off(pair[1], HANDOFF_PARK, &ORIGIN_UNIX, STDOUT_FILENO), 0);
        pair[0] = fd_close(pair[0]); /* without having read it */
        assert_int_equal(handoff_receive(pair[1], HANDOFF_MANAGER, &got), 0);
        close_pair(pair);
}

/* Each case is a message of a lying peer: a good one, of 16 bytes, with one thing wrong. */
static const struct {
        HandoffMessage message;
        size_t n_fds;
        HandoffTaker taker;
        int error;
} messages[] = {
        { { .kind = HANDOFF_PARK }, 1, HANDOFF_MANAGER, 0 },
        { { .kind = HANDOFF_PARK, .unix_socket = 1 }, 1, HANDOFF_MANAGER, 0 },
        { { .kind = HANDOFF_PARK, .moves = 1, .deadline = 1 }, 2, HANDOFF_MANAGER, 0 },
        { { .kind = HANDOFF_SERVE, .moves = 255, .deadline = UINT64_MAX }, 2, HANDOFF_WORKER, 0 },
        { { .kind = HANDOFF_QUESTION, .format = 255, .full = 1 }, 1, HANDOFF_MANAGER, 0 },
        { { .kind = HANDOFF_PAGE }, 1, HANDOFF_ASKER, 0 },

        /* No kind at all, or one that is for others. */
        { {}, 1, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = _HANDOFF_KIND_MAX }, 1, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = 255 }, 1, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = HANDOFF_SERVE }, 1, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = HANDOFF_PAGE }, 1, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = HANDOFF_PARK }, 1, HANDOFF_WORKER, -EBADMSG },
        { { .kind = HANDOFF_QUESTION }, 1, HANDOFF_WORKER, -EBADMSG },
        { { .kind = HANDOFF_SERVE }, 1, HANDOFF_ASKER, -EBADMSG },

        /* Descriptors that are too few or too many. */
        { { .kind = HANDOFF_PARK }, 0, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = HANDOFF_QUESTION }, 0, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = HANDOFF_QUESTION }, 2, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = HANDOFF_QUESTION, .moves = 1, .deadline = 1 }, 2, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = HANDOFF_PAGE }, 2, HANDOFF_ASKER, -EBADMSG },
        { { .kind = HANDOFF_PARK, .moves = 1, .deadline = 1 }, 3, HANDOFF_MANAGER, -EBADMSG },

        /* A head without its time, a time without its head. */
        { { .kind = HANDOFF_PARK }, 2, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = HANDOFF_PARK, .moves = 1 }, 2, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = HANDOFF_PARK, .deadline = 1 }, 2, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = HANDOFF_PARK, .moves = 1 }, 1, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = HANDOFF_PARK, .deadline = 1 }, 1, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = HANDOFF_PARK, .moves = 1, .deadline = 1 }, 1, HANDOFF_MANAGER, -EBADMSG },

        /* Values that mean nothing, and what only other kinds use. */
        { { .kind = HANDOFF_PARK, .unix_socket = 2 }, 1, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = HANDOFF_PARK, .format = 1 }, 1, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = HANDOFF_PARK, .full = 1 }, 1, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = HANDOFF_PARK, .reserved = { 1 } }, 1, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = HANDOFF_PARK, .reserved = { 0, 1 } }, 1, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = HANDOFF_QUESTION, .full = 2 }, 1, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = HANDOFF_QUESTION, .protocol = 1 }, 1, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = HANDOFF_QUESTION, .unix_socket = 1 }, 1, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = HANDOFF_QUESTION, .moves = 1, .deadline = 1 }, 1, HANDOFF_MANAGER, -EBADMSG },
        { { .kind = HANDOFF_PAGE, .format = 1 }, 1, HANDOFF_ASKER, -EBADMSG },

        /* It is well formed, and of another protocol. */
        { { .kind = HANDOFF_PARK, .protocol = _PROTOCOL_MAX }, 1, HANDOFF_MANAGER, -EPROTONOSUPPORT },
        { { .kind = HANDOFF_SERVE, .protocol = 255 }, 1, HANDOFF_WORKER, -EPROTONOSUPPORT },
};

static void test_messages(void **state _unused_)
{
        size_t before = count_fds();
        int pair[2];

        open_queue(pair);
        for (size_t i = 0; i < ELEMENTSOF(messages); i++) {
                const int fds[] = { pair[0], pair[1], pair[0] };
                Handoff got = { .kind = HANDOFF_PAGE, .fd = -EBADF };
                int r;

                assert_int_equal(fd_send(pair[0], &messages[i].message, sizeof(HandoffMessage), fds,
                                         messages[i].n_fds, 0),
                                 0);
                r = handoff_receive(pair[1], messages[i].taker, &got);
                assert_int_equal(r, messages[i].error ?: 1);
                assert_int_equal(got.fd >= 0, r == 1);
                handoff_close(&got);
                assert_int_equal(count_fds(), before + 2);
        }
        close_pair(pair);
}

/* What is good comes back byte by byte. */
static void test_encoded_again(void **state _unused_)
{
        static const int fds[] = { 5, 6 };

        for (size_t i = 0; i < ELEMENTSOF(messages); i++) {
                HandoffMessage message;
                int again[HANDOFF_FDS_MAX];
                Handoff got;

                if (messages[i].error < 0)
                        continue;
                assert_int_equal(handoff_decode(&messages[i].message, sizeof message, fds,
                                                messages[i].n_fds, messages[i].taker, &got),
                                 0);
                assert_int_equal(handoff_encode(&got, &message, again), messages[i].n_fds);
                assert_memory_equal(&message, &messages[i].message, sizeof message);
                assert_memory_equal(again, fds, messages[i].n_fds * sizeof *fds);
        }
}

static void test_sizes(void **state _unused_)
{
        static const size_t sizes[] = { 0, 1, sizeof(HandoffMessage) - 1, sizeof(HandoffMessage) + 1, 4096 };
        static const HandoffMessage message[256] = { { .kind = HANDOFF_PARK } };
        size_t before = count_fds();
        int pair[2];
        Handoff got;

        open_queue(pair);
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                assert_int_equal(fd_send(pair[0], message, sizes[i], pair, 1, 0), 0);
                assert_int_equal(handoff_receive(pair[1], HANDOFF_MANAGER, &got), -EBADMSG);
        }
        close_pair(pair);
        assert_int_equal(count_fds(), before);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_same_connection), cmocka_unit_test(test_head_goes_along),
                cmocka_unit_test(test_question_and_page),   cmocka_unit_test(test_full_queue),
                cmocka_unit_test(test_other_side_gone),     cmocka_unit_test(test_messages),
                cmocka_unit_test(test_encoded_again),       cmocka_unit_test(test_sizes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

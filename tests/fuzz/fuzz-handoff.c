/* SPDX-License-Identifier: MIT */

/*
 * Any bytes, with any number of descriptors, as a message between manager and workers, for each of those
 * that take them: what is taken is complete and comes back the same when it is sent again; nothing is left
 * open.
 */

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "input.h"
#include "ipc/handoff.h"

static int lowest(void)
{
        int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

        CHECK(fd >= 0 && close(fd) == 0);
        return fd;
}

static void check(const Handoff *handoff, const Input *in)
{
        HandoffMessage message;
        int fds[HANDOFF_FDS_MAX];
        size_t n_fds = handoff_encode(handoff, &message, fds);

        CHECK(n_fds >= 1 && n_fds <= HANDOFF_FDS_MAX && handoff->fd >= 0);
        CHECK(in->left == sizeof message && memcmp(in->bytes, &message, sizeof message) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        int pair[2], sent[] = { STDIN_FILENO, STDIN_FILENO, STDIN_FILENO }, before = lowest(), r;
        Input in = { data, size };
        uint8_t first = input_byte(&in);
        Handoff handoff;

        CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
        CHECK(fd_send(pair[0], in.bytes, in.left, sent, first % 4, 0) >= 0);
        r = handoff_receive(pair[1], (HandoffTaker) (first / 4 % 3), &handoff);
        CHECK(r <= 1);
        if (r == 1) {
                check(&handoff, &in);
                handoff_close(&handoff);
        }
        close(pair[0]);
        close(pair[1]);
        CHECK(lowest() == before);
        return 0;
}

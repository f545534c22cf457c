/* SPDX-License-Identifier: MIT */

/*
 * Any bytes as a client of the manager's status socket, in two pieces: the first byte says where they are
 * cut. The server takes them, whatever they are, without waiting, and what it answers are records.
 */

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "fastcgi/encoder.h"
#include "input.h"
#include "manager/face/status-server.h"

#define TURNS_MAX 256

static int on_page(void *userdata _unused_, DumpFormat format, bool full _unused_, char **ret,
                   size_t *ret_size)
{
        CHECK(format < _DUMP_FORMAT_MAX);
        *ret = input_copy("page", 4);
        *ret_size = 4;
        return 0;
}

static const Config *on_settings(void *userdata)
{
        return userdata;
}

/* A listening socket without a place in the file system; its address is in *ret. */
static int listener(struct sockaddr_un *ret)
{
        socklen_t size = sizeof *ret;
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
        CHECK(fd >= 0 && bind(fd, (struct sockaddr *) ret, sizeof ret->sun_family) == 0 &&
              listen(fd, 4) == 0);
        CHECK(getsockname(fd, (struct sockaddr *) ret, &size) == 0);
        return fd;
}

static void turn(sd_event *event)
{
        for (size_t i = 0; i < TURNS_MAX && sd_event_run(event, 0) > 0; i++)
                ;
}

/* Whole records, but for the last, of which not all was read. */
static void check_answer(int client)
{
        uint8_t bytes[16384];
        ssize_t n = recv(client, bytes, sizeof bytes, MSG_DONTWAIT);

        for (ssize_t i = 0; i + FCGI_HEADER_SIZE <= n;) {
                FcgiHeader header = fcgi_decode_header(bytes + i);

                CHECK(header.version == FCGI_VERSION_1);
                i += FCGI_HEADER_SIZE + header.content_size + header.padding_size;
        }
}

static void talk(sd_event *event, const struct sockaddr_un *address, Input *in)
{
        size_t cut = MIN((size_t) input_byte(in), in->left);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        /* An address that the kernel chose has five digits behind its zero. */
        CHECK(fd >= 0);
        CHECK(connect(fd, (const struct sockaddr *) address, offsetof(struct sockaddr_un, sun_path) + 6) ==
              0);
        (void) send(fd, in->bytes, cut, MSG_NOSIGNAL);
        turn(event);
        (void) send(fd, in->bytes + cut, in->left - cut, MSG_NOSIGNAL);
        turn(event);
        check_answer(fd);
        close(fd);
        turn(event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(status_server_freep) StatusServer *server = NULL;
        _cleanup_(config_freep) Config *config = NULL;
        Input in = { data, size };
        struct sockaddr_un address;
        int fd = listener(&address);
        sd_event *event;

        CHECK(config_new(&config) == 0);
        CHECK(sd_event_new(&event) >= 0);
        CHECK(status_server_new(event, &fd, 1, &(StatusServerPool){ on_page, on_settings, config },
                                &server) == 0);
        talk(event, &address, &in);
        status_server_free(TAKE_PTR(server));
        sd_event_unref(event);
        close(fd);
        return 0;
}

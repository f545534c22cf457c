/* SPDX-License-Identifier: MIT */

#include <sys/socket.h>

#include "base/io.h"
#include "base/params.h"
#include "helpers/fastcgi.h"
#include "helpers/text.h"
#include "helpers/unit.h"

void bytes_clear(Bytes *b)
{
        free(b->data);
        *b = (Bytes){};
}

void bytes_add(Bytes *b, const void *data, size_t size)
{
        b->data = realloc(b->data, b->size + size + 1);
        assert_non_null(b->data);
        if (size > 0)
                memcpy(b->data + b->size, data, size);
        b->size += size;
}

void add_record(Bytes *b, FcgiType type, uint16_t id, const void *content, size_t size)
{
        static const uint8_t zeros[8];
        uint8_t header[FCGI_HEADER_SIZE];

        fcgi_encode_header(header, type, id, size, fcgi_padding(size));
        bytes_add(b, header, sizeof header);
        bytes_add(b, content, size);
        bytes_add(b, zeros, fcgi_padding(size));
}

void add_end(Bytes *b, uint16_t id)
{
        uint8_t record[FCGI_END_REQUEST_SIZE];

        fcgi_encode_end_request(record, id, 0, FCGI_REQUEST_COMPLETE);
        bytes_add(b, record, sizeof record);
}

void add_begin(Bytes *b, uint16_t id, FcgiRole role, bool keep)
{
        uint8_t record[FCGI_BEGIN_REQUEST_SIZE];

        fcgi_encode_begin_request(record, id, role, keep);
        bytes_add(b, record, sizeof record);
}

void add_head_of(Bytes *b, uint16_t id, FcgiRole role, bool keep, const Params *params)
{
        _cleanup_(freep) uint8_t *head = NULL;
        size_t size;

        assert_int_equal(fcgi_encode_request_head(id, role, keep, params, &head, &size), 0);
        bytes_add(b, head, size);
}

void add_head(Bytes *b, uint16_t id, FcgiRole role, bool keep)
{
        _cleanup_(params_freep) Params *params = NULL;

        assert_int_equal(params_new(&params), 0);
        set_param(params, "REQUEST_METHOD", "GET");
        set_param(params, "SCRIPT_NAME", "/a.php");
        add_head_of(b, id, role, keep, params);
}

void add_request(Bytes *b, uint16_t id, bool keep, const void *body, size_t size, size_t record)
{
        add_head(b, id, FCGI_RESPONDER, keep);
        for (size_t i = 0; i < size;) {
                size_t n = MIN(size - i, record > 0 ? record : (size_t) FCGI_CONTENT_MAX);

                add_record(b, FCGI_STDIN, id, (const uint8_t *) body + i, n);
                i += n;
        }
        add_record(b, FCGI_STDIN, id, NULL, 0);
}

void send_bytes(int fd, const Bytes *b)
{
        assert_int_equal(io_write_all(fd, b->data, b->size), 0);
}

void receive_bytes(int fd, Bytes *ret, size_t size)
{
        while (ret->size < size) {
                uint8_t buffer[4096];
                ssize_t n;

                n = recv(fd, buffer, MIN(sizeof buffer, size - ret->size), 0);
                assert_true(n > 0);
                bytes_add(ret, buffer, (size_t) n);
        }
}

void expect_bytes(int fd, const Bytes *expected)
{
        Bytes got = {};

        receive_bytes(fd, &got, expected->size);
        assert_memory_equal(got.data, expected->data, expected->size);
        bytes_clear(&got);
}

/* SPDX-License-Identifier: MIT */

/*
 * A line of the access log: the format is the first line of the input, headers of the answer and parameters
 * of the request the others, "NAME=value". Whatever clients and scripts send, no line becomes two and no
 * quote is added, but for what the format has itself.
 */

#include "base/utf8.h"
#include "input.h"
#include "worker/serve/access-line.h"

#define HEADERS_MAX 4

static size_t count(const char *s, char c)
{
        size_t n = 0;

        for (; *s; s++)
                n += *s == c;
        return n;
}

/* The values of headers that are wanted; they may hold anything. */
static void set_headers(Request *request, const AccessFormat *format, const char *value)
{
        for (size_t i = 0; i < format->n_pieces && request->n_wanted < HEADERS_MAX; i++) {
                RequestHeader *header = &request->wanted[request->n_wanted];

                if (format->pieces[i].code != ACCESS_HEADER)
                        continue;
                header->name = format->pieces[i].text;
                strncpy(header->value, value, sizeof header->value - 1);
                request->n_wanted++;
        }
}

static void set_params(Request *request, Input *in)
{
        while (in->left > 0) {
                _cleanup_(freep) char *line = input_until(in, 0x1e);
                char *value = strchr(line, '=');

                if (value)
                        (void) params_set(request->params, line, (size_t) (value - line), value + 1,
                                          strlen(value + 1));
        }
}

static void check_line(const AccessFormat *format, const char *text, const char *line, size_t size)
{
        bool has_time = access_format_has(format, ACCESS_STARTED) || access_format_has(format, ACCESS_ENDED);

        CHECK(size < ACCESS_LINE_MAX && size == strlen(line));
        CHECK(has_time || count(line, '\n') <= count(text, '\n'));
        CHECK(has_time || count(line, '"') <= count(text, '"'));
        CHECK(has_time || count(line, 0x1b) <= count(text, 0x1b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(freep) AccessFormat *format = NULL;
        _cleanup_(params_freep) Params *params = NULL;
        Input in = { data, size };
        _cleanup_(freep) char *text = input_line(&in), *value = input_line(&in);
        char *paths[2] = { value };
        RequestHeader headers[HEADERS_MAX] = {};
        char error[ACCESS_ERROR_MAX], line[ACCESS_LINE_MAX];
        Request request = { .wanted = headers };
        uint64_t numbers[4] = {};
        AccessEntry entry;

        if (access_format_parse(text, error, &format) < 0)
                return 0;
        CHECK(params_new(&params) == 0);
        request.params = params;
        set_headers(&request, format, value);
        set_params(&request, &in);
        request.script = params_get(params, "SCRIPT_FILENAME", NULL);
        request.name = params_get(params, "SCRIPT_NAME", NULL);
        strncpy(request.user, value, sizeof request.user - 1);
        memcpy(numbers, value, MIN(strlen(value), sizeof numbers));
        entry = (AccessEntry){
                .pool = "www",
                .pid = 1,
                .parent = 2,
                .request = &request,
                .peer = value,
                .status = (int) (numbers[0] % 1000),
                .memory = numbers[0],
                .started = numbers[1],
                .duration = numbers[2],
                .cpu_user = numbers[3] / 2,
                .cpu_system = numbers[3] / 2,
        };
        check_line(format, text, line, access_line(format, &entry, line));
        (void) access_suppressed(paths, &request, entry.status);
        return 0;
}

/* SPDX-License-Identifier: MIT */

/*
 * Query strings of the status page, the first line, and what clients and scripts put into a status, the
 * others. In every format the page is UTF-8, and markup and JSON are well-formed as far as strings could
 * spoil them.
 */

#include "base/utf8.h"
#include "input.h"
#include "status/dump.h"

/* Fields in the order of the table, the strings by turns. */
typedef struct Filling {
        const char *strings[4];
        uint64_t numbers[4];
        size_t i;
} Filling;

#define FILL_STRING(f) (f).strings[(f).i++ % ELEMENTSOF((f).strings)]
#define FILL_URI(f) FILL_STRING(f)
#define FILL_COUNT(f) (f).numbers[(f).i++ % ELEMENTSOF((f).numbers)]
#define FILL_PERCENT(f) FILL_COUNT(f)
#define FILL_TIME(f) FILL_COUNT(f)
#define FILL_SINCE(f) FILL_COUNT(f)
#define FILL_USEC(f) FILL_COUNT(f)

static void fill(Filling *f, PoolStatus *pool, WorkerStatus *worker)
{
#define POOL_STATUS(origin, field, key, type, ...) pool->field = FILL_##type(*f);
#include "status/status.def"
#define WORKER_STATUS(origin, field, key, type, ...) worker->field = FILL_##type(*f);
#include "status/status.def"
}

static void check_utf8(const char *s, size_t size)
{
        while (size > 0) {
                uint32_t code;
                size_t n = utf8_decode(s, size, &code);

                CHECK(n > 0 && code != 0);
                s += n;
                size -= n;
        }
}

/* Strings end where they should, and braces outside of them pair. */
static void check_json(const char *s)
{
        bool in_string = false;
        int depth = 0;

        for (; *s; s++) {
                CHECK(!in_string || (uint8_t) *s >= ' ');
                if (*s == '"')
                        in_string = !in_string;
                else if (in_string && *s == '\\') {
                        CHECK(s[1] && strchr("\"\\/bfnrtu", s[1]));
                        s++;
                } else if (!in_string)
                        depth += *s == '{' || *s == '[' ? 1 : *s == '}' || *s == ']' ? -1 : 0;
                CHECK(depth >= 0);
        }
        CHECK(!in_string && depth == 0);
}

static void check_markup(const char *s)
{
        bool in_tag = false;

        for (; *s; s++) {
                CHECK(*s != '<' || !in_tag);
                CHECK(*s != '>' || in_tag);
                in_tag = *s == '<' || (in_tag && *s != '>');
                CHECK(*s != '&' || (strchr(s, ';') && strchr(s, ';') - s <= 6));
        }
        CHECK(!in_tag);
}

static void dump(DumpFormat format, bool full, const PoolStatus *pool, const WorkerStatus *worker)
{
        _cleanup_(freep) char *text = NULL;
        size_t size;
        Dump d = { .f = open_memstream(&text, &size), .format = format, .full = full };

        CHECK(d.f);
        dump_begin(&d, pool);
        dump_worker(&d, worker);
        dump_worker(&d, worker);
        dump_end(&d);
        CHECK(fclose(d.f) == 0 && strlen(text) == size);
        check_utf8(text, size);
        if (format == DUMP_JSON || format == DUMP_FUNCTION)
                check_json(text);
        else if (format == DUMP_XML || format == DUMP_HTML)
                check_markup(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        Input in = { data, size };
        _cleanup_(freep) char *query = input_line(&in), *a = input_line(&in), *b = input_line(&in),
                              *c = input_line(&in);
        Filling filling = { .strings = { a, b, c, NULL } };
        WorkerStatus worker;
        PoolStatus pool;
        bool full;

        CHECK(dump_format_of_query(query, &full) < _DUMP_FORMAT_MAX);
        input_bytes(&in, filling.numbers, sizeof filling.numbers);
        fill(&filling, &pool, &worker);
        for (DumpFormat format = 0; format < _DUMP_FORMAT_MAX; format++) {
                CHECK(*dump_headers(format));
                dump(format, full, &pool, &worker);
        }
        return 0;
}

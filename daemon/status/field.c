/* SPDX-License-Identifier: MIT */

/*
 * The fields of status.def and their values, for the formats of the status page to write. Clients may have
 * chosen the strings: only dump_string() writes them. This file knows no format.
 */

#include "status/field.h"

#include <inttypes.h>
#include <time.h>

#include "base/parse.h"
#include "base/utf8.h"

const StatusField pool_fields[] = {
#define POOL_STATUS(o, f, k, t, mt, m, l, h)                                                                \
        { .origin = STATUS_##o, .offset = offsetof(PoolStatus, f), .key = k, .kind = STATUS_##t,            \
          .metric_type = mt, .metric = m, .label = l, .help = h },
#include "status/status.def"
        {},
};

const StatusField worker_fields[] = {
#define WORKER_STATUS(o, f, k, t, x, fn)                                                                    \
        { .origin = STATUS_##o, .offset = offsetof(WorkerStatus, f), .key = k, .kind = STATUS_##t,          \
          .text = x,                                                                                        \
          .function = fn },
#include "status/status.def"
        {},
};

const DumpEscapes dump_markup_escapes = {
        .special = { { '<', "&lt;" },
                     { '>', "&gt;" },
                     { '&', "&amp;" },
                     { '"', "&quot;" } }, /* no apostrophe, as in PHP-FPM: values stand in no attribute */
};

bool status_shows(const char *php_version, StatusOrigin origin)
{
        return origin != STATUS_FPM_8_4 || version_at_least(php_version, 8, 4);
}

const StatusField *status_shown(const StatusField *field, const char *php_version)
{
        while (field->key && !status_shows(php_version, field->origin))
                field++;
        return field;
}

/* XML 1.0, section 2.2: neither can stand in it. */
static bool is_nonchar(uint32_t code)
{
        return code == 0xfffe || code == 0xffff;
}

static const char *find_special(const DumpEscapes *e, uint32_t code)
{
        for (size_t i = 0; i < ELEMENTSOF(e->special) && e->special[i].character; i++)
                if ((unsigned char) e->special[i].character == code)
                        return e->special[i].text;
        return NULL;
}

void dump_string(FILE *f, const char *s, size_t n, const DumpEscapes *escapes)
{
        while (n > 0) {
                const char *special;
                uint32_t code = 0;
                size_t k;

                k = utf8_decode(s, n, &code);
                special = k > 0 ? find_special(escapes, code) : NULL;
                if (special)
                        (void) fputs(special, f);
                else if (k == 0 || is_nonchar(code) || !utf8_is_no_control(code))
                        (void) fputc('?', f);
                else
                        (void) fwrite(s, 1, k, f);
                k = MAX(k, (size_t) 1);
                s += k;
                n -= k;
        }
}

static void dump_time(FILE *f, usec_t t, bool epoch)
{
        time_t seconds = (time_t) (t / USEC_PER_SEC);
        char buffer[64];
        struct tm tm;

        if (!epoch && localtime_r(&seconds, &tm) &&
            strftime(buffer, sizeof buffer, "%d/%b/%Y:%H:%M:%S %z", &tm) > 0)
                (void) fputs(buffer, f);
        else
                (void) fprintf(f, "%" PRIu64, (uint64_t) (t / USEC_PER_SEC));
}

const char *status_string(const StatusField *field, const void *status)
{
        const char *s;

        assert(status_kind_is_string(field->kind));

        s = *(const char *const *) ((const char *) status + field->offset);
        return s && *s ? s : "-";
}

uint64_t status_number(const StatusField *field, const void *status)
{
        assert(!status_kind_is_string(field->kind));

        return *(const uint64_t *) ((const char *) status + field->offset);
}

void status_write_json(Json *json, const char *name, StatusKind kind, uint64_t number)
{
        assert(!status_kind_is_string(kind));

        if (kind == STATUS_PERCENT)
                json_hundredths(json, name, number);
        else if (kind == STATUS_TIME || kind == STATUS_SINCE)
                json_number(json, name, number / USEC_PER_SEC);
        else
                json_number(json, name, number);
}

void dump_value(FILE *f, const StatusField *field, const void *status, const DumpEscapes *escapes)
{
        const char *s;
        uint64_t n;

        if (status_kind_is_string(field->kind)) {
                s = status_string(field, status);
                dump_string(f, s, strlen(s), escapes);
                return;
        }

        n = status_number(field, status);
        switch (field->kind) {
        case STATUS_TIME:
                dump_time(f, n, escapes->epoch);
                break;
        case STATUS_PERCENT:
                (void) fprintf(f, "%" PRIu64 ".%02" PRIu64, n / 100, n % 100);
                break;
        case STATUS_SINCE:
                n /= USEC_PER_SEC;
                _fallthrough_;
        default:
                (void) fprintf(f, "%" PRIu64, n);
        }
}

const char *dump_name(const StatusField *field, char *buffer)
{
        size_t n = strlen(field->key);

        assert(n < DUMP_NAME_MAX);

        for (size_t i = 0; i <= n; i++)
                buffer[i] = field->key[i] == '-' ? ' ' : field->key[i];
        return buffer;
}

/* SPDX-License-Identifier: MIT */

/*
 * What the status page's formats write: the fields of status.def, and their values. Strings are clients'
 * words: only dump_string() writes them. Knows no format.
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
        .control = "?",
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
                if (k == 0 || is_nonchar(code))
                        (void) fputc('?', f);
                else if (special)
                        (void) fputs(special, f);
                else if (code >= 0x20 && (code < 0x7f || code > 0x9f))
                        (void) fwrite(s, 1, k, f);
                else if (*escapes->control == '\\')
                        (void) fprintf(f, "\\u%04x", (unsigned) code);
                else
                        (void) fputs(escapes->control, f);
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
        const char *s = *(const char *const *) ((const char *) status + field->offset);

        return s && *s ? s : "-";
}

void dump_value(FILE *f, const StatusField *field, const void *status, const DumpEscapes *escapes)
{
        const char *s;
        uint64_t n;

        if (status_is_string(field)) {
                s = status_string(field, status);
                dump_string(f, s, strlen(s), escapes);
                return;
        }

        n = *(const uint64_t *) ((const char *) status + field->offset);
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

void dump_name(FILE *f, const StatusField *field)
{
        for (const char *p = field->key; *p; p++)
                (void) fputc(*p == '-' ? ' ' : *p, f);
}

/* SPDX-License-Identifier: MIT */

/* Says what is wrong with the line that is read: see fpm-scan.h. */

#include "ctl/import/fpm-scan.h"

#include <stdarg.h>
#include <stdio.h>

int fpm_scan_fail(const FpmScanner *s, const char *format, ...)
{
        va_list ap;

        s->error->line = s->line;
        va_start(ap, format);
        (void) vsnprintf(s->error->text, sizeof s->error->text, format, ap);
        va_end(ap);
        return -EINVAL;
}

/* SPDX-License-Identifier: MIT */

/*
 * Any bytes as a request to php-pool-sendmaild: what is taken is arguments within the bytes that came, and
 * what is not refused of them begins with "-" nowhere but in an option of the table.
 */

#include <stdlib.h>

#include "sendmail/arguments.h"
#include "sendmail/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *copy = malloc(size + 1);
        _cleanup_(freep) char **argv = NULL;
        char reason[MAIL_REASON_MAX] = "";
        int r;

        if (!copy)
                abort();
        if (size > 0)
                memcpy(copy, data, size);
        r = mail_request_decode(copy, size, &argv);
        if (r < 0) {
                if (r != -EBADMSG)
                        abort();
                return 0;
        }
        for (char **p = argv + 1; *p; p++)
                if (*p < copy || *p + strlen(*p) >= copy + size)
                        abort();
        if (arguments_refuse(argv + 1, reason)) {
                if (!*reason || strchr(reason, '\n'))
                        abort();
                return 0;
        }
        for (char **p = argv + 1; *p; p++)
                if (startswith(*p, "-C") || startswith(*p, "-X") || startswith(*p, "-be") ||
                    strchr(*p, '\n'))
                        abort();
        return 0;
}

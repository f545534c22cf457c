/* SPDX-License-Identifier: MIT */

/* The command by which mail() sends: see mail-command.h. It tells words as a shell does; it runs nothing. */

#include "worker/request/mail-command.h"

#include "base/text.h"

/* What stands between words, and what may stand around one. */
#define BETWEEN " \t;|&()'\"`"

static bool is_sendmail(const char *word, size_t size, bool first)
{
        static const char *const paths[] = { "/usr/sbin/sendmail", "/usr/lib/sendmail", "/usr/bin/sendmail",
                                             "/sbin/sendmail",     "/lib/sendmail",     "sendmail" };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                if (strlen(paths[i]) == size && memcmp(word, paths[i], size) == 0)
                        return *word == '/' || first;
        return false;
}

int mail_command(const char *command, const char *client, char **ret)
{
        bool first = true, found = false;
        Text t;
        int r;

        r = text_open(&t);
        if (r < 0)
                return r;
        while (*command) {
                size_t between = strspn(command, BETWEEN), word = strcspn(command + between, BETWEEN);
                bool here = word > 0 && is_sendmail(command + between, word, first);

                (void) fwrite(command, 1, between, t.f);
                command += between;
                if (here)
                        (void) fputs(client, t.f);
                else
                        (void) fwrite(command, 1, word, t.f);
                command += word;
                first = false;
                found = found || here;
        }
        r = text_close(&t, 0, ret);
        if (r >= 0 && !found) {
                free(*ret);
                *ret = NULL;
        }
        return r;
}

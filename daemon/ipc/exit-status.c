/* SPDX-License-Identifier: MIT */

/* The table of exit statuses: see exit-status.def; and words for what is not in it. */

#include "ipc/exit-status.h"

#include <signal.h>
#include <stdio.h>

static const struct {
        int number;
        bool expected;
        const char *text;
} table[] = {
#define STATUS(name, number, expected, text) { number, expected, text },
#include "ipc/exit-status.def"
};

const char *exit_status_text(int status)
{
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (table[i].number == status)
                        return table[i].text;
        return NULL;
}

void exit_describe(int code, int status, char description[static EXIT_DESCRIPTION_MAX])
{
        assert(code == CLD_EXITED || code == CLD_KILLED || code == CLD_DUMPED);

        if (code == CLD_EXITED)
                (void) snprintf(description, EXIT_DESCRIPTION_MAX, "exited with status %d", status);
        else
                (void) snprintf(description, EXIT_DESCRIPTION_MAX, "was killed by SIG%s%s",
                                sigabbrev_np(status) ?: "?", code == CLD_DUMPED ? " (core dumped)" : "");
}

bool exit_status_expected(int status)
{
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (table[i].number == status)
                        return table[i].expected;
        return false;
}

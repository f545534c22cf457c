/* SPDX-License-Identifier: MIT */

/* The table of exit statuses: see exit-status.def. */

#include "ipc/exit-status.h"

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

bool exit_status_expected(int status)
{
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (table[i].number == status)
                        return table[i].expected;
        return false;
}

/* SPDX-License-Identifier: MIT */

/*
 * Which environment variables the service of a pool may not have: those that ctl/import/environment.def
 * lists, with its reasons. Pure.
 */

#include "base/text.h"
#include "ctl/import/internal.h"

const char *import_variable_refused(const char *name, bool by_unit)
{
        enum { UNIT, NOBODY };
        static const struct {
                const char *name;
                int who;
                const char *reason;
        } refused[] = {
#define VARIABLE(name, who, reason) { name, who, reason },
#include "ctl/import/environment.def"
        };

        for (size_t i = 0; i < ELEMENTSOF(refused); i++) {
                size_t n = strcspn(refused[i].name, "*");

                if (strncmp(name, refused[i].name, n) == 0 && (refused[i].name[n] || !name[n]))
                        return by_unit && refused[i].who == UNIT ? NULL : refused[i].reason;
        }
        return NULL;
}

const char *import_passing_refused(const char *name)
{
        bool locale = startswith(name, "LC_") || streq(name, "LANG") || streq(name, "LANGUAGE");

        return locale ? "the pool's unit keeps the machine's locale from scripts; write its value, "
                        "Environment=…"
                      : NULL;
}

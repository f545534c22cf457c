/* SPDX-License-Identifier: MIT */

/*
 * What the dynamic linker says, for people: see loading.h. Its words are never translated, since no worker
 * has set a locale by then.
 */

#include "manager/decide/loading.h"

#include "base/text.h"

#define MISSING "error while loading shared libraries: "
#define MISMATCH "symbol lookup error: "

#define OTHERWISE ", or choose another PHP by php.version."

/* The rest of the last line that has such words, and its length; NULL for none. */
static const char *find_words(const char *words, const char *wanted, int *ret_n)
{
        const char *found = NULL;

        for (const char *p = words; (p = strstr(p, wanted));) {
                p += strlen(wanted);
                found = p;
                *ret_n = (int) strcspn(p, "\n");
        }
        return found;
}

/* Whether it is the worker's own file that finds no symbol, of those that the linker names first of all. */
static bool is_worker(const char *words)
{
        const char *end = words + strcspn(words, ":"), *found = strstr(words, "/php-pool-worker-");

        return found && found < end;
}

int loading_explain(const char *version, const char *words, char **ret)
{
        const char *missing, *mismatch;
        int n, r = 0;

        missing = find_words(words, MISSING, &n);
        mismatch = missing ? NULL : find_words(words, MISMATCH, &n);
        if (missing && startswith(missing, "libphp"))
                r = text_format(ret,
                                "php-pool-worker-%s does not find the library of PHP %s (%.*s): install the "
                                "package libphp%s-embed" OTHERWISE,
                                version, version, n, missing, version);
        else if (missing)
                r = text_format(ret,
                                "php-pool-worker-%s does not find a library that it or PHP %s needs (%.*s): "
                                "install that" OTHERWISE,
                                version, version, n, missing);
        else if (mismatch && !is_worker(mismatch))
                r = text_format(ret,
                                "php-pool-worker-%s does not start, since a library lacks what another "
                                "needs (%.*s): upgrade both to versions that go together" OTHERWISE,
                                version, n, mismatch);
        else if (mismatch)
                r = text_format(ret,
                                "php-pool-worker-%s was built for PHP %s and finds a library of another "
                                "(%.*s): install the packages libphp%s-embed and php%s-pool "
                                "again" OTHERWISE,
                                version, version, n, mismatch, version, version);
        return r < 0 ? r : missing || mismatch;
}

/* SPDX-License-Identifier: MIT */

/*
 * Tells the operator, once a generation, that the service's sandbox may be what stands against a script: an
 * application that ran under PHP-FPM is not prepared for it, and often silent. What PHP reports is looked at
 * whether or not the script has it suppressed, and so is how programs end that it ran.
 *
 * The latter is seen by pclose(3) and waitpid(2) of this program standing before the C library's for libphp,
 * which is linked (ld.so(8) asks the program first). They do what those do. None of this costs a system
 * call.
 *
 * What was told is in memory that the generation's processes share. A script that writes there silences its
 * own pool, no more.
 */

#include "worker/php/internal.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <zend_observer.h>

#include "base/log.h"
#include "base/messages.h"
#include "worker/request/refusal.h"

/* The most of PHP's message that is repeated. */
#define REFUSAL_TEXT_MAX 512

/* The most that was told, a Refusal; NULL where there is no sandbox, or no memory. */
static atomic_uint *told;

/* Without this flag and with /usr to write to, nothing of the unit's sandbox is left that people meet. */
static bool has_sandbox(void)
{
        struct statvfs st;

        return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ||
               (statvfs("/usr", &st) >= 0 && (st.f_flag & ST_RDONLY));
}

/* Whether more than was told speaks for the sandbox now; it counts as told from then on. */
static bool claim(Refusal refusal)
{
        unsigned before = atomic_load_explicit(told, memory_order_relaxed);

        while (before < (unsigned) refusal)
                if (atomic_compare_exchange_weak_explicit(told, &before, (unsigned) refusal,
                                                          memory_order_relaxed, memory_order_relaxed))
                        return true;
        return false;
}

static void tell(Refusal refusal, const char *what)
{
        const char *reason =
                        refusal == REFUSAL_PROBABLE
                                        ? "The sandbox of the unit is probably the reason"
                                        : "Where the pool's user may do that outside of the service, the "
                                          "sandbox of the unit is the reason";
        const PhpRequest *r = php_request();
        const Params *params = r ? r->request->params : NULL;
        const LogField fields[] = {
                { "REQUEST_METHOD", params ? params_get(params, "REQUEST_METHOD", NULL) : NULL },
                { "REQUEST_URI", params ? params_get(params, "REQUEST_URI", NULL) : NULL },
                { "PHP_SCRIPT", r ? r->script.path : NULL },
                {},
        };

        (void) log_record(refusal == REFUSAL_PROBABLE ? LOG_WARNING : LOG_NOTICE, 0, MESSAGE_ID(REFUSAL),
                          fields,
                          "A script was refused something: %s. %s, and SANDBOX in php-pool(7) says which "
                          "directive to change. This is said once until the next reload.",
                          what, reason);
}

/*
 * Whether open_basedir is what refused: PHP reports that, and then "Operation not permitted" of the same
 * line, though nothing asked the system.
 */
static bool is_open_basedir(uint32_t line, const zend_string *message)
{
        static uint32_t before = UINT32_MAX; /* the line of the last error, where that was open_basedir's */
        bool follows = line == before;

        before = strstr(ZSTR_VAL(message), "open_basedir restriction in effect") ? line : UINT32_MAX;
        return follows;
}

/* What a script says itself, by trigger_error(), is none of the system's errors. */
static void on_error(int type, zend_string *file _unused_, uint32_t line, zend_string *message)
{
        Refusal refusal;
        char what[REFUSAL_TEXT_MAX];

        if (!told || (type & (E_USER_ERROR | E_USER_WARNING | E_USER_NOTICE | E_USER_DEPRECATED)) ||
            atomic_load_explicit(told, memory_order_relaxed) == REFUSAL_PROBABLE ||
            is_open_basedir(line, message))
                return;
        refusal = refusal_of_message(ZSTR_VAL(message), ZSTR_LEN(message));
        if (refusal == REFUSAL_NONE || !claim(refusal))
                return;
        (void) snprintf(what, sizeof what, "%s", ZSTR_VAL(message));
        tell(refusal, what);
}

/* Leaves errno as it is. Not for the template's own children. */
static void on_child(int status)
{
        Refusal refusal = refusal_of_status(status);
        int saved = errno;

        if (refusal != REFUSAL_NONE && told && php_request() && claim(refusal))
                tell(refusal, "a program that it ran was killed for a system call (SIGSYS)");
        errno = saved;
}

int pclose(FILE *stream)
{
        static int (*next)(FILE * stream);
        int status;

        if (!next)
                next = (int (*)(FILE *)) dlsym(RTLD_NEXT, "pclose");
        status = next(stream);
        if (status >= 0)
                on_child(status);
        return status;
}

pid_t waitpid(pid_t pid, int *status, int options)
{
        int own = 0;
        pid_t ended = wait4(pid, &own, options, NULL);

        if (ended > 0) {
                on_child(own);
                if (status)
                        *status = own;
        }
        return ended;
}

void refusal_watch(void)
{
        void *p;

        if (!has_sandbox())
                return;
        p = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED) {
                (void) log_warning_errno(errno, "Failed to map what was said of the sandbox, ignoring: %m");
                return;
        }
        told = p;
        zend_observer_error_register(on_error);
}

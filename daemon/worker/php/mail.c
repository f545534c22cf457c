/* SPDX-License-Identifier: MIT */

/*
 * mail() in the sandbox. The sendmail of a mail server has to change its user or group, and cannot where the
 * kernel gives programs no new privileges (NoNewPrivileges=) or no capabilities (CapabilityBoundingSet=):
 * Postfix's then tries again for ever. There, the sendmail that sendmail_path names is replaced by
 * php-pool-sendmail(8), with the same arguments: in the setting itself, since applications read it, too.
 * Anything else that it names is the operator's choice and stays. So does all where no systemd runs the
 * pool, as in containers: nobody would start php-pool-sendmaild.
 */

#include "worker/php/internal.h"

#include <linux/capability.h>
#include <sys/prctl.h>

#include "worker/request/mail-command.h"

#define SETTING "sendmail_path"

static zend_ini_entry *setting(void)
{
        return zend_hash_str_find_ptr(EG(ini_directives), ZEND_STRL(SETTING));
}

/* What is to stand in the setting instead, for the caller to free; NULL where it may stay. */
static char *replacement(const zend_ini_entry *entry)
{
        char *command;

        if (!entry || !entry->value ||
            mail_command(ZSTR_VAL(entry->value), PHP_POOL_SENDMAIL_PATH, &command) < 0)
                return NULL;
        return command;
}

/* Whether a sendmail cannot become what it has to be: no new privileges, or no capabilities with them. */
static bool is_confined(void)
{
        return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ||
               prctl(PR_CAPBSET_READ, CAP_SETUID, 0, 0, 0) == 0 ||
               prctl(PR_CAPBSET_READ, CAP_SETGID, 0, 0, 0) == 0;
}

void mail_start(void)
{
        zend_ini_entry *entry = setting();
        char *command;

        if (!is_confined() || !getenv("INVOCATION_ID"))
                return;
        php_process.mail = entry;
        command = replacement(entry);
        /* PHP may keep pointers to the old one: it is not freed. */
        if (command)
                entry->value = zend_string_init(command, strlen(command), true);
        free(command);
}

/* Owns nothing that PHP could leave behind by a longjmp: request memory is freed anyway. */
static void set_for_request(const char *command)
{
        zend_string *name = zend_string_init(ZEND_STRL(SETTING), false);
        zend_string *value = zend_string_init(command, strlen(command), false);

        (void) zend_alter_ini_entry_ex(name, value, ZEND_INI_SYSTEM, ZEND_INI_STAGE_ACTIVATE, true);
        zend_string_release(value);
        zend_string_release(name);
}

void mail_apply_request(void)
{
        char *command;

        if (!php_process.mail || !php_process.mail->modified)
                return;
        command = replacement(php_process.mail);
        if (command)
                set_for_request(command);
        free(command);
}

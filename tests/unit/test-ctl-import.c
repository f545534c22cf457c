/* SPDX-License-Identifier: MIT */

/*
 * What PHP-FPM's directives become: each in a small pool, by a table; and a file with all of them, against
 * what is expected of it word for word (tests/data/fpm). For a new expectation: UPDATE_GOLDEN=1.
 */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/io.h"
#include "ctl/import/import.h"

#define DATA "tests/data/fpm/"
#define SIXTY "123456789-123456789-123456789-123456789-123456789-123456789-"
#define MARK "# Imported by php-poolctl from x.\n"
#define SERVICE "[Service]\nUser=u\n"

/* ${NAME}, as PHP-FPM's unit has it. */
static const char *get_variable(const char *name, void *userdata)
{
        static char *value;

        free(TAKE_PTR(value));
        assert_true(import_unit_variable(userdata, name, &value) >= 0);
        return value;
}

/* The notes and the files as one text; or "error: ...". */
static char *import_with_unit(const char *name, const char *text, const UnitFile *unit)
{
        _cleanup_(fpm_config_freep) FpmConfig *fpm = NULL;
        _cleanup_(import_freep) Import *import = NULL;
        _cleanup_(freep) char *error = NULL;
        char *out = NULL;
        size_t size;
        FILE *f = open_memstream(&out, &size);
        int r;

        assert_non_null(f);
        r = fpm_config_load_text(name, text, strlen(text), &(FpmEnvironment){ get_variable, (void *) unit },
                                 &fpm, &error);
        if (r >= 0)
                r = import_map(fpm, unit, false, &import, &error);
        if (r < 0) {
                assert_int_equal(r, -EINVAL);
                assert_non_null(error);
                fprintf(f, "error: %s", error);
        }
        for (size_t i = 0; import && i < import->n_notes; i++) {
                _cleanup_(freep) char *note = NULL;

                assert_int_equal(import_note_format(&import->notes[i], &note), 0);
                fprintf(f, "%s%s\n", import->notes[i].lost ? "! " : "  ", note);
        }
        for (size_t i = 0; import && i < import->n_files; i++) {
                const char *rest = startswith(import->files[i].path, CONFIG_DIR);

                if (import->files[i].stale)
                        continue;
                fprintf(f, "\n### %s%s\n%s", rest ? "CONFIG" : "", rest ?: import->files[i].path,
                        import->files[i].text);
        }
        assert_int_equal(fclose(f), 0);
        return out;
}

static char *import_text(const char *name, const char *text)
{
        return import_with_unit(name, text, NULL);
}

/* Behind "[p]", user, listen and pm; "\n[global]" may follow. */
static const struct {
        const char *lines;
        const char *expected;
} cases[] = {
        /* Addresses. */
        { "listen = /run/a%b.sock",
          "ListenStream=\nListenStream=/run/a%%b.sock\nSocketUser=root\nSocketGroup=root\n"
          "SocketMode=0660\n" },
        { "listen = run/$pool.sock", "ListenStream=/usr/run/p.sock\n" },
        { "prefix = /srv\nlisten = a.sock", "ListenStream=/srv/a.sock\n" },
        { "prefix = srv\nlisten = a.sock", "ListenStream=/usr/srv/a.sock\n" },
        { "listen = 9000", "ListenStream=\nListenStream=9000\n\n" },
        { "listen = 127.0.0.1:9000", "ListenStream=127.0.0.1:9000\n\n" },
        { "listen = 127.0.0.1:09000", "ListenStream=127.0.0.1:9000\n" },
        { "listen = 0009000", "ListenStream=9000\n" },
        { "listen = [::1]:9000", "ListenStream=[::1]:9000\n" },
        { "listen = ::1:9000", "ListenStream=[::1]:9000\n" },
        { "listen = *:9000", "ListenStream=9000\n" },
        { "listen = localhost:9000", "ListenStream=127.0.0.1:9000\n" },
        { "listen = php.example:9000",
          "error: x:8: listen: a socket unit takes no name: write the address" },
        { "pm.status_listen = php.example:9000",
          "error: x:8: pm.status_listen: a socket unit takes no name" },
        { "listen = /run/a\\\\", "error: x:8: listen: no unit can hold this path" },
        { "listen = /" SIXTY "/" SIXTY, "error: x:8: listen: the path is too long" },
        { "listen = 127.0.0.1:http", "error: x:8: listen: \"http\" is no port" },
        { "listen = 127.0.0.1:70000", "error: x:8: listen: \"70000\" is no port" },
        { "listen = 9000\nlisten.owner = a", "  x:9: listen.owner: not used: listen is no Unix socket" },
        { "listen.backlog = 511", "Backlog=511\n" },
        { "listen.backlog = -1", "  x:8: listen.backlog: nothing to write" },
        { "listen.owner = a\nlisten.group = b\nlisten.mode = 0666",
          "SocketUser=a\nSocketGroup=b\nSocketMode=0666\n" },
        { "listen.owner = a", "SocketUser=a\nSocketGroup=\nSocketMode=0660\n" },
        { "listen.group = b", "SocketUser=root\nSocketGroup=b\n" },
        { "listen.mode = rw", "error: x:8: listen.mode: must be octal" },
        { "listen.acl_users = a, b\nlisten.acl_groups = c",
          "SocketUser=root\nSocketGroup=root\nSocketMode=0660\n"
          "ExecStartPost=setfacl -m \"u:a:rw,u:b:rw,g:c:rw\" \"/run/p.sock\"\n" },
        { "listen.acl_users = '$(a)'", "error: x:8: listen.acl_users: \"$(a)\" is no name" },
        { "listen = 9000\nlisten.allowed_clients = 10.0.0.1,::1",
          "IPAddressDeny=any\nIPAddressAllow=10.0.0.1\nIPAddressAllow=::1\n" },
        { "listen.allowed_clients = 10.0.0.1",
          "  x:8: listen.allowed_clients: not used: PHP-FPM minds it for TCP only" },
        { "listen.allowed_clients = 10.0.0.1", "\nping = {\n        path = \"\";\n};\n\n### " },
        { "listen.allowed_clients = 10.0.0.1\npm.status_listen = 9001",
          "ListenStream=9001\nIPAddressDeny=any\nIPAddressAllow=10.0.0.1\n" },
        { "listen = 9000\nlisten.allowed_clients = nobody",
          "error: x:9: security.allowed_clients: nothing of \"nobody\" can be imported" },
        { "listen = 9000\nlisten.allowed_clients = nobody, ::1",
          "! x:9: listen.allowed_clients: not imported: security.allowed_clients has "
          "to be an IPv4 or IPv6 address" },
        { "pm.status_listen = 9001",
          "php-pool-status@p.socket.d/import.conf\n" MARK "[Socket]\nListenStream=\nListenStream=9001\n" },
        { "pm.status_listen = 9001", "status = {\n        path = \"/\";" },

        /* Forms and ranges that systemd takes. */
        { "listen.mode = 777777777",
          "error: x:8: listen.mode: must be octal, such as 0660, and no more than 7777" },
        { "listen.mode = 10000", "error: x:8: listen.mode: must be octal" },
        { "listen.mode = 000660", "SocketMode=0660\n" },
        { "listen.mode = 0", "SocketMode=0000\n" },
        { "listen.backlog = 99999999999",
          "error: x:8: listen.backlog: must be a whole number up to 2147483647, not \"99999999999\"" },
        { "listen.backlog = 2147483648", "error: x:8: listen.backlog: must be a whole number" },
        { "listen.backlog = 2147483647", "Backlog=2147483647\n" },
        { "pm.max_requests = 99999999999999999999", "error: x:8: pm.max_requests: must be a whole number" },
        { "request_terminate_timeout = 99999999999d",
          "error: x:8: request_terminate_timeout: must be a time" },
        { "rlimit_files = 99999999999", "error: x:8: rlimit_files: must be a whole number" },
        { "rlimit_core = 99999999999", "error: x:8: rlimit_core: must be a whole number" },
        { "process.priority = 99999999999", "error: x:8: process.priority: must be a whole number" },
        { "listen = /run//a/./b.sock/", "ListenStream=/run/a/b.sock\n" },
        { "listen = /run/../etc/b.sock",
          "error: x:8: listen: systemd takes an absolute path without \"..\"" },
        { "pm.status_listen = /run/../b.sock",
          "error: x:8: pm.status_listen: systemd takes an absolute path" },
        { "chdir = /usr/-/x/../../..", "error: x:8: chdir: systemd takes an absolute path without \"..\"" },
        { "chroot = /srv/..", "error: x:8: chroot: systemd takes an absolute path without \"..\"" },
        { "chdir = //srv/./www//", "WorkingDirectory=/srv/www\n" },
        { "chdir = /srv/...", "WorkingDirectory=/srv/...\n" },
        { "chdir = /", "WorkingDirectory=/\n" },
        { "chdir = /" SIXTY SIXTY SIXTY SIXTY SIXTY, "error: x:8: chdir: systemd takes an absolute path" },
        { "access.log = log/..", "error: x:8: access.log: \"log/..\" names no file" },
        { "access.log = /var/log/", "error: x:8: access.log: \"/var/log/\" names no file" },
        { "access.log = ../../x", "log = \"/var/log/php-pool/p/x\";" },
        { "listen.owner = 033", "SocketUser=33\n" },
        { "listen.owner = 0\nlisten.group = root", "SocketUser=0\nSocketGroup=root\n" },
        { "listen.owner = a/b", "error: x:8: listen.owner: \"a/b\" is no name of a user or group" },
        { "listen.group = -1", "error: x:8: listen.group: \"-1\" is no name of a user or group" },
        { "listen.group = 4294967295", "error: x:8: listen.group: \"4294967295\" is no number" },
        { "listen.acl_users = -a", "error: x:8: listen.acl_users: \"-a\" is no name" },
        { "chdir = \xe2\x80\xae/srv\nlisten.backlog = -1\nphp_value[a\xe2\x80\xae"
          "b c] = 1",
          "! x:10: php_value[a???b c]: not imported" },

        /* Scripts that would be root. */
        { "user = root", "error: x:8: user: \"root\" is root: scripts never run as root" },
        { "user = 0", "error: x:8: user: \"0\" is root" },
        { "user = 00", "error: x:8: user: \"00\" is root" },
        { "user = +0", "error: x:8: user: \"+0\" is no name of a user or group" },
        { "user = 0x0", "! x:8: user: imported, but there is no user \"0x0\" here" },
        { "user = 4294967296", "error: x:8: user: \"4294967296\" is no number of a user or group" },
        { "user = 65535", "error: x:8: user: \"65535\" is no number of a user or group" },
        { "group = root", "error: x:8: group: \"root\" is root" },
        { "group = 0", "error: x:8: group: \"0\" is root" },
        { "group = 000", "error: x:8: group: \"000\" is root" },
        { "user = www-data\ngroup = 0", "error: x:9: group: \"0\" is root" },
        { "user = 033", "User=33\nGroup=\n" },
        { "user = nobody\ngroup = nogroup", "User=nobody\nGroup=nogroup\n" },
        { "user = sync", "User=sync\nGroup=\n" }, /* its group is nogroup */
        { "user = no-such-user", "! x:8: user: imported, but there is no user \"no-such-user\" here" },

        /* The service. */
        { "group = g", SERVICE "Group=g\n" },
        { "", SERVICE "Group=\n" },
        { "chdir = /home/a/web", "ReadWritePaths=-/home/a\n" },
        { "chdir = /home/a/web",
          "  x:1: [p]: /home/a stays writable by ReadWritePaths=: the sandbox has /home read-only" },
        { "env[A] = /home/a/tmp\nphp_value[open_basedir] = /tmp:/home/a/web:/home/b:/home/c",
          SERVICE "Group=\nReadWritePaths=-/home/a\nReadWritePaths=-/home/b\nReadWritePaths=-/home/c\n"
                  "Environment" },
        { "php_value[a] = /home/../etc:/home/:/home/a*:/homes/b", SERVICE "Group=\n(end)" },
        { "chroot = /srv\nchdir = /home/a",
          "journal -/run/php-pool-sendmail\nWorkingDirectory=/home/a\n(end)" },
        { "chdir = /srv/%", "WorkingDirectory=/srv/%%\n" },
        { "chdir = /srv\\\\", "! x:8: chdir: not imported: WorkingDirectory= cannot hold this value" },
        { "chroot = /srv/jail", "RootDirectory=/srv/jail\nBindReadOnlyPaths=/usr " },
        { "rlimit_files = 9\nrlimit_core = unlimited\nprocess.priority = 20",
          "LimitNOFILE=9\nLimitCORE=infinity\nNice=19\n" },
        { "[global]\nrlimit_files = 9\nrlimit_core = 8\nprocess.priority = -19",
          "LimitNOFILE=9\nLimitCORE=8\nNice=-19\n" },
        { "rlimit_core = 0", SERVICE "Group=\n" },
        { "rlimit_core = -1",
          "error: x:8: rlimit_core: must be a whole number from 0 to 2147483647, or unlimited, not \"-1\"" },
        { "process.priority = 21", "error: x:8: process.priority: must be from -19 to 20, not 21" },
        { "env[A] = \"b c\"", "Environment=\"A=b c\"\n" },
        { "env[A] = '100% \"b\" c\\d $e\t'", "Environment=\"A=100%% \\\"b\\\" c\\\\d $e\\t\"\n" },
        { "env[A] = $A", "PassEnvironment=A\n" },
        { "env[LANG] = $LANG",
          "! x:8: env[LANG]: not imported: the pool's unit keeps the machine's locale" },
        { "env[LC_TIME] = $LC_TIME", SERVICE "Group=\n(end)" },
        { "env[LANG] = de_DE.UTF-8", "Environment=\"LANG=de_DE.UTF-8\"\n" },
        { "env[A] = $B",
          "! x:8: env[A]: not imported: systemd passes a variable on under its own name only" },
        { "env[LD_PRELOAD] = /srv/x.so",
          "! x:8: env[LD_PRELOAD]: not imported: it steers the dynamic linker" },
        { "env[LD_PRELOAD] = /srv/x.so", SERVICE "Group=\n(end)" },
        { "env[LD_ANYTHING] = $LD_ANYTHING", SERVICE "Group=\n(end)" },
        { "env[NOTIFY_SOCKET] = /run/x", "! x:8: env[NOTIFY_SOCKET]: not imported: systemd sets it" },
        { "env[RUNTIME_DIRECTORY] = /tmp", "! x:8: env[RUNTIME_DIRECTORY]: not imported: systemd sets it" },
        { "env[PHP_INI_SCAN_DIR] = /tmp",
          "! x:8: env[PHP_INI_SCAN_DIR]: not imported: it says which ini files" },
        { "env[LISTEN_FDNAMES] = a", "! x:8: env[LISTEN_FDNAMES]: not imported: systemd sets it" },
        { "env[PHP_POOL_LOG] = /tmp/x",
          "! x:8: env[PHP_POOL_LOG]: not imported: it steers php-pool itself" },
        { "env[TMPDIR] = /srv/tmp\nenv[PATH] = /usr/bin:/bin\nenv[LANG] = C\nenv[LDAP] = x\nenv[MAINPIDS] = "
          "x",
          "Environment=\"TMPDIR=/srv/tmp\"\nEnvironment=\"PATH=/usr/bin:/bin\"\nEnvironment=\"LANG=C\"\n"
          "Environment=\"LDAP=x\"\nEnvironment=\"MAINPIDS=x\"\n" },
        { "env[A-B] = c", "! x:8: env[A-B]: not imported: systemd takes no variable of this name" },
        { "env[A] = \xff", "! x:8: env[A]: not imported: Environment= cannot hold" },
        { "env[A] =", "error: x:8: env[] cannot be empty" },
        { "env[A] = b\nenv[A] = c", "Environment=\"A=b\"\n" },
        { "env[A] = b\nenv[A] = c", "  x:9: env[A]: not used: PHP-FPM takes x:8" },
        { "clear_env = no", "  x:8: clear_env: nothing to write: scripts see the service's environment" },
        { "apparmor_hat = a", "! x:8: apparmor_hat: not imported" },

        /* The pool file. */
        { "pm = Static", "pm = {\n        mode = \"static\";" },
        { "pm = static\npm = dynamic\npm.min_spare_servers = 1\npm.max_spare_servers = 2",
          "mode = \"dynamic\";" },
        { "pm = dynamic", "error: x:1: pool p is dynamic and has no pm.min_spare_servers" },
        { "pm = dynamic\npm.min_spare_servers = 3\npm.max_spare_servers = 2",
          "error: x:9: pm.min_spare_servers: must be at most" },
        { "pm = sometimes", "error: x:8: pm: must be static, dynamic or ondemand, not \"sometimes\"" },
        { "pm.max_children = many",
          "error: x:8: pm.max_children: must be a whole number up to 2147483647, not \"many\"" },
        { "pm.max_children = 5000",
          "! x:8: pm.max_children: not imported: pm.max_children has to be a whole number "
          "from 1 to 4096, not 5000" },
        { "pm.start_servers = 2",
          "  x:8: pm.start_servers: not imported: only pools with pm = dynamic use it" },
        { "pm = ondemand\npm.process_idle_timeout = 2m", "process_idle_timeout = \"2min\";" },
        { "pm = ondemand\npm.process_idle_timeout = soon",
          "error: x:9: pm.process_idle_timeout: must be a time" },
        { "request_terminate_timeout = 1d", "terminate_timeout = \"1d\";" },
        { "request_slowlog_timeout = 5s\nslowlog = log/slow", "slowlog_timeout = \"5s\";" },
        { "request_terminate_timeout_track_finished = on", "terminate_timeout_track_finished = true;" },
        { "request_terminate_timeout_track_finished = maybe",
          "error: x:8: request_terminate_timeout_track_finished: must be yes or no, not \"maybe\"" },
        { "", "status = {\n        path = \"\";\n};\n\nping = {\n        path = \"\";\n};\n" },
        { "ping.path = /p\nping.response = 'a \"b\"'",
          "path = \"/p\";\n        response = \"a \\\"b\\\"\";" },
        { "access.log = log/a", "log = \"/var/log/php-pool/p/a\";" },
        { "access.log = /proc/self/fd/2", "log = \"journal\";" },
        { "access.suppress_path[] = /a\naccess.suppress_path[] = /b",
          "suppress_path = [\n                \"/a\",\n                \"/b\"\n        ];" },
        { "access.suppress_path[a] = /a", "error: x:8: access.suppress_path[] has nothing in its brackets" },
        { "security.limit_extensions =", "limit_extensions = [];" },
        { "security.limit_extensions = .php .x",
          "limit_extensions = [\n                \".php\",\n                \".x\"\n" },
        { "security.limit_extensions = php",
          "error: x:8: security.limit_extensions: nothing of \"php\" can be imported" },
        { "php_value[a.b] = 5", "\"a.b=5\"" },
        { "php_value[a] = /b c", "\"a='/b c'\"" },
        { "php_value[a] = yes", "\"a=1\"" },
        { "php_value[a] = 'yes'", "\"a='yes'\"" },
        { "php_value[a] =", "\"a=\"" },
        { "php_value[a] = \"b'c \\\" \\$d\"", "\"a=\\\"b'c \\\\\\\" \\\\$d\\\"\"" },
        { "php_flag[a] = off", "\"a=0\"" },
        { "php_flag[a] = 2", "error: x:8: php_flag[]: must be yes or no, not \"2\"" },
        { "php_admin_value[error_log] = a.log",
          "admin_value = [\n                \"error_log=/usr/a.log\"" },
        { "php_admin_value[error_log] = syslog", "\"error_log='syslog'\"" },
        { "php_admin_value[disable_functions] = a\nphp_admin_value[disable_functions] = b",
          "\"disable_functions='a'\",\n                \"disable_functions='b'\"" },
        { "php_admin_value[sendmail_path] = \"/usr/sbin/sendmail -t -i\"",
          "say where that is\n! x:3: user: imported, but there is no user \"u\" here: without it the unit "
          "does not "
          "start\n\n### CONFIG" },
        { "php_admin_value[sendmail_path] = /usr/bin/msmtp -t",
          "say where that is\n! x:3: user: imported, but there is no user \"u\" here: without it the unit "
          "does not "
          "start\n\n### CONFIG" },
        { "php_value[a b] = c", "! x:8: php_value[a b]: not imported" },

        /* [global] and what belongs to no pool. */
        { "[global]\nprocess_control_timeout = 10", "reload = {\n        drain_timeout = \"10s\";" },
        { "[global]\nprocess_control_timeout = 0",
          "  x:9: process_control_timeout: not imported: requests are given" },
        { "[global]\nemergency_restart_threshold = 5\nemergency_restart_interval = 1m",
          "threshold = 5;\n        interval = \"1min\";" },
        { "[global]\nemergency_restart_threshold = 5",
          "  x:9: emergency_restart_threshold: not imported: without the other" },
        { "[global]\nlog_level = WARN", "log_level = \"warning\";" },
        { "[global]\nlog_level = loud", "error: x:9: log_level: must be debug" },
        { "[global]\nprocess.max = 3",
          "[Slice]\n# process.max = 3, and 5 other processes for each of 1 pools\nTasksMax=8\n" },
        { "[global]\nprocess.max = 64",
          "  x:9: process.max: nothing to write: these pools have 4 workers at most" },
        { "[global]\npid = $pool", "error: x:9: $pool cannot stand in [global]" },
        { "[global]\nuser = a", "error: x:9: user cannot stand in [global]" },
        { "pid = a", "error: x:8: pid cannot stand in a pool" },
        { "PM.Max_Requests = 7", "max_requests = 7;" },
        { "ENV[A] = b", "error: x:8: unknown directive ENV[]" },
        { "nothing = a", "error: x:8: unknown directive nothing" },
        { "# a", "error: x:8: a comment starts with \";\", not with \"#\"" },
        { "# a = b", "error: x:8: unknown directive # a" },
        { "\xef\xbb\xbf"
          "chdir = /srv",
          "WorkingDirectory=/srv\n" },
        { "a = \"b", "error: x:8: the string that starts here is not closed" },
        { "php_value[a] = ${IMPORT_TEST_UNSET}", "! x:8: ${IMPORT_TEST_UNSET}: not set in the environment" },
        { "[P]\ngroup = g", SERVICE "Group=g\n" },
        { "[b c]\nuser = a", "error: x:8: \"b c\" cannot be a pool's name here: only letters" },
        { "[-b]\nuser = a", "error: x:8: \"-b\" cannot be a pool's name here: it begins with" },
        { "[b.status]\nuser = a", "error: x:8: \"b.status\" cannot be a pool's name here: it ends as the" },
        { "[" SIXTY "12345]\nuser = a", "12345\" cannot be a pool's name here: it is longer than" },
        { "[q]\nuser = a\nlisten = /run/p.sock", "error: x:10: listen: pool p has this address, too" },
        { "[q]\nuser = a\nprefix = /run\nlisten = p.sock",
          "error: x:11: listen: pool p has this address, too" },
        { "prefix = /a\nlisten = x.sock\n[q]\nuser = u\nprefix = /b\nlisten = x.sock\npm = static\n"
          "pm.max_children = 1",
          "ListenStream=/b/x.sock\n" },
        { "[q]\nuser = a", "error: x:8: pool q has no listen" },
        { "include = /nonexistent/*.conf", "error: x:8: cannot include /nonexistent/*.conf" },
        { "include = /etc/no-such-*.conf", SERVICE },
};

static void test_cases(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *text = NULL, *imported = NULL, *out = NULL;

                assert_true(asprintf(&text,
                                     "[p]\n\nuser = u\nlisten = /run/p.sock\npm = static\npm.max_children = "
                                     "4\n\n%s\n",
                                     cases[i].lines) > 0);
                imported = import_text("x", text);
                assert_true(asprintf(&out, "%s(end)", imported) > 0);
                if (!strstr(out, cases[i].expected))
                        fail_msg("%s\n-- becomes\n%s\n-- without\n%s", cases[i].lines, out,
                                 cases[i].expected);
        }
}

/* What stands in PHP-FPM's unit, below [Service] in a drop-in; of the package's, only Type=notify. */
static const struct {
        const char *unit;
        const char *lines; /* of the pool */
        const char *expected;
} unit_cases[] = {
        { "UMask=0002\nEnvironment=APP_SECRET=abc", "clear_env = no",
          "[Service]\nUMask=0002\nEnvironment=APP_SECRET=abc\nUser=u\nGroup=\n" },
        { "UMask=0002", "", "  drop-in:2: UMask=: carried over\n" },
        { "UMask=0002", "", "# drop-in:2: UMask=: carried over\n" }, /* in the pool file, too */
        { "Environment=A=b", "clear_env = no",
          "  x:8: clear_env: nothing to write: scripts see the service's environment, what PHP-FPM's unit "
          "sets" },
        { "Environment=A=b", "",
          "  x:1: [p]: what PHP-FPM's unit sets by Environment= and its like is seen by scripts here" },
        { "Environment=\"A=b c\" D=e", "env[A] = $A\nenv[F] = $D",
          "Environment=\"A=b c\" D=e\nUser=u\nGroup=\nEnvironment=\"A=b c\"\nEnvironment=\"F=e\"\n" },
        { "Environment=IN_UNIT=b", "php_value[a] = /x/${IN_UNIT}/y",
          "  x:8: ${IN_UNIT}: replaced by what it is in PHP-FPM's unit\n" },
        { "Environment=IN_UNIT=b", "php_value[a] = /x/${IN_UNIT}/y", "\"a=/x/b/y\"" },
        { "Environment=A=b", "env[A] = c", "Environment=A=b\nUser=u\nGroup=\nEnvironment=\"A=c\"\n" },
        { "Environment=A=b NOTIFY_SOCKET=/x", "",
          "! drop-in:2: Environment=: not carried over: NOTIFY_SOCKET: systemd sets it" },
        { "Environment=LD_PRELOAD=/usr/lib/libjemalloc.so", "",
          "Environment=LD_PRELOAD=/usr/lib/libjemalloc.so\nUser" },
        { "PassEnvironment=A LISTEN_FDS", "",
          "! drop-in:2: PassEnvironment=: not carried over: LISTEN_FDS" },
        { "PassEnvironment=LANG", "",
          "! drop-in:2: PassEnvironment=: not carried over: LANG: the pool's unit keeps" },
        { "Environment=LANG=de_DE.UTF-8", "", "Environment=LANG=de_DE.UTF-8\nUser" },
        { "EnvironmentFile=-/etc/default/php-fpm", "", "EnvironmentFile=-/etc/default/php-fpm\nUser" },
        { "LimitNOFILE=100\nNice=5\nOOMScoreAdjust=-5\nCPUAffinity=0\nReadWritePaths=/home/"
          "a\nProtectHome=no",
          "rlimit_files = 200",
          "LimitNOFILE=100\nNice=5\nOOMScoreAdjust=-5\nCPUAffinity=0\nReadWritePaths=/home/"
          "a\nProtectHome=no\n"
          "User=u\nGroup=\nLimitNOFILE=200\n" },
        { "MemoryMax=1G\nCPUQuota=50%\nIOWeight=10\nTasksMax=100\nSlice=web.slice", "",
          "MemoryMax=1G\nCPUQuota=50%\nIOWeight=10\nTasksMax=100\nSlice=web.slice\nUser" },
        { "MemoryMax=1G", "", "  drop-in:2: MemoryMax=: carried over\n" },
        { "MemoryMax=1G", "[q]\nuser=u\nlisten=/run/q\npm=static\npm.max_children=1",
          "! drop-in:2: MemoryMax=: carried over: PHP-FPM's pools had it together, each has it here" },
        { "MemoryMax=1G", "[q]\nuser=u\nlisten=/run/q\npm=static\npm.max_children=1",
          "for all together write it to php-pool.slice\n" },
        { "CPUQuota=50%\nSlice=web.slice", "[q]\nuser=u\nlisten=/run/q\npm=static\npm.max_children=1",
          "for all together write it to web.slice, where it is for all else that is there, too\n" },
        { "CPUQuota=50%\nSlice=web.slice\nSlice=",
          "[q]\nuser=u\nlisten=/run/q\npm=static\npm.max_children=1",
          "for all together write it to php-pool.slice\n" },
        { "CPUQuota=50%\nSlice=web-%p.slice", "[q]\nuser=u\nlisten=/run/q\npm=static\npm.max_children=1",
          "for all together write it to web-php8.2-fpm.slice, where" },
        { "CPUQuota=50%\nSlice=web-%y.slice", "[q]\nuser=u\nlisten=/run/q\npm=static\npm.max_children=1",
          "for all together write it to php-pool.slice\n" },
        { "Slice=web.slice", "[global]\nprocess.max = 3",
          "! x:9: process.max: not imported: pools are in web.slice, where TasksMax= would count" },
        { "Slice=web.slice", "[global]\nprocess.max = 30",
          "  x:9: process.max: nothing to write: these pools have 4 workers at most" },
        { "MemoryDenyWriteExecute=yes", "[q]\nuser=u\nlisten=/run/q\npm=static\npm.max_children=1",
          "  drop-in:2: MemoryDenyWriteExecute=: carried over\n" },
        { "PrivateTmp=no", "", "[Service]\nBindPaths=\nUser" },
        { "PrivateTmp=yes", "", "[Service]\nUser" },
        { "BindReadOnlyPaths=/x\nPrivateTmp=off", "", "[Service]\nBindPaths=\nBindReadOnlyPaths=/x\nUser" },
        { "PrivateTmp=no\nPrivateTmp=yes", "", "[Service]\nUser" },
        { "ReadWritePaths=/run/%n /run/%N /run/%p /x/%%i/%H/%i", "",
          "ReadWritePaths=/run/php8.2-fpm.service /run/php8.2-fpm /run/php8.2-fpm /x/%%i/%H/\nUser" },
        { "ReadWritePaths=%f", "", "! drop-in:2: ReadWritePaths=: not carried over: a %-specifier" },
        { "Type=notify\nRestart=always\nPIDFile=/run/x", "", "[Service]\nUser=u\nGroup=\n(end)" },
        { "Restart=always", "", "  drop-in:2: Restart=: nothing to write" },
        { "ExecStartPre=/bin/true", "",
          "! drop-in:2: ExecStartPre=: not carried over: it would run for each pool" },
        { "User=root", "", "! drop-in:2: User=: not carried over: it is PHP-FPM's master's" },
        { "User=root\nGroup=root\nSupplementaryGroups=shadow", "", "[Service]\nUser=u\nGroup=\n(end)" },
        { "SystemCallFilter=@mount\nCapabilityBoundingSet=CAP_SYS_ADMIN\nAmbientCapabilities=CAP_SYS_ADMIN",
          "", "[Service]\nUser=u\nGroup=\n(end)" },
        { "Neu=1", "", "! drop-in:2: Neu=: not carried over: php-poolctl does not know it" },
        { "[Unit]\nAfter=mysql.service\nWants=mysql.service", "",
          "[Unit]\nAfter=mysql.service\nWants=mysql.service\n\n[Service]\nUser=u\n" },
        { "[Unit]\nRequires=mysql.service", "",
          "! drop-in:3: Requires=: not carried over: where that fails" },
        { "[Install]\nAlias=php.service", "", "! drop-in:3: Alias=: not carried over: which pools start" },
        { "[X-Ours]\nA=b", "", "! drop-in:3: A=: not carried over: php-poolctl does not know it" },
        { "ExecStart=\nExecStart=/usr/sbin/php-fpm8.2 -R", "",
          "! drop-in:3: ExecStart=: not carried over: php-pool@.service runs" },
};

static void test_unit(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(unit_cases); i++) {
                _cleanup_(unit_file_freep) UnitFile *unit = NULL;
                _cleanup_(freep) char *text = NULL, *drop_in = NULL, *imported = NULL, *out = NULL;

                assert_int_equal(unit_file_new("php8.2-fpm.service", &unit), 0);
                assert_int_equal(unit_file_parse(unit, "vendor", "[Service]\nType=notify\n", true), 0);
                assert_true(asprintf(&drop_in, "[Service]\n%s\n", unit_cases[i].unit) > 0);
                assert_int_equal(unit_file_parse(unit, "drop-in", drop_in, false), 0);
                assert_true(asprintf(&text,
                                     "[p]\n\nuser = u\nlisten = /run/p.sock\npm = static\npm.max_children = "
                                     "4\n\n%s\n",
                                     unit_cases[i].lines) > 0);
                imported = import_with_unit("x", text, unit);
                assert_true(asprintf(&out, "%s(end)", imported) > 0);
                if (!strstr(out, unit_cases[i].expected))
                        fail_msg("%s\n-- becomes\n%s\n-- without\n%s", drop_in, out, unit_cases[i].expected);
        }
}

/* Without its unit, nobody knows what it sets. */
static void test_no_unit(void **state _unused_)
{
        static const char text[] = "[p]\nuser = u\nlisten = 1\npm = static\npm.max_children = 1\n";
        _cleanup_(unit_file_freep) UnitFile *unit = NULL;
        _cleanup_(freep) char *out = NULL;

        assert_int_equal(unit_file_new("php8.2-fpm.service", &unit), 0);
        out = import_with_unit("x", text, unit);
        assert_non_null(strstr(out, "  x:1: php8.2-fpm.service: is no unit here: what PHP-FPM's sets"));
}

static void test_no_pool(void **state _unused_)
{
        _cleanup_(freep) char *out = import_text("x", "[global]\npid = a\n");

        assert_string_equal(out, "error: x:1: there is no pool in it, a section such as [www]");
}

/* Where the pool's file is, and PHP-FPM's unit, "" for none; and the PHP that the pool runs, NULL for the
 * newest. */
static const struct {
        const char *file, *unit, *version;
} php_cases[] = {
        { "/etc/php/8.3/fpm/pool.d/www.conf", "", "8.3" },
        { "/etc/php/8.10/fpm/php-fpm.conf", "", "8.10" },
        { "/etc/php/8.3/fpm/pool.d/www.conf", "php8.4-fpm.service", "8.3" },
        { "/srv/fpm.conf", "php8.4-fpm.service", "8.4" },
        { "/srv/fpm.conf", "", NULL },
        { "/srv/fpm.conf", "php-fpm.service", NULL },
        { "/srv/fpm.conf", "php84-php-fpm.service", NULL },
        { "/etc/php/8.3/cli/www.conf", "", NULL },
        { "/etc/php/fpm/www.conf", "", NULL },
};

static char *import_php(size_t i)
{
        static const char text[] = "[p]\nuser = u\nlisten = 1\npm = static\npm.max_children = 1\n";
        _cleanup_(unit_file_freep) UnitFile *unit = NULL;

        if (!*php_cases[i].unit)
                return import_text(php_cases[i].file, text);
        assert_int_equal(unit_file_new(php_cases[i].unit, &unit), 0);
        unit->found = true;
        return import_with_unit(php_cases[i].file, text, unit);
}

static void test_php(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(php_cases); i++) {
                _cleanup_(freep) char *out = import_php(i), *wanted = NULL;
                const char *version = php_cases[i].version;

                if (!version) {
                        assert_null(strstr(out, "version ="));
                        assert_non_null(strstr(out, "libphp reads its own php.ini and not PHP-FPM's"));
                        continue;
                }
                assert_true(asprintf(&wanted,
                                     "version = \"%s\";\n        ini = \"/etc/php/%s/fpm/php.ini\";\n"
                                     "        ini_scan_dir = \"/etc/php/%s/fpm/conf.d\";",
                                     version, version, version) > 0);
                if (!strstr(out, wanted))
                        fail_msg("%s is not in %s", wanted, out);
        }
}

/* One that php-pool cannot run leaves the pool with the newest. */
static void test_php_that_is_too_old(void **state _unused_)
{
        static const char text[] = "[p]\nuser = u\nlisten = 1\npm = static\npm.max_children = 1\n";
        static const char *const versions[] = { "5.6", "7.4", "8.1" };

        for (size_t i = 0; i < ELEMENTSOF(versions); i++) {
                _cleanup_(freep) char *file = NULL, *out = NULL, *wanted = NULL;

                assert_true(asprintf(&file, "/etc/php/%s/fpm/pool.d/www.conf", versions[i]) > 0);
                out = import_text(file, text);
                assert_null(strstr(out, "version ="));
                assert_null(strstr(out, "ini ="));
                assert_true(asprintf(&wanted,
                                     "! %s:1: [p]: this is a file of PHP %s, and php-pool runs PHP 8.2 and "
                                     "later",
                                     file, versions[i]) > 0);
                assert_non_null(strstr(out, wanted));
        }
}

/* E_ALL is that of the PHP which the file's place names. */
static void test_constants(void **state _unused_)
{
        static const char text[] = "[p]\nuser = u\nlisten = 1\npm = static\npm.max_children = 1\n"
                                   "php_admin_value[error_reporting] = E_ALL & ~E_NOTICE\n";
        static const struct {
                const char *file, *expected;
        } places[] = {
                { "/etc/php/8.2/fpm/pool.d/www.conf", "\"error_reporting=32759\"" },
                { "/etc/php/8.3/fpm/php-fpm.conf", "\"error_reporting=32759\"" },
                { "/etc/php/8.4/fpm/pool.d/www.conf", "\"error_reporting=30711\"" },
                { "/etc/php/8.6/fpm/php-fpm.conf", "\"error_reporting=30711\"" },
                { "/etc/php/8.2/cli/x.conf", "\"error_reporting=30711\"" },
                { "/usr/local/etc/php-fpm.conf", "\"error_reporting=30711\"" },
        };

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                _cleanup_(freep) char *out = import_text(places[i].file, text);

                if (!strstr(out, places[i].expected))
                        fail_msg("%s: no %s in %s", places[i].file, places[i].expected, out);
        }
}

static char *read_data(const char *path)
{
        _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        void *data;
        size_t size;

        assert_true(fd >= 0);
        assert_int_equal(io_read_file(fd, FPM_FILE_SIZE_MAX, &data, &size), 0);
        return data;
}

static void test_every_directive(void **state _unused_)
{
        _cleanup_(freep) char *text = read_data(DATA "every.conf"), *out = NULL, *expected = NULL;

        assert_int_equal(setenv("EVERY_TMP", "/var", true), 0);
        out = import_text("every.conf", text);
        if (getenv("UPDATE_GOLDEN")) {
                FILE *f = fopen(DATA "every.expected", "we");

                assert_non_null(f);
                fputs(out, f);
                assert_int_equal(fclose(f), 0);
        }
        expected = read_data(DATA "every.expected");
        assert_string_equal(out, expected);
}

/* A directive that is new in fpm.def needs a line in every.conf. */
static void test_every_directive_is_in_the_file(void **state _unused_)
{
        static const char *const names[] = {
#define FPM(name, scope, type, how, key, where) name,
#include "poolfile/fpm.def"
        };
        _cleanup_(freep) char *text = read_data(DATA "every.conf");

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_(freep) char *start = NULL;
                size_t n = strcspn(names[i], "]");

                assert_true(asprintf(&start, "\n%.*s%s", (int) n, names[i], names[i][n] ? "" : " =") > 0);
                if (!strstr(text, start))
                        fail_msg("%s is not in every.conf", names[i]);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_unit),
                cmocka_unit_test(test_no_unit),
                cmocka_unit_test(test_no_pool),
                cmocka_unit_test(test_php),
                cmocka_unit_test(test_php_that_is_too_old),
                cmocka_unit_test(test_constants),
                cmocka_unit_test(test_every_directive),
                cmocka_unit_test(test_every_directive_is_in_the_file),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

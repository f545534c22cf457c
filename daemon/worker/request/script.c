/* SPDX-License-Identifier: MIT */

/*
 * SCRIPT_FILENAME and its relatives. Web servers disagree on what they put there: nginx sends the script's
 * path, with PATH_INFO split off or not, Apache's proxy a URL with the path info at its end, mod_fastcgi the
 * path of a CGI binary and the script in PATH_TRANSLATED. Applications rely on what PHP-FPM makes of
 * each, so that is what happens here; tests/unit/test-worker-script.c has the table of cases. A Path below
 * holds the variables as the rules see them at the moment; the parameters are what the application will see.
 */

#include "worker/request/script.h"

#include <limits.h>
#include <strings.h>

typedef struct Path {
        Params *params;
        const ScriptRules *rules;
        const ScriptFiles *files;
        const char *script;     /* the file under test */
        const char *filename;   /* SCRIPT_FILENAME as sent, without a proxy's prefix */
        const char *name;       /* SCRIPT_NAME, or REDIRECT_URL in its place */
        const char *info;       /* PATH_INFO */
        const char *translated; /* PATH_TRANSLATED */
        const char *uri;        /* the result for Script.uri */
        bool proxied;           /* it came through Apache's proxy */
} Path;

/* Sets a parameter, or removes it for a value of NULL. *ret, if asked for, is the copy that stays. */
static int set(Path *path, const char *name, const char *value, size_t size, const char **ret)
{
        int r;

        if (value) {
                r = params_set(path->params, name, strlen(name), value, size);
                if (r < 0)
                        return r;
        } else
                params_unset(path->params, name);
        if (ret)
                *ret = value ? params_get(path->params, name, NULL) : NULL;
        return 0;
}

/* Keeps a former value under ORIG_…, if there was one. */
static int keep(Path *path, const char *name, const char *value)
{
        return value ? set(path, name, value, strlen(value), NULL) : 0;
}

/* True for a path with ".." as one of its parts, which some servers let through. */
static bool has_dotdot(const char *s)
{
        for (const char *p = s; (p = strstr(p, "..")); p++)
                if ((p == s || p[-1] == '/') && (p[2] == 0 || p[2] == '/'))
                        return true;
        return false;
}

/* IIS sends SCRIPT_NAME and PATH_INFO together in PATH_INFO. */
static int fix_iis(Path *path)
{
        const char *software = params_get(path->params, "SERVER_SOFTWARE", NULL), *rest;
        int r;

        if (!software || !path->name || !path->info || !startswith(software, "Microsoft-IIS"))
                return 0;
        rest = startswith(path->info, path->name);
        if (!rest)
                return 0;

        r = keep(path, "ORIG_PATH_INFO", path->info);
        if (r < 0)
                return r;
        return set(path, "PATH_INFO", *rest ? rest : NULL, strlen(rest), &path->info);
}

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c = (char) (c | 0x20);
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The first size bytes of s with each %XX decoded, in a new string; %00 ends it, as in PHP-FPM. */
static char *decode(const char *s, size_t size)
{
        char *d = strndup(s, size), *p = d;

        for (s = d; d && *s; s++, p++) {
                bool escaped = s[0] == '%' && hex_digit(s[1]) >= 0 && hex_digit(s[2]) >= 0;

                *p = escaped ? (char) (hex_digit(s[1]) << 4 | hex_digit(s[2])) : *s;
                if (escaped)
                        s += 2;
        }
        if (d)
                *p = 0;
        return d;
}

/* What stands behind a proxy's prefix and host is SCRIPT_FILENAME. */
static int set_filename(Path *path, const char *s)
{
        _cleanup_(freep) char *decoded = NULL;
        size_t size = strcspn(s, "?");

        if (path->proxied && path->rules->decoding == PROXY_DECODES_WHOLE) {
                decoded = decode(s, size);
                if (!decoded)
                        return -ENOMEM;
                s = decoded;
                size = strlen(s);
        }
        return set(path, "SCRIPT_FILENAME", s, size, &path->filename);
}

/* Apache: "proxy:fcgi://localhost:9000/dir/a.php/x?q" or "proxy:balancer://…" stands for "/dir/a.php/x". */
static int fix_proxy(Path *path)
{
        static const char *const prefixes[] = { "proxy:fcgi://", "proxy:balancer://" };

        if (!path->filename)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(prefixes); i++) {
                size_t n = strlen(prefixes[i]);
                const char *p;
                int r;

                if (strncasecmp(path->filename, prefixes[i], n) != 0)
                        continue;

                p = strchr(path->filename + n, '/');
                path->proxied = p;
                r = set_filename(path, p ? p : path->filename);
                if (r < 0)
                        return r;
                path->script = path->filename;
                break;
        }
        return 0;
}

/* Takes the variables in. A script to look for is in path->script, or there is none. */
static int path_read(Path *path)
{
        int r;

        path->filename = params_get(path->params, "SCRIPT_FILENAME", NULL);
        path->translated = params_get(path->params, "PATH_TRANSLATED", NULL);
        path->script = path->filename ? path->filename : path->translated;
        if (!path->script)
                return 0;
        path->info = params_get(path->params, "PATH_INFO", NULL);
        path->name = params_get(path->params, "SCRIPT_NAME", NULL);

        r = fix_iis(path);
        return r < 0 ? r : fix_proxy(path);
}

static size_t size_of(const char *s)
{
        return s ? strlen(s) : 0;
}

/* True where s is just these bytes. */
static bool equals(const char *s, const char *bytes, size_t size)
{
        return strlen(s) == size && memcmp(s, bytes, size) == 0;
}

/* True where a ends with tail and has more before it. */
static bool has_tail(const char *a, const char *tail)
{
        size_t n = strlen(a), m = strlen(tail);

        return n > m && memcmp(a + n - m, tail, m) == 0;
}

/* Makes the first size bytes of name the SCRIPT_NAME. */
static int set_name(Path *path, const char *orig, const char *name, size_t size)
{
        int r;

        r = keep(path, "ORIG_SCRIPT_NAME", orig);
        return r < 0 ? r : set(path, "SCRIPT_NAME", name, size, &path->uri);
}

/* Cuts PATH_INFO off SCRIPT_NAME, which has it as it was sent or decoded (NULL: it is the same). */
static int cut_name(Path *path, const char *orig_name, const char *info, const char *decoded)
{
        const char *tail = info;
        int r;

        if (!has_tail(path->name, info)) {
                if (!decoded || !has_tail(path->name, decoded) || strstr(info, "%00"))
                        return 0;
                tail = decoded;
        }

        r = set_name(path, orig_name, path->name, strlen(path->name) - strlen(tail));
        if (r < 0)
                return r;
        path->name = path->uri;
        return 0;
}

/* Apache's proxy knows no PATH_INFO: info is what it becomes, and SCRIPT_NAME may have it, too. */
static int make_info(Path *path, const char *orig_name, const char *info)
{
        bool encoded = path->rules->decoding != PROXY_DECODES_WHOLE && strchr(info, '%');
        _cleanup_(freep) char *decoded = NULL;
        int r;

        if (path->name && encoded) {
                decoded = decode(info, strlen(info));
                if (!decoded)
                        return -ENOMEM;
        }
        r = path->name ? cut_name(path, orig_name, info, decoded) : 0;
        if (r < 0)
                return r;
        if (decoded && path->rules->decoding == PROXY_DECODES_INFO)
                info = decoded;
        return set(path, "PATH_INFO", info, strlen(info), &path->info);
}

/*
 * The script ends where tail starts: PATH_INFO becomes that, and SCRIPT_NAME loses it. Other servers than
 * Apache's proxy send it at the end of PATH_INFO, or it is none.
 */
static int split_info(Path *path, const char *orig_name, const char *tail)
{
        size_t size = strlen(tail), sent = size_of(path->info), head;
        const char *info = path->proxied ? tail : sent > size ? path->info + sent - size : NULL;
        int r;

        if (!info || (path->proxied && path->info && streq(path->info, info)))
                return 0;

        if (!path->info)
                return make_info(path, orig_name, info);

        head = path->proxied ? sent : sent - size;
        r = keep(path, "ORIG_PATH_INFO", path->info);
        if (r >= 0 && orig_name && equals(orig_name, path->info, head))
                path->uri = orig_name;
        else if (r >= 0)
                r = set_name(path, orig_name, path->info, head);
        return r < 0 ? r : set(path, "PATH_INFO", info, strlen(info), &path->info);
}

/* PATH_TRANSLATED is where PATH_INFO would be in the document root: the first size bytes of root. */
static int set_translated(Path *path, const char *root, size_t size)
{
        size_t info = size_of(path->info);
        _cleanup_(freep) char *s = NULL;
        int r;

        s = malloc(size + info + 1);
        if (!s)
                return -ENOMEM;
        memcpy(s, root, size);
        if (info > 0)
                memcpy(s + size, path->info, info);

        r = keep(path, "ORIG_PATH_TRANSLATED", path->translated);
        return r < 0 ? r : set(path, "PATH_TRANSLATED", s, size + info, NULL);
}

/* The script is the first size bytes of path->script, and what follows is path info. */
static int accept_prefix(Path *path, size_t size)
{
        const char *orig_name = params_get(path->params, "SCRIPT_NAME", NULL), *root;
        const char *whole = path->script;
        int r;

        r = split_info(path, orig_name, whole + size);
        /* Where it is the same, FPM goes on with the whole path, which cannot be run. */
        if (r >= 0 && !(path->filename && equals(path->filename, whole, size))) {
                r = keep(path, "ORIG_SCRIPT_FILENAME", path->filename);
                if (r >= 0)
                        r = set(path, "SCRIPT_FILENAME", whole, size, &path->script);
        }
        if (r < 0)
                return r;

        root = params_get(path->params, "DOCUMENT_ROOT", NULL);
        if (root) {
                size_t n = strlen(root);

                return set_translated(path, root, n > 0 && root[n - 1] == '/' ? n - 1 : n);
        }
        if (path->name && memmem(whole, size, path->name, strlen(path->name)))
                return set_translated(path, whole, size - strlen(path->name));
        return 0;
}

/* Drops parts from the right of path->script until a regular file stands. */
static int walk(Path *path)
{
        size_t size = strlen(path->script);
        char prefix[PATH_MAX];
        int r;

        if (size >= sizeof prefix)
                size = sizeof prefix - 1;
        memcpy(prefix, path->script, size);

        while (size > 0) {
                if (prefix[--size] != '/')
                        continue;
                prefix[size] = 0;
                if (!path->files->is_regular(prefix))
                        continue;
                r = accept_prefix(path, size);
                if (r < 0)
                        return r;
                break;
        }
        if (size == 0)
                path->script = NULL;
        return 0;
}

/* The script is there as it was sent: what was changed on the way is kept under ORIG_…. */
static int accept_whole(Path *path, bool redirected)
{
        int r = 0;

        if (!path->filename || !streq(path->script, path->filename)) {
                r = keep(path, "ORIG_SCRIPT_FILENAME", path->filename);
                if (r >= 0)
                        r = set(path, "SCRIPT_FILENAME", path->script, strlen(path->script), &path->script);
        }
        if (r >= 0 && redirected && path->info) {
                r = keep(path, "ORIG_PATH_INFO", path->info);
                params_unset(path->params, "PATH_INFO");
        }
        if (r >= 0 && redirected && path->translated) {
                r = keep(path, "ORIG_PATH_TRANSLATED", path->translated);
                params_unset(path->params, "PATH_TRANSLATED");
        }
        return r;
}

/* cgi.fix_pathinfo=1 */
static int find_fixed(Path *path)
{
        const char *redirect = params_get(path->params, "REDIRECT_URL", NULL), *orig_name = path->name;
        bool whole;
        size_t size;
        int r = 0;

        if (path->rules->doc_root && !params_get(path->params, "DOCUMENT_ROOT", NULL))
                r = keep(path, "DOCUMENT_ROOT", path->rules->doc_root);
        if (r < 0)
                return r;

        /* mod_fastcgi: the script is in PATH_TRANSLATED, and its name in REDIRECT_URL. */
        if (!path->proxied && redirect && path->translated && !streq(path->translated, path->script)) {
                path->script = path->translated;
                path->name = redirect;
        }

        size = strlen(path->script);
        whole = size == 0 || (path->script[size - 1] != '/' && path->files->exists(path->script));
        r = whole ? accept_whole(path, !path->proxied && redirect) : walk(path);
        if (r < 0 || path->uri)
                return r;

        /* SCRIPT_NAME is replaced by REDIRECT_URL, or stays as it is. */
        if (path->name != orig_name && (whole || !orig_name || !streq(path->name, orig_name)))
                return set_name(path, orig_name, path->name, strlen(path->name));
        path->uri = path->name;
        return 0;
}

int script_find(Params *params, const ScriptRules *rules, const ScriptFiles *files, Script *ret)
{
        Path path = { .params = params, .rules = rules, .files = files };
        int r;

        r = path_read(&path);
        if (r < 0)
                return r;

        if (path.script && rules->fix_pathinfo) {
                r = find_fixed(&path);
                if (r < 0)
                        return r;
        } else if (path.script) {
                path.uri = path.info ? path.info : path.name;
                if (!rules->discard_path && path.translated)
                        path.script = path.translated;
        }

        *ret = (Script) {
                .path = path.script && !has_dotdot(path.script) ? path.script : NULL,
                .uri = path.uri,
        };
        return 0;
}

bool script_is_below(const char *path, const char *directory)
{
        const char *rest;

        if (streq(directory, "/"))
                return *path == '/';
        rest = startswith(path, directory);
        return rest && *rest == '/';
}

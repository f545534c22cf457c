/* SPDX-License-Identifier: MIT */

/*
 * One request's way through PHP. All of it runs under one zend_first_try frame: where PHP jumps out that
 * far, its state is not to be trusted, and the worker must exit. Below that frame each part that scripts or
 * clients can make fail has its own, so that PHP's shutdown of the request always runs. What is refused is
 * refused in PHP-FPM's order: no method, not found, its extension, not to be opened; at last, outside of
 * security.script_root.
 */

#include "worker/php/php.h"

#include "worker/php/internal.h"

#include <rfc1867.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "worker/php/compat.h"
#include "worker/request/built-in.h"

#define STATUS_FORBIDDEN 403
#define STATUS_NOT_FOUND 404
#define STATUS_TOO_LARGE 431 /* RFC 6585 */
#define STATUS_INTERNAL_ERROR 500

/* What PHP gives a script that ends by an error, as its status to exit with. */
#define STATUS_OF_ERROR 255

/*
 * PHP resolves the path later on, and most of the time knows it from an earlier request. Looking it up as it
 * is costs a tenth of resolving it.
 */
static bool file_exists(const char *path)
{
        char resolved[MAXPATHLEN];

        return realpath_cache_lookup(path, strlen(path), time(NULL)) || tsrm_realpath(path, resolved);
}

static bool file_is_regular(const char *path)
{
        struct stat st;

        return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int find_script(PhpRequest *r)
{
        static const ScriptFiles files = { .exists = file_exists, .is_regular = file_is_regular };
        const ScriptRules rules = {
                .fix_pathinfo = php_process.settings.fix_pathinfo,
                .discard_path = php_process.settings.discard_path,
                .doc_root = compat_doc_root(),
                .decoding = compat_proxy_decoding(php_process.settings.script_path_encoded),
        };

        return script_find(r->request->params, &rules, &files, &r->script);
}

static bool body_expected(const Params *params)
{
        const char *method = params_get(params, "REQUEST_METHOD", NULL);

        return params_get(params, "HTTP_TRANSFER_ENCODING", NULL) ||
               (method && !streq(method, "GET") && !streq(method, "HEAD"));
}

/*
 * The body's length. Without one ("Transfer-Encoding: chunked") the transport knows where it ends; Caddy
 * says -1 then.
 */
static zend_long body_size(PhpRequest *r)
{
        const char *s = params_get(r->request->params, "CONTENT_LENGTH", NULL);
        long long size;

        if (!s || !*s) {
                r->body_unsized = body_expected(r->request->params);
                return 0;
        }
        size = strtoll(s, NULL, 10);
        r->body_unsized = size < 0;
        return MAX(size, 0);
}

/* Tells PHP what it wants to know of the request before it starts it. */
static void describe(PhpRequest *r)
{
        const Params *params = r->request->params;
        bool named =
                params_get(params, "SCRIPT_FILENAME", NULL) || params_get(params, "PATH_TRANSLATED", NULL);
        sapi_request_info *info = &SG(request_info);
        const char *type = params_get(params, "CONTENT_TYPE", NULL);

        php_process.interrupted = false;
        *info = (sapi_request_info) {
                .request_method = params_get(params, "REQUEST_METHOD", NULL),
                .proto_num = 1000,
                .request_uri = (char *) r->script.uri,
                .path_translated = r->script.path ? estrdup(r->script.path) : NULL,
        };
        if (named) {
                info->query_string = (char *) params_get(params, "QUERY_STRING", NULL);
                info->content_type = type ? type : "";
                info->content_length = body_size(r);
                (void) php_handle_auth_data(params_get(params, "HTTP_AUTHORIZATION", NULL));
                if (info->auth_user)
                        (void) snprintf(r->request->user, sizeof r->request->user, "%s", info->auth_user);
        }
        SG(sapi_headers).http_response_code = 200;
        EG(exit_status) = 0;
        /* Left over from the last request, they would say that output was sent, and that PHP shuts down. */
        OG(flags) = 0;
        EG(flags) = EG_FLAGS_INITIAL;
}

static void answer(int status, const char *body)
{
        SG(sapi_headers).http_response_code = status;
        PUTS(body);
}

static bool extension_allowed(const char *path)
{
        char *const *extensions = php_process.config->security_limit_extensions;
        size_t size = strlen(path);

        if (!*extensions)
                return true;
        for (; *extensions; extensions++) {
                size_t n = strlen(*extensions);

                if (size > n && streq(path + size - n, *extensions))
                        return true;
        }
        return false;
}

static void answer_unopened(PhpRequest *r, int error)
{
        php_log_request(r, LOG_ERR, "Unable to open primary script: %s (%s)", r->script.path,
                        strerror(error));
        if (error == EACCES)
                answer(STATUS_FORBIDDEN, "Access denied.\n");
        else
                answer(STATUS_NOT_FOUND, "No input file specified.\n");
}

static void answer_denied(PhpRequest *r, const char *setting)
{
        php_log_request(r, LOG_NOTICE, "Access to the script '%s' has been denied (see %s)", r->script.path,
                        setting);
        answer(STATUS_FORBIDDEN, "Access denied.\n");
}

/* A script runs in its directory, and shutdown functions where it started: as PHP does it. */
static void run_script(zend_file_handle *file)
{
        (void) !VCWD_CHDIR_FILE(ZSTR_VAL(file->filename));
        (void) php_execute_script(file);
        if (php_process.directory[0])
                (void) !chdir(php_process.directory);
}

static void execute(PhpRequest *r)
{
        zend_file_handle file;

        errno = ENOENT; /* a directory, for one, is refused without any */
        if (php_fopen_primary_script(&file) != SUCCESS)
                answer_unopened(r, errno);
        else if (!root_holds(&file))
                answer_denied(r, "security.script_root");
        else
                run_script(&file);
        /* PHP has taken it over when it compiled it; opcache had no need to. */
        if (!file.in_list)
                zend_destroy_file_handle(&file);
}

static void respond(PhpRequest *r)
{
        /* Half a body is worse than none: the script could take it for the whole. */
        if (r->client_gone && !PG(ignore_user_abort))
                return;
        if (!SG(request_info).request_method)
                return;

        if (!SG(request_info).path_translated) {
                php_log_request(r, LOG_DEBUG, "Primary script unknown");
                answer(STATUS_NOT_FOUND, "File not found.\n");
        } else if (!extension_allowed(r->script.path))
                answer_denied(r, "security.limit_extensions");
        else
                execute(r);
}

/* fastcgi.error_header replaces the status of a script that ended by a fatal error. */
static void add_error_header(void)
{
        char *header = php_process.settings.error_header;
        sapi_header_line line = { .line = header, .line_len = header ? strlen(header) : 0 };

        if (EG(exit_status) == STATUS_OF_ERROR && line.line_len > 0 && !SG(headers_sent))
                (void) sapi_header_op(SAPI_HEADER_REPLACE, &line);
}

static void forget_path(void)
{
        if (SG(request_info).path_translated)
                efree(SG(request_info).path_translated);
        SG(request_info).path_translated = NULL;
}

/* Answers without PHP: the request does not get as far as a script. */
static void fail(PhpRequest *r, int status)
{
        if (!SG(headers_sent))
                sapi_write_status(r->request, status);
        r->outcome.status = status;
}

/*
 * A request that PHP failed to start is not shut down either: modules would end what they never began. But
 * files of the body, which PHP has written already, must not stay behind.
 */
static void forget_body(void)
{
        zend_try {
                if (SG(request_info).request_body)
                        (void) php_stream_close(SG(request_info).request_body);
                SG(request_info).request_body = NULL;
                if (SG(rfc1867_uploaded_files))
                        destroy_uploaded_files_hash();
        }
        zend_end_try();
}

/* What is no script: the status page and the ping, whatever file there may be of that name. */
static bool serve_status(PhpRequest *r)
{
        int status;

        status = built_in_serve(r->request, r->script.uri, php_process.config, php_process.handoff);
        if (status > 0)
                r->outcome.status = status;
        return status > 0;
}

static void run(PhpRequest *r)
{
        int error;

        error = find_script(r);
        if (error < 0) {
                fail(r, error == -E2BIG ? STATUS_TOO_LARGE : STATUS_INTERNAL_ERROR);
                return;
        }
        r->request->name = r->script.uri;
        if (serve_status(r))
                return;
        describe(r);
        r->request->script = r->script.path;
        if (r->script.path)
                request_script_known(r->request, r->script.path);

        php_log_request_begins();
        ini_request_begins();
        ini_apply_request(r);
        mail_apply_request();
        timeout_withhold(r->body_unsized || SG(request_info).content_length > 0);
        if (php_request_startup() == FAILURE) {
                forget_body();
                fail(r, STATUS_INTERNAL_ERROR);
                r->outcome.must_exit = true;
                return;
        }

        zend_try {
                respond(r);
                add_error_header();
        }
        zend_end_try();
        request_script_ended(r->request);
        forget_path();
        timeout_script_ended();
        php_request_shutdown(NULL);
        timeout_end();
        ini_request_ended();
        r->outcome.failed = EG(exit_status) == STATUS_OF_ERROR;
}

/* The frame that nothing jumps over. */
static void run_guarded(PhpRequest *r)
{
        SG(server_context) = r;
        zend_first_try {
                run(r);
        }
        zend_catch {
                r->outcome.must_exit = true;
        }
        zend_end_try();
        SG(server_context) = NULL;
}

PhpOutcome php_serve(Request *request)
{
        PhpRequest r = { .request = request, .body_fd = -EBADF, .outcome = { .status = 200 } };

        run_guarded(&r);
        if (r.body_fd >= 0)
                (void) close(r.body_fd);
        (void) request_finish(request);
        stderr_end_request();
        return r.outcome;
}

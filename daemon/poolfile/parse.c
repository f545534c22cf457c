/* SPDX-License-Identifier: MIT */

/*
 * Reads a pool file: see parse.h. The one file that knows libconfig.
 *
 * source.h brings the text, libconfig makes a tree of it, and the Parser walks through the tree in the order
 * of the file: each leaf is looked up in settings.def's table and set, or becomes an error. A walk ends
 * early only without memory: everything below returns 0 after having recorded an error. check.c then looks
 * at what settings ask of each other.
 */

#include "poolfile/parse.h"

#include <libconfig.h>

#include "base/text.h"
#include "config/ini.h"
#include "config/php.h"
#include "poolfile/check.h"
#include "poolfile/dump.h"
#include "poolfile/hint.h"
#include "poolfile/scan.h"

/* The bytes of a wrong value that an error shows. */
#define SHOWN_MAX 64

/* How many lines before a syntax error are looked at for its cause. */
#define LOOK_BACK_MAX 16

typedef struct Parser {
        const Source *source;
        Config *config;
        ConfigErrors *errors;
        ConfigOrigin origins[_SETTING_ID_MAX];
} Parser;

/* Writes a value as errors show it. */
static void show_value(const config_setting_t *node, FILE *f)
{
        const char *string;

        switch (config_setting_type(node)) {
        case CONFIG_TYPE_INT:
        case CONFIG_TYPE_INT64:
                fprintf(f,
                        config_setting_get_format(node) == CONFIG_FORMAT_HEX ? "hexadecimal 0x%llx" : "%lld",
                        config_setting_get_int64(node));
                break;
        case CONFIG_TYPE_FLOAT:
                fprintf(f, "%g", config_setting_get_float(node));
                break;
        case CONFIG_TYPE_BOOL:
                fputs(config_setting_get_bool(node) ? "true" : "false", f);
                break;
        case CONFIG_TYPE_STRING:
                string = config_setting_get_string(node);
                if (string && strnlen(string, CONFIG_STRING_MAX + 1) > CONFIG_STRING_MAX)
                        fprintf(f, "more than %d bytes: ", CONFIG_STRING_MAX);
                quote_write(string ? string : "", SHOWN_MAX, f);
                break;
        case CONFIG_TYPE_GROUP:
                fputs("a group", f);
                break;
        default:
                fputs("a list", f);
        }
}

static int add_error(Parser *p, const config_setting_t *node, const char *key, const char *text)
{
        const char *file;
        unsigned line = source_locate(p->source, config_setting_source_line(node), &file);

        return config_errors_add(p->errors, file, line, key, "%s", text);
}

/* Records "must be …, not …" for a value; describe writes what it must be. */
static int add_must_be(Parser *p, const Setting *s, const config_setting_t *node, const char *key,
                       void (*describe)(const Setting *s, FILE *f))
{
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *f;

        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        fputs("must be ", f);
        describe(s, f);
        fputs(", not ", f);
        show_value(node, f);
        /* A version, to which "such as "8.4", not 8.4" says little. */
        if (config_setting_type(node) == CONFIG_TYPE_FLOAT && setting_takes_text(s) &&
            !setting_takes_number(s))
                fputs(" without quotes", f);
        if (fclose(f) != 0)
                return -ENOMEM;
        return add_error(p, node, key, text);
}

/* The number in the setting's unit: whole times are seconds. */
static int set_number(const Setting *s, const config_setting_t *node, Config *config)
{
        long long value = config_setting_get_int64(node);
        uint64_t n;

        /* libconfig 1.5 cuts hexadecimal numbers to 32 bits without a word. */
        if (config_setting_get_format(node) == CONFIG_FORMAT_HEX)
                return -EINVAL;
        if (value < 0)
                return -ERANGE;

        n = (uint64_t) value;
        if (s->type == SETTING_TIME && __builtin_mul_overflow(n, USEC_PER_SEC, &n))
                return -ERANGE;
        return setting_set_number(s, n, config);
}

/* Sets a setting that is no list. -EINVAL or -ERANGE where the value is of no use. */
static int set_scalar(const Setting *s, const config_setting_t *node, Config *config)
{
        const char *string;

        switch (config_setting_type(node)) {
        case CONFIG_TYPE_INT:
        case CONFIG_TYPE_INT64:
                return setting_takes_number(s) ? set_number(s, node, config) : -EINVAL;
        case CONFIG_TYPE_BOOL:
                if (s->type != SETTING_BOOL)
                        return -EINVAL;
                return setting_set_number(s, config_setting_get_bool(node) != 0, config);
        case CONFIG_TYPE_STRING:
                string = config_setting_get_string(node);
                return setting_takes_text(s) ? setting_set_text(s, string ? string : "", config) : -EINVAL;
        default:
                return -EINVAL;
        }
}

/* Why PHP would not read the line of a setting that has such, or "". 0, or -ENOMEM. */
static int judge_line(const Setting *s, const char *line, IniError *ret)
{
        int r;

        *ret->text = 0;
        if (s->type != SETTING_INI_LINES)
                return 0;
        r = ini_line_check(line, ret);
        return r == -EINVAL ? 0 : r;
}

/* Copies an element, or records an error and leaves *ret. */
static int copy_element(Parser *p, const Setting *s, const config_setting_t *node, int i, char **ret)
{
        const char *string = config_setting_get_string(node) ?: "";
        bool allowed = config_setting_type(node) == CONFIG_TYPE_STRING && setting_allows_string(s, string);
        _cleanup_(freep) char *key = NULL, *text = NULL;
        IniError error;
        int r;

        r = allowed ? judge_line(s, string, &error) : 0;
        if (r < 0)
                return r;
        if (allowed && !*error.text) {
                *ret = strdup(string);
                return *ret ? 0 : -ENOMEM;
        }

        if (asprintf(&key, "%s[%d]", s->key, i) < 0) {
                key = NULL;
                return -ENOMEM;
        }
        if (!allowed)
                return add_must_be(p, s, node, key, setting_describe_element);
        if (asprintf(&text, "is no line of an ini file: %s", error.text) < 0) {
                text = NULL;
                return -ENOMEM;
        }
        return add_error(p, node, key, text);
}

/* Sets a list, to its good elements where some are refused. */
static int parse_list(Parser *p, const Setting *s, const config_setting_t *node)
{
        _cleanup_(strv_freep) char **list = NULL;
        int n, filled = 0;

        if (!config_setting_is_array(node) && !config_setting_is_list(node))
                return add_must_be(p, s, node, s->key, setting_describe);
        n = config_setting_length(node);
        if (n > CONFIG_LIST_MAX)
                return add_error(p, node, s->key, "has too many elements");

        list = calloc((size_t) n + 1, sizeof *list);
        if (!list)
                return -ENOMEM;
        for (int i = 0; i < n; i++) {
                int r = copy_element(p, s, config_setting_get_elem(node, (unsigned) i), i, &list[filled]);

                if (r < 0)
                        return r;
                filled += list[filled] != NULL;
        }
        setting_take_list(s, TAKE_PTR(list), p->config);
        return 0;
}

static int parse_scalar(Parser *p, const Setting *s, const config_setting_t *node)
{
        int r = set_scalar(s, node, p->config);

        if (r == -EINVAL || r == -ERANGE)
                return add_must_be(p, s, node, s->key, setting_describe);
        return r;
}

static int parse_setting(Parser *p, const Setting *s, const config_setting_t *node)
{
        ConfigOrigin *origin = &p->origins[s - settings];
        size_t n_errors = config_errors_count(p->errors);
        int r;

        r = setting_storage(s) == STORE_STRV ? parse_list(p, s, node) : parse_scalar(p, s, node);
        origin->line = source_locate(p->source, config_setting_source_line(node), &origin->file);
        origin->state = config_errors_count(p->errors) > n_errors ? ORIGIN_REFUSED : ORIGIN_FILE;
        return r;
}

static int parse_unknown(Parser *p, const char *path, const config_setting_t *node)
{
        char hint[HINT_SIZE_MAX], text[HINT_SIZE_MAX + 64];

        (void) snprintf(text, sizeof text, "unknown %s%s",
                        config_setting_is_group(node) ? "group" : "setting", hint_unknown(path, hint));
        return add_error(p, node, path, text);
}

/* A group's name that stands for something else: PHP-FPM's "pm", for one. */
static int parse_no_group(Parser *p, const char *path, const config_setting_t *node)
{
        char hint[HINT_SIZE_MAX], text[HINT_SIZE_MAX + 64];

        (void) snprintf(text, sizeof text, "must be a group, { … }%s", hint_fpm(path, hint));
        return add_error(p, node, path, text);
}

/* Goes through the settings of a group, or of the whole file (prefix ""). Groups do not nest. */
static int parse_group(Parser *p, const config_setting_t *group, const char *prefix)
{
        int n = config_setting_length(group);

        for (int i = 0; i < n; i++) {
                const config_setting_t *node = config_setting_get_elem(group, (unsigned) i);
                _cleanup_(freep) char *path = NULL;
                const Setting *s;
                int r;

                if (asprintf(&path, "%s%s%s", prefix, *prefix ? "." : "", config_setting_name(node)) < 0) {
                        path = NULL;
                        return -ENOMEM;
                }

                s = setting_find(path);
                if (s)
                        r = parse_setting(p, s, node);
                else if (*prefix || !setting_group_exists(path))
                        r = parse_unknown(p, path, node);
                else if (config_setting_is_group(node))
                        r = parse_group(p, node, path);
                else
                        r = parse_no_group(p, path, node);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* libconfig gives an element that is a string the line of its successor; the source knows better. */
static void correct_lines(const config_setting_t *node, const Source *source, size_t *string)
{
        int n = config_setting_is_aggregate(node) ? config_setting_length(node) : 0;

        for (int i = 0; i < n; i++) {
                config_setting_t *child = config_setting_get_elem(node, (unsigned) i);

                if (config_setting_type(child) == CONFIG_TYPE_STRING && *string < source->n_strings) {
                        if (!config_setting_name(child))
                                child->line = source->strings[*string];
                        (*string)++;
                } else
                        correct_lines(child, source, string);
        }
}

static int parse_tree(const Source *source, const config_t *tree, const char *workers, Config **ret,
                      ConfigErrors *errors)
{
        _cleanup_(config_freep) Config *config = NULL;
        size_t n_errors = config_errors_count(errors), string = 0;
        Parser p = { .source = source, .errors = errors };
        int r;

        r = config_new(&config);
        if (r < 0)
                return r;
        p.config = config;

        correct_lines(config_root_setting(tree), source, &string);
        r = parse_group(&p, config_root_setting(tree), "");
        if (r < 0)
                return r;
        r = config_check(config, p.origins, errors);
        if (r >= 0 && workers)
                r = config_check_php(config, p.origins, source->files[0], workers, errors);
        if (r < 0)
                return r;
        if (config_errors_count(errors) > n_errors)
                return -EINVAL;

        *ret = TAKE_PTR(config);
        return 0;
}

/*
 * Finds a hint for the line where libconfig saw an error, or for the last line before it with something on
 * it: libconfig misses what is missing at a line's end only at the next word. Returns the line to blame,
 * which is never the one behind the end of the file.
 */
static unsigned find_syntax_hint(const Source *source, unsigned error_line, char *hint)
{
        char text[HINT_INPUT_MAX];
        unsigned line = error_line;

        source_get_line(source, line, text, sizeof text);
        if (*hint_syntax(text, hint))
                return line;

        for (size_t i = 0; i < LOOK_BACK_MAX && --line > 0; i++) {
                source_get_line(source, line, text, sizeof text);
                if (text[strspn(text, " \t\r")])
                        return *hint_syntax(text, hint) || error_line == source->line ? line : error_line;
        }
        return error_line;
}

/* Records what libconfig says about the text. */
static int syntax_error(const Source *source, const config_t *tree, ConfigErrors *errors)
{
        unsigned line = (unsigned) MAX(config_error_line(tree), 1), file_line;
        char hint[HINT_SIZE_MAX];
        const char *file;
        int r;

        line = find_syntax_hint(source, line, hint);
        file_line = source_locate(source, line, &file);
        r = config_errors_add(errors, file, file_line, NULL, "%s%s", config_error_text(tree), hint);
        return r < 0 ? r : -EINVAL;
}

/* workers is the directory of the PHP that the settings choose, or NULL where that is not asked. */
static int parse_source(const Source *source, const char *workers, Config **ret, ConfigErrors *errors)
{
        _cleanup_(config_destroy) config_t tree;

        config_init(&tree);
        if (!config_read_string(&tree, source->text))
                return syntax_error(source, &tree, errors);
        return parse_tree(source, &tree, workers, ret, errors);
}

static int parse_file(const char *path, const char *workers, Config **ret, ConfigErrors *errors)
{
        _cleanup_(source_freep) Source *source = NULL;
        int r;

        r = source_from_file(path, &source, errors);
        if (r < 0)
                return r;
        return parse_source(source, workers, ret, errors);
}

int config_parse_file(const char *path, Config **ret, ConfigErrors *errors)
{
        return parse_file(path, NULL, ret, errors);
}

int config_parse_pool(const char *path, Config **ret, ConfigErrors *errors)
{
        return parse_file(path, php_directory(), ret, errors);
}

int config_parse_string(const char *name, const char *text, Config **ret, ConfigErrors *errors)
{
        _cleanup_(source_freep) Source *source = NULL;
        int r;

        r = source_from_text(name, text, &source, errors);
        if (r < 0)
                return r;
        return parse_source(source, NULL, ret, errors);
}

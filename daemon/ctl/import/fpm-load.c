/* SPDX-License-Identifier: MIT */

/*
 * Loads a PHP-FPM configuration: see fpm-load.h. The rules are those of fpm_conf.c: an include is read where
 * it stands and the section that it ends in goes on behind it; a section that comes again goes on, too; what
 * is no directive of its section ends it all.
 */

#include "ctl/import/fpm-load.h"

#include <fcntl.h>
#include <glob.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/text.h"
#include "base/utf8.h"
#include "ctl/import/fpm-file.h"
#include "ctl/import/fpm-version.h"

typedef struct FpmLoader {
        FpmConfig *config;
        const char *file;
        size_t section; /* that entries go to */
        unsigned depth;
        const FpmEnvironment *environment; /* or NULL */
        char php_version[16]; /* of the file's place, or what the environment says; "" for none */
        char *error;
} FpmLoader;

void fpm_config_free(FpmConfig *config)
{
        if (!config)
                return;
        for (size_t i = 0; i < config->n_sections; i++) {
                FpmSection *section = &config->sections[i];

                for (size_t j = 0; j < section->n_entries; j++) {
                        free(section->entries[j].key);
                        free(section->entries[j].value);
                }
                free(section->entries);
                free(section->name);
        }
        for (size_t i = 0; i < config->n_variables; i++)
                free(config->variables[i].name);
        for (size_t i = 0; i < config->n_files; i++)
                free(config->files[i]);
        free(config->variables);
        free(config->sections);
        free(config->files);
        free(config);
}

/* Says what is wrong; the first counts. line is 0 for the file itself. */
static int _printf_(3, 4) fail(FpmLoader *l, unsigned line, const char *format, ...)
{
        _cleanup_(freep) char *text = NULL;
        va_list ap;
        int r;

        if (l->error)
                return -EINVAL;
        va_start(ap, format);
        r = text_vformat(&text, format, ap);
        va_end(ap);
        if (r < 0)
                return r;
        r = line > 0 ? text_format(&l->error, "%s:%u: %s", l->file, line, text)
                     : text_format(&l->error, "%s: %s", l->file, text);
        if (r < 0)
                return r;
        utf8_make_printable(l->error);
        return -EINVAL;
}

/* The array of n items with room for one more: it doubles when n is a power of two. -ENOMEM. */
static int grow_array(void *array, size_t n, size_t item_size)
{
        void **items = array, *more;

        if ((n & (n - 1)) != 0)
                return 0;
        more = reallocarray(*items, n > 0 ? n * 2 : 1, item_size);
        if (!more)
                return -ENOMEM;
        *items = more;
        return 0;
}

static int add_section(FpmConfig *config, const char *name, const char *file, unsigned line)
{
        FpmSection section = { .file = file, .line = line };

        if (grow_array(&config->sections, config->n_sections, sizeof section) < 0)
                return -ENOMEM;
        if (name) {
                section.name = strdup(name);
                if (!section.name)
                        return -ENOMEM;
        }
        config->sections[config->n_sections++] = section;
        return 0;
}

static int on_section(unsigned line, const char *name, void *userdata)
{
        FpmLoader *l = userdata;
        FpmConfig *config = l->config;
        int r;

        for (l->section = 0; l->section < config->n_sections; l->section++)
                if (strcasecmp(config->sections[l->section].name ?: "global", name) == 0)
                        break;
        if (l->section == 0 && config->sections[0].line == 0) {
                config->sections[0].file = l->file;
                config->sections[0].line = line;
        }
        if (l->section < config->n_sections)
                return 0;
        if (config->n_entries++ == FPM_ENTRIES_MAX)
                return fail(l, line, "there are too many sections and directives");
        r = add_section(config, name, l->file, line);
        return r < 0 ? r : 0;
}

/* Replaces "$pool". Its name may hold that, too, which is not replaced again. */
static int expand_pool(const char *value, const char *pool, char **ret)
{
        const char *token;
        Text text;
        int r;

        r = text_open(&text);
        if (r < 0)
                return r;
        for (; (token = strstr(value, "$pool")); value = token + strlen("$pool"))
                fprintf(text.f, "%.*s%s", (int) (token - value), value, pool);
        fputs(value, text.f);
        return text_close(&text, 0, ret);
}

/* Whether the directive may stand here with this key and value; says why not. */
static int check_entry(FpmLoader *l, const FpmEntry *entry, const char *name, bool in_pool)
{
        const FpmDirective *d = entry->directive;
        const char *wanted;

        if (!d)
                return fail(l, entry->line, "unknown directive %s", name);
        if (!(d->scope & (in_pool ? FPM_POOL : FPM_GLOBAL)))
                return fail(l, entry->line, "%s cannot stand in %s", d->name,
                            in_pool ? "a pool" : "[global]");
        if (entry->key && streq(d->name, "access.suppress_path[]")) {
                if (*entry->key || *entry->value != '/')
                        return fail(l, entry->line,
                                    "%s has nothing in its brackets, and a path that starts "
                                    "with \"/\"",
                                    d->name);
        } else if (entry->key && !*entry->key)
                return fail(l, entry->line, "%s needs a name in its brackets", d->name);
        if (streq(d->name, "env[]") && !*entry->value)
                return fail(l, entry->line, "%s cannot be empty", d->name);

        wanted = fpm_type_error(d->type, entry->value);
        if (wanted)
                return fail(l, entry->line, "%s: must be %s, not \"%.64s\"", d->name, wanted, entry->value);
        return 0;
}

static int include_pattern(FpmLoader *l, unsigned line, const char *pattern);

static int on_fpm_entry(unsigned line, const char *name, const char *key, const char *value, void *userdata)
{
        FpmLoader *l = userdata;
        FpmSection *section = &l->config->sections[l->section];
        FpmEntry entry = { .file = l->file, .line = line };
        _cleanup_(freep) char *full = NULL, *expanded = NULL, *own_key = NULL;
        int r;

        if (!key && streq(name, "include"))
                return include_pattern(l, line, value);
        if (text_format(&full, "%s%s", name, key ? "[]" : "") < 0)
                return -ENOMEM;
        if (!section->name && strstr(value, "$pool"))
                return fail(l, line, "$pool cannot stand in [global]");
        r = expand_pool(value, section->name ?: "", &expanded);
        if (r < 0)
                return r;
        own_key = key ? strdup(key) : NULL;
        if (key && !own_key)
                return -ENOMEM;

        entry.directive = fpm_directive_find(full);
        entry.key = own_key;
        entry.value = expanded;
        r = check_entry(l, &entry, full, section->name);
        if (r < 0)
                return r;
        if (l->config->n_entries++ == FPM_ENTRIES_MAX)
                return fail(l, line, "there are too many sections and directives");
        if (grow_array(&section->entries, section->n_entries, sizeof entry) < 0)
                return -ENOMEM;
        section->entries[section->n_entries++] = entry;
        TAKE_PTR(own_key);
        TAKE_PTR(expanded);
        return 0;
}

static const char *get_variable(unsigned line, const char *name, void *userdata)
{
        FpmLoader *l = userdata;
        FpmConfig *config = l->config;
        const char *unit = l->environment ? l->environment->get(name, l->environment->userdata) : NULL;
        const char *value = unit ?: getenv(name);
        FpmVariable variable = { .file = l->file, .line = line, .set = value, .by_unit = unit };

        /* Without memory the note is missing, and the next allocation fails. */
        if (grow_array(&config->variables, config->n_variables, sizeof variable) >= 0) {
                variable.name = strdup(name);
                if (variable.name)
                        config->variables[config->n_variables++] = variable;
        }
        return value;
}

static int parse_text(FpmLoader *l, const char *text, size_t size)
{
        const FpmReader reader = { on_section, on_fpm_entry, get_variable, l, l->php_version };
        FpmError error = {};
        int r;

        r = fpm_file_parse(text, size, &reader, &error);
        if (r == -EINVAL && error.line > 0)
                return fail(l, error.line, "%s", error.text);
        return r;
}

/* Makes the file the one that is read now. Its name stays with the configuration. */
static int add_fpm_file(FpmLoader *l, const char *path)
{
        FpmConfig *config = l->config;
        char *copy;

        if (config->n_files == FPM_FILES_MAX)
                return fail(l, 0, "too many files are included");
        if (grow_array(&config->files, config->n_files, sizeof copy) < 0)
                return -ENOMEM;
        copy = strdup(path);
        if (!copy)
                return -ENOMEM;
        config->files[config->n_files++] = copy;
        l->file = copy;
        return 0;
}

static int read_fpm_file(const char *path, void **ret, size_t *ret_size)
{
        _cleanup_(fd_closep) int fd = -EBADF;

        /* O_NONBLOCK: a FIFO is no file to wait for. */
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        return fd < 0 ? -errno : io_read_file(fd, FPM_FILE_SIZE_MAX, ret, ret_size);
}

static int load_file(FpmLoader *l, const char *path)
{
        _cleanup_(freep) void *text = NULL;
        size_t size;
        int r;

        r = add_fpm_file(l, path);
        if (r < 0)
                return r;
        r = read_fpm_file(path, &text, &size);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return fail(l, 0, "cannot be read: %s", strerror(-r));
        return parse_text(l, text, size);
}

/* Reads what the pattern matches, in order; nothing is no error in FPM either. */
static int include_all(FpmLoader *l, const glob_t *found)
{
        for (size_t i = 0; i < found->gl_pathc; i++) {
                const char *path = found->gl_pathv[i];
                int r;

                if (path[strlen(path) - 1] == '/')
                        continue;
                r = load_file(l, path);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int include_pattern(FpmLoader *l, unsigned line, const char *pattern)
{
        _cleanup_(freep) char *absolute = NULL;
        const char *file = l->file;
        glob_t found = {};
        int r;

        if (!*pattern)
                return fail(l, line, "include needs a path");
        if (l->depth + 1 == FPM_INCLUDES_MAX)
                return fail(l, line, "files include each other too deep, or in a circle");
        if (text_format(&absolute, "%s%s", *pattern == '/' ? "" : FPM_PREFIX "/", pattern) < 0)
                return -ENOMEM;

        r = glob(absolute, GLOB_ERR | GLOB_MARK, NULL, &found);
        if (r == GLOB_NOSPACE)
                return -ENOMEM;
        if (r != 0 && r != GLOB_NOMATCH)
                return fail(l, line, "cannot include %s", absolute);
        l->depth++;
        r = r == 0 ? include_all(l, &found) : 0;
        l->depth--;
        l->file = file;
        globfree(&found);
        return r;
}

/* Which PHP the FPM with this file is of. All files that it includes are read by the same one. */
static void find_version(FpmLoader *l, const char *name)
{
        const char *known = l->environment ? l->environment->php_version : NULL, *place;
        size_t n = 0;

        place = fpm_file_version(name, &n);
        if (place)
                (void) snprintf(l->php_version, sizeof l->php_version, "%.*s", (int) n, place);
        else
                (void) snprintf(l->php_version, sizeof l->php_version, "%s", known ?: "");
}

/* Loads the file, or, where there is one, the text instead. */
static int load_config(const char *name, const char *text, size_t size, const FpmEnvironment *environment,
                       FpmConfig **ret, char **ret_error)
{
        _cleanup_(fpm_config_freep) FpmConfig *config = calloc(1, sizeof *config);
        FpmLoader l = { .config = config, .environment = environment };
        int r;

        find_version(&l, name);
        r = config ? add_section(config, NULL, NULL, 0) : -ENOMEM;
        if (r >= 0)
                r = text ? add_fpm_file(&l, name) : load_file(&l, name);
        if (r >= 0 && text)
                r = parse_text(&l, text, size);
        if (r == -EINVAL)
                *ret_error = TAKE_PTR(l.error);
        free(l.error);
        if (r >= 0)
                *ret = TAKE_PTR(config);
        return r;
}

int fpm_config_load(const char *path, const FpmEnvironment *environment, FpmConfig **ret, char **ret_error)
{
        return load_config(path, NULL, 0, environment, ret, ret_error);
}

int fpm_config_load_text(const char *name, const char *text, size_t size, const FpmEnvironment *environment,
                         FpmConfig **ret, char **ret_error)
{
        return load_config(name, text, size, environment, ret, ret_error);
}

FpmEntry *fpm_section_find(FpmSection *section, const char *name)
{
        FpmEntry *found = NULL;

        for (size_t i = 0; i < section->n_entries; i++)
                if (streq(section->entries[i].directive->name, name)) {
                        section->entries[i].used = true;
                        found = &section->entries[i];
                }
        return found && *found->value ? found : NULL;
}

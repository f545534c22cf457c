/* SPDX-License-Identifier: MIT */

/*
 * A PHP-FPM configuration as a whole: see import.h. Has each pool made its files, gathers what is to be
 * told, and sees to it that nothing is left out: a directive that nobody used is told, too. Pure.
 */

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"
#include "config/parse.h"
#include "ctl/import.h"
#include "ipc/control.h"

/* Processes of a pool besides its workers: the manager, templates and launchers of two generations. */
#define POOL_PROCESSES 5

void import_free(Import *import)
{
        if (!import)
                return;
        for (size_t i = 0; i < import->n_notes; i++) {
                free(import->notes[i].subject);
                free(import->notes[i].text);
        }
        for (size_t i = 0; i < import->n_files; i++) {
                free(import->files[i].path);
                free(import->files[i].text);
        }
        free(import->notes);
        free(import->files);
        free(import->error);
        free(import);
}

int import_note_format(const ImportNote *note, char **ret)
{
        if (asprintf(ret, "%s:%u: %s: %s", note->file, note->line, note->subject, note->text) < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        utf8_make_printable(*ret);
        return 0;
}

int import_fail(Import *import, const char *file, unsigned line, const char *format, ...)
{
        _cleanup_(freep) char *text = NULL;
        va_list ap;
        int r;

        va_start(ap, format);
        r = vasprintf(&text, format, ap);
        va_end(ap);
        if (r < 0) {
                text = NULL;
                return -ENOMEM;
        }
        free(TAKE_PTR(import->error));
        if (asprintf(&import->error, "%s:%u: %s", file, line, text) < 0) {
                import->error = NULL;
                return -ENOMEM;
        }
        utf8_make_printable(import->error);
        return -EINVAL;
}

/* Makes room and takes the note over, which is freed where that fails. Several pools tell [global]'s once.
 */
static int add_note(Import *import, ImportNote note)
{
        ImportNote *notes;

        for (size_t i = 0; i < import->n_notes; i++)
                if (import->notes[i].section == note.section && import->notes[i].line == note.line &&
                    streq(import->notes[i].subject, note.subject) &&
                    streq(import->notes[i].text, note.text)) {
                        free(note.subject);
                        free(note.text);
                        return 0;
                }
        notes = reallocarray(import->notes, import->n_notes + 1, sizeof *notes);
        if (!notes) {
                free(note.subject);
                free(note.text);
                return -ENOMEM;
        }
        import->notes = notes;
        import->notes[import->n_notes++] = note;
        import->lost = import->lost || note.lost;
        return 0;
}

static bool is_of(const FpmSection *section, const FpmEntry *entry)
{
        return section->n_entries > 0 && entry >= section->entries &&
               entry < section->entries + section->n_entries;
}

/* "env[PATH]", "pm.max_children". */
static int format_subject(const FpmEntry *entry, char **ret)
{
        const char *name = entry->directive->name;

        return asprintf(ret, "%.*s%s%s%s", (int) strcspn(name, "["), name, entry->key ? "[" : "",
                        entry->key ?: "", entry->key ? "]" : "") < 0
                               ? -ENOMEM
                               : 0;
}

int import_note(ImportPool *p, const FpmEntry *entry, bool lost, const char *format, ...)
{
        ImportNote note = {
                .section = p->section, .file = p->section->file, .line = p->section->line, .lost = lost
        };
        va_list ap;
        int r;

        if (entry) {
                note.section = is_of(p->global, entry) ? p->global : p->section;
                note.file = entry->file;
                note.line = entry->line;
                r = format_subject(entry, &note.subject);
        } else
                r = asprintf(&note.subject, "[%s]", p->section->name);
        if (r < 0)
                return -ENOMEM;

        va_start(ap, format);
        r = vasprintf(&note.text, format, ap);
        va_end(ap);
        if (r < 0) {
                free(note.subject);
                return -ENOMEM;
        }
        return add_note(p->import, note);
}

/* A variable's value was looked up in an environment that may not be FPM's. */
static int note_variables(Import *import)
{
        for (size_t i = 0; i < import->fpm->n_variables; i++) {
                const FpmVariable *v = &import->fpm->variables[i];
                ImportNote note = { .file = v->file,
                                    .line = v->line,
                                    .section = &import->fpm->sections[0],
                                    .lost = !v->set };

                if (asprintf(&note.subject, "${%s}", v->name) < 0)
                        return -ENOMEM;
                note.text = strdup(v->set ? "replaced by what it is in the environment of this command"
                                          : "not set in the environment of this command, PHP-FPM's may have "
                                            "it");
                if (!note.text) {
                        free(note.subject);
                        return -ENOMEM;
                }
                if (add_note(import, note) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int note_unused(ImportPool *p, const FpmSection *section)
{
        for (size_t i = 0; i < section->n_entries; i++)
                if (!section->entries[i].used &&
                    import_note(p, &section->entries[i], true, "not imported") < 0)
                        return -ENOMEM;
        return 0;
}

/* Adds a file; it takes the text, also where it fails. An empty one is left out. */
static int add_file(Import *import, char *text, const char *format, ...) _printf_(3, 4);
static int add_file(Import *import, char *text, const char *format, ...)
{
        ImportFile *files, file = { .text = text };
        va_list ap;
        int r;

        if (!*text) {
                free(text);
                return 0;
        }
        va_start(ap, format);
        r = vasprintf(&file.path, format, ap);
        va_end(ap);
        files = r < 0 ? NULL : reallocarray(import->files, import->n_files + 1, sizeof *files);
        if (!files) {
                if (r >= 0)
                        free(file.path);
                free(text);
                return -ENOMEM;
        }
        import->files = files;
        import->files[import->n_files++] = file;
        return 0;
}

/* The directive that the setting's value came from, for an error in it. */
static const FpmEntry *entry_of(const ImportPool *p, const char *key)
{
        const FpmSection *const sections[] = { p->section, p->global };

        for (size_t i = 0; i < ELEMENTSOF(sections); i++)
                for (size_t j = sections[i]->n_entries; j-- > 0;)
                        if (streq(sections[i]->entries[j].directive->key ?: "", key))
                                return &sections[i]->entries[j];
        return NULL;
}

/* Reads the pool file that was made as a manager would: what settings ask of each other is asked there. */
static int check_pool(ImportPool *p, const char *text)
{
        _cleanup_(config_errors_clear) ConfigErrors errors = {};
        _cleanup_(config_freep) Config *config = NULL;
        const FpmEntry *entry;
        int r;

        r = config_parse_string("", text, &config, &errors);
        if (r != -EINVAL)
                return r;
        entry = errors.items[0].key ? entry_of(p, errors.items[0].key) : NULL;
        return import_fail(p->import, entry ? entry->file : p->section->file,
                           entry ? entry->line : p->section->line, "%s: %s",
                           entry ? entry->directive->name : errors.items[0].key ?: p->section->name,
                           errors.items[0].text);
}

static int compare_notes(const void *a, const void *b)
{
        const ImportNote *x = a, *y = b;
        int r = strcmp(x->file, y->file);

        return r != 0 ? r : (x->line > y->line) - (x->line < y->line);
}

static int write_pool(ImportPool *p)
{
        char *text = NULL;
        size_t size;
        FILE *f;
        int r;

        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        qsort(p->import->notes, p->import->n_notes, sizeof *p->import->notes, compare_notes);
        import_write_pool(p, f);
        if (fclose(f) != 0) {
                free(text);
                return -ENOMEM;
        }
        r = check_pool(p, text);
        if (r < 0) {
                free(text);
                return r;
        }
        return add_file(p->import, text, CONFIG_DIR "/%s.conf", p->section->name);
}

/* Opens the drop-ins, has them and the settings made, and closes them. */
static int map_texts(ImportPool *p, char *texts[static 3])
{
        FILE **const files[] = { &p->socket, &p->status, &p->service };
        size_t sizes[ELEMENTSOF(files)];
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                *files[i] = open_memstream(&texts[i], &sizes[i]);
                if (!*files[i])
                        r = -ENOMEM;
        }
        if (r >= 0)
                r = import_settings(p);
        if (r >= 0)
                r = import_units(p);
        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                if (*files[i] && fclose(*files[i]) != 0 && r >= 0)
                        r = -ENOMEM;
        return r;
}

static int map_pool(Import *import, FpmSection *section)
{
        static const char *const units[][2] = { { "php-pool@", ".socket" },
                                                { "php-pool-status@", ".socket" },
                                                { "php-pool@", ".service" } };
        _cleanup_(config_freep) Config *config = NULL;
        ImportPool p = { .import = import, .section = section, .global = &import->fpm->sections[0] };
        char *texts[ELEMENTSOF(units)] = {};
        int r;

        if (!pool_name_valid(section->name))
                return import_fail(import, section->file, section->line,
                                   "\"%s\" cannot be a pool's name here: it has "
                                   "letters, digits, \".\", \"_\" and \"-\"",
                                   section->name);
        r = config_new(&config);
        if (r < 0)
                return r;
        p.config = config;

        r = map_texts(&p, texts);
        if (r >= 0)
                r = note_unused(&p, section);
        if (r >= 0)
                r = write_pool(&p);
        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                if (r >= 0)
                        r = add_file(import, texts[i], IMPORT_UNIT_DIR "/%s%s%s.d/" IMPORT_DROP_IN,
                                     units[i][0], section->name, units[i][1]);
                else
                        free(texts[i]);
        return r;
}

/* process.max: where pools cannot have that many workers in all, there is nothing to limit. */
static int map_slice(Import *import)
{
        FpmSection *global = &import->fpm->sections[0];
        const FpmEntry *max = fpm_section_find(global, "process.max");
        ImportPool p = { .import = import, .section = global, .global = global };
        long long limit = max ? fpm_value_integer(max->value) : 0, workers = 0;
        size_t pools = import->fpm->n_sections - 1;
        char *text;

        for (size_t i = 1; i < import->fpm->n_sections; i++) {
                const FpmEntry *children = fpm_section_find(&import->fpm->sections[i], "pm.max_children");

                workers += children ? fpm_value_integer(children->value) : 0;
        }
        if (!max)
                return 0;
        if (limit <= 0 || workers <= limit)
                return import_note(&p, max, false, "nothing to write: these pools have %lld workers at most",
                                   workers);

        if (asprintf(&text,
                     "[Slice]\n# process.max = %lld, and %d other processes for each of %zu "
                     "pools\nTasksMax=%lld\n",
                     limit, POOL_PROCESSES, pools, limit + POOL_PROCESSES * (long long) pools) < 0)
                return -ENOMEM;
        if (add_file(import, text, IMPORT_UNIT_DIR "/php-pool.slice.d/" IMPORT_DROP_IN) < 0)
                return -ENOMEM;
        return import_note(&p, max, true,
                           "TasksMax= of php-pool.slice also counts what scripts run, and every other "
                           "pool");
}

/* No two pools can have one address. */
static int check_addresses(Import *import)
{
        FpmConfig *fpm = import->fpm;

        for (size_t i = 1; i < fpm->n_sections; i++)
                for (size_t j = 1; j < i; j++) {
                        const FpmEntry *a = fpm_section_find(&fpm->sections[i], "listen");
                        const FpmEntry *b = fpm_section_find(&fpm->sections[j], "listen");

                        if (a && b && streq(a->value, b->value))
                                return import_fail(import, a->file, a->line,
                                                   "listen: pool %s has this address, too",
                                                   fpm->sections[j].name);
                }
        return 0;
}

static int map_all(Import *import)
{
        FpmConfig *fpm = import->fpm;
        int r;

        if (fpm->n_sections == 1)
                return import_fail(import, fpm->files[0], MAX(fpm->sections[0].line, 1U),
                                   "there is no pool in it, a section such as [www]");
        r = check_addresses(import);
        if (r >= 0)
                r = map_slice(import);
        if (r >= 0)
                r = note_variables(import);
        for (size_t i = 1; i < fpm->n_sections && r >= 0; i++)
                r = map_pool(import, &fpm->sections[i]);
        return r;
}

int import_map(FpmConfig *fpm, Import **ret, char **ret_error)
{
        _cleanup_(import_freep) Import *import = calloc(1, sizeof *import);
        int r;

        if (!import)
                return -ENOMEM;
        import->fpm = fpm;
        r = map_all(import);
        if (r == -EINVAL)
                *ret_error = TAKE_PTR(import->error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(import);
        return 0;
}

/* SPDX-License-Identifier: MIT */

/*
 * A PHP-FPM configuration as a whole: see import.h. Makes the files of each pool, gathers the notes, and
 * sees to it that nothing is left out: a directive that no rule has used is told, too. Pure, but for
 * users' homes.
 */

#include "base/text.h"
#include "ctl/import/internal.h"
#include "ipc/control.h"
#include "poolfile/parse.h"

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

/* A variable's value was looked up in an environment that may not be FPM's. */
static int note_variables(Import *import)
{
        for (size_t i = 0; i < import->fpm->n_variables; i++) {
                const FpmVariable *v = &import->fpm->variables[i];
                ImportNote note = { .file = v->file,
                                    .line = v->line,
                                    .section = &import->fpm->sections[0],
                                    .lost = !v->set };

                if (text_format(&note.subject, "${%s}", v->name) < 0)
                        return -ENOMEM;
                note.text = strdup(
                                v->by_unit ? "replaced by what it is in PHP-FPM's unit"
                                : v->set   ? "replaced by what it is in the environment of this command"
                                         : "not set in the environment of this command, PHP-FPM's may have "
                                           "it");
                if (!note.text) {
                        free(note.subject);
                        return -ENOMEM;
                }
                if (import_add_note(import, note) < 0)
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

/* Adds a file: the mark, and the body behind it. One without a body is stale. */
static int add_import_file(Import *import, const char *source, const char *body, const char *format, ...)
                _printf_(4, 5);
static int add_import_file(Import *import, const char *source, const char *body, const char *format, ...)
{
        _cleanup_(freep) char *mark = NULL, *path = NULL, *text = NULL;
        ImportFile *files;
        va_list ap;
        int r;

        va_start(ap, format);
        r = text_vformat(&path, format, ap);
        va_end(ap);
        if (r >= 0)
                r = import_mark_format(source, &mark);
        if (r < 0)
                return r;
        if (text_format(&text, "%s\n%s", mark, body) < 0)
                return -ENOMEM;
        files = reallocarray(import->files, import->n_files + 1, sizeof *files);
        if (!files)
                return -ENOMEM;
        import->files = files;
        import->files[import->n_files++] =
                        (ImportFile){ .path = TAKE_PTR(path), .text = TAKE_PTR(text), .stale = !*body };
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

/* Reads the new pool file as a manager would, which applies the rules between settings. */
static int check_import_pool(ImportPool *p, const char *text)
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
        _cleanup_(freep) char *body = NULL;
        Text text;
        int r;

        r = text_open(&text);
        if (r < 0)
                return r;
        qsort(p->import->notes, p->import->n_notes, sizeof *p->import->notes, compare_notes);
        import_write_pool(p, text.f);
        r = text_close(&text, 0, &body);
        if (r >= 0)
                r = check_import_pool(p, body);
        if (r < 0)
                return r;
        return add_import_file(p->import, p->section->file, body, CONFIG_DIR "/%s.conf", p->section->name);
}

/* The drop-ins of a pool, in the order in which they are listed. */
typedef struct PoolDropIns {
        char *socket, *status, *service;
} PoolDropIns;

static void pool_drop_ins_clear(PoolDropIns *d)
{
        free(d->socket);
        free(d->status);
        free(d->service);
}

/* Opens the drop-ins, has them and the settings made, and closes them. */
static int map_texts(ImportPool *p, PoolDropIns *ret)
{
        Text socket = {}, status = {}, service = {};
        int r;

        r = text_open(&socket);
        if (r >= 0)
                r = text_open(&status);
        if (r >= 0)
                r = text_open(&service);
        p->socket = socket.f;
        p->status = status.f;
        p->service = service.f;
        if (r >= 0)
                r = import_settings(p);
        if (r >= 0)
                r = import_sockets(p);
        if (r >= 0)
                r = import_service(p);
        if (socket.f)
                r = text_close(&socket, r, &ret->socket);
        if (status.f)
                r = text_close(&status, r, &ret->status);
        if (service.f)
                r = text_close(&service, r, &ret->service);
        return r;
}

static int add_pool_drop_ins(Import *import, const FpmSection *section, const PoolDropIns *drop_ins)
{
        const char *name = section->name, *source = section->file;
        int r;

        r = add_import_file(import, source, drop_ins->socket,
                            IMPORT_UNIT_DIR "/php-pool@%s.socket.d/" IMPORT_DROP_IN, name);
        if (r >= 0)
                r = add_import_file(import, source, drop_ins->status,
                                    IMPORT_UNIT_DIR "/php-pool-status@%s.socket.d/" IMPORT_DROP_IN, name);
        if (r >= 0)
                r = add_import_file(import, source, drop_ins->service,
                                    IMPORT_UNIT_DIR "/php-pool@%s.service.d/" IMPORT_DROP_IN, name);
        return r;
}

static int map_pool(Import *import, FpmSection *section)
{
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_(pool_drop_ins_clear) PoolDropIns drop_ins = {};
        ImportPool p = { .import = import, .section = section, .global = &import->fpm->sections[0] };
        int r;

        if (pool_name_error(section->name))
                return import_fail(import, section->file, section->line,
                                   "\"%s\" cannot be a pool's name here: %s", section->name,
                                   pool_name_error(section->name));
        r = config_new(&config);
        if (r < 0)
                return r;
        p.config = config;

        r = map_texts(&p, &drop_ins);
        if (r >= 0)
                r = import_places(&p, drop_ins.service);
        if (r >= 0)
                r = note_unused(&p, section);
        if (r >= 0)
                r = write_pool(&p);
        return r < 0 ? r : add_pool_drop_ins(import, section, &drop_ins);
}

static long long count_workers(FpmConfig *fpm)
{
        long long workers = 0;

        for (size_t i = 1; i < fpm->n_sections; i++) {
                const FpmEntry *children = fpm_section_find(&fpm->sections[i], "pm.max_children");

                workers += children ? fpm_value_integer(children->value) : 0;
        }
        return workers;
}

/*
 * process.max: where pools cannot have that many workers in all, there is nothing to limit. A slice that is
 * not ours is not limited.
 */
static int map_slice(Import *import)
{
        static const char path[] = IMPORT_UNIT_DIR "/php-pool.slice.d/" IMPORT_DROP_IN;
        FpmSection *global = &import->fpm->sections[0];
        const FpmEntry *max = fpm_section_find(global, "process.max");
        const char *source = global->file ?: import->fpm->files[0];
        ImportPool p = { .import = import, .section = global, .global = global };
        long long limit = max ? fpm_value_integer(max->value) : 0, workers = count_workers(import->fpm);
        size_t pools = import->fpm->n_sections - 1;
        _cleanup_(freep) char *text = NULL, *slice = NULL;
        int r, theirs;

        theirs = import_slice(import->unit, &slice);
        if (theirs < 0)
                return theirs;
        if (limit <= 0 || workers <= limit || theirs > 0) {
                r = global->file ? add_import_file(import, source, "", "%s", path) : 0;
                if (r < 0 || !max)
                        return r;
                if (limit > 0 && workers > limit)
                        return import_note(&p, max, true,
                                           "not imported: pools are in %s, where TasksMax= would count all "
                                           "else that is there, too",
                                           slice);
                return import_note(&p, max, false, "nothing to write: these pools have %lld workers at most",
                                   workers);
        }
        if (text_format(&text,
                        "[Slice]\n# process.max = %lld, and %d other processes for each of %zu "
                        "pools\nTasksMax=%lld\n",
                        limit, POOL_PROCESSES, pools, limit + POOL_PROCESSES * (long long) pools) < 0)
                return -ENOMEM;
        r = add_import_file(import, source, text, "%s", path);
        return r < 0 ? r
                     : import_note(&p, max, true,
                                   "TasksMax= of php-pool.slice also counts what scripts run, and every "
                                   "other pool");
}

/* Whether they listen on one address; a relative path is behind the pool's own prefix. 0, 1, -ENOMEM. */
static int share_address(Import *import, FpmSection *a, FpmSection *b)
{
        ImportPool of[] = { { .import = import, .section = a }, { .import = import, .section = b } };
        const FpmEntry *listen[] = { fpm_section_find(a, "listen"), fpm_section_find(b, "listen") };
        _cleanup_(freep) char *one = NULL, *other = NULL;
        int r;

        if (!listen[0] || !listen[1])
                return 0;
        r = import_path(&of[0], listen[0]->value, &one);
        if (r >= 0)
                r = import_path(&of[1], listen[1]->value, &other);
        return r < 0 ? r : streq(one, other);
}

/* No two pools can have one address. */
static int check_addresses(Import *import)
{
        FpmConfig *fpm = import->fpm;

        for (size_t i = 1; i < fpm->n_sections; i++)
                for (size_t j = 1; j < i; j++) {
                        const FpmEntry *a = fpm_section_find(&fpm->sections[i], "listen");
                        int r = share_address(import, &fpm->sections[i], &fpm->sections[j]);

                        if (r > 0)
                                return import_fail(import, a->file, a->line,
                                                   "listen: pool %s has this address, too",
                                                   fpm->sections[j].name);
                        if (r < 0)
                                return r;
                }
        return 0;
}

/* Without its unit's files, what it sets cannot be told. */
static int note_unit(Import *import)
{
        FpmSection *global = &import->fpm->sections[0];
        ImportNote note = { .file = import->fpm->files[0], .line = 1, .section = global };

        if (!import->unit || import->unit->n_files > 0)
                return 0;
        note.subject = strdup(import->unit->name);
        note.text = strdup("is no unit here: what PHP-FPM's sets besides, such as UMask= and Environment=, "
                           "belongs in "
                           "drop-ins");
        if (!note.subject || !note.text) {
                free(note.subject);
                free(note.text);
                return -ENOMEM;
        }
        return import_add_note(import, note);
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
                r = note_unit(import);
        if (r >= 0)
                r = map_slice(import);
        if (r >= 0)
                r = note_variables(import);
        for (size_t i = 1; i < fpm->n_sections && r >= 0; i++)
                r = map_pool(import, &fpm->sections[i]);
        return r;
}

int import_map(FpmConfig *fpm, const UnitFile *unit, bool look, Import **ret, char **ret_error)
{
        _cleanup_(import_freep) Import *import = calloc(1, sizeof *import);
        int r;

        if (!import)
                return -ENOMEM;
        import->fpm = fpm;
        import->unit = unit;
        import->look = look;
        r = map_all(import);
        if (r == -EINVAL)
                *ret_error = TAKE_PTR(import->error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(import);
        return 0;
}

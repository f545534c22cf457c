/* SPDX-License-Identifier: MIT */

/*
 * What php-poolctl import has to tell about lines: see internal.h. Paths and values come from files of
 * others, so nothing leaves here that could do something to a terminal, or be two lines of a comment.
 */

#include "base/text.h"
#include "base/utf8.h"
#include "ctl/import/internal.h"

int import_note_format(const ImportNote *note, char **ret)
{
        if (text_format(ret, "%s:%u: %s: %s", note->file, note->line, note->subject, note->text) < 0)
                return -ENOMEM;
        utf8_make_printable(*ret);
        return 0;
}

int import_fail(Import *import, const char *file, unsigned line, const char *format, ...)
{
        _cleanup_(freep) char *text = NULL;
        va_list ap;
        int r;

        va_start(ap, format);
        r = text_vformat(&text, format, ap);
        va_end(ap);
        if (r < 0)
                return r;
        free(TAKE_PTR(import->error));
        if (text_format(&import->error, "%s:%u: %s", file, line, text) < 0)
                return -ENOMEM;
        utf8_make_printable(import->error);
        return -EINVAL;
}

int import_add_note(Import *import, ImportNote note)
{
        ImportNote *notes;

        for (size_t i = 0; i < import->n_notes; i++)
                if (import->notes[i].section == note.section && import->notes[i].line == note.line &&
                    streq(import->notes[i].file, note.file) &&
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

static bool is_note_of(const FpmSection *section, const FpmEntry *entry)
{
        return section->n_entries > 0 && entry >= section->entries &&
               entry < section->entries + section->n_entries;
}

/* "env[PATH]", "pm.max_children". */
static int format_subject(const FpmEntry *entry, char **ret)
{
        const char *name = entry->directive->name;

        return text_format(ret, "%.*s%s%s%s", (int) strcspn(name, "["), name, entry->key ? "[" : "",
                           entry->key ?: "", entry->key ? "]" : "");
}

int import_note(ImportPool *p, const FpmEntry *entry, bool lost, const char *format, ...)
{
        ImportNote note = {
                .section = p->section, .file = p->section->file, .line = p->section->line, .lost = lost
        };
        va_list ap;
        int r;

        if (entry) {
                note.section = is_note_of(p->global, entry) ? p->global : p->section;
                note.file = entry->file;
                note.line = entry->line;
                r = format_subject(entry, &note.subject);
        } else
                r = text_format(&note.subject, "[%s]", p->section->name);
        if (r < 0)
                return -ENOMEM;

        va_start(ap, format);
        r = text_vformat(&note.text, format, ap);
        va_end(ap);
        if (r < 0) {
                free(note.subject);
                return -ENOMEM;
        }
        return import_add_note(p->import, note);
}

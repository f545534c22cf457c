/* SPDX-License-Identifier: MIT */

/*
 * The text of a pool file as an object: see source.h. scan.c fills it; parse.c hands the text to libconfig
 * and asks here where a line of it comes from.
 */

#include "poolfile/source.h"

#define TEXT_SIZE_MIN 4096U

int source_new(const char *name, Source **ret)
{
        _cleanup_(source_freep) Source *source = NULL;

        source = malloc(sizeof *source);
        if (!source)
                return -ENOMEM;
        *source = (Source) { .line = 1 };

        source->text = calloc(1, TEXT_SIZE_MIN);
        source->allocated = TEXT_SIZE_MIN;
        source->files[0] = strdup(name);
        if (!source->text || !source->files[0])
                return -ENOMEM;
        source->n_files = 1;

        *ret = TAKE_PTR(source);
        return 0;
}

void source_free(Source *source)
{
        if (!source)
                return;

        for (size_t i = 0; i < ELEMENTSOF(source->files); i++)
                free(source->files[i]);
        free(source->segments);
        free(source->strings);
        free(source->text);
        free(source);
}

int source_append(Source *source, const char *data, size_t size)
{
        if (size > SOURCE_SIZE_MAX - source->size)
                return -EFBIG;

        if (size >= source->allocated - source->size) {
                size_t allocated = MAX(source->size + size + 1, source->allocated * 2);
                char *text = realloc(source->text, allocated);

                if (!text)
                        return -ENOMEM;
                source->text = text;
                source->allocated = allocated;
        }

        memcpy(source->text + source->size, data, size);
        source->size += size;
        source->text[source->size] = 0;
        for (size_t i = 0; i < size; i++)
                source->line += data[i] == '\n';
        return 0;
}

/* The array of n items with room for one more: it doubles when n is a power of two. NULL without memory. */
static void *make_room(void *items, size_t n, size_t item_size)
{
        if ((n & (n - 1)) != 0)
                return items;
        return reallocarray(items, n > 0 ? n * 2 : 1, item_size);
}

int source_start_segment(Source *source, size_t file, unsigned file_line)
{
        SourceSegment *segments = make_room(source->segments, source->n_segments, sizeof *segments);

        assert(file < source->n_files);

        if (!segments)
                return -ENOMEM;
        source->segments = segments;
        source->segments[source->n_segments++] = (SourceSegment) {
                .line = source->line,
                .file_line = file_line,
                .file = file,
        };
        return 0;
}

int source_note_string(Source *source)
{
        unsigned *strings;

        if (source->after_string)
                return 0;

        strings = make_room(source->strings, source->n_strings, sizeof *strings);
        if (!strings)
                return -ENOMEM;
        source->strings = strings;
        source->strings[source->n_strings++] = source->line;
        source->after_string = true;
        return 0;
}

unsigned source_locate(const Source *source, unsigned line, const char **ret_file)
{
        size_t i = source->n_segments - 1;

        assert(source->n_segments > 0);

        /* Of several segments that start at one line, the last one has it. */
        while (i > 0 && source->segments[i].line > line)
                i--;

        *ret_file = source->files[source->segments[i].file];
        return source->segments[i].file_line + (line - source->segments[i].line);
}

void source_get_line(const Source *source, unsigned line, char *buffer, size_t size)
{
        const char *p = source->text, *next;
        size_t n;

        assert(size > 0);

        for (; line > 1 && (next = strchr(p, '\n')); line--)
                p = next + 1;
        n = MIN(strcspn(p, "\n"), size - 1);
        memcpy(buffer, p, n);
        buffer[n] = 0;
}

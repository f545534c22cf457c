/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The text of a pool file with its includes put in place, and the way back from a line of it to file and
 * line.
 *
 * libconfig could include files itself, but 1.5 ends the process with exit(2) when one is a directory, and
 * it silently drops zero bytes and all that is behind an unclosed comment, and cuts integers to 32 bits. So
 * it gets one text without "@include", from which these are gone.
 */

#include "base/util.h"

/* Bounds: bytes of the whole text, files in all, and how deep they include each other (as in libconfig). */
#define SOURCE_SIZE_MAX (1024U * 1024U)
#define SOURCE_FILES_MAX 64
#define SOURCE_DEPTH_MAX 10

/* From this line of the text on, lines are those of a file from this one on. */
typedef struct SourceSegment {
        unsigned line;
        unsigned file_line;
        size_t file; /* index in files[] */
} SourceSegment;

typedef struct Source {
        char *text; /* with a zero behind it */
        size_t size;
        size_t allocated;
        unsigned line; /* of the end of the text, from 1 */
        char *files[SOURCE_FILES_MAX];
        size_t n_files;
        SourceSegment *segments;
        size_t n_segments;
        unsigned *strings; /* line of each string, in order; libconfig gives elements the line behind them */
        size_t n_strings;
        bool after_string; /* the next string continues the last one: libconfig joins them */
} Source;

/* A new one without text, whose first file has this name; the caller frees it. 0 or -ENOMEM. */
int source_new(const char *name, Source **ret);
void source_free(Source *source);
DEFINE_CLEANUP(Source *, source_free)

/* Adds to the text. 0, -EFBIG beyond SOURCE_SIZE_MAX, or -ENOMEM. */
int source_append(Source *source, const char *data, size_t size);

/* From the end of the text on, lines are those of this file from this line on. 0 or -ENOMEM. */
int source_start_segment(Source *source, size_t file, unsigned file_line);

/* A string starts at the end of the text, or goes on there. 0 or -ENOMEM. */
int source_note_string(Source *source);

/* Where a line of the text comes from. Returns the line in *ret_file, which the source owns. */
unsigned source_locate(const Source *source, unsigned line, const char **ret_file);

/* Copies a line of the text, cut to the size of the buffer. */
void source_get_line(const Source *source, unsigned line, char *buffer, size_t size);

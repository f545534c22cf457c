/* SPDX-License-Identifier: MIT */

/*
 * PHP's call stack in another worker: a chain of zend_execute_data, each with its function and the
 * instruction that it is at. Template and worker are of one fork: &executor_globals is the same address in
 * both, and the structures are those of the headers that we are built with. Of those only the members named
 * here are used; their names are the same in all PHPs that we are built for, their offsets the headers'.
 *
 * The worker runs on, and may be hostile. So nothing that was read is followed but through peek_read(),
 * which takes any address; strings, frames and text are bounded; the chain ends where it returns to itself.
 * It is read twice, with the names in between, and taken when it stayed the same.
 *
 * Calls nothing of PHP. Not seen: generators that delegate by "yield from" to the one that runs, and, from
 * PHP 8.4 on, internal functions that are called without a frame.
 */

#include "worker/php/backtrace.h"

#include <inttypes.h>
#include <stdio.h>

#include <php.h>

#include "base/utf8.h"
#include "worker/php/peek.h"

#define NAME_MAX_SIZE 256
#define FILE_MAX_SIZE 1024
#define TRIES_MAX 5

/* Frames that are not shown: placeholders, and, below the last one that is, those down to its caller. */
#define HIDDEN_MAX 64
#define CHAIN_MAX (BACKTRACE_DEPTH_MAX + HIDDEN_MAX)

#define FIELD(address, type, member) ((address) + offsetof(type, member))

typedef enum FrameKind {
        FRAME_UNKNOWN,
        FRAME_PLACEHOLDER, /* PHP's own, for calls from nowhere, fibers and generators */
        FRAME_FUNCTION,
        FRAME_INCLUDE,
        FRAME_MAIN,
} FrameKind;

/* Addresses are the other process's. */
typedef struct Frame {
        uintptr_t address;
        uintptr_t function;
        uintptr_t opline;
        uint32_t call_info;

        FrameKind kind;
        bool user;          /* of PHP code: it has a file and a line */
        uintptr_t name;     /* zend_string, FRAME_FUNCTION */
        uintptr_t scope;    /* zend_class_entry, 0 for none */
        uintptr_t filename; /* zend_string */
        uint32_t line;
} Frame;

typedef struct Chain {
        size_t n, max;
        bool broken; /* what follows could not be read */
        Frame frames[CHAIN_MAX];
} Chain;

static bool is_aligned(uintptr_t address)
{
        return address && address % sizeof(void *) == 0;
}

static bool chain_has(const Chain *c, uintptr_t address)
{
        for (size_t i = 0; i < c->n; i++)
                if (c->frames[i].address == address)
                        return true;
        return false;
}

/* Follows the chain. Fails only where it has no beginning. */
static int read_chain(Peek *p, Chain *c)
{
        zend_execute_data *next;
        int r;

        c->n = 0;
        c->broken = false;
        r = peek_read(p, (uintptr_t) &EG(current_execute_data), &next, sizeof next);
        if (r < 0)
                return r;
        if (!next)
                return -ENODATA;

        while (next && c->n < c->max && !chain_has(c, (uintptr_t) next)) {
                uintptr_t address = (uintptr_t) next;
                zend_execute_data e;

                r = is_aligned(address) ? peek_read(p, address, &e, sizeof e) : -EFAULT;
                if (r < 0) {
                        c->broken = true;
                        return c->n > 0 ? 0 : r;
                }
                c->frames[c->n++] = (Frame) {
                        .address = address,
                        .function = (uintptr_t) e.func,
                        .opline = (uintptr_t) e.opline,
                        .call_info = ZEND_CALL_INFO(&e),
                };
                next = e.prev_execute_data;
        }
        return 0;
}

static FrameKind kind_of_code(uint32_t call_info)
{
        switch (ZEND_CALL_KIND_EX(call_info)) {
        case ZEND_CALL_TOP_CODE:
                return FRAME_MAIN;
        case ZEND_CALL_NESTED_CODE:
                return FRAME_INCLUDE;
        default:
                return FRAME_UNKNOWN;
        }
}

/* While an exception goes through a function, all instructions in it are one that stands for them. */
static uintptr_t real_opline(Peek *p, uintptr_t opline)
{
        uintptr_t first = (uintptr_t) &EG(exception_op)[0], real;

        if (opline < first || opline >= first + sizeof EG(exception_op) ||
            peek_read(p, (uintptr_t) &EG(opline_before_exception), &real, sizeof real) < 0)
                return opline;
        return real;
}

static bool read_place(Peek *p, Frame *f)
{
        uintptr_t opline = real_opline(p, f->opline);

        if (peek_read(p, FIELD(f->function, zend_op_array, filename), &f->filename, sizeof f->filename) < 0)
                return false;
        if (!is_aligned(opline) ||
            peek_read(p, FIELD(opline, zend_op, lineno), &f->line, sizeof f->line) < 0)
                f->line = 0;
        return true;
}

/* What the frame runs; FRAME_UNKNOWN where that makes no sense. */
static FrameKind read_function(Peek *p, Frame *f)
{
        zend_function function; /* of which an internal one has less */

        if (!f->function)
                return FRAME_PLACEHOLDER;
        if (!is_aligned(f->function) ||
            peek_read(p, f->function, &function.common, sizeof function.common) < 0)
                return FRAME_UNKNOWN;

        switch (function.common.type) {
        case ZEND_INTERNAL_FUNCTION:
                break;
        case ZEND_USER_FUNCTION:
        case ZEND_EVAL_CODE:
                if (!read_place(p, f))
                        return FRAME_UNKNOWN;
                f->user = true;
                break;
        default:
                return FRAME_UNKNOWN;
        }

        f->name = (uintptr_t) function.common.function_name;
        f->scope = (uintptr_t) function.common.scope;
        if (f->name)
                return FRAME_FUNCTION;
        return f->user ? kind_of_code(f->call_info) : FRAME_PLACEHOLDER;
}

/* Up to the script itself. */
static void read_functions(Peek *p, Chain *c)
{
        for (size_t i = 0; i < c->n; i++) {
                c->frames[i].kind = read_function(p, &c->frames[i]);
                if (c->frames[i].kind == FRAME_MAIN)
                        c->n = i + 1;
        }
}

/* A copy of a zend_string, cut to fit and printable; other where there is none. */
static const char *read_string(Peek *p, uintptr_t string, char *buffer, size_t size, const char *other)
{
        size_t n;

        if (!is_aligned(string) || peek_read(p, FIELD(string, zend_string, len), &n, sizeof n) < 0)
                return other;
        n = MIN(n, size - 1);
        if (peek_read(p, FIELD(string, zend_string, val), buffer, n) < 0)
                return other;
        buffer[n] = 0; /* names of anonymous classes have an end of their own, too */
        utf8_make_printable(buffer);
        return *buffer ? buffer : other;
}

/* "Shop\Cart->", as PHP's own backtraces have it; "" for a function. */
static const char *read_class(Peek *p, const Frame *f, char *buffer, size_t size)
{
        bool object = (f->call_info & Z_TYPE_MASK) == IS_OBJECT;
        char name[NAME_MAX_SIZE];
        zend_string *string = NULL;

        if (!f->scope)
                return "";
        if (is_aligned(f->scope))
                (void) peek_read(p, FIELD(f->scope, zend_class_entry, name), &string, sizeof string);
        (void) snprintf(buffer, size, "%s%s", read_string(p, (uintptr_t) string, name, sizeof name, "???"),
                        object ? "->" : "::");
        return buffer;
}

/* The frame of PHP code that is nearest, from the i-th on, or NULL. */
static const Frame *find_caller(const Chain *c, size_t i)
{
        for (; i < c->n && c->frames[i].kind != FRAME_UNKNOWN; i++)
                if (c->frames[i].user)
                        return &c->frames[i];
        return NULL;
}

static bool write_frame(Peek *p, Backtrace *b, const Frame *f, const Frame *caller)
{
        char name_buffer[NAME_MAX_SIZE], class_buffer[NAME_MAX_SIZE + 2], file_buffer[FILE_MAX_SIZE];
        const char *class = "", *name = "???", *file = "unknown";
        size_t used = strlen(b->text);
        int n;

        if (f->kind == FRAME_FUNCTION) {
                name = read_string(p, f->name, name_buffer, sizeof name_buffer, "???");
                class = read_class(p, f, class_buffer, sizeof class_buffer);
        } else if (f->kind == FRAME_INCLUDE)
                name = "[INCLUDE_OR_EVAL]";
        else if (f->kind == FRAME_MAIN)
                name = "{main}";
        if (caller)
                file = read_string(p, caller->filename, file_buffer, sizeof file_buffer, "unknown");

        n = snprintf(b->text + used, sizeof b->text - used, "%s[0x%016" PRIxPTR "] %s%s() %s:%" PRIu32,
                     b->n_frames > 0 ? "\n" : "", f->address, class, name, file, caller ? caller->line : 0);
        if ((size_t) n >= sizeof b->text - used) {
                b->text[used] = 0;
                return false;
        }
        b->n_frames++;
        return true;
}

static void write_frames(Peek *p, Backtrace *b, const Chain *c, size_t depth)
{
        b->n_frames = 0;
        b->text[0] = 0;
        for (size_t i = 0; i < c->n && b->n_frames < depth; i++) {
                const Frame *f = &c->frames[i];

                if (f->kind == FRAME_PLACEHOLDER || (f->kind == FRAME_MAIN && b->n_frames > 0))
                        continue;
                if (!write_frame(p, b, f, find_caller(c, f->kind == FRAME_MAIN ? i : i + 1)))
                        return;
        }
}

/* Whether what was read of the first holds for the second: code that runs moves on in its function. */
static bool chain_equal(const Chain *a, const Chain *b)
{
        if (a->broken || b->broken || a->n > b->n)
                return false;
        for (size_t i = 0; i < a->n; i++) {
                const Frame *f = &a->frames[i], *g = &b->frames[i];

                if (f->address != g->address || f->function != g->function ||
                    f->call_info != g->call_info || (f->opline != g->opline && i > 0))
                        return false;
        }
        return true;
}

static int read_once(Peek *p, Chain chains[static 2], Backtrace *b, size_t depth)
{
        int r;

        peek_forget(p);
        r = read_chain(p, &chains[0]);
        if (r < 0)
                return r;
        read_functions(p, &chains[0]);
        write_frames(p, b, &chains[0], depth);

        peek_forget(p);
        b->settled = read_chain(p, &chains[1]) >= 0 && chain_equal(&chains[0], &chains[1]);
        return 0;
}

int backtrace_read(int memory, size_t depth, Backtrace **ret)
{
        _cleanup_(backtrace_freep) Backtrace *b = NULL;
        _cleanup_(peek_freep) Peek *p = NULL;
        _cleanup_(freep) Chain *chains = NULL;
        int r;

        r = peek_new(memory, &p);
        if (r < 0)
                return r;
        b = malloc(sizeof *b);
        chains = malloc(2 * sizeof *chains);
        if (!b || !chains)
                return -ENOMEM;

        depth = MIN(depth, (size_t) BACKTRACE_DEPTH_MAX);
        chains[0].max = chains[1].max = depth + HIDDEN_MAX;
        b->settled = false;
        for (unsigned i = 0; i < TRIES_MAX && !b->settled; i++) {
                r = read_once(p, chains, b, depth);
                if (r < 0)
                        return r;
        }
        b->n_calls = peek_calls(p);
        *ret = TAKE_PTR(b);
        return 0;
}

void backtrace_free(Backtrace *b)
{
        free(b);
}

/* SPDX-License-Identifier: MIT */

/*
 * Reads another process's memory from outside, in whole blocks, of which it keeps some: what a backtrace
 * wants lies together (frames on PHP's stack, a function with its code and strings), so a block serves many
 * reads. A block lies within a page: it is there or not.
 *
 * The other process is not stopped, gets no signal and notices nothing. It must not be ptrace(2)d from here:
 * that would cut the system call short that it waits in. Knows nothing of PHP; for backtrace.c.
 */

#include "worker/peek.h"

#include <sys/uio.h>

#define BLOCK_SIZE 4096U
#define BLOCKS_MAX 64U

typedef struct Block {
        uintptr_t address; /* of its first byte */
        bool filled;
        char bytes[BLOCK_SIZE];
} Block;

struct Peek {
        pid_t pid;
        size_t n_calls;
        Block blocks[BLOCKS_MAX]; /* each address has one place where it can be */
};

int peek_new(pid_t pid, Peek **ret)
{
        Peek *p;

        p = malloc(sizeof *p);
        if (!p)
                return -ENOMEM;
        p->pid = pid;
        p->n_calls = 0;
        peek_forget(p);
        *ret = p;
        return 0;
}

void peek_free(Peek *p)
{
        free(p);
}

void peek_forget(Peek *p)
{
        for (size_t i = 0; i < BLOCKS_MAX; i++)
                p->blocks[i].filled = false;
}

size_t peek_calls(const Peek *p)
{
        return p->n_calls;
}

static int load(Peek *p, uintptr_t address, Block **ret)
{
        Block *b = &p->blocks[address / BLOCK_SIZE % BLOCKS_MAX];
        struct iovec here = { b->bytes, BLOCK_SIZE }, there = { (void *) address, BLOCK_SIZE };
        ssize_t n;

        if (!b->filled || b->address != address) {
                p->n_calls++;
                n = process_vm_readv(p->pid, &here, 1, &there, 1, 0);
                b->filled = n == BLOCK_SIZE;
                if (n < 0)
                        return errno == EINVAL ? -EFAULT : -errno; /* beyond what an address can be */
                if (!b->filled)
                        return -EFAULT;
                b->address = address;
        }
        *ret = b;
        return 0;
}

int peek_read(Peek *p, uintptr_t address, void *to, size_t size)
{
        char *next = to;

        while (size > 0) {
                size_t offset = address % BLOCK_SIZE, n = MIN(size, BLOCK_SIZE - offset);
                Block *b = NULL;
                int r;

                r = load(p, address - offset, &b);
                if (r < 0)
                        return r;
                memcpy(next, b->bytes + offset, n);
                next += n;
                address += n; /* behind the last address is the first one, where nothing is */
                size -= n;
        }
        return 0;
}

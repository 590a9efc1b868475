/* SPDX-License-Identifier: MIT */
/* Mappings of files and memory, and what is allowed there. */
#ifndef FRANK_LIBC_SYS_MMAN_H
#define FRANK_LIBC_SYS_MMAN_H

#include <sys/types.h>

#include "frank/mman.h"

#define PROT_NONE FRANK_PROT_NONE
#define PROT_READ FRANK_PROT_READ
#define PROT_WRITE FRANK_PROT_WRITE
#define PROT_EXEC FRANK_PROT_EXEC

#define MAP_SHARED FRANK_MAP_SHARED
#define MAP_PRIVATE FRANK_MAP_PRIVATE
#define MAP_FIXED FRANK_MAP_FIXED
#define MAP_ANONYMOUS FRANK_MAP_ANONYMOUS
#define MAP_ANON MAP_ANONYMOUS
#define MAP_FAILED ((void *)-1)

#define MS_ASYNC FRANK_MS_ASYNC
#define MS_SYNC FRANK_MS_SYNC
#define MS_INVALIDATE FRANK_MS_INVALIDATE

void *mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset);
int munmap(void *address, size_t size);
int msync(void *address, size_t size, int flags);

/* Whole pages only. */
int mprotect(void *address, size_t size, int protection);

#endif

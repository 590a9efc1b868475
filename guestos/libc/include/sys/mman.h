/* SPDX-License-Identifier: MIT */
/* Memory protection. */
#ifndef FRANK_LIBC_SYS_MMAN_H
#define FRANK_LIBC_SYS_MMAN_H

#include <stddef.h>

#include "frank/procinfo.h"

#define PROT_NONE FRANK_PROT_NONE
#define PROT_READ FRANK_PROT_READ
#define PROT_WRITE FRANK_PROT_WRITE
#define PROT_EXEC FRANK_PROT_EXEC

/* Whole pages only. */
int mprotect(void *address, size_t size, int protection);

#endif

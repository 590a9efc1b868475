/* SPDX-License-Identifier: MIT */
/* The note that makes this image a paravirtual one (hypercall-abi: image_note), and where its pool is. */
#include "candor_asm.h"

#define POOL_BASE_GPA 0x80000000
#define POOL_BYTES 0x200000

    .section .note.candor, "a", @note
    .balign 4
    .word name_end - name
    .word descriptor_end - descriptor
    .word CANDOR_NOTE_TYPE
name:
    .asciz CANDOR_NOTE_OWNER
name_end:
    .balign 4
descriptor:
    .word CANDOR_ABI_VERSION
    .word 0
    .dword POOL_BASE_GPA
    .dword POOL_BYTES
descriptor_end:
    .balign 4

/* SPDX-License-Identifier: MIT */
/*
 * The kernel image's layout, for both platforms' linker scripts: linked in the direct map, loaded
 * at IMAGE_BASE. FRANK_PHDRS and FRANK_SECTIONS take a platform's own additions (notes).
 */
#define DIRECT_MAP_OFFSET 0xffffffc000000000
#define IMAGE_BASE 0x80200000

#define FRANK_PHDRS(more)            \
    PHDRS                            \
    {                                \
        text PT_LOAD FLAGS(5);       \
        rodata PT_LOAD FLAGS(4);     \
        data PT_LOAD FLAGS(6);       \
        more                         \
    }

#define FRANK_SECTIONS(more)                                          \
    SECTIONS                                                          \
    {                                                                 \
        . = DIRECT_MAP_OFFSET + IMAGE_BASE;                           \
        kernel_start = .;                                             \
        .text : AT(ADDR(.text) - DIRECT_MAP_OFFSET)                   \
        {                                                             \
            kernel_text_start = .;                                    \
            *(.text.entry)                                            \
            *(.text .text.*)                                          \
            kernel_text_end = .;                                      \
        } :text                                                       \
        . = ALIGN(4096);                                              \
        kernel_rodata_start = .;                                      \
        .rodata : AT(ADDR(.rodata) - DIRECT_MAP_OFFSET)               \
        {                                                             \
            *(.rodata .rodata.* .srodata .srodata.*)                  \
        } :rodata                                                     \
        more                                                          \
        . = ALIGN(4096);                                              \
        kernel_data_start = .;                                        \
        .data : AT(ADDR(.data) - DIRECT_MAP_OFFSET)                   \
        {                                                             \
            *(.data .data.* .sdata .sdata.*)                          \
            . = ALIGN(8);                                             \
        } :data                                                       \
        .bss : AT(ADDR(.bss) - DIRECT_MAP_OFFSET)                     \
        {                                                             \
            kernel_bss_start = .;                                     \
            *(.sbss .sbss.* .bss .bss.* COMMON)                       \
            . = ALIGN(4096);                                          \
        } :data                                                       \
        kernel_end = .;                                               \
        /DISCARD/ : { *(.comment .riscv.attributes .eh_frame*) }      \
    }

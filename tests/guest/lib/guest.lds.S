/* SPDX-License-Identifier: MIT */
/*
 * Test guests: linked in the upper half, where Candor's direct map shows guest-physical memory, loaded behind
 * the page-table pool. Text on pages of its own: the direct map makes it executable and nothing else.
 */
OUTPUT_ARCH(riscv)
ENTRY(guest_entry)

DIRECT_MAP = 0xffffffc000000000;
LOAD_ADDRESS = 0x80200000;

PHDRS
{
    text PT_LOAD FLAGS(5);
    data PT_LOAD FLAGS(6);
    note PT_NOTE FLAGS(4);
}

SECTIONS
{
    . = DIRECT_MAP + LOAD_ADDRESS;
    .text : AT(ADDR(.text) - DIRECT_MAP) {
        *(.text.entry)
        *(.text .text.*)
    } :text
    . = ALIGN(4096);
    .note.candor : AT(ADDR(.note.candor) - DIRECT_MAP) { KEEP(*(.note.candor)) } :data :note
    .rodata : AT(ADDR(.rodata) - DIRECT_MAP) { *(.rodata .rodata.* .srodata .srodata.*) } :data
    .data : AT(ADDR(.data) - DIRECT_MAP) { *(.data .data.* .sdata .sdata.*) } :data
    .bss : AT(ADDR(.bss) - DIRECT_MAP) { *(.bss .bss.* .sbss .sbss.* COMMON) } :data
    . = ALIGN(4096);
    /DISCARD/ : { *(.comment) *(.riscv.attributes) *(.eh_frame) }
}

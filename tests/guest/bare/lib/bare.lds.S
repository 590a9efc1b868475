/* SPDX-License-Identifier: MIT */
/* Unmodified test guests: started where OpenSBI starts a kernel on QEMU's `virt`, without translation. */
OUTPUT_ARCH(riscv)
ENTRY(bare_entry)

PHDRS
{
    text PT_LOAD FLAGS(5);
    data PT_LOAD FLAGS(6);
}

SECTIONS
{
    . = 0x80200000;
    .text : {
        *(.text.entry)
        *(.text .text.*)
    } :text
    . = ALIGN(4096);
    .rodata : { *(.rodata .rodata.* .srodata .srodata.*) } :data
    .data : { *(.data .data.* .sdata .sdata.*) } :data
    .bss : {
        bare_bss_start = .;
        *(.bss .bss.* .sbss .sbss.* COMMON)
        . = ALIGN(4096);
        bare_end = .;
    } :data
    /DISCARD/ : { *(.comment) *(.riscv.attributes) *(.eh_frame) *(.note.*) }
}

/* SPDX-License-Identifier: MIT */
/*
 * Candor stands at the start of RAM, where QEMU 7.2 begins whatever the entry says. Text is alone on its pages:
 * PMP closes it to writes. The bundle follows at its own address.
 */
OUTPUT_ARCH(riscv)
ENTRY(_start)

MEMORY { ram (rwx) : ORIGIN = 0x80000000, LENGTH = 4M }

SECTIONS
{
    .text : ALIGN(4096) {
        image_start = .;
        *(.text.start)
        *(.text .text.*)
        . = ALIGN(4096);
        text_end = .;
    } > ram
    .rodata : ALIGN(4096) { *(.rodata .rodata.* .srodata .srodata.*) } > ram
    .data : ALIGN(16) { *(.data .data.* .sdata .sdata.*) } > ram
    .bss : ALIGN(4096) {
        bss_start = .;
        *(.bss .bss.* .sbss .sbss.* COMMON)
        . = ALIGN(4096);
        bss_end = .;
        image_end = .;
    } > ram
    /DISCARD/ : { *(.note.*) *(.comment) *(.eh_frame*) *(.riscv.attributes) }
}

/* TRAP_ENTRY_FAST_BYTES (arch_vcpu.h); mtvec ignores the two low bits. */
ASSERT(trap_entry - trap_entry_plain == 16 && trap_entry % 4 == 0, "the trap entries are out of place")
ASSERT(trap_entry_traced - trap_entry_plain_traced == 16 && trap_entry_traced % 4 == 0, "the trap entries are out of place")
ASSERT(trap_entry_detailed - trap_entry_plain_detailed == 16 && trap_entry_detailed % 4 == 0, "the trap entries are out of place")

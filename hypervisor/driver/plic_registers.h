/* SPDX-License-Identifier: MIT */
/*
 * The PLIC's registers, for its driver and for its model (vdev/vplic.c): offsets in bytes. RISC-V
 * PLIC specification, "Memory Map".
 */
#pragma once

enum plic_map {
    PLIC_PRIORITY = 0x0, /* a word for each source */
    PLIC_PENDING = 0x1000,
    PLIC_ENABLE = 0x2000,
    PLIC_ENABLE_STRIDE = 0x80, /* a context */
    PLIC_CONTEXT = 0x200000,
    PLIC_CONTEXT_STRIDE = 0x1000,
    PLIC_CONTEXT_THRESHOLD = 0,
    PLIC_CONTEXT_CLAIM = 4, /* read: claimed; written: completed */
    PLIC_WORD_BYTES = 4,
    PLIC_WORD_BITS = 32,
};

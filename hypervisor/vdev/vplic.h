/* SPDX-License-Identifier: MIT */
/*
 * The interrupt controller of the machine `virt`: a PLIC (specification 1.0.0) with 96 source
 * numbers, seven priorities and two contexts for each hart, its M and S.
 *
 * Lines are levels. A line that is up makes its source pending when it is not claimed already; it
 * stays so until it is claimed, even if the line goes down; completed with its line still up, it is
 * pending again. Where QEMU does other than the specification, guests know QEMU: a claim gives
 * nothing at or below the threshold, and completing a source that is not enabled completes it.
 * Accesses of 4 bytes; places where nothing is read as 0.
 */
#pragma once

#include "vdev/vdev.h"

enum {
    VPLIC_BYTES = 0x600000,
    VPLIC_SOURCES = 96, /* numbers; 0 is no source */
    VPLIC_PRIORITIES = 8,
    VPLIC_WORD_BITS = 32,
    VPLIC_WORDS = VPLIC_SOURCES / VPLIC_WORD_BITS,
    VPLIC_HARTS_MAX = 8,
    VPLIC_HART_CONTEXTS = 2, /* M, then */
    VPLIC_CONTEXT_S = 1,
    VPLIC_CONTEXTS_MAX = VPLIC_HARTS_MAX * VPLIC_HART_CONTEXTS,
};

struct vplic {
    u32 lines[VPLIC_WORDS];
    u32 pending[VPLIC_WORDS];
    u32 claimed[VPLIC_WORDS];
    u32 enabled[VPLIC_CONTEXTS_MAX][VPLIC_WORDS];
    u8 threshold[VPLIC_CONTEXTS_MAX];
    u8 priority[VPLIC_SOURCES];
    u32 harts;                                 /* that the machine has */
    struct vdev_line outputs[VPLIC_HARTS_MAX]; /* to each one's S: its external interrupt */
};

extern const struct vdev_ops vplic_ops;

/* Everything off, nothing claimed. The wires are not its own: `outputs` and the lines are kept. */
void vplic_reset(struct vplic *plic);

/* A source's line. Numbers that are none are ignored. Has the shape of vdev_line's `set`, with the
 * controller as context. */
void vplic_line(void *plic, u32 source, bool level);

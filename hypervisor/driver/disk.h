/* SPDX-License-Identifier: MIT */
/*
 * The machine's disks: virtio block devices over MMIO (virtio 1.2, version 2 alone), each of which
 * one VM has to itself.
 *
 * A disk reads and writes memory by itself, and PMP does not stop it. So it is given no address but
 * of its owner's data frames (not of the pool), which disk_submit checks once more, whoever asks;
 * and those frames are pinned while a request is on its way: a data frame leaves its VM only when
 * the VM ends, and it does not go on ending before disk_idle says that nothing is on its way.
 *
 * Nothing that the device says is trusted: whoever names a request that is not on its way, or more
 * of them than there are, is reset and stays off; what was on its way has failed.
 *
 * All but disk_claim, disk_release and disk_interrupt is for the owner's turn, which is on one hart
 * at a time, so there is no lock. Those three are for the console's hart (core/vm.h), where devices
 * interrupt.
 */
#pragma once

#include "candor_abi.h"
#include "mem/addr.h"

#include "driver/virtio_registers.h"

struct machine;
struct plic;
struct vm;

enum {
    DISK_PIECES_MAX = 6,     /* of memory, in one transfer */
    DISK_TRANSFERS_MAX = 32, /* on their way at once */
    DISK_BOUNCE_SECTORS = 16,
};

/* A part of a transfer, in one row of machine memory. */
struct disk_piece {
    maddr_t address;
    u32 bytes;
};

struct disk_transfer {
    u32 operation; /* enum candor_disk_operation */
    u32 piece_count;
    u64 sector;
    struct disk_piece pieces[DISK_PIECES_MAX];
};

struct disk_queue;

struct disk {
    uintptr_t base;
    u32 slot; /* of the machine, by address */
    u32 interrupt;
    struct vm *owner; /* NULL: nobody has it */
    u64 sectors;
    bool read_only;
    bool broken; /* it has been reset for good */
    bool ill;    /* it says that it needs a reset; any hart */
    u16 used_seen;
    u32 busy;                 /* bit n: transfer n is on its way */
    struct disk_queue *queue; /* NULL: this slot has no disk that can be used */
};

/* Starts the disks of the machine, with a line for each, and routes their interrupts to that
 * context. Once, by the boot hart. */
void disks_init(const struct machine *m, const struct plic *plic, u32 context);

/* Gives the disk of a slot to a VM; NULL: there is none, or another VM has it. Ended by
 * disk_release, when nothing is on its way (NULL: a no-op). */
struct disk *disk_claim(u32 slot, struct vm *vm);
void disk_release(struct disk *disk);

/*
 * Puts a transfer into the disk's queue. Its number (below DISK_TRANSFERS_MAX), or an error and
 * nothing is done: HC_INVALID_PARAM (operation, pieces or sectors are impossible), HC_DENIED (the
 * disk is read-only), HC_INVALID_ADDRESS (a piece is not the owner's data), HC_IN_USE (all numbers
 * are on their way), HC_FAILED (it is broken).
 */
MUST_CHECK int disk_submit(struct disk *disk, const struct disk_transfer *transfer);

/* Tells the disk of what was submitted. */
void disk_kick(struct disk *disk);

/* The next transfer that is done, and whether all went well; false: none is. */
MUST_CHECK bool disk_take_done(struct disk *disk, u32 *number, bool *good);

/* Whether nothing is on its way any more; what is done is forgotten. For an owner that ends. */
MUST_CHECK bool disk_idle(struct disk *disk);

/* Memory that the disk may use besides its owner's, from its start on; its bytes, and where they
 * are. */
u8 *disk_bounce(struct disk *disk);
struct disk_piece disk_bounce_piece(const struct disk *disk);

/* Serves the interrupt of a source: its owner is sent EVENT_DISK, and returned. NULL: it is no
 * disk's. */
struct vm *disk_interrupt(u32 source);

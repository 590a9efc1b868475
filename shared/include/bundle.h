/* SPDX-License-Identifier: MIT
 *
 * The bundle: the images, initial RAM disks and options of all virtual machines in one file, which
 * the launcher (tools/candor) packs and QEMU loads into machine memory before Candor starts.
 *
 * Little-endian. A header, then `vm_count` records, then the pieces, each at a multiple of
 * BUNDLE_ALIGNMENT from the header's start. The checksum guards against damage on the way, not
 * against malice: every offset and length is checked all the same before it is used. The Python
 * twin of these structures is tools/candorlib/bundle.py. What the numbers of an unmodified guest
 * mean is in bundle_unmodified.h.
 */
#pragma once

#include "types.h"

#define BUNDLE_LOAD_ADDRESS 0x80400000UL /* machine address at which QEMU places the bundle */
#define BUNDLE_MAGIC "CANDORVM"          /* the eight bytes of bundle_header.magic */

enum {
    BUNDLE_FORMAT_VERSION = 1,
    BUNDLE_ALIGNMENT = 4096,
    BUNDLE_NAME_BYTES = 32, /* a name has 1 to 15 of [A-Za-z0-9_-], then zeros */
    BUNDLE_NAME_MAX = 15,
    BUNDLE_ARGS_BYTES = 256, /* with the terminating zero */
    BUNDLE_WEIGHT_DEFAULT = 100,
    BUNDLE_WEIGHT_MAX = 10000,
    BUNDLE_VCPUS_MAX = 8,
};

/* bundle_vm.virt: how the virtual machine is virtualized. */
enum bundle_virt {
    BUNDLE_VIRT_PV = 1,
    BUNDLE_VIRT_SHADOW = 2, /* an unmodified image, by trap-and-emulate */
};

/* bundle_vm.traps: where traps of the guest's user code enter first. */
enum bundle_traps {
    BUNDLE_TRAPS_DIRECT = 0,
    BUNDLE_TRAPS_BOUNCED = 1,
};

/* bundle_vm.flags */
enum bundle_flags {
    BUNDLE_FLAG_COUNTERS_RAW = 1 << 0, /* cycle and instret are the machine's own */
    BUNDLE_FLAG_COLOUR = 1 << 1,       /* the console shows this name in colour: it is a terminal */
    BUNDLE_FLAG_TRACE = 1 << 2,        /* any VM's: the machine writes a trace, */
    BUNDLE_FLAG_TRACE_DETAIL = 1 << 3, /* and exits too (debug/trace.h) */
    BUNDLE_FLAG_MARKS = 1 << 4,        /* the console marks who says what (debug/console_mux.h) */
    BUNDLE_FLAG_LATER = 1 << 5,        /* not started: the monitor's `create` makes VMs of it */
    BUNDLE_FLAG_NO_FAST_PATHS = 1 << 6, /* C serves all of its calls: for tests */
    BUNDLE_FLAG_ROUND_ROBIN = 1 << 7,   /* any VM's: the machine's policy (core/sched_policy.h) */
    BUNDLE_FLAG_RAW_IMAGE = 1 << 8,     /* no ELF file: loaded at BUNDLE_RAW_BASE, entered there */
    BUNDLE_FLAG_NO_SSTC = 1 << 9,       /* of an unmodified guest: its processor has no stimecmp */
};

struct bundle_header {
    char magic[8];
    u32 format_version;
    u32 vm_count;
    u64 total_bytes; /* of the whole bundle, this header included */
    u64 checksum;    /* FNV-1a 64 (fnv.h) of the fields above and all that follows */
};

struct bundle_vm {
    char name[BUNDLE_NAME_BYTES];
    u64 memory_bytes; /* a multiple of 2 MiB */
    u64 image_offset; /* an ELF file, or a raw one (BUNDLE_FLAG_RAW_IMAGE) */
    u64 image_bytes;
    u64 initrd_offset; /* 0 with initrd_bytes 0 when there is none */
    u64 initrd_bytes;
    u32 virt;                     /* enum bundle_virt */
    u32 traps;                    /* enum bundle_traps */
    u32 flags;                    /* enum bundle_flags */
    u32 vcpus;                    /* 1 to BUNDLE_VCPUS_MAX */
    char args[BUNDLE_ARGS_BYTES]; /* the kernel's arguments, zero-terminated */
    u64 symbols_offset;           /* functions of the image (symbol_table.h), for people to read; */
    u64 symbols_bytes;            /* 0 without */
    u32 weight;                   /* 1 to BUNDLE_WEIGHT_MAX; 0: BUNDLE_WEIGHT_DEFAULT */
    u32 depriv;                   /* of an unmodified guest: enum bundle_depriv */
    u64 tree_offset;              /* of the device tree of an unmodified guest; 0 without */
    u64 tree_bytes;
    u32 disk_slot;    /* of the machine's places for disks, where its own is: from 1; 0 without */
    u8 reserved[124]; /* zero */
};

_Static_assert(sizeof(struct bundle_header) == 32, "the bundle's header has 32 bytes");
_Static_assert(sizeof(struct bundle_vm) == 512, "a virtual machine's record has 512 bytes");

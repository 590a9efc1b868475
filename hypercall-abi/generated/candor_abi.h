/* SPDX-License-Identifier: MIT */
/* Constants and layouts of the hypercall ABI. Made by hypercall-abi/abigen.py from abi.toml: change that, not this. */

#pragma once

#include "types.h"

enum {
    CANDOR_ABI_VERSION = 1,
    CANDOR_EXTENSION = 0x0843414e,
    CANDOR_NOTE_TYPE = 1, /* of the ELF note that holds an image_note */
};

#define CANDOR_NOTE_OWNER "Candor"

/* Errors, in a0. */
enum hc_error {
    HC_OK = 0, /* Done. */
    HC_FAILED = -1, /* The call could not be done, for a reason outside the guest. */
    HC_NOT_SUPPORTED = -2, /* No such call, or not on this machine. */
    HC_INVALID_PARAM = -3, /* An argument is out of its range, or has unknown bits set. */
    HC_DENIED = -4, /* The guest may not do this. */
    HC_INVALID_ADDRESS = -5, /* An address is misaligned, or what it names does not lie in this guest's memory. */
    HC_NOT_POOL = -16, /* A page table was to be named, and this frame is not in the pool. */
    HC_IS_POOL = -17, /* A data frame was to be named, or a writable mapping made, and this frame is in the pool. */
    HC_BAD_LEVEL = -18, /* The frame is not a table of the level that is wanted here. */
    HC_NO_TABLE = -19, /* No table covers this address. */
    HC_EXISTS = -20, /* There is already a table, or an entry, where one was to be made. */
    HC_IN_USE = -21, /* The table is linked, or is the root that a vCPU is using. */
    HC_BAD_ENTRY = -22, /* A page-table entry that no guest may make: reserved bits, neither readable nor executable, writable but not readable, a foreign frame. */
    HC_NO_SPACE = -23, /* No room is left for another root: the VM's share of the address-space identifiers is used up. */
};

/* Function numbers, in a6. */
enum hc_number {
    HC_CALL_VERSION = 0,
    HC_CALL_SHARED_PAGE = 1,
    HC_CALL_TRAP_REGISTER = 2,
    HC_CALL_TRAP_RETURN = 3,
    HC_CALL_YIELD_IDLE = 4,
    HC_CALL_YIELD = 5,
    HC_CALL_TIMER_SET = 6,
    HC_CALL_TABLE_MAKE = 7,
    HC_CALL_TABLE_FREE = 8,
    HC_CALL_TABLE_LINK = 9,
    HC_CALL_TABLE_UNLINK = 10,
    HC_CALL_PTE_SET = 11,
    HC_CALL_PTE_GET = 12,
    HC_CALL_PTE_BATCH = 13,
    HC_CALL_PTE_FILL = 14,
    HC_CALL_PTE_PROTECT = 15,
    HC_CALL_PTE_CLONE = 16,
    HC_CALL_PTE_CLEAR = 17,
    HC_CALL_SPACE_SWITCH = 18,
    HC_CALL_FLUSH = 19,
    HC_CALL_COUNTERS = 20,
    HC_CALL_DISK_ATTACH = 21,
    HC_CALL_DISK_KICK = 22,
    HC_CALL_DISK_DETACH = 23,
    HC_CALL_VCPU_START = 24,
    HC_CALL_VCPU_STOP = 25,
    HC_CALL_VCPU_NOTIFY = 26,
    HC_CALL_YIELD_TO = 27,
    HC_CALL_COUNT = 28,
};

/* What a call returns in a0 and a1; what the value is without an error, the call says. */
struct hc_result {
    i64 error; /* enum hc_error */
    u64 value;
};

/* Bits of `shared_page.pending`. A bit that is set is announced by the doorbell, the supervisor software interrupt (SSIP). */
enum candor_event {
    EVENT_TIMER = 1, /* The time given to `timer_set` has come (never set for a guest with Sstc). */
    EVENT_CONSOLE = 2, /* Console input can be read, or there is room again after a write that took nothing, with SBI DBCN. */
    EVENT_DISK = 4, /* There are new responses in the disk's ring. Like `console`, it comes to the first vCPU. */
    EVENT_VCPU = 8, /* Another vCPU of the VM has called `vcpu_notify`. */
};

/* What a request asks of the disk (`disk_request.operation`). */
enum candor_disk_operation {
    DISK_OPERATION_READ = 0, /* From the disk into memory. */
    DISK_OPERATION_WRITE = 1, /* From memory to the disk. It outlives a stop of the machine only after a flush. */
    DISK_OPERATION_FLUSH = 2, /* All writes that were done before this was asked for outlive a stop of the machine once this is done. */
};

/* Bits of `disk_ring.flags`. */
enum candor_disk_flag {
    DISK_FLAG_READ_ONLY = 1, /* The disk cannot be written to. */
};

/* Bits of `start_info.flags`. */
enum candor_start_flag {
    START_FLAG_TRAPS_BOUNCED = 1, /* Traps of user code come by way of Candor; return from them with `trap_return`. */
    START_FLAG_SSTC = 2, /* The guest may use `stimecmp`. */
};

/* What an entry allows. The bits stand where Sv39 has them in an entry (privileged specification, 4.3.1). */
enum candor_prot {
    PROT_READ = 2, /* Loads. */
    PROT_WRITE = 4, /* Stores; needs `read`. */
    PROT_EXECUTE = 8, /* Instruction fetch. */
    PROT_USER = 16, /* The three above are for user code; without it, for the kernel alone. */
};

/* Filled in by Candor before the first instruction of a guest; a1 holds its guest-virtual address.
 * */
struct start_info {
    u64 abi_version; /* The version of this definition. */
    u64 flags; /* `start_flag` bits. */
    u64 memory_base_gpa; /* Where the guest's memory starts. */
    u64 memory_bytes; /* How long it is. */
    u64 direct_map_gva; /* Guest-virtual address of guest-physical 0 in the direct map, which every root carries. */
    u64 pool_base_gpa; /* Where the page-table pool starts: what the image's note asked for. */
    u64 pool_bytes; /* How long it is. */
    u64 boot_root_gpa; /* The root with which the guest starts. It has no lower half, and it is the guest's to use or free. */
    u64 image_base_gpa; /* The first byte of the loaded image. */
    u64 image_bytes; /* From there to the end of its last segment, zeroed part included. */
    u64 initrd_gpa; /* The initial RAM disk, page aligned; 0 without one. */
    u64 initrd_bytes; /* Its length. */
    u64 start_info_gpa; /* The page of this structure; it is ordinary memory once it has been read. */
    u64 timebase_hz; /* Units of time in a second. */
    char vm_name[32]; /* What the VM is called, ended by a zero byte. */
    char args[256]; /* The arguments given to the launcher, ended by a zero byte. */
    u64 vcpu_count; /* The VM's vCPUs. The first, number 0, is the one that starts; the others start by `vcpu_start`. */
    u64 reserved[13]; /* Zero. */
};
_Static_assert(offsetof(struct start_info, abi_version) == 0, "abi_version");
_Static_assert(offsetof(struct start_info, flags) == 8, "flags");
_Static_assert(offsetof(struct start_info, memory_base_gpa) == 16, "memory_base_gpa");
_Static_assert(offsetof(struct start_info, memory_bytes) == 24, "memory_bytes");
_Static_assert(offsetof(struct start_info, direct_map_gva) == 32, "direct_map_gva");
_Static_assert(offsetof(struct start_info, pool_base_gpa) == 40, "pool_base_gpa");
_Static_assert(offsetof(struct start_info, pool_bytes) == 48, "pool_bytes");
_Static_assert(offsetof(struct start_info, boot_root_gpa) == 56, "boot_root_gpa");
_Static_assert(offsetof(struct start_info, image_base_gpa) == 64, "image_base_gpa");
_Static_assert(offsetof(struct start_info, image_bytes) == 72, "image_bytes");
_Static_assert(offsetof(struct start_info, initrd_gpa) == 80, "initrd_gpa");
_Static_assert(offsetof(struct start_info, initrd_bytes) == 88, "initrd_bytes");
_Static_assert(offsetof(struct start_info, start_info_gpa) == 96, "start_info_gpa");
_Static_assert(offsetof(struct start_info, timebase_hz) == 104, "timebase_hz");
_Static_assert(offsetof(struct start_info, vm_name) == 112, "vm_name");
_Static_assert(offsetof(struct start_info, args) == 144, "args");
_Static_assert(offsetof(struct start_info, vcpu_count) == 400, "vcpu_count");
_Static_assert(offsetof(struct start_info, reserved) == 408, "reserved");
_Static_assert(sizeof(struct start_info) == 512, "start_info");

/* Shared between one vCPU and Candor while both run: each word is written by one side only but for
 * `pending`, where Candor sets bits and the guest clears them, both atomically. Times are in units
 * of `timebase_hz`. */
struct shared_page {
    u64 pending; /* `event` bits. The guest clears SSIP first and scans this word after it. */
    u64 return_a6; /* Written by the guest: what a6 holds after `trap_return`. */
    u64 return_a7; /* Written by the guest: what a7 holds after `trap_return`. */
    u64 time_version; /* Odd while Candor changes the times below: read it before and after them. */
    i64 time_offset; /* Added to the `time` counter it gives the time since this VM was started. */
    u64 running_time; /* How long this vCPU has run, up to its last entry. */
    u64 idle_time; /* How long it has slept in `yield_idle`. */
    u64 steal_time; /* How long it was ready to run while the hart did something else. */
    u64 wall_base_ns; /* Nanoseconds since 1970 (UTC) when the VM was started; 0: the machine has no such clock. Constant. */
    u64 reserved[503]; /* Zero. */
};
_Static_assert(offsetof(struct shared_page, pending) == 0, "pending");
_Static_assert(offsetof(struct shared_page, return_a6) == 8, "return_a6");
_Static_assert(offsetof(struct shared_page, return_a7) == 16, "return_a7");
_Static_assert(offsetof(struct shared_page, time_version) == 24, "time_version");
_Static_assert(offsetof(struct shared_page, time_offset) == 32, "time_offset");
_Static_assert(offsetof(struct shared_page, running_time) == 40, "running_time");
_Static_assert(offsetof(struct shared_page, idle_time) == 48, "idle_time");
_Static_assert(offsetof(struct shared_page, steal_time) == 56, "steal_time");
_Static_assert(offsetof(struct shared_page, wall_base_ns) == 64, "wall_base_ns");
_Static_assert(offsetof(struct shared_page, reserved) == 72, "reserved");
_Static_assert(sizeof(struct shared_page) == 4096, "shared_page");

/* One element of a `pte_batch`. */
struct pte_update {
    u64 gva; /* The page, below 2^38. */
    u64 entry; /* As in `pte_set`. */
};
_Static_assert(offsetof(struct pte_update, gva) == 0, "gva");
_Static_assert(offsetof(struct pte_update, entry) == 8, "entry");
_Static_assert(sizeof(struct pte_update) == 16, "pte_update");

/* What Candor has done for a vCPU, reboots included; `counters` copies it. */
struct counters {
    u64 flushes; /* Translations dropped, one by one or all together. */
    u64 upcalls; /* Traps of user code that were handed on to the kernel. */
    u64 standard_calls; /* Calls of the standard firmware interface (SBI). */
    u64 reserved[5]; /* Zero. */
    u64 calls[64]; /* Hypercalls by number. */
    u64 entries[64]; /* Entries into Candor by cause: exceptions from 0, interrupts from 32. Calls that need no full entry are counted above alone. */
};
_Static_assert(offsetof(struct counters, flushes) == 0, "flushes");
_Static_assert(offsetof(struct counters, upcalls) == 8, "upcalls");
_Static_assert(offsetof(struct counters, standard_calls) == 16, "standard_calls");
_Static_assert(offsetof(struct counters, reserved) == 24, "reserved");
_Static_assert(offsetof(struct counters, calls) == 64, "calls");
_Static_assert(offsetof(struct counters, entries) == 576, "entries");
_Static_assert(sizeof(struct counters) == 1088, "counters");

/* The descriptor of the ELF note (owner `Candor`, type 1) that makes an image a paravirtual one. */
struct image_note {
    u32 abi_version; /* The version that the image was built for. */
    u32 reserved; /* Zero. */
    u64 pool_base_gpa; /* Where the page-table pool starts, a multiple of 2 MiB. */
    u64 pool_bytes; /* How long it is, a multiple of 2 MiB, not zero. */
};
_Static_assert(offsetof(struct image_note, abi_version) == 0, "abi_version");
_Static_assert(offsetof(struct image_note, reserved) == 4, "reserved");
_Static_assert(offsetof(struct image_note, pool_base_gpa) == 8, "pool_base_gpa");
_Static_assert(offsetof(struct image_note, pool_bytes) == 16, "pool_bytes");
_Static_assert(sizeof(struct image_note) == 24, "image_note");

/* A piece of the guest's memory, within one page, for a part of a request. */
struct disk_segment {
    u64 gpa; /* Where it begins, a multiple of 512, outside the pool. */
    u32 bytes; /* Its length, a multiple of 512, not zero. */
    u32 reserved; /* Zero. */
};
_Static_assert(offsetof(struct disk_segment, gpa) == 0, "gpa");
_Static_assert(offsetof(struct disk_segment, bytes) == 8, "bytes");
_Static_assert(offsetof(struct disk_segment, reserved) == 12, "reserved");
_Static_assert(sizeof(struct disk_segment) == 16, "disk_segment");

/* One request to the disk. Candor copies it once: what the guest changes later has no effect. */
struct disk_request {
    u64 id; /* The guest's own; the response has it again. */
    u64 sector; /* Where on the disk, in units of 512 bytes; 0 of a flush. */
    u32 operation; /* A `disk_operation`. */
    u32 segment_count; /* 1 to 4; 0 of a flush. */
    u64 reserved; /* Zero. */
    struct disk_segment segments[4]; /* Memory for the sectors, in their order. */
};
_Static_assert(offsetof(struct disk_request, id) == 0, "id");
_Static_assert(offsetof(struct disk_request, sector) == 8, "sector");
_Static_assert(offsetof(struct disk_request, operation) == 16, "operation");
_Static_assert(offsetof(struct disk_request, segment_count) == 20, "segment_count");
_Static_assert(offsetof(struct disk_request, reserved) == 24, "reserved");
_Static_assert(offsetof(struct disk_request, segments) == 32, "segments");
_Static_assert(sizeof(struct disk_request) == 96, "disk_request");

/* A request is done. Responses come in any order. */
struct disk_response {
    u64 id; /* The request's. */
    i64 status; /* 0, or the error for which it was not done, or not wholly. */
};
_Static_assert(offsetof(struct disk_response, id) == 0, "id");
_Static_assert(offsetof(struct disk_response, status) == 8, "status");
_Static_assert(sizeof(struct disk_response) == 16, "disk_response");

/* The page through which a guest and Candor speak of its disk. Each word is written by one side
 * only. The two counts wrap around at 2^32: number n of what is counted stands at place n modulo
 * 32. A guest has at most 32 requests of which it has not read the response. */
struct disk_ring {
    u64 sectors; /* Written by `disk_attach`: the disk's size. */
    u32 flags; /* Written by `disk_attach`: `disk_flag` bits. */
    u32 requests_made; /* Written by the guest: how many requests it has put into the ring. */
    u32 responses_made; /* Written by Candor: how many responses it has put there. */
    u32 reserved0; /* Zero. */
    u64 reserved[61]; /* Zero. */
    struct disk_request requests[32]; /* Written by the guest. */
    struct disk_response responses[32]; /* Written by Candor. */
};
_Static_assert(offsetof(struct disk_ring, sectors) == 0, "sectors");
_Static_assert(offsetof(struct disk_ring, flags) == 8, "flags");
_Static_assert(offsetof(struct disk_ring, requests_made) == 12, "requests_made");
_Static_assert(offsetof(struct disk_ring, responses_made) == 16, "responses_made");
_Static_assert(offsetof(struct disk_ring, reserved0) == 20, "reserved0");
_Static_assert(offsetof(struct disk_ring, reserved) == 24, "reserved");
_Static_assert(offsetof(struct disk_ring, requests) == 512, "requests");
_Static_assert(offsetof(struct disk_ring, responses) == 3584, "responses");
_Static_assert(sizeof(struct disk_ring) == 4096, "disk_ring");

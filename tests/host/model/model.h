/* SPDX-License-Identifier: MIT */
/*
 * What the hypercalls do, said once more: a reference model of the rules of paravirtual memory,
 * made from the ABI's reference document (hypercall-abi/generated/abi.md) and from nothing of the
 * implementation.
 *
 * It knows guest frames only. A table is a map from places (0 to 511) to what stands there: a page
 * with its rights, or a table one level below. A space is what is found from a root: a map from
 * pages to guest frames and rights. There are no machine frames, no encoded links, no flushes: what
 * a space says is what hardware must see after every call.
 */
#pragma once

#include "candor_abi.h"

enum {
    MODEL_VMS = 4,
    MODEL_POOL = 512, /* frames of a pool, at most */
    MODEL_PLACES = 512,
    MODEL_ROOT_LEVEL = 2,
};

/* What stands at a place of a table. */
struct model_place {
    u32 frame; /* the guest frame of a page, or of a table */
    u16 flags; /* of a page: an entry's low ten bits; 0: no page */
    u8 linked; /* it is a table */
};

struct model_table {
    bool made;
    u8 level;
    u16 links; /* places of other tables where it stands */
    struct model_place places[MODEL_PLACES];
};

struct model_vm {
    u64 base, bytes; /* guest-physical */
    u64 pool_base, pool_bytes;
    u64 direct_map; /* guest-virtual address of guest-physical 0 */
    bool bounced;
    u64 root;   /* the space it uses */
    u32 roots;  /* how many it has */
    u64 shared; /* 0: none yet */
    u64 calls[HC_CALL_COUNT];
    struct model_table tables[MODEL_POOL]; /* by frame of the pool */
};

/* The model's view of guest memory, and who wants to know what a call changes in it. */
struct model_memory {
    bool (*read)(u32 vm, u64 gpa, u64 *word);
    void (*write)(u32 vm, u64 gpa, u64 word);
    void (*forget)(u32 vm, u64 gpa,
                   u64 bytes); /* Candor has written there what no rule foretells */
    void (*changed)(u32 vm, u64 table, u32 place, u64 gva); /* by a call that named this address */
    void (*made)(u32 vm, u64 table);
};

struct model {
    struct model_memory memory;
    u32 roots_max; /* a VM's share of the address-space identifiers */
    struct model_vm vms[MODEL_VMS];
};

/* A VM as it is when it starts: its boot root, at the start of its pool, is all it has. */
void model_boot(struct model *model, u32 vm);

/* What it had is gone. */
void model_end(struct model *model, u32 vm);

/*
 * A call of a VM: what it must return, with its effects. Calls that may do fewer than asked for
 * stop after `most` (all ones: no limit). MODEL_ANY_VALUE stands for a value that is not foretold.
 */
struct hc_result model_call(struct model *model, u32 vm, u64 number, const u64 args[6], u64 most);

#define MODEL_ANY_VALUE 0xa11a11a11a11a11aUL

/* The table that stands in a frame of the pool; NULL if none does. */
struct model_table *model_table_at(struct model *model, u32 vm, u64 gpa);

/* What the space of a root says of a page of the lower half; NULL: nothing. */
const struct model_place *model_page(struct model *model, u32 vm, u64 root, u64 gva);

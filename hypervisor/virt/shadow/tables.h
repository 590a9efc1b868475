/* SPDX-License-Identifier: MIT */
/*
 * Shadow page tables: what the hardware walks in place of an unmodified guest's own tables.
 *
 * A shadow table mirrors one table of the guest, entry by entry, as entries are needed; or it
 * spreads one large leaf of the guest (or its memory, while it does not translate) out in smaller
 * pieces. All that mirror the same table share its shadow, and leaves are of 4 KiB always.
 *
 * Invariants, which a VM's isolation and its guest's view rest on:
 *
 *  1. A leaf maps only a frame that its VM owns; the frame follows from the p2m alone.
 *  2. A guest frame that is mirrored *in step* is not writable through any leaf, so its shadows are
 *     what it says, where they say anything.
 *  3. A guest frame that is *out of step* (written since) may be written freely. Its shadows may be
 *     stale, as a TLB may be, until the guest's next fence, which brings them back.
 *  4. `links` of a shadow table counts the entries that name it; one with links, or the current
 *     root, is not given up alone.
 *  5. An existing shadow gets another link, and another space is entered, only while nothing is
 *     out of step: what is stale for one space was never seen by another.
 *  6. A way through the guest's tables is remembered only while those above the lowest are in step.
 *  7. `writer` of a guest frame finds its writable leaf, or says that there may be many.
 *  8. Of several vCPUs one is here at a time, and when it leaves, no hart remembers more than the
 *     shadows say (together.c). Roots and spaces that others use are neither given up nor moved.
 *
 * When the VM's share of tables is used up, all of them are given up at once, which costs little:
 * the guest's faults make again what it still uses. Everything here happens in the turn of
 * one of the VM's vCPUs.
 */
#pragma once

#include "mem/addr.h"
#include "virt/shadow/guest_walk.h"

struct vcpu;
struct vm;

enum {
    SHADOW_LOOSE_MAX = 16, /* guest tables out of step at once */
    SHADOW_SPACES = 64,    /* whose hardware identifiers are kept */
};

/*
 * Who the hardware thinks is asking. A kernel in S-mode and its users share their tables, as the
 * guest's own; where both run in U-mode, what each may do is told by different tables, all of them
 * open to users.
 */
enum shadow_view {
    SHADOW_VIEW_DIRECT = 0,
    SHADOW_VIEW_USER = 1,
    SHADOW_VIEW_KERNEL = 2,     /* without SUM: no user pages */
    SHADOW_VIEW_KERNEL_SUM = 3, /* user pages too, but never to run them */
    SHADOW_VIEW_MXR = 4,        /* added to one of these: what can be run can be read */
    SHADOW_VIEWS = 8,
};

/* A table that the hardware walks. */
struct shadow_table {
    u32 frame; /* machine frame; 0: none taken yet */
    u32 links; /* entries that name it: each of all tables may */
    u64 gfn;   /* the guest table that it mirrors, or the first frame of the leaf that it spreads */
    u16 next;  /* in its bucket, or in the list of free ones: index + 1; 0: end */
    u8 level : 4;
    u8 view : 4; /* enum shadow_view, of a mirror */
    u8 rights;   /* of the leaf, as the view shows them: SV39_R W X U; 0: it mirrors a table */
    u16 first;   /* no entry below this one is set, */
    u16 end;     /* and none from this one on */
};

/* What is known of a guest frame, as long as `generation` is the VM's. */
struct shadow_frame {
    u32 generation : 30;
    u32 state : 2; /* enum shadow_frame_state */
    u32 writer;    /* SHADOW_WRITER_*, or 1 + table index * 512 + entry */
};

enum shadow_frame_state {
    SHADOW_PLAIN = 0,
    SHADOW_IN_STEP = 1,
    SHADOW_LOOSE = 2,
};

/* A root under one of the guest's identifiers, with the hardware's. */
struct shadow_space {
    u64 satp;    /* the guest's; with Bare: SHADOW_BARE_* */
    u64 entered; /* when it was last, by the tables' clock; 0: it is found no more */
    u32 root;    /* index of its table, if that still is one */
    u16 id;      /* 0: none yet */
    u8 view;
};

/* How far the comparison of one of the guest's tables with its shadows has come. Meanwhile the
 * table is protected, and stays in the list of those out of step. */
struct shadow_settling {
    bool begun;
    u64 gfn;
    u32 mirror; /* index + 1; 0: the first */
    u32 entry;
};

/* The table at the end of the remembered way (struct guest_path), as long as no link has been
 * cleared since. */
struct shadow_recent {
    u32 root; /* below this one */
    u32 unlinked;
    struct shadow_table *table;
};

struct shadow_counts {
    u64 fills;    /* leaves that were made */
    u64 tables;   /* shadow tables that were made */
    u64 loosened; /* guest tables that went out of step */
    u64 settled;  /* and were brought back */
    u64 drops;    /* times that all shadows were given up */
    u64 spaces_found;
    u64 spaces_missed;
};

struct shadow_tables {
    struct shadow_table *tables;
    u32 tables_max;
    u32 tables_made; /* the first so many have a frame */
    u32 tables_used; /* since all were last given up */
    u32 free;        /* index + 1 of one given up alone; 0: none */
    u32 free_count;
    u32 released; /* of ENDING: tables whose frames have been given back */
    u16 *buckets;
    u32 bucket_count; /* a power of 2 */
    struct shadow_frame *frames;
    u32 frames_count;
    u32 generation : 30;
    u64 loose[SHADOW_LOOSE_MAX];
    u32 loose_count;
    struct shadow_settling settling;
    u32 unlinked;  /* links cleared, ever */
    u32 forgotten; /* fills since tables were last compared whose way was not remembered */
    struct shadow_space spaces[SHADOW_SPACES]; /* near a hash of satp and view */
    u32 spaces_max;                            /* of them are used: the VM's share */
    u64 clock;                                 /* spaces entered, ever */
    u8 last[SHADOW_VIEWS];                     /* of each view: the space entered last */
    bool stale; /* entries were taken away that other harts may remember */
    struct shadow_counts counts;
};

/* What a guest without translation sees: all of it kernel's, or its users'. No satp has these. */
#define SHADOW_BARE_KERNEL 0UL
#define SHADOW_BARE_USER 1UL

/* Takes what the tables of a VM need, for its whole life. False without memory. Ended by
   shadow_tables_destroy either way. */
MUST_CHECK bool shadow_tables_init(struct vm *vm);
void shadow_tables_destroy(struct vm *vm);

/* Before it runs: forgets what was known of its frames, a piece a call, from *cursor on: true while
 * there is more. */
bool shadow_tables_clear(struct vm *vm, u64 *cursor);

/* Before it runs: the least that it needs of open memory. False: there is none. */
MUST_CHECK bool shadow_tables_ready(struct vm *vm);

/* Gives the tables back, a piece a call: true while there is more. The guest runs no more, and
 * every translation is dropped by whoever frees its memory. */
bool shadow_tables_release(struct vm *vm);

/* The space that a satp of the guest names becomes the one in use, seen in that way. For another
 * satp than before, nothing is out of step. */
void shadow_space_enter(struct vcpu *vcpu, u64 satp, u8 view);

/* The hardware can use this translation, to a frame of the VM's, from now on, or comes to fault
 * here once more. */
void shadow_fill(struct vcpu *vcpu, gva_t address, const struct guest_translation *found, mfn_t to,
                 bool write);

/* A fence of the guest, for one page or for all, in steps: true while there is more to do. */
bool shadow_fence_page(struct vcpu *vcpu, gva_t address);
bool shadow_fence_all(struct vcpu *vcpu);

/* After that: the other vCPUs remember nothing that the shadows do not say, and fetch code anew. */
void shadow_fence_others(struct vcpu *vcpu);

/* Whether one of the guest's tables in step lies there: what is written there without a fault makes
 * all shadows wrong. */
bool shadow_tables_in(struct vm *vm, gpa_t at, u64 bytes);

/* Gives up all shadows. */
void shadow_drop_all(struct vcpu *vcpu);

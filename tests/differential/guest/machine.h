/* SPDX-License-Identifier: MIT */
/*
 * What the differential guest has of its machine: one area of memory with everything that a program
 * may touch, the addresses at which that is seen, and the registers of the program that runs.
 */
#pragma once

#include "types.h"

enum {
    PAGE_SHIFT = 12,
    PAGE_BYTES = 1 << PAGE_SHIFT,
    LARGE_BYTES = 1 << 21,
    REGISTERS = 32,
    FLOATING = 8, /* f0 to f7 are used */
    TABLE_ENTRIES = 512,
};

/* A program is a row of slots of the same size. */
enum {
    SLOT_BYTES = 128,
    SLOTS_MAX = 48, /* and the one that ends it */
    TRAPS_MAX = 128,
};

/* Registers that no program changes but as said here. */
enum {
    REGISTER_ZERO = 0,
    REGISTER_RA = 1,
    REGISTER_CONTEXT = 4, /* tp: the struct context */
    REGISTER_A0 = 10,
    REGISTER_A1 = 11,
    REGISTER_A6 = 16,
    REGISTER_A7 = 17,
    REGISTER_SCRATCH = 25,  /* s9: of a slot's first instructions */
    REGISTER_EXECUTED = 26, /* s10: a bit for each slot that was begun */
    REGISTER_SLOT = 27,     /* s11: where the last one began */
};

/* The pages of the area. */
enum area_page {
    AREA_DATA = 0,
    DATA_PAGES = 4,
    AREA_CODE = 8,
    CODE_PAGES = 2,
    AREA_TABLES = 16,
    SPACES = 2,
    SPACE_TABLES = 4, /* root, middle, and two of pages */
    AREA_PAGES = AREA_TABLES + SPACES * SPACE_TABLES,
};

/* Offsets in a data page: words for loads and stores, and places to jump to. */
enum data_offset {
    DATA_SNIPPET = 0x40,
    DATA_WORDS = 0x80,
    DATA_WORDS_BYTES = 0x40,
    DATA_MIDDLE = 0x800,
    DATA_LAST = 0xff0,
    DATA_CROSSING = 0xffe, /* the first half of an instruction whose second is on the next page */
};

/*
 * Where a space shows what. All of it but the identity lies where the machine has nothing, so that
 * without translation an access is an access fault.
 */
#define VA_NOWHERE 0x200000000UL /* root entry 8: never valid */
#define VA_SMALL 0x240000000UL   /* root entry 9: pages, by the first table of pages */
#define VA_SECOND 0x240200000UL  /* by the second */
#define VA_LARGE 0x240400000UL   /* a leaf of 2 MiB */
#define VA_AGAIN 0x240600000UL   /* the first table of pages again, if the program has aliases */
#define VA_HUGE 0x2c0000000UL    /* root entry 11: a leaf of 1 GiB */
#define VA_HIGH 0xffffffffc0000000UL /* root entry 511: as entry 9, if the program has aliases */
#define VA_NOT_CANONICAL 0x4000000000UL
#define MEMORY_BASE 0x80000000UL

enum {
    SMALL_PAGES = 8,          /* of each table of pages: the entries that programs use */
    CODE_ENTRY = SMALL_PAGES, /* then the code, for users */
    ROOT_SMALL = 9,
    ROOT_IDENTITY = 2,
    ROOT_HUGE = 11,
    ROOT_HIGH = 511,
    MIDDLE_LARGE = 2,
    MIDDLE_AGAIN = 3,
};

#define VA_CODE_USER (VA_SMALL + CODE_ENTRY * PAGE_BYTES)

struct context {
    u64 x[REGISTERS];
    u64 f[FLOATING];
    u64 harness_sp;
    u64 entry; /* ENTRY_DIRECT, or the number of the vector's entry */
    u64 cause, pc, value, status, pending, satp;
};

enum {
    ENTRY_DIRECT = 255,
    VECTOR_ENTRIES = 16,
};

extern u8 area[LARGE_BYTES];

static inline u64 area_address(u32 page)
{
    return (u64)area + (u64)page * PAGE_BYTES;
}

/* start.S: runs the program of *context at sepc until its last trap. */
void context_enter(struct context *context);
void trap_direct(void);
void trap_vectored(void);
void trap_of_harness(void);
void floating_load(const u64 registers[FLOATING]);
void floating_store(u64 registers[FLOATING]);

/* run.c: a trap of the program. False: it has ended. */
bool trap_take(struct context *context);

/* main.c */
NORETURN void guest_main(u64 hart, const void *tree);
void say(const char *format, ...) PRINTF_LIKE(1, 2);

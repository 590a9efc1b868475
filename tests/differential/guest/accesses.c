/* SPDX-License-Identifier: MIT */
/*
 * Memory: changes of the tables with the fences that they need, and accesses of all kinds to what
 * the tables show.
 */
#include "program.h"

enum {
    WIDTHS = 4,     /* 1, 2, 4, 8 bytes */
    LOAD_KINDS = 7, /* with those that are not sign-extended */
    WIDTH_8 = 3,
    ATOMIC_32 = 2,
    ATOMIC_64 = 3,
    FUNCT5_SHIFT = 2, /* of an atomic, above aq and rl */
    LOAD_RESERVED = 0x02,
    STORE_CONDITIONAL = 0x03,
};

/* ---- tables ---- */

/* Through the identity, or, as kernels do it too, through another view of the same memory; but not
 * as a user, who could not execute the fence. */
static void edit_address(struct program *program, const struct place *place)
{
    enum { SSCRATCH = 0x140 };
    u64 address = place_address(place);

    if (random_percent(&program->random, 15)) {
        address += VA_HUGE - MEMORY_BASE;
        code_csr(&program->code, CSR_RS, 0, SSCRATCH, 0);
    }
    code_constant(&program->code, REGISTER_ADDRESS, address);
}

static void make_edit(struct program *program)
{
    struct random *random = &program->random;
    struct place place = place_pick(random);
    u64 value = place_value(&place, &program->plan, random);

    edit_address(program, &place);
    code_constant(&program->code, REGISTER_VALUE, value);
    code_s(&program->code, OPCODE_STORE, WIDTH_8, REGISTER_ADDRESS, REGISTER_VALUE, 0);
    place_fence(&place, &program->plan, random, &program->code, REGISTER_ADDRESS, REGISTER_VALUE);
}

/* Single bits of a page's entry, by an atomic. Not X, so that no program comes to run a table. */
static void make_edit_bits(struct program *program)
{
    static const u8 operations[] = {0x04, 0x08, 0x0c}; /* xor, or, and */
    static const u8 bits[] = {PTE_V, PTE_R, PTE_W, PTE_R | PTE_W,
                              PTE_U, PTE_A, PTE_D, PTE_A | PTE_D};
    struct random *random = &program->random;
    struct place place = place_pick(random);
    u32 operation = operations[random_below(random, ARRAY_SIZE(operations))];
    u64 value = bits[random_below(random, ARRAY_SIZE(bits))];

    if (place.table != TABLE_SMALL && place.table != TABLE_SECOND)
        place.table = TABLE_SMALL, place.index %= SMALL_PAGES;
    edit_address(program, &place);
    code_constant(&program->code, REGISTER_VALUE, operation == 0x0c ? ~value : value);
    code_r(&program->code, OPCODE_ATOMIC, ATOMIC_64, operation << FUNCT5_SHIFT,
           pick_register(program), REGISTER_ADDRESS, REGISTER_VALUE);
    place_fence(&place, &program->plan, random, &program->code, REGISTER_ADDRESS, REGISTER_VALUE);
}

/* What no fence needs to follow: an entry that was not valid is made valid, and a fault that is
 * seen all the same is repaired by a fence. Here the fence comes first. */
static void make_fence(struct program *program)
{
    struct random *random = &program->random;
    u32 rs1 = 0, rs2 = 0;

    if (random_percent(random, 60)) {
        rs1 = REGISTER_ADDRESS;
        code_constant(&program->code, rs1,
                      random_percent(random, 80) ? pick_address(program, 1) : pick_value(program));
    }
    if (random_percent(random, 60)) {
        rs2 = REGISTER_VALUE;
        code_constant(&program->code, rs2,
                      random_percent(random, 80) ? program->plan.asid[random_below(random, SPACES)]
                                                 : pick_value(program) & 0xffff);
    }
    code_sfence(&program->code, rs1, rs2);
}

/* ---- accesses ---- */

static void make_load(struct program *program)
{
    struct random *random = &program->random;
    u32 kind = random_below(random, LOAD_KINDS);

    code_constant(&program->code, REGISTER_ADDRESS, pick_address(program, 1U << kind % WIDTHS));
    code_i(&program->code, OPCODE_LOAD, kind, pick_register(program), REGISTER_ADDRESS, 0);
}

static void make_store(struct program *program)
{
    struct random *random = &program->random;
    u32 width = random_below(random, WIDTHS);

    code_constant(&program->code, REGISTER_ADDRESS, pick_address(program, 1U << width));
    code_s(&program->code, OPCODE_STORE, width, REGISTER_ADDRESS, pick_register(program), 0);
}

/* Stored, and then read where it may be seen again. */
static void make_store_load(struct program *program)
{
    make_store(program);
    code_constant(&program->code, REGISTER_ADDRESS, pick_address(program, 8));
    code_i(&program->code, OPCODE_LOAD, WIDTH_8, pick_register(program), REGISTER_ADDRESS, 0);
}

/* Twice the same load, with SUM and MXR as they may be, and otherwise. */
static void make_rights_load(struct program *program)
{
    enum { SSTATUS = 0x100, SUM_SHIFT = 18, BOTH = 3 };
    struct random *random = &program->random;
    struct code *code = &program->code;
    u64 address = pick_address(program, 8), rights = random_below(random, BOTH + 1);

    code_constant(code, REGISTER_ADDRESS, address);
    for (u32 i = 0; i < 2; i++) {
        code_constant(code, REGISTER_VALUE, (u64)BOTH << SUM_SHIFT);
        code_csr(code, CSR_RC, 0, SSTATUS, REGISTER_VALUE);
        code_constant(code, REGISTER_VALUE, (rights ^ (i == 0 ? BOTH : 0)) << SUM_SHIFT);
        code_csr(code, CSR_RS, 0, SSTATUS, REGISTER_VALUE);
        code_i(code, OPCODE_LOAD, WIDTH_8, pick_register(program), REGISTER_ADDRESS, 0);
        rights = random_percent(random, 50) ? rights : BOTH;
    }
}

static void make_misaligned(struct program *program)
{
    struct random *random = &program->random;
    u32 kind = 1 + random_below(random, WIDTHS - 1);
    u64 address = pick_address(program, 8) - random_below(random, 4) - 1;

    address = (address & (PAGE_BYTES - 1)) < DATA_WORDS ? address + 8 : address;
    code_constant(&program->code, REGISTER_ADDRESS, address);
    if (random_percent(random, 50))
        code_i(&program->code, OPCODE_LOAD, kind, pick_register(program), REGISTER_ADDRESS, 0);
    else
        code_s(&program->code, OPCODE_STORE, kind, REGISTER_ADDRESS, pick_register(program), 0);
}

/* A load from the end of one page and the begin of the next. (Of a store it is left open what is
 * written when the second faults.) */
static void make_crossing_load(struct program *program)
{
    struct random *random = &program->random;
    u64 address = (pick_address(program, 8) & ~(u64)(PAGE_BYTES - 1)) + PAGE_BYTES;

    code_constant(&program->code, REGISTER_ADDRESS, address - 1 - random_below(random, 3));
    code_i(&program->code, OPCODE_LOAD, random_percent(random, 50) ? WIDTH_8 : 2,
           pick_register(program), REGISTER_ADDRESS, 0);
}

static void make_atomic(struct program *program)
{
    static const u8 operations[] = {0x00, 0x01, 0x04, 0x08, 0x0c, 0x10, 0x14, 0x18, 0x1c};
    struct random *random = &program->random;
    u32 operation = operations[random_below(random, ARRAY_SIZE(operations))];
    u32 width = random_percent(random, 50) ? ATOMIC_32 : ATOMIC_64;

    code_constant(&program->code, REGISTER_ADDRESS, pick_address(program, 8));
    if (random_percent(random, 30))
        code_i(&program->code, OPCODE_IMMEDIATE, 0, REGISTER_ADDRESS, REGISTER_ADDRESS, 2);
    code_r(&program->code, OPCODE_ATOMIC, width,
           operation << FUNCT5_SHIFT | random_below(random, 4), pick_register(program),
           REGISTER_ADDRESS, pick_register(program));
}

/* Over and over until it is stored: how often an implementation fails is its own affair. */
static void make_reserved(struct program *program)
{
    enum { RETRY = 0xfe051ae3 }; /* bne a0, zero, three instructions back */
    enum { RETRY_RS1_SHIFT = 15, BRANCH_NOT_EQUAL = 1 };
    struct random *random = &program->random;
    struct code *code = &program->code;
    u32 width = random_percent(random, 50) ? ATOMIC_32 : ATOMIC_64;

    code_constant(code, REGISTER_ADDRESS, pick_address(program, 8));
    if (random_percent(random, 30))
        code_i(code, OPCODE_IMMEDIATE, 0, REGISTER_ADDRESS, REGISTER_ADDRESS, 2);
    code_r(code, OPCODE_ATOMIC, width, LOAD_RESERVED << FUNCT5_SHIFT, REGISTER_OTHER,
           REGISTER_ADDRESS, 0);
    code_i(code, OPCODE_IMMEDIATE, 0, REGISTER_VALUE, REGISTER_OTHER, 1);
    code_r(code, OPCODE_ATOMIC, width, STORE_CONDITIONAL << FUNCT5_SHIFT, REGISTER_A0,
           REGISTER_ADDRESS, REGISTER_VALUE);
    code_word(code, RETRY);
}

static void make_floating_access(struct program *program)
{
    struct random *random = &program->random;
    u32 width = random_percent(random, 50) ? ATOMIC_32 : ATOMIC_64;
    u32 number = random_below(random, FLOATING);

    code_constant(&program->code, REGISTER_ADDRESS, pick_address(program, 8));
    if (random_percent(random, 50))
        code_i(&program->code, OPCODE_LOAD_FLOATING, width, number, REGISTER_ADDRESS, 0);
    else
        code_s(&program->code, OPCODE_STORE_FLOATING, width, REGISTER_ADDRESS, number, 0);
}

/* c.lw, c.ld, c.sw, c.sd between x8 and x15. */
static void make_compressed(struct program *program)
{
    static const u16 forms[] = {0x4000, 0x6000, 0xc000, 0xe000};
    struct random *random = &program->random;
    u32 address = random_below(random, 8), data = random_below(random, 8);

    code_constant(&program->code, address + 8, pick_address(program, 8));
    code_half(&program->code,
              (u16)(forms[random_below(random, ARRAY_SIZE(forms))] | address << 7 | data << 2));
}

/* The scratch register of the serial port, which both machines have at the same place. */
static void make_device(struct program *program)
{
    enum { UART_SCRATCH = 0x10000007 };
    static const u8 loads[] = {0, 4}; /* lb, lbu */
    struct random *random = &program->random;

    code_constant(&program->code, REGISTER_ADDRESS, UART_SCRATCH);
    if (random_percent(random, 60))
        code_s(&program->code, OPCODE_STORE, 0, REGISTER_ADDRESS, pick_register(program), 0);
    code_i(&program->code, OPCODE_LOAD, loads[random_below(random, ARRAY_SIZE(loads))],
           pick_register(program), REGISTER_ADDRESS, 0);
}

const struct feature access_features[] = {
    {"edit", 12, make_edit},
    {"edit-bits", 6, make_edit_bits},
    {"sfence", 5, make_fence},
    {"load", 9, make_load},
    {"store", 9, make_store},
    {"store-load", 5, make_store_load},
    {"load-rights", 9, make_rights_load},
    {"misaligned", 3, make_misaligned},
    {"crossing-load", 2, make_crossing_load},
    {"amo", 5, make_atomic},
    {"lr-sc", 3, make_reserved},
    {"floating-access", 3, make_floating_access},
    {"compressed-access", 3, make_compressed},
    {"device", 2, make_device},
    {NULL, 0, NULL},
};

/* SPDX-License-Identifier: MIT */
/*
 * Running one program: from a known state, through its traps, to what is left of the machine.
 */
#include "run.h"

#include "riscv.h"
#include "string.h"

#define SSTATUS_MXR (1UL << 19)

enum {
    LINE_DUMP = 4, /* registers a line */
    AMO_TO_STORE = 2,
};

static struct context context;
static struct program program;
static struct counts counts;
static struct {
    u64 hash;
    u32 traps;
    u32 resumed; /* the slot at which the last trap let it go on */
    bool shown;
    u64 before[REGISTERS];
} run;

u8 area[LARGE_BYTES] ALIGNED(LARGE_BYTES);

const struct counts *run_counts(void)
{
    return &counts;
}

static void hash_word(u64 word)
{
    enum { FOLD = 29 };

    run.hash = (run.hash ^ word) * 0x9e3779b97f4a7c15UL;
    run.hash ^= run.hash >> FOLD;
}

static void note(const char *what, u64 value)
{
    hash_word(value);
    if (run.shown)
        say("  %s %lx", what, value);
}

/* ---- before ---- */

/* What each page has to run, and the halves of an instruction that two pages share: an addi or,
 * from even pages, a csrrw, with the second page's number. */
static void data_reset(struct random *random)
{
    enum {
        ADD_A0 = 0x00150513, /* addi a0, a0, 1 */
        RETURN = 0x8082,     /* c.jr ra */
        FIRST_CSRRW = 0x1573,
        FIRST_ADDI = 0x0513,
        SECOND = 0x0005,
        SECOND_SHIFT = 4,
    };
    static const u16 numbers[DATA_PAGES] = {0x140, 0x142, 0x143, 0x140};

    memset(area, 0, DATA_PAGES * PAGE_BYTES);
    for (u32 i = 0; i < DATA_PAGES; i++) {
        u8 *page = area + i * PAGE_BYTES;
        struct code code = {.at = page, .end = page + PAGE_BYTES};

        code_half(&code, (u16)(numbers[i] << SECOND_SHIFT | SECOND));
        code_half(&code, RETURN);
        code.at = page + DATA_SNIPPET;
        code_word(&code, ADD_A0 + (i << 20));
        code_half(&code, RETURN);
        code.at = page + DATA_CROSSING;
        code_half(&code, i % 2 == 0 ? FIRST_CSRRW : FIRST_ADDI);
        for (u32 j = 0; j < DATA_WORDS_BYTES; j += sizeof(u64))
            *(u64 *)(void *)(page + DATA_WORDS + j) = random_bits(random);
    }
}

static void registers_reset(struct random *random)
{
    enum { FEW = 16 };

    for (u32 i = 0; i < REGISTERS; i++)
        context.x[i] = random_percent(random, 50) ? random_bits(random) : random_below(random, FEW);
    context.x[REGISTER_CONTEXT] = (u64)&context;
    context.x[REGISTER_EXECUTED] = 0;
    context.x[REGISTER_SLOT] = area_address(AREA_CODE);
    for (u32 i = 0; i < FLOATING; i++)
        context.f[i] = random_bits(random);
    csr_set(sstatus, SSTATUS_FS_MASK);
    csr_write(fcsr, 0);
    floating_load(context.f);
}

static void supervisor_reset(struct random *random)
{
    csr_write(sie, random_percent(random, 30) ? random_bits(random) : 0);
    csr_write(sip, 0);
    csr_write(CSR_STIMECMP, ~0UL);
    csr_write(scounteren, random_percent(random, 70) ? SCOUNTEREN_ALL : random_below(random, 8));
    csr_write(0x10a, 0); /* senvcfg, which this assembler does not know */
    csr_write(sscratch, random_bits(random));
    csr_write(scause, random_below(random, 16));
    csr_write(stval, random_bits(random));
}

/* sstatus as the program is to find it after sret. */
static u64 status_pick(struct random *random, bool user)
{
    static const u32 floating[] = {0, SSTATUS_FS_INITIAL, SSTATUS_FS_CLEAN, SSTATUS_FS_DIRTY};
    u64 bits = random_bits(random);

    return (bits & (SSTATUS_SUM | SSTATUS_MXR | SSTATUS_SPIE)) |
           floating[random_below(random, ARRAY_SIZE(floating))] | (user ? 0 : SSTATUS_SPP);
}

/* ---- traps ---- */

static u64 go_on_at(u64 satp, bool user, u32 slot)
{
    return (user && satp >> 60 != 0 ? VA_CODE_USER : area_address(AREA_CODE)) +
           (u64)slot * SLOT_BYTES;
}

/* QEMU with one hart takes the fault of an atomic for a load's: 4, 5, 13 for 6, 7, 15 (4.1.8). */
static u64 cause_as_specified(const struct context *c)
{
    u32 word;

    if (c->cause != CAUSE_LOAD_PAGE && c->cause != CAUSE_LOAD_ACCESS &&
        c->cause != CAUSE_LOAD_MISALIGNED)
        return c->cause;
    memcpy(&word, (void *)(area_address(AREA_CODE) + c->pc % (CODE_PAGES * PAGE_BYTES)),
           sizeof(word));
    if ((word & 0x7f) == OPCODE_ATOMIC && word >> 27 != 2)
        return c->cause + AMO_TO_STORE;
    return c->cause;
}

/* QEMU reports the aligned word that it tried of a misaligned access to where nothing is. */
static u64 value_as_specified(const struct context *c)
{
    bool access = c->cause == CAUSE_LOAD_ACCESS || c->cause == CAUSE_STORE_ACCESS;

    return access ? ALIGN_DOWN(c->value, sizeof(u64)) : c->value;
}

static void trap_show(const struct context *c)
{
    say(" trap %d: cause %lx at %lx value %lx sstatus %lx sip %lx satp %lx entry %ld",
        (int)run.traps, c->cause, c->pc, c->value, c->status, c->pending, c->satp, c->entry);
    for (u32 i = 1; i < REGISTERS; i++)
        if (c->x[i] != run.before[i])
            say("  x%d %lx", (int)i, c->x[i]);
    memcpy(run.before, c->x, sizeof(run.before));
}

static void trap_note(struct context *c)
{
    bool user = (c->status & SSTATUS_SPP) == 0;
    u64 number = c->cause & ~CAUSE_INTERRUPT;

    c->cause = cause_as_specified(c);
    c->value = value_as_specified(c);
    csr_write(scause, c->cause); /* which the program may read */
    csr_write(stval, c->value);
    if (run.shown)
        trap_show(c);
    for (u32 i = 0; i < REGISTERS; i++)
        hash_word(c->x[i]);
    hash_word(c->cause);
    hash_word(c->pc);
    hash_word(c->value);
    hash_word(c->status);
    hash_word(c->pending);
    hash_word(c->satp);
    hash_word(c->entry);
    if (number < COUNTED_CAUSES)
        counts.traps[c->cause >> 63][user][c->cause & ~CAUSE_INTERRUPT]++;
    counts.bare += c->satp >> 60 == 0;
    counts.vectored += c->entry != ENTRY_DIRECT;
}

/* What is pending is done with, so that it is not taken for ever. */
static void interrupt_end(u64 number)
{
    if (number == IRQ_SOFTWARE)
        csr_clear(sip, 1 << IRQ_SOFTWARE);
    else if (number == IRQ_TIMER)
        csr_write(CSR_STIMECMP, ~0UL);
}

/* The slot after the one that trapped; after an interrupt also the one that was to begin. Each time
 * a later one. */
static u32 next_slot(const struct context *c)
{
    u64 place = c->x[REGISTER_SLOT] % (CODE_PAGES * PAGE_BYTES);
    u32 next = (u32)(place / SLOT_BYTES) + 1;
    u32 least = run.resumed + ((c->cause & CAUSE_INTERRUPT) != 0 ? 0 : 1);

    return max(next, least);
}

bool trap_take(struct context *c)
{
    struct random *decisions = &program.decisions;
    bool user = random_percent(decisions, 60);
    u32 slot = next_slot(c);

    c->x[0] = 0;
    trap_note(c);
    if (slot > program.slots || ++run.traps == TRAPS_MAX)
        return false;
    run.resumed = slot;
    if ((c->cause & CAUSE_INTERRUPT) != 0)
        interrupt_end(c->cause & ~CAUSE_INTERRUPT);
    csr_write(sepc, go_on_at(c->satp, user, slot));
    if (random_percent(decisions, 30)) {
        csr_write(sstatus, status_pick(decisions, user));
    } else {
        csr_clear(sstatus, SSTATUS_SPP | SSTATUS_SPIE);
        csr_set(sstatus,
                (user ? 0 : SSTATUS_SPP) | (random_percent(decisions, 50) ? SSTATUS_SPIE : 0));
    }
    return true;
}

/* ---- after ---- */

static void executed_count(void)
{
    counts.programs++;
    for (u32 i = 0; i < program.slots; i++) {
        counts.made[program.features[i]]++;
        counts.executed[program.features[i]] += context.x[REGISTER_EXECUTED] >> i & 1;
    }
}

static void area_note(u32 first, u32 count)
{
    const u64 *words = (const u64 *)area_address(first);

    for (u32 i = 0; i < count * TABLE_ENTRIES; i++) {
        hash_word(words[i]);
        if (run.shown && words[i] != 0)
            say("  memory %lx %lx", (u64)&words[i], words[i]);
    }
}

/* The registers that are left, without translation from here on. */
static void state_note(void)
{
    u64 fcsr;

    note("sie", csr_read(sie));
    note("stvec", csr_read(stvec));
    note("scounteren", csr_read(scounteren));
    note("senvcfg", csr_read(0x10a));
    note("sscratch", csr_read(sscratch));
    note("stimecmp", csr_read(CSR_STIMECMP));
    csr_write(satp, 0);
    csr_write(stvec, trap_of_harness);
    csr_write(sie, 0);
    csr_set(sstatus, SSTATUS_FS_MASK);
    fcsr = csr_read(fcsr);
    note("fcsr", fcsr);
    floating_store(context.f);
    for (u32 i = 0; i < FLOATING; i++)
        note("f", context.f[i]);
    area_note(AREA_DATA, DATA_PAGES);
    area_note(AREA_TABLES, SPACES * SPACE_TABLES);
}

static void program_show(void)
{
    const u8 *code = (const u8 *)area_address(AREA_CODE);

    say("program %ld: %d slots, aliases %d globals %d shared %d asids %x %x", program.number,
        (int)program.slots, program.plan.aliases, program.plan.globals, program.plan.shared,
        program.plan.asid[0], program.plan.asid[1]);
    for (u32 slot = 0; slot <= program.slots; slot++) {
        char text[2 * SLOT_BYTES + 1];

        for (u32 i = 0; i < SLOT_BYTES; i++)
            snprintf(text + 2 * (size_t)i, 3, "%02x", code[slot * SLOT_BYTES + i]);
        say("slot %lx %s %s", (u64)code + slot * SLOT_BYTES,
            slot < program.slots ? feature_name(program.features[slot]) : "end", text);
    }
    area_note(AREA_TABLES, SPACES * SPACE_TABLES);
}

u64 run_program(u64 number, u64 hash, bool shown)
{
    struct random *random = &program.random;
    bool user;

    run.hash = hash;
    run.traps = 0;
    run.resumed = 0;
    run.shown = shown;
    program_make(&program, number);
    data_reset(random);
    space_reset(&program.plan, random);
    registers_reset(random);
    supervisor_reset(random);
    memcpy(run.before, context.x, sizeof(run.before));
    if (shown)
        program_show();
    user = random_percent(random, 50);
    csr_write(stvec, random_percent(random, 50) ? (u64)trap_vectored | 1 : (u64)trap_direct);
    csr_write(sstatus, status_pick(random, user));
    context.satp = random_percent(random, 15)
                       ? 0
                       : space_satp(&program.plan, random_below(random, SPACES));
    csr_write(satp, context.satp);
    __asm__ volatile("fence.i\n\tsfence.vma" : : : "memory");
    csr_write(sepc, go_on_at(context.satp, user, 0));
    context_enter(&context);
    executed_count();
    state_note();
    return run.hash;
}

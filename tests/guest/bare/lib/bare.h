/* SPDX-License-Identifier: MIT */
/*
 * What unmodified test guests share. They know nothing of Candor: the same file boots on QEMU's
 * `virt` with OpenSBI, so that what they expect can be held against what a processor does.
 *
 * A guest is one file with a table of attacks and bare_main. It prints `ATTACK name` and then `PASS
 * what` or `FAIL what: why` for each thing that it tries, `DONE` at the end, and powers off.
 *
 * Memory is mapped to itself in every space that space_make makes: devices in the first GiB, RAM in
 * the third, for the kernel alone.
 */
#pragma once

#include "types.h"

enum {
    PAGE_BYTES = 4096,
    PAGE_SHIFT = 12,
    TABLE_WORDS = 512,
    LEVELS = 3,
    MEGAPAGE_BYTES = 2 << 20,
};
#define GIGAPAGE_BYTES (1UL << 30)
#define RAM_BASE 0x80000000UL
#define UART_BASE 0x10000000UL
#define PLIC_BASE 0xc000000UL
#define FINISHER_BASE 0x100000UL
#define SATP_SV39 (8UL << 60)
#define CAUSE_INTERRUPT (1UL << 63)

enum bare_pte {
    PTE_V = 1 << 0,
    PTE_R = 1 << 1,
    PTE_W = 1 << 2,
    PTE_X = 1 << 3,
    PTE_U = 1 << 4,
    PTE_G = 1 << 5,
    PTE_A = 1 << 6,
    PTE_D = 1 << 7,
    PTE_ALL = PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D,
    PTE_DATA = PTE_V | PTE_R | PTE_W | PTE_A | PTE_D,
};

enum bare_cause {
    CAUSE_FETCH_ACCESS = 1,
    CAUSE_ILLEGAL = 2,
    CAUSE_BREAKPOINT = 3,
    CAUSE_LOAD_MISALIGNED = 4,
    CAUSE_LOAD_ACCESS = 5,
    CAUSE_STORE_MISALIGNED = 6,
    CAUSE_STORE_ACCESS = 7,
    CAUSE_USER_CALL = 8,
    CAUSE_FETCH_PAGE = 12,
    CAUSE_LOAD_PAGE = 13,
    CAUSE_STORE_PAGE = 15,
};

enum bare_status {
    SSTATUS_SIE = 1 << 1,
    SSTATUS_SPIE = 1 << 5,
    SSTATUS_SPP = 1 << 8,
    SSTATUS_FS = 3 << 13,
    SSTATUS_SUM = 1 << 18,
    SSTATUS_MXR = 1 << 19,
};

enum bare_interrupt {
    IRQ_SOFT = 1,
    IRQ_TIMER = 5,
    IRQ_EXTERNAL = 9,
};

struct bare_trap {
    u64 cause;
    u64 value;
    u64 pc;
    u64 status;
    u64 a0;
};

struct attack {
    const char *name;
    void (*make)(void);
};

/* The guest's own: makes its attacks. */
void bare_main(void);

/* Each in turn, its name before it; or the one that the boot's arguments name. */
void attacks_make(const struct attack *attacks, u32 count);

extern u64 bare_memory_end; /* of RAM */
extern u64 bare_tree;       /* the device tree */
extern bool bare_machine;   /* this is QEMU's own, with OpenSBI */
extern u64 bare_registers_first[32];
extern u8 bare_end[];
extern const char *bare_args;

/* ---- verdicts ---- */

void bare_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void pass(const char *name);
void fail(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* PASS if the number is 0, which counts what went wrong. */
void expect_none(const char *name, u64 wrong);
void bare_finish(void) __attribute__((noreturn));

/* ---- memory and spaces ---- */

/* A fresh page, zeroed. Never given back; the same ones again after pages_again. */
u64 *page_take(void);
void pages_again(void);

static inline u64 entry_of(const void *page, u64 bits)
{
    return (u64)page >> PAGE_SHIFT << 10 | bits;
}

/* A root with the kernel's own memory; map_page makes tables below it as they are needed, and
   returns the entry. */
u64 *space_make(void);
u64 *map_page(u64 *root, u64 address, u64 entry);
/* satp, and a fence of everything. */
void space_use(const u64 *root, u64 asid);
void space_leave(void);

static inline void fence_all(void)
{
    __asm__ volatile("sfence.vma" : : : "memory");
}

static inline void fence_page(u64 address)
{
    __asm__ volatile("sfence.vma %0" : : "r"(address) : "memory");
}

/* ---- traps ---- */

int bare_try(void (*function)(void *argument), void *argument, struct bare_trap *trap);
void bare_trap_entry(void);
void bare_return(u64 pc, u64 status) __attribute__((noreturn));
void bare_user_load(void);
void bare_user_store(void);
void bare_user_jump(void);
void bare_user_end(void);
void bare_fp_load(const u64 registers[32]);
void bare_fp_store(u64 registers[32]);

/* One access of the kernel's: 0, or the trap's cause, which stands in last_trap. */
u64 load_cause(u64 address, u64 *value);
u64 store_cause(u64 address, u64 value);
u64 fetch_cause(u64 address);
/* One of a user's, whose code is mapped at USER_CODE in the space by user_code_map. */
#define USER_CODE 0x3f000000UL
void user_code_map(u64 *root);
u64 user_load_cause(u64 address, u64 *value);
u64 user_store_cause(u64 address, u64 value);
u64 user_fetch_cause(u64 address);
/* Returns to `pc` with these bits of sstatus; the cause of the trap that ended it. */
u64 return_cause(u64 pc, u64 status);
extern struct bare_trap last_trap;

/* Executes one instruction (then returns) in S-mode: 0 or the cause. a0 goes in and, in
   last_result, out. */
u64 execute_cause(u32 word, u64 a0);
extern u64 last_result;

/* ---- registers, firmware ---- */

#define csr_get(name)                                       \
    ({                                                      \
        u64 value_;                                         \
        __asm__ volatile("csrr %0, " #name : "=r"(value_)); \
        value_;                                             \
    })
#define csr_put(name, value) __asm__ volatile("csrw " #name ", %0" : : "r"((u64)(value)))
#define csr_on(name, bits) __asm__ volatile("csrs " #name ", %0" : : "r"((u64)(bits)))
#define csr_off(name, bits) __asm__ volatile("csrc " #name ", %0" : : "r"((u64)(bits)))

struct sbi_result {
    i64 error;
    u64 value;
};
struct sbi_result sbi(u64 extension, u64 function, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4);

enum bare_sbi {
    SBI_BASE = 0x10,
    SBI_TIME = 0x54494d45,
    SBI_IPI = 0x735049,
    SBI_RFENCE = 0x52464e43,
    SBI_HSM = 0x48534d,
    SBI_RESET = 0x53525354,
    SBI_CONSOLE = 0x4442434e,
};

static inline u64 time_now(void)
{
    return csr_get(time);
}

u64 random_next(void);

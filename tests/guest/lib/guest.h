/* SPDX-License-Identifier: MIT */
/*
 * What test guests share: a small machine of their own (memory, tables, traps, console) and their
 * verdicts.
 *
 * A guest is one file with guest_main. It prints `PASS name` or `FAIL name: what` for each thing it
 * tries, `DONE` at the end, and powers its VM off; the tests in tests/system/ read that. One that
 * expects to be ended by Candor prints `EXPECT end: why` and does it; `FAIL` follows if it is still
 * there.
 */
#pragma once

#include "candor_abi.h"
#include "candor_calls.h"
#include "types.h"

enum {
    PAGE_BYTES = 4096,
    LOWER_HALF_SPAN_SHIFT = 38,
};

/* Bits of an entry (privileged specification, 4.3.1). */
enum guest_pte {
    PTE_V = 1 << 0,
    PTE_R = 1 << 1,
    PTE_W = 1 << 2,
    PTE_X = 1 << 3,
    PTE_U = 1 << 4,
    PTE_G = 1 << 5,
    PTE_A = 1 << 6,
    PTE_D = 1 << 7,
};

enum guest_cause {
    CAUSE_ILLEGAL = 2,
    CAUSE_BREAKPOINT = 3,
    CAUSE_USER_CALL = 8,
    CAUSE_FETCH_FAULT = 12,
    CAUSE_LOAD_FAULT = 13,
    CAUSE_STORE_FAULT = 15,
};

struct guest_trap {
    u64 cause;
    u64 value;
    u64 pc;
    u64 status;
    u64 a0;
};

extern const struct start_info *start;

/* The test. */
void guest_main(void);

/* ---- verdicts ---- */

void guest_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void pass(const char *name);
void fail(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* PASS if the call's error is the one expected, else FAIL with both. */
void expect_error(const char *name, struct hc_result result, i64 error);
/* PASS if the condition holds. */
void expect_true(const char *name, bool condition);
/* Stops the test with FAIL unless it worked: for steps that a test builds on. */
u64 must(const char *what, struct hc_result result);

/* Prints DONE and powers the VM off; its status says whether anything failed. */
void guest_finish(void) __attribute__((noreturn));
/* Announces that Candor is about to end this VM. */
void guest_expect_end(const char *why);

/* ---- memory ---- */

static inline void *gpa_to_pointer(u64 gpa)
{
    return (void *)(start->direct_map_gva + gpa);
}

static inline u64 pointer_to_gpa(const void *pointer)
{
    return (u64)pointer - start->direct_map_gva;
}

/* The guest-physical address of a fresh data page. Never given back. */
u64 take_page(void);
/* That of a fresh pool frame that is no table yet. */
u64 take_pool_frame(void);
/* A new table of that level. */
u64 make_table(u64 level);
/* A new root with tables for the 2 MiB around `gva`. *last (may be NULL): its level-0 table. */
u64 make_space(u64 gva, u64 *last);

static inline u64 leaf(u64 gpa, u64 bits)
{
    enum { PTE_FRAME_SHIFT = 10, PAGE_SHIFT = 12 };

    return gpa >> PAGE_SHIFT << PTE_FRAME_SHIFT | PTE_V | bits;
}

/* ---- traps ---- */

int guest_try(void (*function)(void *argument), void *argument, struct guest_trap *trap);
void guest_enter_user(u64 pc, u64 stack) __attribute__((noreturn));
void guest_trap_entry(void);
void guest_fp_load(const u64 registers[32]);
void guest_fp_store(u64 registers[32]);

/* One access; true if it worked, else *trap says what came. */
bool try_load(u64 gva, u64 *value, struct guest_trap *trap);
bool try_store(u64 gva, u64 value, struct guest_trap *trap);
/* Whether jumping there works (there should be a return instruction). */
bool try_execute(u64 gva, struct guest_trap *trap);

/* ---- registers ---- */

#define csr_get(name)                                       \
    ({                                                      \
        u64 value_;                                         \
        __asm__ volatile("csrr %0, " #name : "=r"(value_)); \
        value_;                                             \
    })
#define csr_put(name, value) __asm__ volatile("csrw " #name ", %0" : : "r"((u64)(value)))

enum guest_status {
    SSTATUS_SIE = 1 << 1,
    SSTATUS_SPIE = 1 << 5,
    SSTATUS_SPP = 1 << 8,
    SSTATUS_FS = 3 << 13,
    SSTATUS_SUM = 1 << 18,
    SSTATUS_MXR = 1 << 19,
};

/* ---- firmware ---- */

enum guest_sbi {
    SBI_BASE = 0x10,
    SBI_DEBUG_CONSOLE = 0x4442434e,
    SBI_SYSTEM_RESET = 0x53525354,
    DBCN_WRITE = 0,
    DBCN_READ = 1,
    DBCN_WRITE_BYTE = 2,
    SRST_SHUTDOWN = 0,
    SRST_REBOOT = 1,
    SRST_FAILURE = 1,
};

struct hc_result sbi_call(u64 extension, u64 function, u64 a0, u64 a1, u64 a2);

static inline u64 time_now(void)
{
    u64 now;

    __asm__ volatile("rdtime %0" : "=r"(now));
    return now;
}

/* SPDX-License-Identifier: MIT */
#include "harts.h"

enum { STACK_BYTES = 8192 };

struct work {
    void (*function)(u64 hart); /* NULL: none */
};

u32 hart_count = 1;
static volatile struct work works[HARTS_MAX];
static u8 stacks[HARTS_MAX][STACK_BYTES] __attribute__((aligned(16)));

void hart_main(u64 hart);

__asm__(".text\n\t.balign 4\n\t.globl hart_entry\nhart_entry:\n\tmv sp, a1\n\tcall hart_main");

void harts_find(void)
{
    hart_count = 1;
    while (hart_count < HARTS_MAX && sbi(SBI_HSM, HSM_STATUS, hart_count, 0, 0, 0, 0).error == 0)
        hart_count++;
}

u64 hart_stack(u64 hart)
{
    return (u64)stacks[hart] + STACK_BYTES;
}

i64 hart_start(u64 hart)
{
    return sbi(SBI_HSM, HSM_START, hart, (u64)hart_entry, hart_stack(hart), 0, 0).error;
}

u64 hart_status(u64 hart)
{
    return sbi(SBI_HSM, HSM_STATUS, hart, 0, 0, 0, 0).value;
}

/* Looks for work when an interrupt says so, and sleeps until then: there may be more harts than the
 * machine below has. */
void hart_main(u64 hart)
{
    for (;;) {
        void (*function)(u64);

        csr_put(sie, BIT(IRQ_SOFT));
        while ((csr_get(sip) & BIT(IRQ_SOFT)) == 0)
            __asm__ volatile("wfi");
        csr_off(sip, BIT(IRQ_SOFT));
        csr_put(sie, 0);
        function = __atomic_load_n(&works[hart].function, __ATOMIC_SEQ_CST);
        if (function == NULL)
            continue;
        function(hart);
        __atomic_store_n(&works[hart].function, NULL, __ATOMIC_SEQ_CST);
    }
}

void hart_do(u64 hart, void (*work)(u64 hart))
{
    __atomic_store_n(&works[hart].function, work, __ATOMIC_SEQ_CST);
    if (work != NULL)
        (void)sbi(SBI_IPI, SBI_SEND, 1, hart, 0, 0, 0);
}

bool hart_done(u64 hart)
{
    return __atomic_load_n(&works[hart].function, __ATOMIC_SEQ_CST) == NULL;
}

void hart_wait(u64 hart)
{
    while (!hart_done(hart))
        ;
}

void harts_do(void (*work)(u64 hart))
{
    for (u64 i = 1; i < hart_count; i++)
        hart_do(i, work);
    work(0);
    for (u64 i = 1; i < hart_count; i++)
        hart_wait(i);
}

void harts_start(void)
{
    for (u64 i = 1; i < hart_count; i++)
        if (hart_status(i) == HSM_STOPPED && hart_start(i) != 0)
            fail("a hart starts", "hart %lu does not", i);
}

/* The vector stands behind the access: a trap goes on there, as if it had returned. */
#define TRY(access, ...)                                                                \
    __asm__ volatile("csrw scause, zero\n\tla t0, 1f\n\tcsrrw t0, stvec, t0\n\t" access \
                     "\n\t.balign 4\n1:\tcsrw stvec, t0"                                \
                     : __VA_ARGS__)

u64 try_load(u64 address, u64 *value)
{
    u64 loaded = 0;

    TRY("ld %0, (%1)", "+r"(loaded) : "r"(address) : "t0", "memory");
    if (value != NULL)
        *value = loaded;
    return csr_get(scause);
}

u64 try_store(u64 address, u64 value)
{
    TRY("sd %1, (%0)", : "r"(address), "r"(value) : "t0", "memory");
    return csr_get(scause);
}

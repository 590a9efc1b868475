/* SPDX-License-Identifier: MIT */
/*
 * What a switch between machines carries: every control register that a guest can write holds what
 * it left there, whoever ran meanwhile. The pattern comes from the machine's name, so that two of
 * them watch each other.
 */
#include "guest.h"

#include "string.h"

enum {
    SECONDS = 2,
    STATUS_KEPT = 0xc0122, /* MXR, SUM, SPP, SPIE; SIE stays off */
    STATUS_SIE = 2,
    DOORBELL = 2,
    FP_ON = 0x6000,
    PC_BITS = 0xfffff8,
    CAUSE_BITS = 0xf,
    COUNTEREN_BITS = 7,
    FIOM = 1,
    FCSR_BITS = 0xe0,
    SIE_BITS = 0x222,
};

#define READ(name)                                          \
    ({                                                      \
        u64 value_;                                         \
        __asm__ volatile("csrr %0, " #name : "=r"(value_)); \
        value_;                                             \
    })
#define WRITE(name, value) __asm__ volatile("csrw " #name ", %0" : : "r"((u64)(value)))

static u64 pattern;

static u64 status_of(u64 seed)
{
    return seed << 17 & STATUS_KEPT & ~(u64)STATUS_SIE;
}

static void leave(u64 seed)
{
    WRITE(sscratch, seed * 0x0101010101010101UL);
    WRITE(sepc, (seed << 8 | 0x10000) & PC_BITS);
    WRITE(scause, seed & CAUSE_BITS);
    WRITE(stval, ~seed);
    WRITE(scounteren, seed & COUNTEREN_BITS);
    WRITE(senvcfg, seed & FIOM);
    WRITE(sie, seed << 1 & SIE_BITS);
    WRITE(sip, seed & 1 ? DOORBELL : 0);
    if (start->flags & START_FLAG_SSTC)
        WRITE(stimecmp, seed << 40);
    __asm__ volatile("csrs sstatus, %0" : : "r"((u64)FP_ON));
    WRITE(fcsr, seed << 5 & FCSR_BITS);
    __asm__ volatile("csrc sstatus, %0" : : "r"((u64)STATUS_KEPT));
    __asm__ volatile("csrs sstatus, %0" : : "r"(status_of(seed)));
}

static void look(const char *what, u64 found, u64 expected)
{
    if (found != expected)
        fail(what, "%lx instead of %lx", found, expected);
}

static void check(u64 seed)
{
    look("sstatus", READ(sstatus) & STATUS_KEPT, status_of(seed));
    look("sscratch", READ(sscratch), seed * 0x0101010101010101UL);
    look("sepc", READ(sepc), (seed << 8 | 0x10000) & PC_BITS);
    look("scause", READ(scause), seed & CAUSE_BITS);
    look("stval", READ(stval), ~seed);
    look("scounteren", READ(scounteren), seed & COUNTEREN_BITS);
    look("senvcfg", READ(senvcfg), seed & FIOM);
    look("sie", READ(sie), seed << 1 & SIE_BITS);
    look("sip", READ(sip) & DOORBELL, seed & 1 ? DOORBELL : 0);
    if (start->flags & START_FLAG_SSTC)
        look("stimecmp", READ(stimecmp), seed << 40);
    __asm__ volatile("csrs sstatus, %0" : : "r"((u64)FP_ON));
    look("fcsr", READ(fcsr), seed << 5 & FCSR_BITS);
}

void guest_main(void)
{
    u64 end = time_now() + SECONDS * start->timebase_hz;

    pattern = (u8)start->vm_name[strlen(start->vm_name) - 1];
    for (u64 round = 0; time_now() < end; round++) {
        u64 seed = (pattern * 37 + round * 11) & 0xff, until = time_now() + 1000;

        leave(seed | 1UL << 9);
        if (round % 2 == 0)
            must("yield", candor_yield());
        while (time_now() < until)
            ;
        check(seed | 1UL << 9);
    }
    WRITE(sie, 0);
    pass("control registers stay one's own");
}

/* SPDX-License-Identifier: MIT */
/*
 * Every register of the machine's devices by every kind of access, from kernel and user; interrupts
 * that nobody asked for, and claims that nobody made.
 */
#include "bare.h"

enum {
    PLACE = 0x40000000,
    UART_SCRATCH = 7,
    UART_INTERRUPT_ENABLE = 1,
    UART_FIFO = 2,
    UART_LINE_CONTROL = 3,
    UART_MODEM = 4,
    UART_TRANSMIT_INTERRUPT = 2,
    UART_NUMBER = 10,
    PLIC_ENABLE_S = 0x2080,
    PLIC_THRESHOLD_S = 0x201000,
    PLIC_CLAIM_S = 0x201004,
    PLIC_BYTES = 0x600000,
    STORM = 2000,
    /* loads and stores with a1 as the base, of or into a0 */
    LB = 0x00058503,
    LH = 0x00059503,
    LW = 0x0005a503,
    LD = 0x0005b503,
    LBU = 0x0005c503,
    LHU = 0x0005d503,
    LWU = 0x0005e503,
    SB = 0x00a58023,
    SH = 0x00a59023,
    SW = 0x00a5a023,
    SD = 0x00a5b023,
    FLW = 0x0005a507,
    FLD = 0x0005b507,
    FSW = 0x00a5a027,
    FSD = 0x00a5b027,
    LR_W = 0x1005a52f,
    LR_D = 0x1005b52f,
    SC_W = 0x18a5a52f,
    SC_D = 0x18a5b52f,
    AMOADD_W = 0x00a5a52f,
    AMOSWAP_D = 0x08a5b52f,
    C_LW = 0x41880001, /* c.nop; c.lw a0, 0(a1) */
    C_LD = 0x61880001,
    C_SW = 0xc1880001,
    C_SD = 0xe1880001,
    C_FLD = 0x21880001,
    C_FSD = 0xa1880001,
};

static const u32 plain[] = {LB, LH, LW, LD, LBU, LHU, LWU, SB, SH, SW, SD, C_LW, C_LD, C_SW, C_SD};
static const u32 others[] = {FLW,  FLD,  FSW,      FSD,       LR_W,  LR_D,
                             SC_W, SC_D, AMOADD_W, AMOSWAP_D, C_FLD, C_FSD};

/* One of them at an address: execute_cause has a0 alone, so the address goes into a page's code. */
static u32 code[8] __attribute__((aligned(8)));

struct access {
    u64 address, value;
};

static void run(void *argument)
{
    struct access *a = argument;
    register u64 r0 __asm__("a0") = a->value;
    register u64 r1 __asm__("a1") = a->address;

    __asm__ volatile("jalr %2" : "+r"(r0), "+r"(r1) : "r"(code) : "ra", "fa0", "memory");
    a->value = r0;
}

static u64 cause_at(u32 word, u64 address, u64 *value)
{
    struct access a = {address, value == NULL ? ~0UL : *value};
    u64 cause;

    code[0] = word;
    code[1] = 0x00008067; /* ret */
    __asm__ volatile("fence.i");
    cause = bare_try(run, &a, &last_trap) == 0 ? 0 : last_trap.cause;
    if (value != NULL)
        *value = a.value;
    return cause;
}

/* A value, or a fault of that access. */
static bool strange(u64 cause)
{
    return cause != 0 && cause != CAUSE_LOAD_ACCESS && cause != CAUSE_STORE_ACCESS &&
           cause != CAUSE_LOAD_MISALIGNED && cause != CAUSE_STORE_MISALIGNED;
}

static void uart_quiet(void)
{
    volatile u8 *uart = (volatile u8 *)UART_BASE;

    uart[UART_LINE_CONTROL] = 3;
    uart[UART_INTERRUPT_ENABLE] = 0;
    uart[UART_FIFO] = 0;
    uart[UART_MODEM] = 0;
}

/* Values are 0, so that the finisher finishes nothing and the port says nothing visible. */
static u64 all_accesses(u64 address)
{
    u64 wrong = 0, zero;

    for (u32 i = 0; i < ARRAY_SIZE(plain); i++) {
        zero = 0;
        wrong += strange(cause_at(plain[i], address, &zero));
    }
    return wrong;
}

static void every_register_every_width(void)
{
    u64 wrong = 0;

    for (u64 at = 0; at < 16; at++)
        wrong += all_accesses(FINISHER_BASE + at);
    for (u64 at = 0; at < 0x400; at += 3)
        wrong += all_accesses(PLIC_BASE + at);
    for (u64 at = 0; at < PLIC_BYTES; at += 0x1ffc)
        wrong += all_accesses(PLIC_BASE + at);
    for (u64 at = PLIC_BYTES - 16; at < PLIC_BYTES + 16; at++)
        wrong += all_accesses(PLIC_BASE + at);
    for (u64 at = 1; at < 16; at++)
        wrong += all_accesses(UART_BASE + at);
    uart_quiet();
    expect_none("an access to a device works or is refused", wrong);
}

/* Registers that hold what is written, by each value of a byte, and by ones. */
static void every_value(void)
{
    volatile u8 *uart = (volatile u8 *)UART_BASE;
    u64 wrong = 0;

    for (u32 value = 0; value < 256; value++) {
        uart[UART_SCRATCH] = (u8)value;
        wrong += uart[UART_SCRATCH] != value;
        for (u32 place = UART_INTERRUPT_ENABLE; place < UART_SCRATCH; place++)
            uart[place] = (u8)value;
        uart[UART_MODEM] = 0x10; /* to itself */
        uart[UART_LINE_CONTROL] = (u8)value;
    }
    uart_quiet();
    for (u64 at = 0; at < PLIC_BYTES; at += bare_machine ? 0x8004 : 0x804)
        (void)cause_at(SW, PLIC_BASE + (at & ~3UL), NULL);
    for (u64 at = 0; at < 0x4000; at += 4) {
        u64 zero = 0;

        (void)cause_at(SW, PLIC_BASE + at, NULL);
        (void)cause_at(LW, PLIC_BASE + at, NULL);
        (void)cause_at(SW, PLIC_BASE + at, &zero);
    }
    expect_none("registers take any value", wrong);
}

/* What a device does not know: the processor's other ways to access memory. */
static void atomics_and_floating_point(void)
{
    static const u64 places[] = {FINISHER_BASE, PLIC_BASE + 4, PLIC_BASE + PLIC_CLAIM_S,
                                 UART_BASE + UART_SCRATCH, UART_BASE};
    u64 wrong = 0;

    for (u32 i = 0; i < ARRAY_SIZE(places) && !bare_machine; i++) {
        for (u32 j = 0; j < ARRAY_SIZE(others); j++) {
            u64 zero = 0, cause = cause_at(others[j], places[i], &zero);

            /* A store without its reservation does not come to the device. */
            wrong += (cause == 0 && others[j] != SC_W && others[j] != SC_D) || strange(cause);
        }
    }
    expect_none("atomics and floating point are refused by devices", wrong);
}

static void compressed_like_others(void)
{
    u64 wrong = 0, five = 5, seven = 7, value = 0;

    wrong += cause_at(C_SW, PLIC_BASE + 4, &five) != 0;
    wrong += cause_at(LW, PLIC_BASE + 4, &value) != 0 || value != 5;
    wrong += cause_at(SW, PLIC_BASE + 4, &seven) != 0;
    wrong += cause_at(C_LW, PLIC_BASE + 4, &value) != 0 || value != 7;
    five = 0;
    wrong += cause_at(SW, PLIC_BASE + 4, &five) != 0;
    five = 0x80;
    wrong += cause_at(SB, UART_BASE + UART_SCRATCH, &five) != 0;
    wrong += cause_at(LB, UART_BASE + UART_SCRATCH, &value) != 0 || value != ~0x7fUL;
    wrong += cause_at(LBU, UART_BASE + UART_SCRATCH, &value) != 0 || value != 0x80;
    expect_none("compressed and other accesses see the same, with its sign", wrong);
}

static void from_user_mode(void)
{
    u64 *root = space_make(), wrong = 0, value;

    user_code_map(root);
    map_page(root, PLACE, entry_of((void *)PLIC_BASE, PTE_DATA | PTE_U));
    map_page(root, PLACE + PAGE_BYTES, entry_of((void *)PLIC_BASE, PTE_DATA));
    map_page(root, PLACE + 2 * PAGE_BYTES, entry_of((void *)PLIC_BASE, PTE_V | PTE_X | PTE_U));
    space_use(root, 1);
    value = user_load_cause(PLACE, NULL);
    wrong += value != 0 && value != CAUSE_LOAD_ACCESS; /* eight bytes are too many for some */
    wrong += user_load_cause(PLACE + PAGE_BYTES, NULL) != CAUSE_LOAD_PAGE;
    wrong += user_store_cause(PLACE + PAGE_BYTES, 1) != CAUSE_STORE_PAGE;
    wrong += user_load_cause(UART_BASE, NULL) != CAUSE_LOAD_PAGE;
    wrong += user_fetch_cause(PLACE + 2 * PAGE_BYTES) == 0;
    wrong += load_cause(PLACE, NULL) != CAUSE_LOAD_PAGE; /* without SUM */
    expect_none("users reach the devices that their kernel maps for them", wrong);
}

static void executed(void)
{
    static const u64 places[] = {FINISHER_BASE, PLIC_BASE, UART_BASE};
    u64 wrong = 0;

    for (u32 i = 0; i < ARRAY_SIZE(places) && !bare_machine; i++)
        wrong += fetch_cause(places[i]) != CAUSE_FETCH_ACCESS;
    expect_none("a device is not executed", wrong);
}

/* ---- interrupts ---- */

static void take_one(void *argument)
{
    (void)argument;
    csr_on(sstatus, SSTATUS_SIE);
    for (u32 i = 0; i < 100; i++)
        (void)time_now();
}

static void storm(void)
{
    volatile u32 *enable = (volatile u32 *)(PLIC_BASE + PLIC_ENABLE_S);
    volatile u32 *claim = (volatile u32 *)(PLIC_BASE + PLIC_CLAIM_S);
    volatile u8 *uart = (volatile u8 *)UART_BASE;
    u64 wrong = 0, taken = 0;

    *(volatile u32 *)(PLIC_BASE + 4 * UART_NUMBER) = 1;
    *(volatile u32 *)(PLIC_BASE + PLIC_THRESHOLD_S) = 0;
    enable[0] = 1U << UART_NUMBER;
    uart[UART_INTERRUPT_ENABLE] = UART_TRANSMIT_INTERRUPT;
    csr_put(sie, BIT(IRQ_EXTERNAL));
    for (u32 i = 0; i < STORM; i++) { /* never claimed, so never silent */
        bool came = bare_try(take_one, NULL, &last_trap) != 0;

        csr_off(sstatus, SSTATUS_SIE);
        taken += came && last_trap.cause == (CAUSE_INTERRUPT | IRQ_EXTERNAL);
        if (i % 3 == 0)
            claim[0] = (u32)random_next(); /* completes what was not claimed */
    }
    wrong += taken != STORM;
    for (u32 i = 0; i < STORM; i++) {
        u32 number = claim[0];

        wrong += number != 0 && number != UART_NUMBER;
        if (i & 1)
            claim[0] = number;
        if (i % 5 == 0)
            uart[UART_INTERRUPT_ENABLE] = i & 2;
    }
    uart_quiet();
    claim[0] = UART_NUMBER;
    enable[0] = 0;
    expect_none("an interrupt that is not served comes again, and only that one", wrong);
}

static void timers_and_soft_interrupts(void)
{
    u64 wrong = 0;

    csr_put(sie, BIT(IRQ_TIMER) | BIT(IRQ_SOFT));
    for (u32 i = 0; i < STORM / 4; i++) {
        csr_put(stimecmp, i & 1 ? 0 : time_now());
        wrong += bare_try(take_one, NULL, &last_trap) == 0 ||
                 last_trap.cause != (CAUSE_INTERRUPT | IRQ_TIMER);
        csr_off(sstatus, SSTATUS_SIE);
        csr_put(stimecmp, ~0UL);
        csr_on(sip, BIT(IRQ_SOFT));
        wrong += bare_try(take_one, NULL, &last_trap) == 0 ||
                 last_trap.cause != (CAUSE_INTERRUPT | IRQ_SOFT);
        csr_off(sstatus, SSTATUS_SIE);
        csr_off(sip, BIT(IRQ_SOFT));
        csr_put(stimecmp, 0);
        __asm__ volatile("wfi"); /* interrupts off: it ends all the same */
        csr_put(stimecmp, ~0UL);
        wrong += bare_try(take_one, NULL, &last_trap) != 0;
        csr_off(sstatus, SSTATUS_SIE);
    }
    csr_put(sie, 0);
    expect_none("a timer in the past comes at once, and is gone when it is put off", wrong);
}

static const struct attack attacks[] = {
    {"every-register-every-width", every_register_every_width},
    {"every-value", every_value},
    {"atomics-and-floating-point", atomics_and_floating_point},
    {"compressed-like-others", compressed_like_others},
    {"from-user-mode", from_user_mode},
    {"executed", executed},
    {"storm", storm},
    {"timers-and-soft-interrupts", timers_and_soft_interrupts},
};

void bare_main(void)
{
    attacks_make(attacks, ARRAY_SIZE(attacks));
}

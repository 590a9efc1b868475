/* SPDX-License-Identifier: MIT */
/*
 * What is in the registers after a call, a sleep, a turn of somebody else: what the ABI says, and
 * nothing of Candor's or of another machine's.
 */
#include "attacks.h"

#include "string.h"

enum {
    A0 = 10,
    A1 = 11,
    A6 = 16,
    A7 = 17,
    SPUN = 5,
    FP_REGISTERS = 32,
    FIRMWARE_FUNCTIONS = 16,
    NUMBERS_BEYOND = 3,
    ROUNDS = 40,
    SPIN_MS = 30,
    MS_A_SECOND = 1000,
    BASE = 0x400000,
    FCSR_ALL = 0xff,
};

static struct registers registers;
static u64 root;

/* Whether the call that was made may have been served by assembly. */
static bool is_served(void)
{
    return registers.in[A7] == CANDOR_EXTENSION &&
           (registers.in[A6] == HC_CALL_SPACE_SWITCH || registers.in[A6] == HC_CALL_PTE_SET);
}

static void fill_registers(u64 seed)
{
    for (u64 i = 1; i < 32; i++)
        registers.in[i] = seed * 0x9e3779b97f4a7c15UL + i * 0x0101010101010101UL;
}

/* Registers of `zero` are 0 (or, from a call that assembly serves, as they were: never a value of
 * Candor's), those of `any` are not looked at, all others are as they were. */
static void expect_registers(const char *name, u64 zero, u64 any)
{
    for (u64 i = 1; i < 32; i++) {
        bool given_up = (zero >> i & 1) != 0;
        bool is_kept = registers.out[i] == registers.in[i];
        bool right = given_up ? registers.out[i] == 0 || (is_kept && is_served()) : is_kept;

        if ((any >> i & 1) == 0 && !right)
            fail(name, "x%lu is %lx, was %lx (a6 %lx, a7 %lx)", i, registers.out[i],
                 registers.in[i], registers.in[A6], registers.in[A7]);
    }
}

static i64 call(u64 extension, u64 function, u64 zero)
{
    registers.in[A6] = function;
    registers.in[A7] = extension;
    registers_call(&registers);
    expect_registers("registers of a call", zero, BIT(A0) | BIT(A1));
    return (i64)registers.out[A0];
}

/* With arguments that are refused: a pattern is neither an address nor a number that a call takes.
 */
static void of_calls_that_fail(void)
{
    for (u64 number = 0; number < HC_CALL_COUNTERS + NUMBERS_BEYOND; number++) {
        if (number == HC_CALL_YIELD_IDLE)
            continue;
        for (u64 seed = 1; seed < 8; seed++) {
            fill_registers(seed | 1);
            (void)call(CANDOR_EXTENSION, number, GIVEN_UP);
        }
    }
    (void)candor_timer_set(UINT64_MAX);
    pass("a call that fails keeps what it must and leaves nothing of Candor's");
}

static void with_arguments(u64 number, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4)
{
    const u64 arguments[] = {a0, a1, a2, a3, a4};
    i64 error;

    fill_registers(number);
    memcpy(&registers.in[A0], arguments, sizeof(arguments));
    error = call(CANDOR_EXTENSION, number, GIVEN_UP);
    if (error != HC_OK)
        fail("a call that is right", "call %lu answers %ld", number, error);
}

static void of_calls_that_work(void)
{
    u64 other = make_space(BASE, NULL), array = take_page(), page = take_page(),
        table = take_pool_frame();
    u64 *words = gpa_to_pointer(array);

    for (u64 round = 0; round < 4; round++) {
        with_arguments(HC_CALL_VERSION, 0, 0, 0, 0, 0);
        with_arguments(HC_CALL_YIELD, 0, 0, 0, 0, 0);
        with_arguments(HC_CALL_YIELD_IDLE, time_now() + 2000, 0, 0, 0, 0);
        with_arguments(HC_CALL_TIMER_SET, UINT64_MAX, 0, 0, 0, 0);
        with_arguments(HC_CALL_TABLE_MAKE, table, 2, 0, 0, 0);
        with_arguments(HC_CALL_SPACE_SWITCH, table, 0, 0, 0, 0);
        with_arguments(HC_CALL_SPACE_SWITCH, root, 0, 0, 0, 0);
        with_arguments(HC_CALL_SPACE_SWITCH, table, 0, 0, 0, 0);
        with_arguments(HC_CALL_SPACE_SWITCH, root, 0, 0, 0, 0);
        with_arguments(HC_CALL_TABLE_FREE, table, 0, 0, 0, 0);
        with_arguments(HC_CALL_TABLE_MAKE, table, 0, 0, 0, 0);
        with_arguments(HC_CALL_TABLE_LINK, root, BASE + 0x200000, table, 0, 0);
        with_arguments(HC_CALL_TABLE_UNLINK, root, BASE + 0x200000, 0, 0, 0);
        with_arguments(HC_CALL_TABLE_FREE, table, 0, 0, 0, 0);
        with_arguments(HC_CALL_PTE_SET, root, BASE, leaf(page, PTE_R), 0, 0);
        with_arguments(HC_CALL_PTE_SET, root, BASE, leaf(page, PTE_R | PTE_W), 0, 0);
        with_arguments(HC_CALL_PTE_SET, root, BASE, leaf(page, PTE_X), 0, 0);
        with_arguments(HC_CALL_PTE_SET, root, BASE, 0, 0, 0);
        with_arguments(HC_CALL_PTE_SET, root, BASE, 0, 0, 0);
        with_arguments(HC_CALL_PTE_GET, root, BASE, 0, 0, 0);
        words[0] = page;
        with_arguments(HC_CALL_PTE_FILL, root, BASE, array, 1, PROT_READ | PROT_WRITE);
        with_arguments(HC_CALL_PTE_PROTECT, root, BASE, 8, PROT_READ, 0);
        with_arguments(HC_CALL_PTE_CLONE, other, root, BASE, 8, array);
        with_arguments(HC_CALL_PTE_CLEAR, root, BASE, 8, array, 0);
        with_arguments(HC_CALL_PTE_CLEAR, other, BASE, 8, array, 0);
        words[0] = BASE;
        words[1] = leaf(page, PTE_R);
        with_arguments(HC_CALL_PTE_BATCH, root, array, 1, 0, 0);
        with_arguments(HC_CALL_FLUSH, root, BASE, 512, 0, 0);
        with_arguments(HC_CALL_COUNTERS, array, 0, 0, 0, 0);
    }
    must("free", candor_table_free(other));
    pass("a call that works keeps what it must and leaves nothing of Candor's");
}

static void of_firmware_calls(void)
{
    const u64 extensions[] = {SBI_BASE, SBI_DEBUG_CONSOLE, SBI_SYSTEM_RESET, 0,
                              1,        0x54494d45,        UINT64_MAX,       1 << 24};

    for (u64 i = 0; i < ARRAY_SIZE(extensions); i++) {
        for (u64 function = 0; function < FIRMWARE_FUNCTIONS; function++) {
            fill_registers(i * FIRMWARE_FUNCTIONS + function + 1);
            if (extensions[i] != SBI_DEBUG_CONSOLE || function != DBCN_WRITE_BYTE)
                (void)call(extensions[i], function, 0);
        }
    }
    pass("a call of the standard keeps all but a0 and a1");
}

static void of_a_denied_trap_return(void)
{
    fill_registers(77);
    expect_true("it is denied without a shared page",
                call(CANDOR_EXTENSION, HC_CALL_TRAP_RETURN, GIVEN_UP) == HC_DENIED);
}

static void of_trap_return(void)
{
    struct shared_page *shared;
    u64 gpa = take_page();

    must("shared page", candor_shared_page(gpa));
    shared = gpa_to_pointer(gpa);
    for (u64 round = 0; round < ROUNDS; round++) {
        fill_registers(round + 1);
        registers.in[A6] = HC_CALL_TRAP_RETURN;
        registers.in[A7] = CANDOR_EXTENSION;
        shared->return_a6 = ~round;
        shared->return_a7 = round << 40;
        csr_put(sepc, (u64)registers_call_end);
        __asm__ volatile("csrs sstatus, %0; csrc sstatus, %1"
                         :
                         : "r"(SSTATUS_SPP), "r"(SSTATUS_SPIE));
        registers_call(&registers);
        expect_registers("a return from a trap keeps all registers", 0, BIT(A6) | BIT(A7));
        if (registers.out[A6] != ~round || registers.out[A7] != round << 40)
            fail("it loads a6 and a7", "%lx and %lx", registers.out[A6], registers.out[A7]);
    }
    __asm__ volatile("csrc sstatus, 2");
    pass("a return from a trap keeps all registers but a6 and a7");
}

static void when_another_has_a_turn(void)
{
    for (u64 round = 0; round < ROUNDS; round++) {
        fill_registers(round + 100);
        registers.in[SPUN + 1] = time_now() + start->timebase_hz * SPIN_MS / MS_A_SECOND;
        registers_spin(&registers);
        expect_registers("registers while others have their turns", 0, BIT(SPUN));
    }
    pass("what another machine does in between is not seen");
}

static void floating_point(void)
{
    u64 mine[FP_REGISTERS], found[FP_REGISTERS], wrong = 0;

    __asm__ volatile("csrs sstatus, %0" : : "r"(SSTATUS_FS));
    for (u64 round = 0; round < ROUNDS; round++) {
        for (u64 i = 0; i < FP_REGISTERS; i++)
            mine[i] = round * 0x1000193 + i;
        guest_fp_load(mine);
        csr_put(fcsr, round * 7 & FCSR_ALL);
        must("give way", round % 2 == 0 ? candor_yield() : candor_yield_idle(time_now() + 2000));
        guest_fp_store(found);
        wrong += memcmp(mine, found, sizeof(mine)) != 0 || csr_get(fcsr) != (round * 7 & FCSR_ALL);
    }
    expect_true("floating-point registers and fcsr are kept", wrong == 0);
}

/* Each register of its own kernel, with all bits set, none, and a pattern: kept over calls and
 * others' turns. */
#define KEPT(name, value)                                                               \
    do {                                                                                \
        u64 before_;                                                                    \
        csr_put(name, value);                                                           \
        before_ = csr_get(name);                                                        \
        must("yield", candor_yield());                                                  \
        must("idle", candor_yield_idle(time_now() + 2000));                             \
        must("set", candor_pte_set(root, BASE, 0));                                     \
        if (csr_get(name) != before_)                                                   \
            fail("a register of the kernel is kept", #name " was %lx, is %lx", before_, \
                 csr_get(name));                                                        \
    } while (0)

static void registers_of_the_kernel(void)
{
    const u64 values[] = {UINT64_MAX, 0, 0xa5a5a5a5a5a5a5a5UL, 0x5a5a5a5a5a5a5a5aUL, 1};
    u64 entry = csr_get(stvec);

    for (u64 i = 0; i < ARRAY_SIZE(values); i++) {
        KEPT(sscratch, values[i]);
        KEPT(sepc, values[i]);
        KEPT(scause, values[i]);
        KEPT(stval, values[i]);
        KEPT(scounteren, values[i]);
        KEPT(senvcfg, values[i]);
        KEPT(stimecmp, values[i] | BIT(63));
        KEPT(stvec, values[i]);
        csr_put(stvec, entry);
        KEPT(sie, values[i]);
        csr_put(sie, 0);
    }
    csr_put(sscratch, 0);
    pass("the registers of a kernel are its own");
}

static void status_of_the_kernel(void)
{
    const u64 shown = SSTATUS_SPIE | SSTATUS_SPP | SSTATUS_FS | SSTATUS_SUM | SSTATUS_MXR |
                      SSTATUS_SIE;

    for (u64 value = 0; value < 32; value++) {
        u64 want = (value & 1) * SSTATUS_SPIE | (value >> 1 & 1) * SSTATUS_SPP |
                   (value >> 2 & 1) * SSTATUS_FS | (value >> 3 & 1) * SSTATUS_SUM |
                   (value >> 4 & 1) * SSTATUS_MXR;

        csr_put(sstatus, want);
        must("yield", candor_yield());
        must("idle", candor_yield_idle(time_now() + 2000));
        if ((csr_get(sstatus) & shown) != want)
            fail("sstatus is kept", "%lx became %lx", want, csr_get(sstatus));
    }
    csr_put(sstatus, UINT64_MAX & ~(u64)SSTATUS_SIE);
    must("yield", candor_yield());
    csr_put(sstatus, 0);
    must("idle", candor_yield_idle(time_now() + 2000));
    pass("sstatus is the guest's own");
}

static void of_a_new_machine(void)
{
    for (u64 i = 1; i < 32; i++) {
        if (i != A0 && i != A1 && registers_first[i] != 0)
            fail("registers of a new machine", "x%lu holds %lx", i, registers_first[i]);
    }
    expect_true("a1 is where its start_info stands",
                registers_first[A1] == (u64)gpa_to_pointer(start->start_info_gpa));
}

static const struct attack attacks[] = {
    {"of-a-new-machine", of_a_new_machine},
    {"of-a-denied-trap-return", of_a_denied_trap_return},
    {"of-calls-that-fail", of_calls_that_fail},
    {"of-calls-that-work", of_calls_that_work},
    {"of-firmware-calls", of_firmware_calls},
    {"of-trap-return", of_trap_return},
    {"when-another-has-a-turn", when_another_has_a_turn},
    {"floating-point", floating_point},
    {"of-the-kernel", registers_of_the_kernel},
    {"status-of-the-kernel", status_of_the_kernel},
};

void guest_main(void)
{
    root = make_space(BASE, NULL);
    must("switch", candor_space_switch(root));
    attacks_make(attacks, ARRAY_SIZE(attacks));
}

/* SPDX-License-Identifier: MIT */
/*
 * What goes on for ever, each in a machine of its own, until the monitor ends it: traps without
 * end, floods of fences, interrupts and calls, a sleep that nothing ends, life after life.
 */
#include "bare.h"

#include "string.h"

enum {
    PLACE = 0x40000000,
    MARK = 0x5a,
    PIECE_BYTES = 1 << 20,
    UART_INTERRUPT_ENABLE = 1,
    UART_NUMBER = 10,
    PLIC_ENABLE_S = 0x2080,
    TABLES = 24,
};

static void vector_nowhere(void)
{
    csr_put(stvec, 0x300000);
    __asm__ volatile("ebreak");
}

static void vector_at_its_own_fault(void)
{
    __asm__ volatile("la t0, 1f\n\tcsrw stvec, t0\n\t.balign 4\n1:\t.word 0" : : : "t0");
}

static void vector_in_no_space(void)
{
    u64 *root = page_take();

    csr_put(satp, SATP_SV39 | (u64)root >> PAGE_SHIFT); /* maps nothing, its vector neither */
    fence_all();
}

static void root_nowhere(void)
{
    csr_put(satp, SATP_SV39 | 0x300);
    fence_all();
}

static void stack_nowhere(void)
{
    __asm__ volatile("la t0, 1f\n\tcsrw stvec, t0\n\tli sp, 16\n\t.balign 4\n1:\tsd ra, 0(sp)"
                     :
                     :
                     : "t0", "memory");
}

static void return_to_itself(void)
{
    __asm__ volatile("la t0, 1f\n\tli t1, 0x100\n1:\tcsrs sstatus, t1\n\tcsrw sepc, t0\n\tsret"
                     :
                     :
                     : "t0", "t1");
}

static void sleep_with_interrupts_off(void)
{
    csr_put(sie, 0);
    for (;;)
        __asm__ volatile("wfi");
}

static void timer_always_past(void)
{
    __asm__ volatile("la t0, 1f\n\tcsrw stvec, t0\n\tcsrw stimecmp, zero\n\tli t1, 0x20\n\t"
                     "csrw sie, t1\n\tcsrsi sstatus, 2\n2:\tj 2b\n\t.balign 4\n1:\tsret"
                     :
                     :
                     : "t0", "t1");
}

static void port_that_interrupts(void)
{
    *(volatile u32 *)(PLIC_BASE + 4 * UART_NUMBER) = 7;
    *(volatile u32 *)(PLIC_BASE + PLIC_ENABLE_S) = 1U << UART_NUMBER;
    *(volatile u8 *)(UART_BASE + UART_INTERRUPT_ENABLE) = 2;
    __asm__ volatile("la t0, 1f\n\tcsrw stvec, t0\n\tli t1, 0x200\n\tcsrw sie, t1\n\t"
                     "csrsi sstatus, 2\n2:\tj 2b\n\t.balign 4\n1:\tsret"
                     :
                     :
                     : "t0", "t1");
}

static void fences(void)
{
    u64 *root = space_make(), *tables[TABLES], *middle = page_take();

    root[1] = entry_of(middle, PTE_V);
    for (u32 i = 0; i < TABLES; i++) {
        tables[i] = page_take();
        middle[i] = entry_of(tables[i], PTE_V);
        tables[i][0] = entry_of(tables[i], PTE_DATA);
    }
    space_use(root, 1);
    for (u64 i = 0;; i++) {
        for (u32 j = 0; j < TABLES; j++) {
            (void)*(volatile u64 *)(PLACE + (u64)j * MEGAPAGE_BYTES);
            tables[j][1 + i % 511] = entry_of(tables[j], i & 1 ? PTE_DATA : 0);
        }
        fence_all();
    }
}

static void spaces(void)
{
    u64 *roots[2] = {space_make(), space_make()};

    for (u64 i = 0;; i++) {
        csr_put(satp, SATP_SV39 | (i & 0xffff) << 44 | (u64)roots[i & 1] >> PAGE_SHIFT);
        (void)*(volatile u64 *)roots[0];
    }
}

static void remote_fences(void)
{
    for (;;)
        (void)sbi(SBI_RFENCE, 1, 1, 0, 0, ~0UL, 0);
}

/* What this life leaves behind, no other one finds: memory, registers, rights. */
static void life_after_life(void)
{
    u64 registers[32], *root, *code, wrong = 0, size = bare_memory_end - RAM_BASE - 2 * PIECE_BYTES;

    for (u32 i = 1; i < 32; i++)
        wrong += i != 10 && i != 11 && bare_registers_first[i] != 0;
    bare_fp_store(registers);
    for (u32 i = 0; i < 32; i++)
        wrong += registers[i] != 0;
    wrong += csr_get(sscratch) > 1 || csr_get(stval) != 0 || csr_get(scause) != 0;
    for (u64 at = (u64)bare_end; at < RAM_BASE + size; at += sizeof(u64))
        wrong += *(volatile u64 *)at != 0;
    root = space_make();
    code = page_take();
    *code = 0x8067; /* ret */
    __asm__ volatile("fence.i");
    map_page(root, PLACE, entry_of(code, PTE_V | PTE_X | PTE_A));
    space_use(root, 1);
    wrong += fetch_cause(PLACE) != 0;
    wrong += load_cause(PLACE, NULL) != CAUSE_LOAD_PAGE;
    csr_on(sstatus, SSTATUS_MXR); /* and left so */
    wrong += load_cause(PLACE, NULL) != 0;
    space_leave();
    expect_none("a life begins with nothing of the one before", wrong);
    memset(bare_end, MARK, RAM_BASE + size - (u64)bare_end);
    memset(registers, MARK, sizeof(registers));
    bare_fp_load(registers);
    (void)sbi(SBI_RESET, 0, 1, 0, 0, 0, 0);
}

static const struct attack attacks[] = {
    {"vector-nowhere", vector_nowhere},
    {"vector-at-its-own-fault", vector_at_its_own_fault},
    {"vector-in-no-space", vector_in_no_space},
    {"root-nowhere", root_nowhere},
    {"stack-nowhere", stack_nowhere},
    {"return-to-itself", return_to_itself},
    {"sleep-with-interrupts-off", sleep_with_interrupts_off},
    {"timer-always-past", timer_always_past},
    {"port-that-interrupts", port_that_interrupts},
    {"fences", fences},
    {"spaces", spaces},
    {"remote-fences", remote_fences},
    {"life-after-life", life_after_life},
};

void bare_main(void)
{
    attacks_make(attacks, ARRAY_SIZE(attacks));
}

/* SPDX-License-Identifier: MIT */
/*
 * Floods of an unmodified machine: what makes Candor work for it, as often as it can, while a
 * neighbour wants its share of the hart (fair_share.c, of both kinds). args: which.
 */
#include "../lib/flood_times.h"
#include "bare.h"
#include "disk.h"

#include "string.h"

enum {
    PLACE = 0x40000000,
    ROUNDS = 8, /* between two looks at the clock */
    OUT_OF_STEP = 16,
    TICKS_A_SECOND = 10000000,
    LINE_BYTES = 64,
    UART_INTERRUPT_ENABLE = 1,
    UART_TRANSMIT_INTERRUPT = 2,
    UART_NUMBER = 10,
    PLIC_ENABLE_S = 0x2080,
    PLIC_CLAIM_S = 0x201004,
    RESET_COLD = 1,
    DISK_READ_BYTES = 128 << 10,
    WAIT_ROUNDS = 1000,
};

static u64 *roots[2], *tables[OUT_OF_STEP], *page, round_now;
static u64 nothing_done; /* rounds in which there was nothing to do yet */

static void flood_csr(void)
{
    csr_put(satp, csr_get(satp));
    csr_on(sstatus, SSTATUS_SUM);
    csr_off(sstatus, SSTATUS_SUM);
}

static void flood_faults(void)
{
    (void)load_cause(PLACE + GIGAPAGE_BYTES, NULL);
    (void)store_cause(0x300000, 0);
}

static void flood_illegal(void)
{
    (void)execute_cause(0, 0);
}

static void flood_fills(void)
{
    tables[0][0] = round_now++ & 1 ? entry_of(page, PTE_DATA) : 0;
    fence_page(PLACE);
    (void)load_cause(PLACE, NULL);
}

static void flood_fences(void)
{
    round_now++;
    for (u32 i = 0; i < OUT_OF_STEP; i++) {
        tables[i][1 + round_now % 500] = round_now & 1 ? 0 : entry_of(page, PTE_DATA);
        (void)load_cause(PLACE + (u64)i * MEGAPAGE_BYTES + (1 + round_now % 500) * PAGE_BYTES,
                         NULL);
    }
    fence_all();
}

static void flood_spaces(void)
{
    round_now++;
    csr_put(satp, SATP_SV39 | (round_now & 0xffff) << 44 | (u64)roots[round_now & 1] >> PAGE_SHIFT);
}

static void flood_remote(void)
{
    (void)sbi(SBI_RFENCE, 1, 1, 0, 0, ~0UL, 0);
}

static void flood_uart(void)
{
    *(volatile u8 *)UART_BASE = round_now++ % LINE_BYTES == 0 ? '\n' : 'u';
}

static void flood_newlines(void)
{
    *(volatile u8 *)UART_BASE = '\n';
}

/* Until an interrupt comes, which is soon. */
static void wait_open(void *argument)
{
    (void)argument;
    csr_on(sstatus, SSTATUS_SIE);
    for (u32 i = 0; i < WAIT_ROUNDS; i++)
        __asm__ volatile("" : : : "memory");
}

/* An interrupt that is claimed, completed and comes again. */
static void flood_plic(void)
{
    csr_put(sie, BIT(IRQ_EXTERNAL));
    if (bare_try(wait_open, NULL, &last_trap) == 0)
        nothing_done++;
    csr_off(sstatus, SSTATUS_SIE);
    *(volatile u32 *)(PLIC_BASE + PLIC_CLAIM_S) = *(volatile u32 *)(PLIC_BASE + PLIC_CLAIM_S);
    *(volatile u8 *)(UART_BASE + UART_INTERRUPT_ENABLE) = 0;
    *(volatile u8 *)(UART_BASE + UART_INTERRUPT_ENABLE) = UART_TRANSMIT_INTERRUPT;
}

static void flood_timer(void)
{
    csr_put(stimecmp, time_now() + 1);
    csr_put(sie, BIT(IRQ_TIMER));
    if (bare_try(wait_open, NULL, &last_trap) == 0)
        nothing_done++;
    csr_off(sstatus, SSTATUS_SIE);
}

static void flood_firmware_timer(void)
{
    (void)sbi(SBI_TIME, 0, time_now() + 1, 0, 0, 0, 0);
}

static void flood_reboot(void)
{
    (void)sbi(SBI_RESET, 0, RESET_COLD, 0, 0, 0, 0);
}

static void flood_spin(void)
{
}

/* All that there is on the disk, over and over. */
static void flood_disk(void)
{
    if (used.index != offered)
        nothing_done++;
    else
        offer(0);
}

static const struct {
    const char *name;
    void (*once)(void);
} floods[] = {
    {"csr", flood_csr},       {"faults", flood_faults}, {"illegal", flood_illegal},
    {"fills", flood_fills},   {"fences", flood_fences}, {"spaces", flood_spaces},
    {"remote", flood_remote}, {"uart", flood_uart},     {"newlines", flood_newlines},
    {"plic", flood_plic},     {"timer", flood_timer},   {"firmware-timer", flood_firmware_timer},
    {"disk", flood_disk},     {"reboot", flood_reboot}, {"spin", flood_spin},
};

static void prepare(void)
{
    page = page_take();
    for (u32 i = 0; i < ARRAY_SIZE(roots); i++)
        roots[i] = space_make();
    for (u64 i = 0; i < OUT_OF_STEP; i++) {
        (void)map_page(roots[0], PLACE + i * MEGAPAGE_BYTES, 0);
        tables[i] = (u64 *)(((u64 *)(roots[0][1] >> 10 << PAGE_SHIFT))[i] >> 10 << PAGE_SHIFT);
    }
    *(volatile u32 *)(PLIC_BASE + 4 * UART_NUMBER) = 1;
    *(volatile u32 *)(PLIC_BASE + PLIC_ENABLE_S) = 1U << UART_NUMBER;
    *(volatile u8 *)(UART_BASE + UART_INTERRUPT_ENABLE) = UART_TRANSMIT_INTERRUPT;
    if (disk_get(REG_DEVICE) == DEVICE_BLOCK) {
        disk_start();
        request_describe(TYPE_IN, 0, DISK_READ_BYTES);
    }
    space_use(roots[0], 1);
}

static u64 flood_time(u64 milliseconds)
{
    return milliseconds * (TICKS_A_SECOND / MS_A_SECOND);
}

void bare_main(void)
{
    u64 which = 0, times = 0;

    while (which < ARRAY_SIZE(floods) && strcmp(bare_args, floods[which].name) != 0)
        which++;
    if (which == ARRAY_SIZE(floods)) {
        fail("args", "no flood is called %s", bare_args);
        return;
    }
    prepare();
    csr_put(sie, BIT(IRQ_TIMER));
    csr_put(stimecmp, flood_time(FLOOD_BEGIN_MS));
    while (time_now() < flood_time(FLOOD_BEGIN_MS))
        __asm__ volatile("wfi");
    csr_put(stimecmp, ~0UL);
    csr_put(sie, 0);
    while (time_now() < flood_time(FLOOD_END_MS)) {
        for (u64 round = 0; round < ROUNDS; round++)
            floods[which].once();
        times += ROUNDS;
    }
    bare_printf("FLOOD %lu", times - nothing_done);
}

/* SPDX-License-Identifier: MIT */
/*
 * Leaves something in every register and in memory, and reboots, again and again. Each life must
 * start as the first did: whatever it finds would have been another's.
 */
#include "guest.h"

#include "string.h"

enum {
    FP_REGISTERS = 32,
    SSTATUS_LEFT = 0xc0022, /* MXR, SUM, SPIE, SIE */
    SIE_ALL = 0x222,
    LIVES_S = 2, /* it goes on until the machine is that old */
    POOL_PAGES = 8,
    MARK = 0x5a5a5a5a,
};

#define PLACE 0x40000000UL

static u64 left_in_memory;

static void look(const char *what, u64 found, u64 expected)
{
    if (found != expected)
        fail(what, "%lx", found);
}

static void look_around(void)
{
    static const u64 none[FP_REGISTERS];
    u64 fp[FP_REGISTERS];
    const u64 *pool = gpa_to_pointer(start->pool_base_gpa);
    const u64 *end = gpa_to_pointer(start->start_info_gpa - PAGE_BYTES);

    look("sstatus", csr_get(sstatus) & ~(3UL << 32), 0);
    look("UXL", csr_get(sstatus) >> 32 & 3, 2);
    look("sscratch", csr_get(sscratch), 0);
    look("sepc", csr_get(sepc), 0);
    look("scause", csr_get(scause), 0);
    look("stval", csr_get(stval), 0);
    look("sie", csr_get(sie), 0);
    look("sip", csr_get(sip), 0);
    look("scounteren", csr_get(scounteren), 0);
    look("senvcfg", csr_get(senvcfg), 0);
    look("stimecmp", csr_get(stimecmp), UINT64_MAX);
    __asm__ volatile("csrs sstatus, %0" : : "r"(SSTATUS_FS));
    guest_fp_store(fp);
    look("floating point", memcmp(fp, none, sizeof(none)) != 0, 0);
    look("fcsr", csr_get(fcsr), 0);
    look("own data", left_in_memory, 0);
    for (u32 i = 0; i < PAGE_BYTES / 8; i++) {
        look("a page past the image", end[i], 0);
        look("a pool frame that is no table", pool[PAGE_BYTES / 8 + i], 0);
    }
}

static void leave_traces(void)
{
    u64 fp[FP_REGISTERS], *end = gpa_to_pointer(start->start_info_gpa - PAGE_BYTES);
    u64 root = make_space(PLACE, NULL);

    for (u32 i = 0; i < FP_REGISTERS; i++)
        fp[i] = MARK + i;
    for (u32 i = 0; i < PAGE_BYTES / 8; i++)
        end[i] = MARK;
    left_in_memory = MARK;
    must("map", candor_pte_set(root, PLACE, leaf(take_page(), PTE_R | PTE_W)));
    must("switch", candor_space_switch(root));
    must("shared page", candor_shared_page(take_page()));
    must("timer", candor_timer_set(time_now() + 1));
    for (u32 i = 0; i < POOL_PAGES; i++)
        make_table(i % 3);
    guest_fp_load(fp);
    csr_put(fcsr, 0xff);
    csr_put(sscratch, MARK);
    csr_put(sepc, MARK);
    csr_put(scause, MARK);
    csr_put(stval, MARK);
    csr_put(scounteren, UINT64_MAX);
    csr_put(senvcfg, UINT64_MAX);
    csr_put(stimecmp, time_now() + 1);
    __asm__ volatile("csrs sip, 2");
    __asm__ volatile("csrs sstatus, %0" : : "r"(SSTATUS_LEFT & ~2UL));
    __asm__ volatile("csrc sstatus, %0; csrs sstatus, %1" : : "r"(3UL << 32), "r"(1UL << 32));
    csr_put(sie, SIE_ALL);
}

void guest_main(void)
{
    look_around();
    if (time_now() > LIVES_S * start->timebase_hz) {
        pass("every life starts anew");
        return;
    }
    leave_traces();
    sbi_call(SBI_SYSTEM_RESET, 0, SRST_REBOOT, 0, 0);
    fail("reboot", "it is still there");
}

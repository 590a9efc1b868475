/* SPDX-License-Identifier: MIT */
/*
 * Calls from odd places: an odd address, the two pages beside a page edge, the last instruction
 * below the hole in the address space; with users of 32 bits, and with a vectored trap entry.
 */
#include "guest.h"

#include "string.h"

enum {
    SSTATUS_WILD = 0xc6000, /* MXR, SUM, FS */
    STVEC_VECTORED = 1,
    LAST_PAGE_OFFSET = PAGE_BYTES - 4,
};

#define BASE 0x400000UL
#define TOP ((1UL << LOWER_HALF_SPAN_SHIFT) - PAGE_BYTES)
#define UXL_32 (1UL << 32)
#define UXL (3UL << 32)
#define NOT_CANONICAL (1UL << 45)

static const u8 call[] = {0x73, 0, 0, 0}, stop[] = {0x73, 0, 0x10, 0}; /* ecall, ebreak */

/* Goes to an address with a call's arguments set, by trap_return or by sret. */
struct place {
    u64 pc;
    u64 stvec;
    bool by_call;
};

static void go(void *argument)
{
    const struct place *place = argument;
    const u64 none[6] = {0};

    __asm__ volatile("csrs sstatus, %0" : : "r"((u64)SSTATUS_SPP | SSTATUS_WILD));
    __asm__ volatile("csrw sepc, %0" : : "r"(place->pc));
    if (place->stvec != 0)
        __asm__ volatile("csrw stvec, %0" : : "r"(place->stvec));
    if (place->by_call)
        (void)candor_call(HC_CALL_TRAP_RETURN, none);
    __asm__ volatile("li a6, 0\n li a7, %0\n sret" : : "i"(CANDOR_EXTENSION) : "a6", "a7");
}

static void try_place(const char *name, u64 pc, u64 cause, u64 at)
{
    struct guest_trap trap = {0};

    for (u32 by_call = 0; by_call < 2; by_call++) {
        struct place place = {pc, 0, by_call != 0};

        if (guest_try(go, &place, &trap) != 1 || trap.cause != cause || trap.pc != at)
            fail(name, "cause %lu at %lx", trap.cause, trap.pc);
    }
    pass(name);
}

static u64 map_code(u64 root, u64 address)
{
    u64 page = take_page();

    must("map", candor_pte_set(root, address, leaf(page, PTE_R | PTE_X)));
    return page;
}

void guest_main(void)
{
    u64 root = make_space(BASE, NULL), shared = take_page();
    u8 *first = gpa_to_pointer(map_code(root, BASE));
    u8 *second = gpa_to_pointer(map_code(root, BASE + PAGE_BYTES));
    u8 *last;
    struct shared_page *page = gpa_to_pointer(shared);
    struct place vectored = {BASE + 1, (u64)guest_trap_entry | STVEC_VECTORED, false};
    struct guest_trap trap;

    must("link", candor_table_link(root, TOP, make_table(1)));
    must("link", candor_table_link(root, TOP, make_table(0)));
    last = gpa_to_pointer(map_code(root, TOP));
    must("shared page", candor_shared_page(shared));
    page->return_a7 = CANDOR_EXTENSION;
    memcpy(first + 1, call, sizeof(call));
    memcpy(first + 5, stop, sizeof(stop));
    memcpy(first + LAST_PAGE_OFFSET + 2, call, 2);
    memcpy(second, call + 2, 2);
    memcpy(second + 2, stop, sizeof(stop));
    memcpy(last + LAST_PAGE_OFFSET, call, sizeof(call));
    __asm__ volatile("fence.i");
    must("switch", candor_space_switch(root));

    try_place("a call across a page edge", BASE + LAST_PAGE_OFFSET + 2, CAUSE_BREAKPOINT,
              BASE + PAGE_BYTES + 2);
    try_place("a call that returns into the hole", TOP + LAST_PAGE_OFFSET, CAUSE_FETCH_FAULT,
              TOP + PAGE_BYTES);
    try_place("a return into the hole", NOT_CANONICAL, CAUSE_FETCH_FAULT, NOT_CANONICAL);
    __asm__ volatile("csrc sstatus, %0; csrs sstatus, %1" : : "r"(UXL), "r"(UXL_32));
    try_place("the same with users of 32 bits", BASE + LAST_PAGE_OFFSET + 2, CAUSE_BREAKPOINT,
              BASE + PAGE_BYTES + 2);
    must("yield", candor_yield());
    __asm__ volatile("csrc sstatus, %0; csrs sstatus, %1" : : "r"(UXL), "r"(2UL << 32));

    /* The processor may or may not keep bit 0 of a pc; either way the guest gets its own trap. */
    expect_true("a call at an odd address", guest_try(go, &vectored, &trap) == 1);
    must("yield", candor_yield());
    pass("a vectored trap entry");
}

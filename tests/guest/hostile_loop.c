/* SPDX-License-Identifier: MIT */
/*
 * Machines that do nothing any more but trap, each in its way: stacks that are gone, faults in the
 * handler of faults, interrupts that never cease. That is their right, in their share; they go on
 * until somebody ends them.
 */
#include "attacks.h"

enum {
    BASE = 0x400000,
    USER = 0x401000,
    NOP = 0x13,
    LOAD_NOTHING = 0x3003,
    RETURN_FROM_TRAP = 0x10200073,
    STORE_ON_STACK = 0x113023,
    ILLEGAL = 0xffffffff,
    CODE_WORDS = 2,
    SIE_SOFT = 1 << 1,
    SIE_TIMER = 1 << 5,
};

#define TOP ((1UL << LOWER_HALF_SPAN_SHIFT) - PAGE_BYTES)

static u64 root, page;

/* A trap entry of two instructions. */
static void set_handler(u64 place, u32 first, u32 second)
{
    u32 *code = gpa_to_pointer(page + place % PAGE_BYTES);

    code[0] = first;
    if (place % PAGE_BYTES + CODE_WORDS * sizeof(u32) <= PAGE_BYTES)
        code[1] = second;
    must("map",
         candor_pte_set(root, ALIGN_DOWN(place, (u64)PAGE_BYTES), leaf(page, PTE_R | PTE_X)));
    __asm__ volatile("fence.i");
    csr_put(stvec, place);
}

static void trap_now(void)
{
    __asm__ volatile("li sp, 0x123; ld zero, 0x234(zero)" : : : "memory");
}

static void dead_stack(void)
{
    set_handler(BASE, NOP, STORE_ON_STACK);
    trap_now();
}

static void fault_in_the_handler(void)
{
    set_handler(BASE, NOP, LOAD_NOTHING);
    trap_now();
}

static void handler_returns_to_the_fault(void)
{
    set_handler(BASE, RETURN_FROM_TRAP, NOP);
    trap_now();
}

static void handler_at_the_edge(void)
{
    must("link", candor_table_link(root, TOP, make_table(1)));
    must("link", candor_table_link(root, TOP, make_table(0)));
    set_handler(TOP + PAGE_BYTES - 4, NOP, NOP);
    trap_now();
}

static void return_to_itself(void)
{
    u64 gpa = take_page();
    struct shared_page *shared = gpa_to_pointer(gpa);

    must("shared page", candor_shared_page(gpa));
    shared->return_a6 = HC_CALL_TRAP_RETURN;
    shared->return_a7 = CANDOR_EXTENSION;
    __asm__ volatile("csrs sstatus, %0" : : "r"(SSTATUS_SPP | SSTATUS_SPIE));
    __asm__ volatile("la t0, 1f\n csrw sepc, t0\n li a6, %0\n li a7, %1\n"
                     "1: csrs sstatus, %2\n ecall\n"
                     :
                     : "i"(HC_CALL_TRAP_RETURN), "i"(CANDOR_EXTENSION), "r"(SSTATUS_SPP)
                     : "t0", "a6", "a7", "memory");
}

static void interrupts_without_end(u64 which)
{
    set_handler(BASE, RETURN_FROM_TRAP, NOP);
    csr_put(stimecmp, 0);
    __asm__ volatile("csrs sip, 2");
    csr_put(sie, which);
    __asm__ volatile("csrs sstatus, 2");
    for (;;)
        __asm__ volatile("");
}

static void doorbell_never_silenced(void)
{
    interrupts_without_end(SIE_SOFT);
}

static void timer_never_silenced(void)
{
    interrupts_without_end(SIE_TIMER);
}

static void illegal_user_for_ever(void)
{
    u64 user = take_page();

    *(u32 *)gpa_to_pointer(user) = ILLEGAL;
    must("map", candor_pte_set(root, USER, leaf(user, PTE_R | PTE_X | PTE_U)));
    set_handler(BASE, RETURN_FROM_TRAP, NOP);
    guest_enter_user(USER, 0);
}

static void space_after_space(void)
{
    u64 other = make_space(BASE, NULL);

    for (;;) {
        (void)candor_space_switch(other);
        (void)candor_space_switch(root);
    }
}

static const struct attack attacks[] = {
    {"dead-stack", dead_stack},
    {"fault-in-the-handler", fault_in_the_handler},
    {"returns-to-the-fault", handler_returns_to_the_fault},
    {"handler-at-the-edge", handler_at_the_edge},
    {"return-to-itself", return_to_itself},
    {"doorbell-never-silenced", doorbell_never_silenced},
    {"timer-never-silenced", timer_never_silenced},
    {"illegal-user-for-ever", illegal_user_for_ever},
    {"space-after-space", space_after_space},
};

void guest_main(void)
{
    root = make_space(BASE, NULL);
    page = take_page();
    must("switch", candor_space_switch(root));
    attacks_make(attacks, ARRAY_SIZE(attacks));
    guest_printf("EXECUTED");
}

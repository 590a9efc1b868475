/* SPDX-License-Identifier: MIT */
/*
 * Trap entries that cannot work, each in a machine of its own: a trap comes, its entry traps, and
 * so for ever without Candor, or by way of it. Candor ends the machine.
 */
#include "attacks.h"

enum {
    BASE = 0x400000,
    CODE = 0x401000,
    NOWHERE = 0x7000,
    VECTORED = 1,
    RETURN_FROM_TRAP = 0x10200073,
    LOAD_NOTHING = 0x3003
};

static u64 root, page;

static void point_at(u64 entry)
{
    csr_put(stvec, entry);
}

static void at_nothing(void)
{
    point_at(NOWHERE);
}

static void at_zero(void)
{
    point_at(0);
}

static void at_the_pool(void)
{
    point_at((u64)gpa_to_pointer(start->pool_base_gpa + start->pool_bytes - PAGE_BYTES));
}

static void at_data(void)
{
    point_at((u64)gpa_to_pointer(page));
}

static void at_a_users_page(void)
{
    must("map", candor_pte_set(root, CODE, leaf(page, PTE_R | PTE_X | PTE_U)));
    point_at(CODE);
}

static void at_no_address(void)
{
    point_at(BIT(45));
}

static void behind_memory(void)
{
    point_at((u64)gpa_to_pointer(start->memory_base_gpa + start->memory_bytes));
}

static void before_the_end_of_addresses(void)
{
    point_at(0UL - 4);
}

static void vectored_to_nothing(void)
{
    point_at(NOWHERE | VECTORED);
}

static void map_handler(void)
{
    u32 *code = gpa_to_pointer(page);

    code[0] = RETURN_FROM_TRAP;
    must("map", candor_pte_set(root, CODE, leaf(page, PTE_R | PTE_X)));
    __asm__ volatile("fence.i");
    point_at(CODE);
}

static void taken_away(void)
{
    map_handler();
    must("clear", candor_pte_set(root, CODE, 0));
}

static void made_data(void)
{
    map_handler();
    must("protect", candor_pte_protect(root, CODE, 1, PROT_READ | PROT_WRITE));
}

static void table_unlinked(void)
{
    map_handler();
    must("unlink", candor_table_unlink(root, CODE, 0));
}

static void in_another_space(void)
{
    map_handler();
    must("switch", candor_space_switch(start->boot_root_gpa));
}

static void root_freed(void)
{
    map_handler();
    leave_space(root);
}

static void replaced_by_a_table(void)
{
    map_handler();
    must("map", candor_pte_set(root, CODE, leaf(make_table(0), PTE_R | PTE_X)));
    /* All zeros is no instruction: this one ends as an illegal one. */
}

static void first_instruction_traps(void)
{
    u32 *code = gpa_to_pointer(page);

    map_handler();
    code[0] = LOAD_NOTHING;
    __asm__ volatile("fence.i");
}

static const struct attack attacks[] = {
    {"at-nothing", at_nothing},
    {"at-zero", at_zero},
    {"at-the-pool", at_the_pool},
    {"at-data", at_data},
    {"at-a-users-page", at_a_users_page},
    {"at-no-address", at_no_address},
    {"behind-memory", behind_memory},
    {"at-the-end-of-addresses", before_the_end_of_addresses},
    {"vectored-to-nothing", vectored_to_nothing},
    {"taken-away", taken_away},
    {"made-data", made_data},
    {"table-unlinked", table_unlinked},
    {"in-another-space", in_another_space},
    {"root-freed", root_freed},
    {"replaced-by-a-table", replaced_by_a_table},
    {"first-instruction-traps", first_instruction_traps},
};

void guest_main(void)
{
    root = make_space(BASE, NULL);
    page = take_page();
    must("switch", candor_space_switch(root));
    attacks_make(attacks, ARRAY_SIZE(attacks));
    guest_expect_end("its trap entry cannot work");
    csr_put(sscratch, UINT64_MAX);
    __asm__ volatile("li sp, 0x123; ld zero, 0x234(zero)" : : : "memory");
    for (;;)
        (void)candor_call(HC_CALL_COUNT, (const u64[6]){0});
}

/* SPDX-License-Identifier: MIT */
/*
 * Looks at every word of its memory for what another machine, or an earlier life, has left; then
 * writes over all of it, maps it, and reboots. Several of these live and die at once: the memory
 * goes from one to the other, from hart to hart.
 */
#include "attacks.h"

enum { BASE = 0x400000, LIVES_S = 3, MARK = 0x6b6b6b6b };

static u64 found, found_at;

static void look_at(u64 from, u64 to)
{
    for (u64 at = from; at < to; at += sizeof(u64)) {
        u64 word = *(volatile u64 *)gpa_to_pointer(at);

        if (word != 0 && found_at == 0) {
            found = word;
            found_at = at;
        }
    }
}

static void memory_is_empty(void)
{
    u64 end = start->memory_base_gpa + start->memory_bytes;
    u64 image_end = ALIGN_UP(start->image_base_gpa + start->image_bytes, (u64)PAGE_BYTES);
    struct guest_trap trap;

    /* The first frame of the pool is the boot root. */
    look_at(start->pool_base_gpa + PAGE_BYTES, start->pool_base_gpa + start->pool_bytes);
    look_at(image_end, start->start_info_gpa);
    look_at(start->start_info_gpa + sizeof(struct start_info), end);
    if (found_at != 0)
        fail("memory of a new life is empty", "%lx at %lx", found, found_at);
    if (try_load(BASE, NULL, &trap))
        fail("the lower half of a new life", "something is mapped there");
}

static void registers_are_empty(void)
{
    for (u32 i = 1; i < 32; i++) {
        if (i != 10 && i != 11 && registers_first[i] != 0)
            fail("registers of a new life are empty", "x%u holds %lx", i, registers_first[i]);
    }
}

static void leave_all_of_it(void)
{
    u64 end = start->memory_base_gpa + start->memory_bytes, root, page = take_page();

    root = make_space(BASE, NULL);
    must("map", candor_pte_set(root, BASE, leaf(page, PTE_R | PTE_W)));
    must("switch", candor_space_switch(root));
    *(volatile u64 *)BASE = MARK;
    for (u64 at = page; at < end; at += sizeof(u64))
        *(volatile u64 *)gpa_to_pointer(at) = MARK;
    for (u32 level = 0; level < 30; level++)
        make_table(level % 3);
}

void guest_main(void)
{
    memory_is_empty();
    registers_are_empty();
    if (time_now() > LIVES_S * start->timebase_hz) {
        guest_printf("ATTACK memory-of-others");
        pass("every life found its memory and registers empty");
        return;
    }
    leave_all_of_it();
    sbi_call(SBI_SYSTEM_RESET, 0, SRST_REBOOT, 0, 0);
    fail("reboot", "it is still there");
}

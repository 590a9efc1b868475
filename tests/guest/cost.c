/* SPDX-License-Identifier: MIT */
/*
 * What the calls cost in instructions, the guest's own included, from the first that loads an
 * argument to the one after the ecall. Run it with counters=raw under icount; it prints one line a
 * call and judges nothing.
 */
#include "guest.h"

enum { PAGES = 100, RIGHTS = PTE_R | PTE_W | PTE_U };

#define PLACE 0x40000000UL

static u64 frames[512] __attribute__((aligned(4096)));
static u64 overhead;

static inline u64 count_now(void)
{
    u64 now;

    __asm__ volatile("rdinstret %0" : "=r"(now) : : "memory");
    return now;
}

#define COST(name, call)                                                                       \
    do {                                                                                       \
        u64 before_ = count_now();                                                             \
        struct hc_result result_ = call;                                                       \
        u64 after_ = count_now();                                                              \
        guest_printf("COST %s: %lu (error %ld, value %lx)", name, after_ - before_ - overhead, \
                     result_.error, result_.value);                                            \
    } while (0)

void guest_main(void)
{
    u64 last, root = make_space(PLACE, &last), other = make_space(PLACE, NULL);
    u64 page = take_page(), page2 = take_page(), spare = take_pool_frame();
    u64 before = count_now();

    overhead = count_now() - before;
    for (u64 i = 0; i < 512; i++)
        frames[i] = take_page();
    COST("version", candor_version());
    COST("space_switch, first", candor_space_switch(root));
    COST("space_switch", candor_space_switch(root));
    COST("space_switch", candor_space_switch(root));
    COST("pte_set absent, first", candor_pte_set(root, PLACE, leaf(page, RIGHTS)));
    COST("pte_set present", candor_pte_set(root, PLACE, leaf(page2, RIGHTS)));
    COST("pte_set clear", candor_pte_set(root, PLACE, 0));
    COST("pte_set absent", candor_pte_set(root, PLACE, leaf(page2, RIGHTS)));
    COST("pte_get", candor_pte_get(root, PLACE));
    COST("pte_set clear", candor_pte_set(root, PLACE, 0));
    COST("table_make 0", candor_table_make(spare, 0));
    COST("table_link", candor_table_link(root, PLACE + 0x200000, spare));
    COST("table_unlink", candor_table_unlink(root, PLACE + 0x200000, 0));
    COST("table_free", candor_table_free(spare));
    COST("table_make 2", candor_table_make(spare, 2));
    COST("table_free", candor_table_free(spare));
    COST("pte_fill 100", candor_pte_fill(root, PLACE, pointer_to_gpa(frames), PAGES,
                                         PROT_READ | PROT_WRITE | PROT_USER));
    COST("pte_clone 100", candor_pte_clone(other, root, PLACE, PAGES, pointer_to_gpa(frames)));
    COST("pte_protect 100",
         candor_pte_protect(root, PLACE, PAGES, PROT_READ | PROT_WRITE | PROT_USER));
    COST("pte_clear 100", candor_pte_clear(root, PLACE, PAGES, pointer_to_gpa(frames)));
    for (u64 i = 0; i < 512; i++)
        frames[i] = page;
    COST("pte_fill 512", candor_pte_fill(root, PLACE, pointer_to_gpa(frames), 512,
                                         PROT_READ | PROT_WRITE | PROT_USER));
    COST("pte_clear 512", candor_pte_clear(other, PLACE, 512, pointer_to_gpa(frames)));
    COST("pte_clone 512", candor_pte_clone(other, root, PLACE, 512, pointer_to_gpa(frames)));
    COST("pte_protect 512",
         candor_pte_protect(root, PLACE, 512, PROT_READ | PROT_WRITE | PROT_USER));
    COST("pte_clear 512", candor_pte_clear(root, PLACE, 512, pointer_to_gpa(frames)));
    COST("pte_clear 512 empty", candor_pte_clear(root, PLACE, 512, pointer_to_gpa(frames)));
    COST("yield", candor_yield());
    COST("yield_idle, past", candor_yield_idle(0));
}

/* SPDX-License-Identifier: MIT */
/*
 * How far loads, stores, atomics and jumps reach: to its own memory, to its tables for reading, and
 * nowhere else.
 */
#include "attacks.h"

enum reach {
    LOAD_BYTE,
    LOAD,
    LOAD_RESERVED,
    JUMP,
    STORE_BYTE,
    STORE,
    STORE_CONDITIONAL,
    ATOMIC,
    SWAP_WORD,
    REACHES
};
enum {
    FIRST_WRITE = STORE_BYTE,
    BASE = 0x400000,
    GIBIBYTES = 256,
    ROUNDS = 50,
    CAUSE_LAST_KERNELS = 15
};

/* Machine addresses of QEMU's board: none of them is a guest's. */
static const u64 devices[] = {
    0x0,        0x1000,     0x100000,   0x101000,   0x2000000,  0x200bff8,   0xc000000, 0xc201000,
    0x10000000, 0x10001000, 0x20000000, 0x30000000, 0x40000000, 0x400000000, 0x3000000,
};

struct probe {
    u64 gva;
    enum reach how;
};

static void make_probe(void *argument)
{
    const struct probe *probe = argument;
    u64 x = 0x55;

    switch (probe->how) {
    case LOAD_BYTE:
        __asm__ volatile("lb %0, 0(%1)" : "=r"(x) : "r"(probe->gva));
        break;
    case LOAD:
        __asm__ volatile("ld %0, 0(%1)" : "=r"(x) : "r"(probe->gva));
        break;
    case LOAD_RESERVED:
        __asm__ volatile("lr.d %0, (%1)" : "=r"(x) : "r"(probe->gva));
        break;
    case JUMP:
        ((void (*)(void))probe->gva)();
        break;
    case STORE_BYTE:
        __asm__ volatile("sb %0, 0(%1)" : : "r"(x), "r"(probe->gva) : "memory");
        break;
    case STORE:
        __asm__ volatile("sd %0, 0(%1)" : : "r"(x), "r"(probe->gva) : "memory");
        break;
    case STORE_CONDITIONAL:
        __asm__ volatile("lr.d %0, (%1)\n sc.d %0, %0, (%1)"
                         : "+r"(x)
                         : "r"(probe->gva)
                         : "memory");
        break;
    case ATOMIC:
        __asm__ volatile("amoor.d %0, %0, (%1)" : "+r"(x) : "r"(probe->gva) : "memory");
        break;
    default:
        __asm__ volatile("amoswap.w %0, %0, (%1)" : "+r"(x) : "r"(probe->gva) : "memory");
        break;
    }
}

/* Whether it worked. A trap must be the guest's own: a page fault, or one for an address that is
 * not aligned. */
static bool reaches(u64 gva, enum reach how, struct guest_trap *trap)
{
    struct probe probe = {gva, how};

    return guest_try(make_probe, &probe, trap) == 0;
}

static bool is_page_fault(const struct guest_trap *trap)
{
    return trap->cause == CAUSE_FETCH_FAULT || trap->cause == CAUSE_LOAD_FAULT ||
           trap->cause == CAUSE_STORE_FAULT;
}

/* Nothing at all reaches this address. */
static void expect_closed(const char *name, u64 gva)
{
    for (u32 how = 0; how < REACHES; how++) {
        struct guest_trap trap;

        if (reaches(gva, how, &trap))
            fail(name, "%lx is reached (%u)", gva, how);
        else if (!is_page_fault(&trap))
            fail(name, "cause %lu at %lx (%u)", trap.cause, trap.value, how);
    }
}

/* Nothing that writes reaches this address, and it holds the same afterwards. */
static void expect_read_only(const char *name, u64 gva)
{
    u64 before = *(volatile u64 *)gva;

    for (u32 how = FIRST_WRITE; how < REACHES; how++) {
        struct guest_trap trap;

        if (how ==
            STORE_CONDITIONAL) /* it may fail without a fault: its reservation is not promised */
            (void)reaches(gva, how, &trap);
        else if (reaches(gva, how, &trap) || !is_page_fault(&trap))
            fail(name, "%lx is written (%u), cause %lu", gva, how, trap.cause);
    }
    expect_true(name, *(volatile u64 *)gva == before);
}

static void pool_by_every_instruction(void)
{
    expect_read_only("the boot root", (u64)gpa_to_pointer(start->boot_root_gpa) + 8 * 300);
    expect_read_only("a table", (u64)gpa_to_pointer(make_table(0)));
    expect_read_only("the pool's last word",
                     (u64)gpa_to_pointer(start->pool_base_gpa + start->pool_bytes - 8));
}

static void own_text_by_every_instruction(void)
{
    expect_read_only("text", (u64)guest_trap_entry & ~7UL);
}

static void devices_at_their_addresses(void)
{
    must("switch", candor_space_switch(start->boot_root_gpa));
    for (u64 i = 0; i < ARRAY_SIZE(devices); i++) {
        expect_closed("a device at its machine address", devices[i]);
        expect_closed("a device through the direct map", start->direct_map_gva + devices[i]);
    }
    pass("no device is reached");
}

static void candor_at_its_addresses(void)
{
    u64 own_end = start->memory_base_gpa + start->memory_bytes;

    for (u64 at = 0x80000000UL; at < 0x90000000UL; at += 0x100000) {
        expect_closed("machine memory at its own address", at);
        if (at >= own_end)
            expect_closed("machine memory through the direct map", start->direct_map_gva + at);
    }
    pass("neither Candor nor another machine is reached");
}

static void beyond_memory(void)
{
    u64 end = start->memory_base_gpa + start->memory_bytes;

    expect_closed("behind its memory", (u64)gpa_to_pointer(end));
    expect_closed("before its memory", (u64)gpa_to_pointer(start->memory_base_gpa - 8));
    expect_closed("far behind its memory", (u64)gpa_to_pointer(end + BIT(33)));
    expect_closed("the last word of all", ~7UL);
    expect_closed("the first of the upper half", start->direct_map_gva);
    pass("its memory ends where it ends");
}

static void every_gibibyte(void)
{
    u64 mapped = 0, wrong = 0;
    struct guest_trap trap;

    for (u64 i = 0; i < GIBIBYTES; i++) {
        u64 low = i << 30, high = start->direct_map_gva + low;
        bool own = low == start->memory_base_gpa;

        mapped += reaches(low, LOAD, &trap);
        wrong += reaches(high, LOAD, &trap) != own;
        wrong += reaches(high + BIT(30) - 8, LOAD, &trap) && !own;
    }
    expect_true("the boot root's lower half is empty", mapped == 0);
    expect_true("its upper half shows the direct map alone", wrong == 0);
}

static void addresses_that_are_none(void)
{
    for (u32 bit = LOWER_HALF_SPAN_SHIFT; bit < 63; bit++) {
        expect_closed("a bit above the lower half", BIT(bit) | BASE);
        expect_closed("an address of the direct map with one bit changed",
                      (start->direct_map_gva + start->memory_base_gpa) ^ BIT(bit));
    }
    pass("an address must be the extension of its bit 38");
}

static void across_edges(void)
{
    u64 end = (u64)gpa_to_pointer(start->memory_base_gpa + start->memory_bytes);
    u64 pool_end = (u64)gpa_to_pointer(start->pool_base_gpa + start->pool_bytes);
    struct guest_trap trap;
    u64 before = *(volatile u64 *)(pool_end - 8);

    expect_true("a load across the memory's end",
                !reaches(end - 4, LOAD, &trap) && is_page_fault(&trap));
    expect_true("a store across it", !reaches(end - 4, STORE, &trap) && is_page_fault(&trap));
    expect_true("a jump across it", !reaches(end - 2, JUMP, &trap) && is_page_fault(&trap));
    expect_true("a store out of the pool",
                !reaches(pool_end - 4, STORE, &trap) && is_page_fault(&trap));
    expect_true("the pool is as it was", *(volatile u64 *)(pool_end - 8) == before);
}

/* From a page that it may write to one of the pool behind it. */
static void across_into_a_table(void)
{
    u64 table, root = make_space(BASE, &table), page = take_page();
    volatile u64 *entries = gpa_to_pointer(table);
    struct guest_trap trap;
    u64 before;

    must("map data", candor_pte_set(root, BASE, leaf(page, PTE_R | PTE_W)));
    must("map the table", candor_pte_set(root, BASE + PAGE_BYTES, leaf(table, PTE_R)));
    must("switch", candor_space_switch(root));
    before = entries[0];
    for (u64 offset = 1; offset < 8; offset++) {
        if (reaches(BASE + PAGE_BYTES - offset, STORE, &trap) || !is_page_fault(&trap))
            fail("a store from data into a table", "offset %lu, cause %lu", offset, trap.cause);
    }
    expect_true("the table is as it was", entries[0] == before);
    expect_read_only("the table at its second address", BASE + PAGE_BYTES);
    leave_space(root);
}

static void misaligned_atomics(void)
{
    u64 page = (u64)gpa_to_pointer(take_page()), wrong = 0;
    struct guest_trap trap;

    for (u64 offset = 1; offset < 8; offset++) {
        for (u32 how = 0; how < REACHES; how++) {
            if (how != JUMP && !reaches(page + offset, how, &trap))
                wrong += trap.cause > CAUSE_LAST_KERNELS || trap.pc < start->direct_map_gva;
        }
    }
    expect_true("each works or is the guest's own trap", wrong == 0);
}

static void reservations_across_a_switch(void)
{
    volatile u64 *word = gpa_to_pointer(take_page());
    u64 wrong = 0;

    for (u64 round = 1; round < ROUNDS; round++) {
        u64 ignored, failed;

        *word = 0;
        __asm__ volatile("lr.d %0, (%1)" : "=r"(ignored) : "r"(word) : "memory");
        must("give way", round % 2 == 0 ? candor_yield() : candor_yield_idle(time_now() + 1000));
        *word = 1;
        __asm__ volatile("sc.d %0, %2, (%1)" : "=&r"(failed) : "r"(word), "r"(round) : "memory");
        wrong += *word != (failed != 0 ? 1 : round);
    }
    expect_true("a conditional store stores, or says that it does not", wrong == 0);
}

static const struct attack attacks[] = {
    {"pool-by-every-instruction", pool_by_every_instruction},
    {"own-text-by-every-instruction", own_text_by_every_instruction},
    {"devices-at-their-addresses", devices_at_their_addresses},
    {"candor-at-its-addresses", candor_at_its_addresses},
    {"beyond-memory", beyond_memory},
    {"every-gibibyte", every_gibibyte},
    {"addresses-that-are-none", addresses_that_are_none},
    {"across-edges", across_edges},
    {"across-into-a-table", across_into_a_table},
    {"misaligned-atomics", misaligned_atomics},
    {"reservations-across-a-switch", reservations_across_a_switch},
};

void guest_main(void)
{
    attacks_make(attacks, ARRAY_SIZE(attacks));
}

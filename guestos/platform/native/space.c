/* SPDX-License-Identifier: MIT */
/*
 * Spaces on the bare machine: Sv39 tables and ASIDs.
 *
 * A space that ends has no page mapped. It is kept with its tables linked, and the next one that is
 * wanted begins with them: most processes use the same few tables.
 *
 * Each CPU has ASIDs of its own. One is given at its first switch to a space and not used again
 * before all of them are used up; then the CPU flushes every translation and begins a new
 * generation. So a space that is never switched to again needs no flush when it ends.
 *
 * Shoot-down: SPACE_HOLDERS are the CPUs that have been in a space, SPACE_INSIDE those that are.
 * Who changes what a CPU may remember flushes its own translations and takes the ASID away from the
 * other holders, so that they find nothing of this space when they enter it again; those that are
 * inside flush at once, by the firmware. A CPU says that it is inside before it looks at its ASID,
 * and the other takes the ASID away before it looks who is inside: so one of the two sees the
 * other.
 */
#include "arch.h"
#include "frank/errno.h"
#include "kernel/cpu.h"
#include "kernel/page.h"
#include "machine.h"
#include "platform.h"
#include "riscv.h"
#include "sbi.h"
#include "spare_spaces.h"
#include "string.h"
#include "sv39.h"

/* What the words of a struct plat_space are. */
enum space_word {
    SPACE_ROOT,
    SPACE_TABLE_COUNT, /* below the root */
    SPACE_HOLDERS,     /* one bit a CPU; the bits of others are atomic, as in the next */
    SPACE_INSIDE,
    SPACE_ASID, /* one word a CPU, with its generation above ASID_BITS; 0: none */
};
_Static_assert(SPACE_ASID + CPU_COUNT_MAX <= ARRAY_SIZE(((struct plat_space *)0)->words),
               "a space has room for them");

enum space_limits {
    ASID_BITS = 16,
    ASID_SHIFT = 44,      /* in satp */
    SPARE_TABLES_MAX = 6, /* a space with more is taken apart at once */
};

static u64 asid_max;

/* What each CPU alone knows. */
static struct hart {
    u64 asid_used, asid_generation;
    struct plat_space *space; /* where it is, if there are other CPUs */
} harts[CPU_COUNT_MAX];

_Static_assert((PLAT_PROT_READ << 1) == PTE_R && (PLAT_PROT_WRITE << 1) == PTE_W &&
                   (PLAT_PROT_EXEC << 1) == PTE_X,
               "rights are an entry's bits, shifted");

/* An entry's bits for what users may do. None: executable for the kernel alone, which so can
   neither read nor write on a user's behalf. */
static u64 bits_of(u32 prot)
{
    u64 bits = PTE_V | PTE_A | PTE_D;

    return prot != PLAT_PROT_NONE ? bits | PTE_U | (u64)prot << 1 : bits | PTE_X;
}

static u32 prot_of(u64 pte)
{
    return (pte & PTE_U) != 0 ? (pte & PTE_LEAF) >> 1 : PLAT_PROT_NONE;
}

/* Free what lies below the first entries of a table, and the table itself. */
static void free_tables(pa_t table, u64 entries, int level)
{
    const u64 *entry = pa_to_kva(table);

    for (u64 i = 0; level > 0 && i < entries; i++)
        if (entry[i] != 0)
            free_tables(pte_page(entry[i]), SV39_ENTRIES, level - 1);
    page_put(table);
}

/* A page for a table, at the cost of a spare space if there is no other memory; 0: none at all. */
static pa_t table_alloc(void)
{
    pa_t table = page_alloc();
    struct plat_space spare;

    while (table == 0 && spare_take(&spare)) {
        free_tables(spare.words[SPACE_ROOT], SV39_USER_ENTRIES, SV39_LEVEL_ROOT);
        table = page_alloc();
    }
    return table;
}

/* The ASID that this CPU has for a space; 0: another took it away, perhaps while we are inside. */
static u64 asid_here(const struct plat_space *space)
{
    return READ_ONCE(space->words[SPACE_ASID + cpu_this()->number]) & (BIT(ASID_BITS) - 1);
}

static void flush_all(void)
{
    __asm__ volatile("sfence.vma" : : : "memory");
}

/* The harts that are in the space, but for this one; the others that have been there will find
   nothing of it. */
static u64 shoot_down(struct plat_space *space)
{
    u64 others = READ_ONCE(space->words[SPACE_HOLDERS]) & ~BIT(cpu_this()->number), mask = 0;

    for (u32 i = 0; others >> i != 0; i++)
        if ((others >> i & 1) != 0)
            WRITE_ONCE(space->words[SPACE_ASID + i], 0);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    others &= READ_ONCE(space->words[SPACE_INSIDE]);
    for (u32 i = 0; others >> i != 0; i++)
        mask |= (others >> i & 1) << this_machine.harts[i];
    return mask;
}

static bool is_held_elsewhere(const struct plat_space *space)
{
    return (READ_ONCE(space->words[SPACE_HOLDERS]) & ~BIT(cpu_this()->number)) != 0;
}

static OUT_OF_LINE void flush_elsewhere(struct plat_space *space, uva_t address, u64 bytes)
{
    u64 mask = shoot_down(space);

    if (mask != 0)
        (void)sbi_call_4(SBI_RFNC, SBI_RFNC_SFENCE_VMA, mask, 0, address, bytes);
}

static void flush_space(struct plat_space *space)
{
    u64 asid = asid_here(space);

    if (asid != 0)
        __asm__ volatile("sfence.vma zero, %0" : : "r"(asid) : "memory");
    else
        flush_all();
    if (is_held_elsewhere(space))
        flush_elsewhere(space, 0, USER_TOP);
}

static void flush_page(struct plat_space *space, uva_t address)
{
    u64 asid = asid_here(space);

    if (asid != 0)
        __asm__ volatile("sfence.vma %0, %1" : : "r"(address), "r"(asid) : "memory");
    else
        flush_all();
}

/* What was written to memory becomes visible to the fetches of all that are in the space, before it
   is mapped. */
static void sync_code(struct plat_space *space, u32 prot)
{
    u64 mask;

    if ((prot & PLAT_PROT_EXEC) == 0 || !is_held_elsewhere(space))
        return;
    mask = shoot_down(space);
    if (mask != 0)
        (void)sbi_call(SBI_RFNC, SBI_RFNC_FENCE_I, mask, 0);
}

int plat_space_create(struct plat_space *space)
{
    pa_t root;

    if (!spare_take(space)) {
        root = table_alloc();
        if (root == 0)
            return -ENOMEM;
        memcpy(pa_to_kva(root), pa_to_kva(sv39_kernel_root), PAGE_SIZE);
        space->words[SPACE_ROOT] = root;
        space->words[SPACE_TABLE_COUNT] = 0;
    }
    memset(&space->words[SPACE_HOLDERS], 0,
           sizeof(space->words) - SPACE_HOLDERS * sizeof(space->words[0]));
    return 0;
}

void plat_space_destroy(struct plat_space *space)
{
    if (space->words[SPACE_TABLE_COUNT] > SPARE_TABLES_MAX || !spare_give(space))
        free_tables(space->words[SPACE_ROOT], SV39_USER_ENTRIES, SV39_LEVEL_ROOT);
}

/* The entry for `address` at level 0, or NULL if there is no table for it. */
static u64 *find_entry(const struct plat_space *space, uva_t address)
{
    u64 *table = pa_to_kva(space->words[SPACE_ROOT]);
    u64 link = table[sv39_index(address, 2)];

    if (link == 0)
        return NULL;
    table = pa_to_kva(pte_page(link));
    link = table[sv39_index(address, 1)];
    if (link == 0)
        return NULL;
    table = pa_to_kva(pte_page(link));
    return &table[sv39_index(address, 0)];
}

/* Link an empty table into `entry`. */
static bool link_table(struct plat_space *space, u64 *entry)
{
    pa_t table = table_alloc();

    if (table == 0)
        return false;
    arch_page_zero(pa_to_kva(table));
    space->words[SPACE_TABLE_COUNT]++;
    *entry = pte_make(table, PTE_V);
    return true;
}

/* The same as find_entry, making tables. NULL: out of memory. */
static u64 *make_entry(struct plat_space *space, uva_t address)
{
    u64 *table = pa_to_kva(space->words[SPACE_ROOT]);
    u64 *found = find_entry(space, address);

    if (found != NULL)
        return found;
    for (int level = SV39_LEVEL_ROOT; level > 0; level--) {
        u64 *entry = &table[sv39_index(address, level)];

        if (*entry == 0 && !link_table(space, entry))
            return NULL;
        table = pa_to_kva(pte_page(*entry));
    }
    return &table[sv39_index(address, 0)];
}

/* Also for a CPU that lost its ASID, which may have missed new instructions, too. */
static u64 give_asid(struct plat_space *space, u32 cpu)
{
    struct hart *hart = &harts[cpu];

    if (hart->asid_used >= asid_max || hart->asid_generation == 0) {
        hart->asid_generation++;
        hart->asid_used = 0;
        flush_all();
    }
    arch_instruction_sync();
    space->words[SPACE_ASID + cpu] = hart->asid_generation << ASID_BITS | ++hart->asid_used;
    return space->words[SPACE_ASID + cpu];
}

/* For several CPUs: this one is about to use a space (NULL: none); it is in the other one until it
   does. Returns that. */
static struct plat_space *begin_inside(struct plat_space *space, u32 cpu)
{
    struct plat_space *left = harts[cpu].space;

    harts[cpu].space = space;
    if (space != NULL) {
        __atomic_fetch_or(&space->words[SPACE_HOLDERS], BIT(cpu), __ATOMIC_RELAXED);
        __atomic_fetch_or(&space->words[SPACE_INSIDE], BIT(cpu), __ATOMIC_SEQ_CST);
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return left;
}

void plat_space_switch(struct plat_space *space)
{
    u32 cpu = cpu_this()->number;
    struct plat_space *left = cpu_count > 1 ? begin_inside(space, cpu) : NULL;

    if (space == NULL) {
        sv39_use_kernel();
    } else {
        u64 asid = READ_ONCE(space->words[SPACE_ASID + cpu]);

        if (asid >> ASID_BITS != harts[cpu].asid_generation)
            asid = give_asid(space, cpu);
        csr_write(satp, (u64)SATP_MODE_SV39 << SATP_MODE_SV39_SHIFT |
                            (asid & asid_max) << ASID_SHIFT |
                            space->words[SPACE_ROOT] >> PAGE_SHIFT);
    }
    if (left != NULL)
        __atomic_fetch_and(&left->words[SPACE_INSIDE], ~BIT(cpu), __ATOMIC_SEQ_CST);
}

void sv39_find_asids(void)
{
    u64 satp = csr_read(satp);

    csr_write(satp, satp | (BIT(ASID_BITS) - 1) << ASID_SHIFT);
    asid_max = csr_read(satp) >> ASID_SHIFT & (BIT(ASID_BITS) - 1);
    csr_write(satp, satp);
}

int plat_map(struct plat_space *space, uva_t address, pa_t page, u32 prot)
{
    u64 *entry = make_entry(space, address);
    u64 old;

    if (entry == NULL)
        return -ENOMEM;
    sync_code(space, prot);
    old = *entry;
    *entry = pte_make(page, bits_of(prot));
    if (old == 0)
        return 0;
    flush_page(space, address);
    if ((pte_page(old) != page || (old & ~*entry) != 0) && is_held_elsewhere(space))
        flush_elsewhere(space, address, PAGE_SIZE);
    return 0;
}

/* How many of `count` pages from `address` on share its table. */
static u64 pages_in_table(uva_t address, u64 count)
{
    return min(SV39_ENTRIES - sv39_index(address, 0), count);
}

int plat_map_many(struct plat_space *space, uva_t address, u64 count, const pa_t *pages, u32 prot)
{
    u64 in_first = pages_in_table(address, count), bits = bits_of(prot);
    u64 *entry = make_entry(space, address), *second = entry;

    if (in_first < count) /* a range touches at most two tables */
        second = make_entry(space, address + in_first * PAGE_SIZE);
    if (entry == NULL || second == NULL)
        return -ENOMEM;
    sync_code(space, prot);
    for (u64 i = 0; i < count; i++, entry++) {
        if (i == in_first)
            entry = second;
        *entry = pte_make(pages[i], bits);
    }
    return 0;
}

bool plat_lookup(struct plat_space *space, uva_t address, pa_t *page, u32 *prot)
{
    u64 *entry = find_entry(space, address);

    if (entry == NULL || *entry == 0)
        return false;
    if (page != NULL)
        *page = pte_page(*entry);
    if (prot != NULL)
        *prot = prot_of(*entry);
    return true;
}

void plat_protect(struct plat_space *space, uva_t address, u64 count, u32 prot)
{
    bool changed = false;

    sync_code(space, prot);
    for (u64 run; count > 0; address += run * PAGE_SIZE, count -= run) {
        u64 *entry = find_entry(space, address);

        run = pages_in_table(address, count);
        for (u64 i = 0; entry != NULL && i < run; i++) {
            if (entry[i] != 0) {
                entry[i] = pte_make(pte_page(entry[i]), bits_of(prot));
                changed = true;
            }
        }
    }
    if (changed)
        flush_space(space);
}

long plat_clone_cow(struct plat_space *to, struct plat_space *from, uva_t address, u64 count,
                    pa_t *pages)
{
    uva_t start = address;
    bool weakened = false;
    long found = 0;

    for (u64 run; count > 0; address += run * PAGE_SIZE, count -= run) {
        u64 *source = find_entry(from, address);
        u64 *copy = source != NULL ? make_entry(to, address) : NULL;

        run = pages_in_table(address, count);
        if (source == NULL)
            continue;
        if (copy == NULL) {
            plat_unmap(to, start, (address - start) >> PAGE_SHIFT, pages, PLAT_UNMAP_FINAL);
            found = -ENOMEM;
            break;
        }
        for (u64 i = 0; i < run; i++) {
            u64 pte = source[i];

            if (pte == 0)
                continue;
            if ((pte & PTE_W) != 0) {
                pte &= ~(u64)PTE_W;
                source[i] = pte;
                weakened = true;
            }
            copy[i] = pte;
            pages[found++] = pte_page(pte);
        }
    }
    if (weakened)
        flush_space(from);
    return found;
}

u64 plat_unmap(struct plat_space *space, uva_t address, u64 count, pa_t *pages,
               enum plat_unmap_mode mode)
{
    u64 found = 0;

    for (u64 run; count > 0; address += run * PAGE_SIZE, count -= run) {
        u64 *entry = find_entry(space, address);

        run = pages_in_table(address, count);
        for (u64 i = 0; entry != NULL && i < run; i++) {
            if (entry[i] != 0) {
                pages[found++] = pte_page(entry[i]);
                entry[i] = 0;
            }
        }
    }
    if (found > 0 && mode == PLAT_UNMAP_LIVE)
        flush_space(space);
    return found;
}

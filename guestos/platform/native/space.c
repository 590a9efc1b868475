/* SPDX-License-Identifier: MIT */
/*
 * Spaces on the bare machine: Sv39 tables and ASIDs.
 *
 * Tables that are given back are all zeros, since everything in them was unmapped before; so they are
 * kept as they are for the next space, and roots with the kernel's half in place. What links the few
 * tables of a common space is noted in it, so that its end need not search them.
 *
 * An ASID is given at the first switch to a space and not used again before all of them are used up;
 * then every translation is flushed and a new generation begins. So a space that is never switched to
 * again needs no flush when it ends.
 */
#include "frank/errno.h"
#include "kernel/lock.h"
#include "kernel/page.h"
#include "platform.h"
#include "riscv.h"
#include "string.h"
#include "sv39.h"

/* What the words of a struct plat_space are. */
enum space_word {
    SPACE_ROOT,
    SPACE_ASID,       /* with its generation above ASID_BITS */
    SPACE_LINK_COUNT, /* how many tables are linked, those not noted included */
    SPACE_LINKS,      /* addresses of the entries that link the first ones */
    SPACE_LINKS_MAX = ARRAY_SIZE(((struct plat_space *)0)->words) - SPACE_LINKS,
};

enum space_limits {
    ASID_BITS = 16,
    ASID_SHIFT = 44, /* in satp */
    SPARES_MAX = 32,
};

/* Pages kept for reuse, linked through their first words, which are zero again when one is taken. */
struct spares {
    u64 *first;
    u32 count;
};

static struct spinlock spares_lock = SPINLOCK_INITIALIZER("spare tables", LOCK_KMALLOC);
static struct spares spare_roots, spare_tables;
static u64 asid_max, asid_next = 1, asid_generation = 1;

_Static_assert((PLAT_PROT_READ << 1) == PTE_R && (PLAT_PROT_WRITE << 1) == PTE_W &&
                   (PLAT_PROT_EXEC << 1) == PTE_X,
               "rights are an entry's bits, shifted");

/* An entry's bits for what users may do. None: executable for the kernel alone, which so can neither
   read nor write on a user's behalf. */
static u64 bits_of(u32 prot)
{
    u64 bits = PTE_V | PTE_A | PTE_D;

    return prot != PLAT_PROT_NONE ? bits | PTE_U | (u64)prot << 1 : bits | PTE_X;
}

static u32 prot_of(u64 pte)
{
    return (pte & PTE_U) != 0 ? (pte & PTE_LEAF) >> 1 : PLAT_PROT_NONE;
}

static u64 *spares_take(struct spares *spares)
{
    u64 *page;

    spin_acquire(&spares_lock);
    page = spares->first;
    if (page != NULL) {
        spares->first = (u64 *)page[0];
        spares->count--;
        page[0] = 0;
    }
    spin_release(&spares_lock);
    return page;
}

static void spares_give(struct spares *spares, u64 *page)
{
    bool keep;

    spin_acquire(&spares_lock);
    keep = spares->count < SPARES_MAX;
    if (keep) {
        page[0] = (u64)spares->first;
        spares->first = page;
        spares->count++;
    }
    spin_release(&spares_lock);
    if (!keep)
        page_put(kva_to_pa(page));
}

static void flush_space(const struct plat_space *space)
{
    u64 asid = space->words[SPACE_ASID] & (BIT(ASID_BITS) - 1);

    __asm__ volatile("sfence.vma zero, %0" : : "r"(asid) : "memory");
}

static void flush_page(const struct plat_space *space, uva_t address)
{
    u64 asid = space->words[SPACE_ASID] & (BIT(ASID_BITS) - 1);

    __asm__ volatile("sfence.vma %0, %1" : : "r"(address), "r"(asid) : "memory");
}

int plat_space_create(struct plat_space *space)
{
    u64 *root = spares_take(&spare_roots);
    pa_t page;

    if (root == NULL) {
        page = page_alloc();
        if (page == 0)
            return -ENOMEM;
        root = pa_to_kva(page);
        memcpy(root, pa_to_kva(sv39_kernel_root), PAGE_SIZE);
    }
    memset(space, 0, sizeof(*space));
    space->words[SPACE_ROOT] = kva_to_pa(root);
    return 0;
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
    u64 *table = spares_take(&spare_tables);
    u64 count = space->words[SPACE_LINK_COUNT];

    if (table == NULL) {
        pa_t page = page_alloc_zeroed();

        if (page == 0)
            return false;
        table = pa_to_kva(page);
    }
    if (count < SPACE_LINKS_MAX)
        space->words[SPACE_LINKS + count] = (u64)entry;
    space->words[SPACE_LINK_COUNT] = count + 1;
    *entry = pte_make(kva_to_pa(table), PTE_V);
    return true;
}

/* The same as find_entry, making tables. NULL: out of memory. */
static u64 *make_entry(struct plat_space *space, uva_t address)
{
    u64 *table = pa_to_kva(space->words[SPACE_ROOT]);

    for (int level = SV39_LEVEL_ROOT; level > 0; level--) {
        u64 *entry = &table[sv39_index(address, level)];

        if (*entry == 0 && !link_table(space, entry))
            return NULL;
        table = pa_to_kva(pte_page(*entry));
    }
    return &table[sv39_index(address, 0)];
}

static void unlink_table(u64 *entry)
{
    u64 *table = pa_to_kva(pte_page(*entry));

    *entry = 0;
    spares_give(&spare_tables, table);
}

/* Give back all tables below `table`, by looking for them. */
static void unlink_all(u64 *table, u64 entries, int level)
{
    for (u64 i = 0; i < entries; i++) {
        if (table[i] == 0)
            continue;
        if (level > 1)
            unlink_all(pa_to_kva(pte_page(table[i])), SV39_ENTRIES, level - 1);
        unlink_table(&table[i]);
    }
}

void plat_space_destroy(struct plat_space *space)
{
    u64 *root = pa_to_kva(space->words[SPACE_ROOT]);
    u64 count = space->words[SPACE_LINK_COUNT];

    if (count <= SPACE_LINKS_MAX) {
        while (count > 0)
            unlink_table((u64 *)space->words[SPACE_LINKS + --count]);
    } else {
        unlink_all(root, SV39_USER_ENTRIES, SV39_LEVEL_ROOT);
    }
    spares_give(&spare_roots, root);
}

static void give_asid(struct plat_space *space)
{
    if (asid_next > asid_max) {
        asid_generation++;
        asid_next = 1;
        __asm__ volatile("sfence.vma" : : : "memory");
    }
    space->words[SPACE_ASID] = asid_generation << ASID_BITS | asid_next++;
}

void plat_space_switch(struct plat_space *space)
{
    u64 asid;

    if (space == NULL) {
        sv39_use_kernel();
        return;
    }
    if (space->words[SPACE_ASID] >> ASID_BITS != asid_generation)
        give_asid(space);
    asid = space->words[SPACE_ASID] & asid_max;
    csr_write(satp, (u64)SATP_MODE_SV39 << SATP_MODE_SV39_SHIFT | asid << ASID_SHIFT |
                        space->words[SPACE_ROOT] >> PAGE_SHIFT);
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
    old = *entry;
    *entry = pte_make(page, bits_of(prot));
    if (old != 0)
        flush_page(space, address);
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
    u64 *entry = make_entry(space, address);

    if (entry == NULL || (in_first < count &&
                          make_entry(space, address + in_first * PAGE_SIZE) == NULL))
        return -ENOMEM;
    for (u64 i = 0; i < count; i++, entry++) {
        if (i == in_first)
            entry = find_entry(space, address + i * PAGE_SIZE);
        if (pages[i] != 0)
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
    u64 in_first = pages_in_table(address, count);
    bool weakened = false;
    long found = 0;

    /* All tables first: behind this nothing can fail. A range touches at most two. */
    if ((find_entry(from, address) != NULL && make_entry(to, address) == NULL) ||
        (in_first < count && find_entry(from, address + in_first * PAGE_SIZE) != NULL &&
         make_entry(to, address + in_first * PAGE_SIZE) == NULL))
        return -ENOMEM;

    for (u64 run; count > 0; address += run * PAGE_SIZE, count -= run) {
        u64 *source = find_entry(from, address), *copy = find_entry(to, address);

        run = pages_in_table(address, count);
        for (u64 i = 0; source != NULL && i < run; i++) {
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

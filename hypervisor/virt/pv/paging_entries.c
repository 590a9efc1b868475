/* SPDX-License-Identifier: MIT */
/*
 * Direct paging: the calls that set, read and flush entries. The invariants that they keep stand in
 * paging.c.
 *
 * Calls on arrays and ranges do at most some 20,000 instructions' worth and return the rest to
 * their caller.
 */
#include "arch/arch.h"
#include "core/hypercall.h"
#include "core/vm.h"
#include "mem/frame.h"
#include "mem/guest_memory.h"
#include "sv39.h"
#include "virt/pv/paging.h"
#include "virt/pv/paging_names.h"

enum {
    FLUSH_PAGES_MAX = 4, /* dropped one by one; more are dropped all together */
    RANGE_MAX = 256,     /* pages that a call does before it returns the rest to its caller */
    BATCH_MAX = 128,     /* updates, likewise */
    BATCH_BUFFER = 32,
    PROT_ALL = PROT_READ | PROT_WRITE | PROT_EXECUTE | PROT_USER,
};
_Static_assert(PAGING_COUNT_MAX * sizeof(u64) <= FRAME_BYTES, "an array meets two frames at most");
_Static_assert((int)PROT_READ == SV39_R && (int)PROT_WRITE == SV39_W &&
                   (int)PROT_EXECUTE == SV39_X && (int)PROT_USER == SV39_U,
               "the ABI's bits are those of an entry");

/* ---- what an entry may be ---- */

static bool page_allowed(gva_t address)
{
    return address.value % FRAME_BYTES == 0 && address.value < SV39_LOWER_END;
}

/* An entry in guest frames for the table: the machine's leaf, or why not. */
static int leaf_make(const struct vm *vm, u64 entry, u64 *leaf)
{
    u32 frame;

    *leaf = 0;
    if (entry == 0)
        return HC_OK;
    frame = p2m_entry(&vm->p2m, sv39_frame(entry));
    if (!sv39_leaf_allowed(entry) || frame == 0)
        return HC_BAD_ENTRY;
    if ((frame & P2M_POOL) && (entry & SV39_W))
        return HC_IS_POOL;
    *leaf = sv39_leaf(mfn(frame & ~P2M_POOL), entry);
    return HC_OK;
}

/* The other way: an entry of a table in guest frames. */
static u64 leaf_show(u64 leaf)
{
    if (leaf == 0)
        return 0;
    return (u64)frame_get(mfn(sv39_frame(leaf)))->gfn << SV39_PPN_SHIFT | (leaf & SV39_FLAGS);
}

static bool leaf_of_pool(u64 leaf)
{
    return frame_get(mfn(sv39_frame(leaf)))->type != FRAME_DATA;
}

/* ---- flushing ---- */

/* Pages whose translations have changed; flush_end comes before the guest runs again. */
struct flush {
    struct vcpu *vcpu;
    mfn_t root;
    u32 pages;
};

static void flush_page(struct flush *flush, gva_t page)
{
    if (++flush->pages <= FLUSH_PAGES_MAX)
        arch_translation_drop(page);
}

static void flush_end(const struct flush *flush)
{
    flush->vcpu->counts.flushes += flush->pages;
    if (flush->pages > FLUSH_PAGES_MAX)
        arch_translation_drop_all();
    if (flush->pages > 0)
        paging_made_stale(flush->vcpu->vm, flush->root);
}

/* ---- single entries ---- */

/* pte_set with its root found already. */
static struct hc_result entry_set(struct vcpu *vcpu, mfn_t root, gva_t address, u64 value,
                                  u64 **where)
{
    u64 leaf, old;
    int error;

    if (!page_allowed(address))
        return hc_error(HC_INVALID_ADDRESS);
    error = leaf_make(vcpu->vm, value, &leaf);
    if (error != HC_OK)
        return hc_error(error);
    *where = entry_find(root, address, 0);
    if (*where == NULL)
        return hc_error(HC_NO_TABLE);
    old = **where;
    **where = leaf;
    if (old != 0) {
        vcpu->counts.flushes++;
        arch_translation_drop(address);
        paging_made_stale(vcpu->vm, root);
    }
    return hc_value(leaf_show(old));
}

struct hc_result hc_pte_set(struct vcpu *vcpu, gpa_t name, gva_t address, u64 value)
{
    struct hc_result result;
    u64 *where;
    mfn_t root;
    int error = root_get(vcpu->vm, name, &root);

    if (error != HC_OK)
        return hc_error(error);
    result = entry_set(vcpu, root, address, value, &where);
    if (result.error == HC_OK)
        arch_space_remember_table(vcpu, name, address, arch_frame_of(where));
    return result;
}

struct hc_result hc_pte_get(struct vcpu *vcpu, gpa_t name, gva_t address)
{
    const u64 *entry;
    mfn_t root;
    int error = root_get(vcpu->vm, name, &root);

    if (error != HC_OK)
        return hc_error(error);
    if (!page_allowed(address))
        return hc_error(HC_INVALID_ADDRESS);
    entry = entry_find(root, address, 0);
    return entry != NULL ? hc_value(leaf_show(*entry)) : hc_error(HC_NO_TABLE);
}

/* ---- arrays and ranges ---- */

struct hc_result hc_pte_batch(struct vcpu *vcpu, gpa_t name, gpa_t updates, u64 count)
{
    struct pte_update buffer[BATCH_BUFFER];
    mfn_t root;
    int error = root_get(vcpu->vm, name, &root);

    if (error != HC_OK)
        return hc_error(error);
    if (updates.value % sizeof(u64) != 0)
        return hc_error(HC_INVALID_ADDRESS);
    if (count > PAGING_COUNT_MAX)
        return hc_error(HC_INVALID_PARAM);
    count = min(count, (u64)BATCH_MAX);
    for (u64 done = 0; done < count;) {
        u64 at = updates.value + done * sizeof(buffer[0]);
        u64 some = min(count - done, (u64)ARRAY_SIZE(buffer));

        /* Whole updates up to the end of a frame, or the one that crosses it: if they cannot be
           read, then none of those before them has been left out. */
        some = min(some, max((FRAME_BYTES - at % FRAME_BYTES) / sizeof(buffer[0]), 1UL));
        error = guest_copy_in(vcpu->vm, buffer, gpa(at), some * sizeof(buffer[0]));
        if (error != HC_OK)
            return (struct hc_result){error, done};
        for (u64 i = 0; i < some; i++, done++) {
            u64 *where;
            struct hc_result result = entry_set(vcpu, root, gva(buffer[i].gva), buffer[i].entry,
                                                &where);

            if (result.error != HC_OK)
                return (struct hc_result){result.error, done};
        }
    }
    return hc_value(count);
}

/*
 * A range of pages of one root, gone through in runs that share a level-0 table and a frame of the
 * guest's array. Each word of the array is read or written once, where it stands.
 */
struct range {
    const struct vm *vm;
    mfn_t root;
    u64 address;
    u64 count;
    u64 done;
    struct flush flush;
};

/* Checks a range's arguments, its root apart. */
static int range_check(gva_t address, u64 count)
{
    if (!page_allowed(address))
        return HC_INVALID_ADDRESS;
    if (count > PAGING_COUNT_MAX || count > (SV39_LOWER_END - address.value) >> FRAME_SHIFT)
        return HC_INVALID_PARAM;
    return HC_OK;
}

static gva_t range_page(const struct range *range)
{
    return gva(range->address + (range->done << FRAME_SHIFT));
}

/* How many of the next pages share a table; *entries is their place in it, NULL without a table. */
static u64 range_run(const struct range *range, u64 **entries)
{
    gva_t page = range_page(range);

    *entries = entry_find(range->root, page, 0);
    return min((u64)SV39_ENTRIES - sv39_index(page, 0), range->count - range->done);
}

/* The same, cut at the end of the array's frame; *words is their place in the array, or NULL and
 * *error. */
static u64 range_run_array(const struct range *range, u64 **entries, gpa_t array, bool writing,
                           u64 **words, int *error)
{
    u64 at = array.value + range->done * sizeof(u64);
    u64 run = range_run(range, entries);

    *words = guest_bytes(range->vm, gpa(at), writing, error);
    return min(run, (FRAME_BYTES - at % FRAME_BYTES) / sizeof(u64));
}

/* A run without a table: nothing is mapped in it. */
static void range_nothing(struct range *range, u64 *words, u64 run)
{
    for (u64 i = 0; i < run; i++)
        WRITE_ONCE(words[i], 0);
    range->done += run;
}

static struct hc_result range_end(struct range *range, int error)
{
    range->flush.root = range->root;
    flush_end(&range->flush);
    return (struct hc_result){error, range->done};
}

static bool prot_allowed(u64 prot)
{
    return (prot & ~(u64)PROT_ALL) == 0 && sv39_rights_allowed(prot);
}

/* Maps one page for pte_fill. */
static int fill_one(const struct vm *vm, u64 *entry, u64 page, u64 prot)
{
    u32 frame = p2m_entry(&vm->p2m, page >> FRAME_SHIFT);

    if (page % FRAME_BYTES != 0 || frame == 0)
        return HC_INVALID_ADDRESS;
    if ((frame & P2M_POOL) && (prot & PROT_WRITE))
        return HC_IS_POOL;
    if (entry == NULL)
        return HC_NO_TABLE;
    if (*entry != 0)
        return HC_EXISTS;
    *entry = sv39_leaf(mfn(frame & ~P2M_POOL), prot | SV39_V);
    return HC_OK;
}

struct hc_result hc_pte_fill(struct vcpu *vcpu, gpa_t name, gva_t address, gpa_t frames, u64 count,
                             u64 prot)
{
    struct range range = {
        .vm = vcpu->vm, .address = address.value, .count = count, .flush.vcpu = vcpu};
    int error = root_get(vcpu->vm, name, &range.root);

    if (error == HC_OK && (!page_allowed(address) || frames.value % sizeof(u64) != 0))
        error = HC_INVALID_ADDRESS;
    if (error == HC_OK)
        error = range_check(address, count);
    if (error == HC_OK && !prot_allowed(prot))
        error = HC_INVALID_PARAM;
    if (error != HC_OK)
        return hc_error(error);
    range.count = min(count, (u64)RANGE_MAX);
    while (error == HC_OK && range.done < range.count) {
        u64 *entries, *words;
        u64 run = range_run_array(&range, &entries, frames, false, &words, &error);

        for (u64 i = 0; error == HC_OK && i < run; i++) {
            error = fill_one(vcpu->vm, entries != NULL ? &entries[i] : NULL, READ_ONCE(words[i]),
                             prot);
            if (error == HC_OK)
                range.done++;
        }
    }
    return range_end(&range, error);
}

struct hc_result hc_pte_protect(struct vcpu *vcpu, gpa_t name, gva_t address, u64 count, u64 prot)
{
    struct range range = {
        .vm = vcpu->vm, .address = address.value, .count = count, .flush.vcpu = vcpu};
    int error = root_get(vcpu->vm, name, &range.root);

    if (error == HC_OK)
        error = range_check(address, count);
    if (error == HC_OK && !prot_allowed(prot))
        error = HC_INVALID_PARAM;
    if (error != HC_OK)
        return hc_error(error);
    range.count = min(count, (u64)RANGE_MAX);
    while (range.done < range.count) {
        u64 *entries;
        u64 run = range_run(&range, &entries);

        for (u64 i = 0; i < run; i++, range.done++) {
            u64 old = entries != NULL ? entries[i] : 0;

            if (old == 0)
                continue;
            if ((prot & PROT_WRITE) && leaf_of_pool(old))
                return range_end(&range, HC_IS_POOL);
            entries[i] = (old & ~(u64)PROT_ALL) | prot;
            if (entries[i] != old)
                flush_page(&range.flush, range_page(&range));
        }
    }
    return range_end(&range, HC_OK);
}

/* Whether an array that Candor is to write lies in data frames: at most two, since it is no longer
 * than one. */
static int array_check(const struct vm *vm, gpa_t array, u64 bytes)
{
    u64 last = array.value + bytes - 1;
    u32 first_frame = p2m_entry(&vm->p2m, array.value >> FRAME_SHIFT);
    u32 last_frame = p2m_entry(&vm->p2m, last >> FRAME_SHIFT);

    if (first_frame == 0 || (last_frame == 0 && !(first_frame & P2M_POOL)))
        return HC_INVALID_ADDRESS;
    return (first_frame | last_frame) & P2M_POOL ? HC_IS_POOL : HC_OK;
}

/* The common part of pte_clone's and pte_clear's arguments. */
static int range_check_array(const struct vm *vm, gva_t address, u64 count, gpa_t entries)
{
    int error = range_check(address, count);

    if (error != HC_OK)
        return error;
    if (entries.value % sizeof(u64) != 0)
        return HC_INVALID_ADDRESS;
    return count > 0 ? array_check(vm, entries, count * sizeof(u64)) : HC_OK;
}

/* Takes one entry over into another space, both without the right to write. */
static int clone_one(struct flush *flush, u64 *from, u64 *to, gva_t page)
{
    u64 leaf = *from & ~(u64)SV39_W;

    if (to == NULL)
        return HC_NO_TABLE;
    if (*to != 0)
        return HC_EXISTS;
    *to = leaf;
    if (*from != leaf) {
        *from = leaf;
        flush_page(flush, page);
    }
    return HC_OK;
}

/* Takes over a run of entries that share their tables; says in words[] what they were. */
static int clone_run(struct range *range, u64 *from, u64 *to, u64 *words, u64 run)
{
    gva_t page = range_page(range);
    int error = HC_OK;
    u64 i;

    for (i = 0; i < run; i++, page.value += FRAME_BYTES) {
        u64 old = from[i];

        if (old != 0)
            error = clone_one(&range->flush, &from[i], to != NULL ? &to[i] : NULL, page);
        if (error != HC_OK)
            break;
        WRITE_ONCE(words[i], leaf_show(old));
    }
    range->done += i;
    return error;
}

struct hc_result hc_pte_clone(struct vcpu *vcpu, gpa_t to_name, gpa_t from_name, gva_t address,
                              u64 count, gpa_t array)
{
    struct range range = {
        .vm = vcpu->vm, .address = address.value, .count = count, .flush.vcpu = vcpu};
    mfn_t to_root;
    int error = root_get(vcpu->vm, to_name, &to_root);

    if (error == HC_OK)
        error = root_get(vcpu->vm, from_name, &range.root);
    if (error == HC_OK)
        error = range_check_array(vcpu->vm, address, count, array);
    if (error == HC_OK && mfn_equal(to_root, range.root))
        error = HC_INVALID_PARAM;
    if (error != HC_OK)
        return hc_error(error);
    range.count = min(count, (u64)RANGE_MAX);
    while (error == HC_OK && range.done < range.count) {
        u64 *from, *words, *to = entry_find(to_root, range_page(&range), 0);
        u64 run = range_run_array(&range, &from, array, true, &words, &error);

        if (error == HC_OK && from == NULL)
            range_nothing(&range, words, run);
        else if (error == HC_OK)
            error = clone_run(&range, from, to, words, run);
    }
    return range_end(&range, error);
}

/* Clears a run of entries that share their table; says in words[] what they were. */
static void clear_run(struct range *range, u64 *entries, u64 *words, u64 run)
{
    gva_t page = range_page(range);

    for (u64 i = 0; i < run; i++, page.value += FRAME_BYTES) {
        u64 old = entries[i];

        WRITE_ONCE(words[i], leaf_show(old));
        if (old == 0)
            continue;
        entries[i] = 0;
        flush_page(&range->flush, page);
    }
    range->done += run;
}

struct hc_result hc_pte_clear(struct vcpu *vcpu, gpa_t name, gva_t address, u64 count, gpa_t array)
{
    struct range range = {
        .vm = vcpu->vm, .address = address.value, .count = count, .flush.vcpu = vcpu};
    int error = root_get(vcpu->vm, name, &range.root);

    if (error == HC_OK)
        error = range_check_array(vcpu->vm, address, count, array);
    if (error != HC_OK)
        return hc_error(error);
    range.count = min(count, (u64)RANGE_MAX);
    while (error == HC_OK && range.done < range.count) {
        u64 *entries, *words;
        u64 run = range_run_array(&range, &entries, array, true, &words, &error);

        if (error == HC_OK && entries == NULL)
            range_nothing(&range, words, run);
        else if (error == HC_OK)
            clear_run(&range, entries, words, run);
    }
    return range_end(&range, error);
}

struct hc_result hc_flush(struct vcpu *vcpu, gpa_t name, gva_t address, u64 count)
{
    struct flush flush = {.vcpu = vcpu};
    mfn_t root;
    int error = root_get(vcpu->vm, name, &root);

    if (error != HC_OK)
        return hc_error(error);
    if (!page_allowed(address))
        return hc_error(HC_INVALID_ADDRESS);
    if (count > (SV39_LOWER_END - address.value) >> FRAME_SHIFT)
        return hc_error(HC_INVALID_PARAM);
    flush.root = root;
    for (u64 i = 0; i < min(count, (u64)FLUSH_PAGES_MAX + 1); i++)
        flush_page(&flush, gva(address.value + (i << FRAME_SHIFT)));
    flush_end(&flush);
    return hc_value(0);
}

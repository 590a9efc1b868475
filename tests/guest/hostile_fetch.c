/* SPDX-License-Identifier: MIT */
/*
 * Double fetch: what Candor reads changes while it reads, or is what it writes. With one vCPU a
 * machine nobody else can write meanwhile, so the arrays lie where Candor's own writes go: in the
 * tables, in the shared page, in the array of answers.
 */
#include "attacks.h"

#include "string.h"

enum {
    BASE = 0x400000,
    PAGES = 16,
    PAGE_SHIFT = 12,
    TABLE_WORDS = 512,
    CHECKED = 64,
    CHARACTERS = 8
};

static u64 root, table, page, shared_gpa;

/* Whatever was asked for: no entry of the space that a guest may not have. */
static void expect_sane(const char *name)
{
    u64 end = start->memory_base_gpa + start->memory_bytes;
    u64 pool_end = start->pool_base_gpa + start->pool_bytes;

    for (u64 i = 0; i < CHECKED; i++) {
        u64 entry = candor_pte_get(root, BASE + i * PAGE_BYTES).value;
        u64 frame = entry >> 10 << PAGE_SHIFT;

        if (entry != 0 && (frame < start->memory_base_gpa || frame >= end))
            fail(name, "%lx is mapped", frame);
        if ((entry & PTE_W) != 0 && frame >= start->pool_base_gpa && frame < pool_end)
            fail(name, "%lx of the pool can be written", frame);
    }
    pass(name);
}

static void clear_all(void)
{
    must("clear", candor_pte_clear(root, BASE, CHECKED, take_page()));
}

static void fill_own_table(const u64 prot)
{
    for (u64 i = 0; i < 4; i++)
        must("map", candor_pte_set(root, BASE + i * PAGE_BYTES, leaf(page, prot)));
}

static void batch_from_its_own_table(void)
{
    struct hc_result r;

    fill_own_table(PTE_R | PTE_W);
    r = candor_pte_batch(root, table, TABLE_WORDS / 2);
    expect_true("raw entries are no updates", r.error == HC_INVALID_ADDRESS && r.value == 0);
    expect_sane("nothing came of it");
    clear_all();
}

/* Frames read from the table that is filled: each word read is the one just written, or the next.
 */
static void fill_from_its_own_table(void)
{
    struct hc_result r;

    fill_own_table(PTE_R);
    r = candor_pte_fill(root, BASE + 4 * PAGE_BYTES, table, PAGES, PROT_READ | PROT_WRITE);
    expect_true("raw entries are no frames", r.error == HC_INVALID_ADDRESS && r.value == 0);
    r = candor_pte_fill(root, BASE + 4 * PAGE_BYTES, table + 4 * sizeof(u64), PAGES,
                        PROT_READ | PROT_WRITE);
    expect_true("nor is an entry that is to be filled",
                r.error == HC_INVALID_ADDRESS && r.value == 0);
    expect_sane("nothing came of it");
    clear_all();
}

/* The updates map and unmap the very page that they stand on. */
static void batch_that_moves_itself(void)
{
    u64 array = take_page();
    struct pte_update *updates = gpa_to_pointer(array);

    for (u64 i = 0; i < PAGES; i++)
        updates[i] = (struct pte_update){BASE, leaf(i % 2 == 0 ? array : page, PTE_R | PTE_W)};
    must("switch", candor_space_switch(root));
    expect_true("all are done", must("batch", candor_pte_batch(root, array, PAGES)) == PAGES);
    expect_true("and the last one holds",
                candor_pte_get(root, BASE).value >> 10 == page >> PAGE_SHIFT);
    must("switch", candor_space_switch(start->boot_root_gpa));
    clear_all();
}

/* The answers go where the questions come from: one word is read, then written, and never read
 * again. */
static void answers_over_questions(void)
{
    u64 array = take_page(), *words = gpa_to_pointer(array);

    for (u64 i = 0; i < PAGES; i++)
        words[i] = take_page();
    must("fill", candor_pte_fill(root, BASE, array, PAGES, PROT_READ));
    must("clear into the same array", candor_pte_clear(root, BASE, PAGES, array));
    for (u64 i = 0; i < PAGES; i++) {
        if (candor_pte_set(root, BASE + i * PAGE_BYTES, words[i]).error != HC_OK)
            fail("what is told can be given back", "%lx", words[i]);
    }
    expect_sane("the answers are right entries");
    clear_all();
}

/* Answers of clone across a page that the cloned range maps, and into its other half. */
static void clone_into_what_is_cloned(void)
{
    u64 array = take_page(), other = make_space(BASE, NULL), *words = gpa_to_pointer(array);
    struct guest_trap trap;

    for (u64 i = 0; i < PAGES; i++)
        must("map", candor_pte_set(root, BASE + i * PAGE_BYTES, leaf(array, PTE_R | PTE_W)));
    must("clone", candor_pte_clone(other, root, BASE, PAGES, array));
    expect_true("each answer is the entry as it was",
                (words[0] & PTE_W) != 0 && words[0] == words[PAGES - 1]);
    must("switch", candor_space_switch(other));
    expect_true("and no copy can be written", !try_store(BASE, 1, &trap));
    leave_space(other);
    clear_all();
}

static void shared_page_as_updates(void)
{
    struct shared_page *shared = gpa_to_pointer(shared_gpa);

    for (u64 round = 0; round < CHECKED; round++) {
        shared->pending = BASE;
        shared->return_a6 = leaf(page, PTE_R);
        shared->return_a7 = BASE + PAGE_BYTES;
        shared->time_version = leaf(table, PTE_R | PTE_W);
        (void)candor_yield();
        (void)candor_pte_batch(root, shared_gpa, 4);
        (void)candor_pte_fill(root, BASE + 8 * PAGE_BYTES, shared_gpa, 8, PROT_READ | PROT_WRITE);
    }
    expect_sane("what Candor writes is never taken for what was checked");
    clear_all();
}

static void answers_into_the_shared_page(void)
{
    struct shared_page *shared = gpa_to_pointer(shared_gpa);

    fill_own_table(PTE_R | PTE_W);
    expect_error("old entries go into it",
                 candor_pte_clear(root, BASE, TABLE_WORDS / 2, shared_gpa), HC_OK);
    expect_error("counters do", candor_counters(shared_gpa), HC_OK);
    expect_true("typed characters do",
                sbi_call(SBI_DEBUG_CONSOLE, DBCN_READ, CHARACTERS, shared_gpa, 0).error == HC_OK);
    for (u64 i = 0; i < CHECKED; i++) {
        memset(shared, (int)i * 7, sizeof(*shared));
        must("yield", candor_yield());
        must("idle", candor_yield_idle(time_now() + 100));
    }
    memset(shared, 0, sizeof(*shared));
    must("timer", candor_timer_set(0));
    expect_true("events still come", (shared->pending & EVENT_TIMER) != 0);
    shared->pending = 0;
    __asm__ volatile("csrc sip, 2");
}

/* The page that told it how to start: overwritten, mapped, given as an array. */
static void start_info_overwritten(void)
{
    u64 info = start->start_info_gpa;

    memset(gpa_to_pointer(info), 0xff, PAGE_BYTES);
    (void)candor_pte_batch(root, info, 4);
    expect_error("counters go into it", candor_counters(info), HC_OK);
    must("map it", candor_pte_set(root, BASE, leaf(info, PTE_R | PTE_W)));
    expect_error("boot root and pool are still known", candor_table_make(start->boot_root_gpa, 0),
                 HC_EXISTS);
    expect_error("so is the memory's end",
                 candor_counters(start->memory_base_gpa + start->memory_bytes), HC_INVALID_ADDRESS);
    clear_all();
}

/* Candor writes into text when its owner asks for it: the text is the guest's own. */
static void answers_into_text(void)
{
    u64 text = take_page(), *words = gpa_to_pointer(text);
    struct guest_trap trap;

    must("map it as code", candor_pte_set(root, BASE, leaf(text, PTE_R | PTE_X)));
    must("switch", candor_space_switch(root));
    must("counters into code", candor_counters(text));
    expect_true("it is there", words[0] != 0 && try_load(BASE, NULL, &trap));
    expect_true("and not to be written by the guest itself", !try_store(BASE, 1, &trap));
    must("switch", candor_space_switch(start->boot_root_gpa));
    clear_all();
}

static const struct attack attacks[] = {
    {"batch-from-its-own-table", batch_from_its_own_table},
    {"fill-from-its-own-table", fill_from_its_own_table},
    {"batch-that-moves-itself", batch_that_moves_itself},
    {"answers-over-questions", answers_over_questions},
    {"clone-into-what-is-cloned", clone_into_what_is_cloned},
    {"shared-page-as-updates", shared_page_as_updates},
    {"answers-into-the-shared-page", answers_into_the_shared_page},
    {"start-info-overwritten", start_info_overwritten},
    {"answers-into-text", answers_into_text},
};

void guest_main(void)
{
    root = make_space(BASE, &table);
    page = take_page();
    shared_gpa = take_page();
    must("shared page", candor_shared_page(shared_gpa));
    attacks_make(attacks, ARRAY_SIZE(attacks));
}

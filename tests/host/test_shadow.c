/* SPDX-License-Identifier: MIT */
/*
 * Shadow page tables against what a processor may do: a guest writes its own tables, fences, and
 * changes spaces at random; each of its accesses must give what its tables say, or have said while
 * that space was in use, since the last fence. CANDOR_SEED=n repeats a run, CANDOR_STEPS=n prolongs
 * it.
 */
#include "check.h"

#include <stdio.h>

#include "arch/arch.h"
#include "core/audit.h"
#include "core/vm.h"
#include "csr.h"
#include "host.h"
#include "mem/frame.h"
#include "shadow_machine.h"
#include "sv39.h"
#include "tlb.h"
#include "virt/shadow/shadow.h"
#include "virt/shadow/table_store.h"
#include "virt/virt.h"

enum {
    ROOTS = 3,
    TABLES = 12, /* guest frames that serve as tables, roots first */
    DATA = 16,   /* guest frames that are mapped, tables among them */
    SPACES = 4,  /* identifiers that the guest uses with each root */
    PAGES = 12,  /* addresses that it uses */
    SEEN_MAX = 64,
    STEPS = 20000,
    AUDIT_EVERY = 200,
    RETRIES = 256,
};

static u64 seed;
static bool user;

/* What a page may translate to in a space, since its last fence there: guest leaf entries, exact.
 */
static struct seen {
    u32 count;
    u64 leaves[SEEN_MAX];
} seen[ROOTS][SPACES][PAGES];
static u32 now_root, now_space;

static u32 pick(u32 count)
{
    seed = seed * 6364136223846793005UL + 1442695040888963407UL;
    return (u32)(seed >> 33) % count;
}

/* ---- the guest's tables, walked a second way ---- */

static gva_t page_address(u32 page)
{
    static const u64 regions[] = {0, 1UL << 21, 1UL << 30, 0xffffffffc0000000UL};

    return gva(regions[page % ARRAY_SIZE(regions)] + (u64)(page / 4) * FRAME_BYTES);
}

/* The leaf that the guest's tables give an address, its frame that of the page; 0: a fault. */
static u64 leaf_of(u32 root, u32 page)
{
    gva_t address = page_address(page);
    u64 table = guest_frame(root);

    for (u32 level = SV39_LEVELS; level-- > 0;) {
        u64 pages = 1UL << (SV39_INDEX_BITS * level);
        const u64 *entries = guest_table_entry(vm, table, 0);
        u64 entry, frame;

        if (entries == NULL)
            return 0;
        entry = entries[address.value >> (FRAME_SHIFT + SV39_INDEX_BITS * level) & 511];
        frame = entry >> 10;
        if (!(entry & SV39_V) || ((entry & SV39_W) && !(entry & SV39_R)) || entry >> 54)
            return 0;
        if (!(entry & (SV39_R | SV39_W | SV39_X))) {
            if (level == 0 || (entry & (SV39_U | SV39_A | SV39_D)))
                return 0;
            table = frame;
            continue;
        }
        if (frame % pages != 0)
            return 0;
        frame += (address.value >> FRAME_SHIFT) % pages;
        return frame << 10 | (entry & (SV39_V | SV39_R | SV39_W | SV39_X | SV39_U));
    }
    return 0;
}

static void see(u32 page)
{
    struct seen *one = &seen[now_root][now_space][page];
    u64 leaf = leaf_of(now_root, page);

    for (u32 i = 0; i < one->count; i++) {
        if (one->leaves[i] == leaf)
            return;
    }
    assert_true(one->count < SEEN_MAX);
    one->leaves[one->count++] = leaf;
}

static void see_all(void)
{
    for (u32 page = 0; page < PAGES; page++)
        see(page);
}

/* ---- what the guest does ---- */

static u64 satp_now(void)
{
    return SATP_SV39 | (u64)(now_space + 1) << SATP_ASID_SHIFT | guest_frame(now_root);
}

/* One access through what the hardware has, with the faults that it raises on the way. Returns the
   leaf that it went by, or 0. */
static u64 go(gva_t address, u64 right)
{
    const struct guest_access access = {.right = right, .kernel = !user};
    struct guest_translation found;

    for (u32 i = 0; i < RETRIES; i++) {
        u64 entry;

        if (host_access(vcpu, address, right, &entry) && !(entry & SV39_U) == !user)
            return entry;
        if (guest_walk(vm, &vm->shadow->memo.path, satp_now(), address, &access, &found) !=
            GUEST_WALK_OK)
            return 0;
        if (!mfn_valid(p2m_lookup(&vm->p2m, found.physical.value >> FRAME_SHIFT)))
            return 0;
        fill(address, &found, right == SV39_W);
    }
    fail_msg("an access that is allowed faults without end");
    return 0;
}

/* The guest's kernel writes to its memory as QEMU's would: through a mapping of it, of which the
   shadow sees only that it is written. */
static void guest_write(u32 table, u32 index, u64 value)
{
    const struct guest_translation found = {
        .physical = gpa(guest_frame(table) << FRAME_SHIFT),
        .level = SV39_ROOT_LEVEL,
        .leaf = SV39_V | SV39_R | SV39_W | SV39_X | SV39_A | SV39_D,
    };
    const gva_t window = gva(0xffffffe000000000UL + (guest_frame(table) << FRAME_SHIFT));
    u64 entry = 0;

    for (u32 i = 0; i < RETRIES && !host_access(vcpu, window, SV39_W, &entry); i++)
        fill(window, &found, true);
    assert_true(host_access(vcpu, window, SV39_W, &entry));
    assert_int_equal(sv39_frame(entry), p2m_lookup(&vm->p2m, guest_frame(table)).number);
    guest_table(table)[index] = value;
    see_all();
}

static u64 any_entry(void)
{
    static const u64 rights[] = {SV39_R,          SV39_R | SV39_W,
                                 SV39_R | SV39_X, SV39_X,
                                 SV39_R | SV39_U, SV39_R | SV39_W | SV39_U,
                                 SV39_X | SV39_U, SV39_R | SV39_W | SV39_X | SV39_U,
                                 SV39_W};
    u64 frame = guest_frame(pick(DATA));

    switch (pick(8)) {
    case 0:
        return 0;
    case 1:
    case 2:
    case 3:
        return guest_frame(ROOTS + pick(TABLES - ROOTS)) << 10 | SV39_V; /* a link */
    case 4:
        frame = (VM_MEMORY_BASE >> FRAME_SHIFT) + pick(2) * CHUNK_FRAMES; /* a large leaf */
        break;
    case 5:
        frame = pick(4) == 0 ? pick(1 << 20) : frame; /* perhaps no memory */
        break;
    default:
        break;
    }
    return frame << 10 | SV39_V | rights[pick(ARRAY_SIZE(rights))] | (pick(4) ? SV39_A : 0) |
           (pick(2) ? SV39_D : 0) | (pick(8) ? 0 : SV39_G);
}

static void write_any(void)
{
    u32 table = pick(TABLES);
    gva_t address = page_address(pick(PAGES));

    guest_write(table, sv39_index(address, pick(SV39_LEVELS)), any_entry());
}

static void fence_all(void)
{
    while (shadow_fence_all(vcpu))
        ;
    memset(seen, 0, sizeof(seen));
    see_all();
}

static void fence_page(void)
{
    u32 page = pick(PAGES);

    shadow_fence_page(vcpu, page_address(page));
    for (u32 root = 0; root < ROOTS; root++) {
        for (u32 space = 0; space < SPACES; space++)
            seen[root][space][page].count = 0;
    }
    see(page);
}

static void change_space(u32 root, u32 space)
{
    while (shadow_fence_all(vcpu))
        ;
    now_root = root;
    now_space = space;
    shadow_space_enter(vcpu, satp_now(), SHADOW_VIEW_DIRECT);
    see_all();
}

static bool permitted(u32 page, u64 leaf, u64 right)
{
    const struct seen *one = &seen[now_root][now_space][page];

    for (u32 i = 0; i < one->count; i++) {
        u64 may = one->leaves[i];
        mfn_t frame = p2m_lookup(&vm->p2m, may >> 10);

        if (leaf == 0 ? (may & right) == 0 || !(may & SV39_U) != !user || !mfn_valid(frame)
                      : (may & right) != 0 && !(may & SV39_U) == !user &&
                            frame.number == sv39_frame(leaf))
            return true;
    }
    return false;
}

static void access_any(void)
{
    static const u64 rights[] = {SV39_R, SV39_W, SV39_X};
    u32 page = pick(PAGES);
    u64 right = rights[pick(ARRAY_SIZE(rights))];
    u64 leaf;

    user = pick(2) != 0;
    leaf = go(page_address(page), right);
    see_all(); /* A and D do not count, but a table that is mapped may have been its own */
    if (!permitted(page, leaf, right))
        fail_msg("seed %lu: page %u, right %lx, %s: the leaf %lx was never so in root %u space %u",
                 seed, page, right, user ? "user" : "kernel", leaf, now_root, now_space);
    user = false;
}

/* ---- tests ---- */

static u64 number_of(const char *name, u64 usual)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 0) : usual;
}

static void test_every_access_gives_what_the_tables_say_or_said_since_the_fence(void **state)
{
    u64 steps = number_of("CANDOR_STEPS", STEPS);

    (void)state;
    seed = number_of("CANDOR_SEED", 1);
    machine_make();
    windows_make(ROOTS);
    change_space(0, 0);
    for (u64 i = 0; i < steps; i++) {
        u32 what = pick(100);

        if (what < 45)
            access_any();
        else if (what < 85)
            write_any();
        else if (what < 92)
            fence_page();
        else if (what < 95)
            fence_all();
        else
            change_space(pick(ROOTS), pick(SPACES));
        if (i % AUDIT_EVERY == 0)
            audit_holds();
    }
    assert_true(vm->shadow->tables.counts.settled > 0);
}

/* root 0 -> 3 -> 4 -> one page, for users to read and write */
static void one_page(void)
{
    const u64 rights = SV39_V | SV39_R | SV39_W | SV39_U | SV39_A | SV39_D;

    machine_make();
    windows_make(ROOTS);
    guest_table(0)[0] = guest_frame(3) << 10 | SV39_V;
    guest_table(3)[0] = guest_frame(4) << 10 | SV39_V;
    guest_table(4)[0] = guest_frame(20) << 10 | rights;
    change_space(0, 0);
    user = true;
    assert_int_not_equal(go(gva(0), SV39_W), 0);
}

static void test_a_page_taken_away_is_gone_after_the_fence(void **state)
{
    (void)state;
    one_page();
    guest_write(4, 0, 0);
    shadow_fence_page(vcpu, gva(0));
    assert_int_equal(go(gva(0), SV39_R), 0);
    audit_holds();
}

/* The second entry is stale where the table was before, and was never seen where it is linked now.
 */
static void test_a_table_that_is_linked_again_shows_nothing_stale_there(void **state)
{
    const u64 rights = SV39_V | SV39_R | SV39_W | SV39_U | SV39_A | SV39_D;
    u64 leaf;

    (void)state;
    one_page();
    guest_write(4, 1, guest_frame(21) << 10 | rights);
    assert_int_not_equal(go(gva(FRAME_BYTES), SV39_R), 0);
    guest_write(4, 1, guest_frame(22) << 10 | rights);
    guest_write(3, 1, guest_frame(4) << 10 | SV39_V);
    assert_int_not_equal(go(gva(CHUNK_BYTES), SV39_R), 0);
    leaf = go(gva(CHUNK_BYTES + FRAME_BYTES), SV39_R);
    assert_int_equal(sv39_frame(leaf), p2m_lookup(&vm->p2m, guest_frame(22)).number);
    audit_holds();
}

static void test_a_table_in_step_stays_so_over_fences_and_keeps_its_shadow(void **state)
{
    u64 fills;

    (void)state;
    one_page();
    fills = vm->shadow->tables.counts.fills;
    fence_all();
    change_space(1, 0);
    change_space(0, 0);
    user = true;
    assert_int_not_equal(go(gva(0), SV39_W), 0);
    assert_int_equal(vm->shadow->tables.counts.fills, fills);
}

/* The page was not accessed yet (A is clear), so it shows nothing; least of all the table there. */
static void test_a_table_that_becomes_a_page_is_gone_after_the_fence(void **state)
{
    const u64 rights = SV39_V | SV39_R | SV39_W | SV39_U;
    const u32 aligned = CHUNK_FRAMES -
                        8; /* guest_frame() of it is one that a large page begins at */
    u64 entry;

    (void)state;
    one_page();
    assert_int_equal(guest_frame(aligned) % CHUNK_FRAMES, 0);
    guest_table(aligned)[0] = guest_frame(20) << 10 | rights | SV39_A | SV39_D;
    user = false;
    guest_write(3, 0, guest_frame(aligned) << 10 | SV39_V);
    fence_all();
    user = true;
    assert_int_not_equal(go(gva(0), SV39_R), 0);
    user = false;
    guest_write(3, 0, guest_frame(aligned) << 10 | rights);
    fence_all();
    assert_false(host_access(vcpu, gva(0), SV39_R, &entry));
    audit_holds();
}

static void test_a_fence_that_takes_several_steps_sees_what_is_written_between_them(void **state)
{
    const u64 rights = SV39_V | SV39_R | SV39_W | SV39_U | SV39_A | SV39_D;
    const u32 last = SV39_ENTRIES - 1;

    (void)state;
    one_page();
    for (u32 i = 1; i <= last; i++)
        guest_table(4)[i] = guest_frame(20) << 10 | rights;
    for (u32 i = 1; i <= last; i++)
        assert_int_not_equal(go(gva((u64)i * FRAME_BYTES), SV39_R), 0);
    user = false;
    guest_write(4, last, 0);
    assert_true(shadow_fence_all(vcpu));
    audit_holds();
    guest_write(4, 0, 0);
    assert_int_equal(vm->shadow->tables.loose_count, 1);
    fence_all();
    user = true;
    assert_int_equal(go(gva(0), SV39_R), 0);
    assert_int_equal(go(gva((u64)last * FRAME_BYTES), SV39_R), 0);
    assert_int_not_equal(go(gva(FRAME_BYTES), SV39_R), 0);
    audit_holds();
}

static void test_a_write_sets_d_and_a_read_does_not(void **state)
{
    const u64 rights = SV39_V | SV39_R | SV39_W | SV39_U;
    u64 entry;

    (void)state;
    one_page();
    guest_table(3)[1] = guest_frame(5) << 10 | SV39_V;
    guest_table(5)[0] = guest_frame(21) << 10 | rights;
    fence_all();
    assert_int_not_equal(go(gva(CHUNK_BYTES), SV39_R), 0);
    assert_int_equal(guest_table(5)[0] & (SV39_A | SV39_D), SV39_A);
    assert_false(host_access(vcpu, gva(CHUNK_BYTES), SV39_W, &entry));
    assert_int_not_equal(go(gva(CHUNK_BYTES), SV39_W), 0);
    assert_int_equal(guest_table(5)[0] & (SV39_A | SV39_D), SV39_A | SV39_D);
    audit_holds();
}

/* Of a user page that may be read and run, and of a kernel's that may be written. */
static void test_a_view_shows_what_its_mode_may_do(void **state)
{
    static const struct {
        enum shadow_view view;
        u64 user_page, kernel_page; /* what can be done there */
    } views[] = {
        {SHADOW_VIEW_USER, SV39_R | SV39_X, 0},
        {SHADOW_VIEW_KERNEL, 0, SV39_R | SV39_W},
        {SHADOW_VIEW_KERNEL_SUM, SV39_R, SV39_R | SV39_W},
    };
    const u64 rights = SV39_V | SV39_A | SV39_D;
    const u64 all = SV39_R | SV39_W | SV39_X;

    (void)state;
    machine_make();
    guest_table(0)[0] = guest_frame(3) << 10 | SV39_V;
    guest_table(3)[0] = guest_frame(4) << 10 | SV39_V;
    guest_table(4)[0] = guest_frame(20) << 10 | rights | SV39_R | SV39_X | SV39_U;
    guest_table(4)[1] = guest_frame(21) << 10 | rights | SV39_R | SV39_W;
    for (u32 i = 0; i < ARRAY_SIZE(views); i++) {
        for (u32 page = 0; page < 2; page++) {
            const struct guest_access look = {.right = SV39_R, .kernel = page == 1};
            const gva_t address = gva((u64)page * FRAME_BYTES);
            struct guest_translation found;
            u64 entry = 0;

            shadow_space_enter(vcpu, satp_now(), views[i].view);
            guest_memo_forget(&vm->shadow->memo);
            assert_int_equal(
                guest_walk(vm, &vm->shadow->memo.path, satp_now(), address, &look, &found),
                GUEST_WALK_OK);
            fill(address, &found, false);
            u64 shown = host_access(vcpu, address, 0, &entry) ? entry & all : 0;
            assert_int_equal(shown, page == 0 ? views[i].user_page : views[i].kernel_page);
            assert_true(shown == 0 || (entry & SV39_U) != 0);
        }
    }
}

static void test_the_guests_tables_cannot_be_written_while_in_step(void **state)
{
    const gva_t window = gva(0xffffffe000000000UL + (guest_frame(4) << FRAME_SHIFT));
    u64 entry;

    (void)state;
    one_page();
    user = false;
    assert_int_not_equal(go(window, SV39_R), 0);
    assert_false(host_access(vcpu, window, SV39_W, &entry));
    audit_holds();
}

/* Guest frame 64 + i is a table of level 1 whose first entry links itself, and so one of level 0,
   whose second entry maps a page: two shadows for each i. */
static gva_t far_page(u32 i)
{
    return gva(((u64)i << 30) + FRAME_BYTES);
}

static void far_pages_make(u32 count)
{
    const u64 rights = SV39_V | SV39_R | SV39_W | SV39_U | SV39_A | SV39_D;

    for (u32 i = 0; i < count; i++) {
        guest_table(0)[i] = guest_frame(64 + i) << 10 | SV39_V;
        guest_table(64 + i)[0] = guest_frame(64 + i) << 10 | SV39_V;
        guest_table(64 + i)[1] = guest_frame(20) << 10 | rights;
    }
}

static void test_more_tables_than_there_are_give_all_up_and_go_on(void **state)
{
    enum { PAGES_FAR = 200 };

    (void)state;
    machine_make();
    windows_make(ROOTS);
    far_pages_make(PAGES_FAR);
    change_space(0, 0);
    user = true;
    u64 drops = vm->shadow->tables.counts.drops;
    for (u32 i = 0; i < PAGES_FAR; i++)
        assert_int_not_equal(go(far_page(i), SV39_W), 0);
    assert_true(vm->shadow->tables.counts.drops > drops);
    assert_int_not_equal(go(far_page(0), SV39_R), 0);
    user = false;
    audit_holds();
}

static void test_more_tables_out_of_step_than_are_kept_bring_one_back(void **state)
{
    enum { PAGES_FAR = SHADOW_LOOSE_MAX + 4 };

    (void)state;
    machine_make();
    windows_make(ROOTS);
    far_pages_make(PAGES_FAR);
    change_space(0, 0);
    user = true;
    for (u32 i = 0; i < PAGES_FAR; i++)
        assert_int_not_equal(go(far_page(i), SV39_W), 0);
    user = false;
    u64 settled = vm->shadow->tables.counts.settled;
    for (u32 i = 0; i < PAGES_FAR; i++)
        guest_write(64 + i, 1, 0);
    assert_int_equal(vm->shadow->tables.loose_count, SHADOW_LOOSE_MAX);
    assert_int_equal(vm->shadow->tables.counts.settled - settled, PAGES_FAR - SHADOW_LOOSE_MAX);
    fence_all();
    user = true;
    for (u32 i = 0; i < PAGES_FAR; i++)
        assert_int_equal(go(far_page(i), SV39_R), 0);
    user = false;
    audit_holds();
}

static void test_a_table_can_have_more_links_than_one_table_has_entries_times_128(void **state)
{
    const struct shadow_key low = {guest_frame(4), 0, 0, SHADOW_VIEW_DIRECT};
    struct shadow_table *table;

    (void)state;
    one_page();
    table = shadow_table_find(&vm->shadow->tables, &low);
    assert_non_null(table);
    table->links = UINT16_MAX; /* as if from 128 tables, each with all of its entries */
    guest_table(3)[1] = guest_frame(4) << 10 | SV39_V;
    fence_all();
    assert_int_not_equal(go(gva(CHUNK_BYTES), SV39_R), 0);
    assert_int_equal(table->links, UINT16_MAX + 1);
    table->links = 2;
    audit_holds();
}

static void test_everything_can_be_given_up_at_any_time(void **state)
{
    (void)state;
    one_page();
    shadow_drop_all(vcpu);
    assert_int_not_equal(go(gva(0), SV39_W), 0);
    while (shadow_tables_release(vm))
        ;
    assert_int_equal(vm->shadow->tables.tables_used, 0); /* nor is one free that has no frame */
    assert_int_equal(vm->shadow->tables.free_count, 0);
    shadow_tables_destroy(vm);
    for (u32 i = frame_open_base.number; i < frame_open_end.number; i++)
        assert_int_not_equal(frame_get(mfn(i))->type, FRAME_SHADOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_access_gives_what_the_tables_say_or_said_since_the_fence),
        cmocka_unit_test(test_a_page_taken_away_is_gone_after_the_fence),
        cmocka_unit_test(test_a_table_that_is_linked_again_shows_nothing_stale_there),
        cmocka_unit_test(test_a_table_in_step_stays_so_over_fences_and_keeps_its_shadow),
        cmocka_unit_test(test_a_table_that_becomes_a_page_is_gone_after_the_fence),
        cmocka_unit_test(test_a_fence_that_takes_several_steps_sees_what_is_written_between_them),
        cmocka_unit_test(test_a_write_sets_d_and_a_read_does_not),
        cmocka_unit_test(test_a_view_shows_what_its_mode_may_do),
        cmocka_unit_test(test_the_guests_tables_cannot_be_written_while_in_step),
        cmocka_unit_test(test_more_tables_than_there_are_give_all_up_and_go_on),
        cmocka_unit_test(test_more_tables_out_of_step_than_are_kept_bring_one_back),
        cmocka_unit_test(test_a_table_can_have_more_links_than_one_table_has_entries_times_128),
        cmocka_unit_test(test_everything_can_be_given_up_at_any_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

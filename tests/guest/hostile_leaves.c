/* SPDX-License-Identifier: MIT */
/*
 * Entries that no guest may make: frames that are not its own (another VM's, Candor's, a device's),
 * reserved bits, rights without the right to read; by every call that makes entries.
 */
#include "guest.h"

enum {
    BASE = 0x400000,
    DEVICE = 0x10000000,
    FINISHER = 0x100000,
    PTE_RESERVED = 54,
    FRAMES_MAX = 8
};

static u64 root;

static void refuse_entry(const char *name, u64 entry, i64 error)
{
    struct hc_result r = candor_pte_set(root, BASE, entry);
    struct hc_result after = candor_pte_get(root, BASE);
    struct pte_update *batch = gpa_to_pointer(take_page());

    if (r.error != error || after.value != 0) {
        fail(name, "pte_set: error %ld, expected %ld; entry now %lx", r.error, error, after.value);
        return;
    }
    batch[0] = (struct pte_update){BASE, entry};
    r = candor_pte_batch(root, pointer_to_gpa(batch), 1);
    after = candor_pte_get(root, BASE);
    if (r.error != error || r.value != 0 || after.value != 0)
        fail(name, "pte_batch: error %ld, expected %ld; entry now %lx", r.error, error,
             after.value);
    else
        pass(name);
}

static void refuse_frame(const char *name, u64 frame)
{
    u64 *frames = gpa_to_pointer(take_page());

    refuse_entry(name, leaf(frame, PTE_R | PTE_W), HC_BAD_ENTRY);
    frames[0] = frame;
    struct hc_result r = candor_pte_fill(root, BASE, pointer_to_gpa(frames), 1, PROT_READ);
    if (r.error != HC_INVALID_ADDRESS && r.error != HC_BAD_ENTRY)
        fail(name, "pte_fill: error %ld", r.error);
    expect_true("  and nothing is mapped", candor_pte_get(root, BASE).value == 0);
}

void guest_main(void)
{
    u64 end = start->memory_base_gpa + start->memory_bytes;
    u64 page = take_page();
    struct guest_trap trap;

    root = make_space(BASE, NULL);
    refuse_frame("a frame just behind the memory", end);
    refuse_frame("a frame just before the memory", start->memory_base_gpa - PAGE_BYTES);
    refuse_frame("a frame far away", 0x880000000UL);
    refuse_frame("frame 0", 0);
    refuse_frame("a device", DEVICE);
    refuse_frame("the finisher", FINISHER);
    refuse_entry("the largest frame number", leaf(~0UL >> 8, PTE_R), HC_BAD_ENTRY);
    for (u64 bit = PTE_RESERVED; bit < 64; bit++)
        refuse_entry("a reserved bit", leaf(page, PTE_R) | 1UL << bit, HC_BAD_ENTRY);
    refuse_entry("a link in place of a page", leaf(page, 0), HC_BAD_ENTRY);
    refuse_entry("a link to a table of its own", leaf(start->boot_root_gpa, 0), HC_BAD_ENTRY);
    refuse_entry("write without read", leaf(page, PTE_W), HC_BAD_ENTRY);
    refuse_entry("write and execute without read", leaf(page, PTE_W | PTE_X), HC_BAD_ENTRY);
    refuse_entry("an entry that is not valid but not 0", leaf(page, PTE_R) & ~(u64)PTE_V,
                 HC_BAD_ENTRY);
    expect_error("an address in the upper half",
                 candor_pte_set(root, start->direct_map_gva, leaf(page, PTE_R)),
                 HC_INVALID_ADDRESS);
    expect_error("an address past the lower half",
                 candor_pte_set(root, 1UL << LOWER_HALF_SPAN_SHIFT, leaf(page, PTE_R)),
                 HC_INVALID_ADDRESS);
    expect_error(
        "a range that leaves the lower half",
        candor_pte_protect(root, (1UL << LOWER_HALF_SPAN_SHIFT) - PAGE_BYTES, 2, PROT_READ),
        HC_INVALID_PARAM);
    must("switch", candor_space_switch(root));
    expect_true("nothing can be read there",
                !try_load(BASE, NULL, &trap) && trap.cause == CAUSE_LOAD_FAULT);
    expect_error("a good entry still works", candor_pte_set(root, BASE, leaf(page, PTE_R | PTE_W)),
                 HC_OK);
    expect_true("and is written through",
                try_store(BASE, 42, &trap) && *(u64 *)gpa_to_pointer(page) == 42);
}

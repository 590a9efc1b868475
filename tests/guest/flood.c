/* SPDX-License-Identifier: MIT */
/*
 * Floods: something that makes Candor work, as often as a guest can, while a neighbour wants its
 * share of the hart (fair_share.c). args: which. What a flood costs must be its own VM's loss.
 */
#include "flood.h"

#include "string.h"

enum {
    RANGE_PAGES = 512,
    ROUNDS = 8, /* between two looks at the clock */
    LINE_BYTES = 4096,
    SWEEP_BYTES = 2 << 20,
    CACHE_LINE_BYTES = 64,
    ILLEGAL_INSTRUCTION = 0,
    UNKNOWN_EXTENSION = 0x09000000,
    PROT_DATA = PROT_READ | PROT_WRITE | PROT_USER,
};

#define PLACE 0x40000000UL

static u64 frames[RANGE_PAGES] __attribute__((aligned(4096)));
static u64 back[RANGE_PAGES] __attribute__((aligned(4096)));
static struct pte_update updates[RANGE_PAGES] __attribute__((aligned(4096)));
static struct shared_page shared __attribute__((aligned(4096)));
static char text[LINE_BYTES];
static u64 root, other, spare, page;

static void flood_fill(void)
{
    candor_pte_fill(root, PLACE, pointer_to_gpa(frames), RANGE_PAGES, PROT_DATA);
    candor_pte_clear(root, PLACE, RANGE_PAGES, pointer_to_gpa(back));
}

static void flood_clone(void)
{
    candor_pte_fill(root, PLACE, pointer_to_gpa(frames), RANGE_PAGES, PROT_DATA);
    candor_pte_clone(other, root, PLACE, RANGE_PAGES, pointer_to_gpa(back));
    candor_pte_clear(other, PLACE, RANGE_PAGES, pointer_to_gpa(back));
}

static void flood_protect(void)
{
    candor_pte_fill(root, PLACE, pointer_to_gpa(frames), RANGE_PAGES, PROT_DATA);
    candor_pte_protect(root, PLACE, RANGE_PAGES, PROT_READ | PROT_USER);
    candor_pte_protect(root, PLACE, RANGE_PAGES, PROT_DATA);
}

static void flood_batch(void)
{
    candor_pte_batch(root, pointer_to_gpa(updates), RANGE_PAGES);
}

static void flood_flush(void)
{
    candor_flush(root, PLACE, RANGE_PAGES);
    candor_flush(root, PLACE, 1);
}

static void flood_set(void)
{
    candor_pte_set(root, PLACE, leaf(page, PTE_R | PTE_W));
    candor_pte_set(root, PLACE, leaf(page, PTE_R));
}

static void flood_switch(void)
{
    candor_space_switch(root);
    candor_space_switch(other);
}

static void flood_tables(void)
{
    candor_table_make(spare, 2);
    candor_table_free(spare);
}

static void flood_counters(void)
{
    candor_counters(pointer_to_gpa(back));
}

static void flood_unknown(void)
{
    sbi_call(UNKNOWN_EXTENSION, 0, 0, 0, 0);
}

static void flood_faults(void)
{
    struct guest_trap trap;

    (void)try_load(PLACE + SWEEP_BYTES, NULL, &trap);
}

static void run_user(void *argument)
{
    (void)argument;
    guest_enter_user(PLACE, PLACE + PAGE_BYTES);
}

/* User code, an instruction that is none: always by way of Candor. */
static void flood_illegal(void)
{
    struct guest_trap trap;

    guest_try(run_user, NULL, &trap);
}

static void flood_output(void)
{
    sbi_call(SBI_DEBUG_CONSOLE, DBCN_WRITE, sizeof(text), pointer_to_gpa(text), 0);
}

/* Each comes out as a line with the VM's name. */
static void flood_newlines(void)
{
    static char newlines[LINE_BYTES];

    memset(newlines, '\n', newlines[0] == 0 ? sizeof(newlines) : 0);
    sbi_call(SBI_DEBUG_CONSOLE, DBCN_WRITE, sizeof(newlines), pointer_to_gpa(newlines), 0);
}

static void flood_bytes(void)
{
    sbi_call(SBI_DEBUG_CONSOLE, DBCN_WRITE_BYTE, '\n', 0, 0);
}

/* Fills the ring, and sleeps while it is emptied. */
static void flood_lines(void)
{
    while (sbi_call(SBI_DEBUG_CONSOLE, DBCN_WRITE, sizeof(text), pointer_to_gpa(text), 0).value > 0)
        ;
    while (shared.pending == 0)
        candor_yield_idle(UINT64_MAX);
    __asm__ volatile("csrci sip, 2");
    __atomic_store_n(&shared.pending, 0, __ATOMIC_SEQ_CST);
}

static void flood_typed(void)
{
    sbi_call(SBI_DEBUG_CONSOLE, DBCN_READ, sizeof(text), pointer_to_gpa(text), 0);
}

static void flood_timer(void)
{
    candor_timer_set(time_now() + 1);
}

static void flood_past(void)
{
    candor_timer_set(0);
}

static void flood_stimecmp(void)
{
    __asm__ volatile("csrw stimecmp, %0" : : "r"(time_now() + 1));
}

static void flood_naps(void)
{
    candor_yield_idle(time_now() + 2);
}

/* Runs almost as long as it may, and is asleep when it would be asked to go. */
static void flood_dodge(void)
{
    enum { MICROSECONDS = 9900, A_SECOND = 1000000 };

    u64 until = time_now() + start->timebase_hz * MICROSECONDS / A_SECOND;

    while (time_now() < until)
        ;
    candor_yield_idle(time_now() + 2);
}

static void flood_no_sleep(void)
{
    candor_yield_idle(0);
}

static void flood_yield(void)
{
    candor_yield();
}

static void flood_spin(void)
{
}

static void flood_sweep(void)
{
    volatile u64 *memory = gpa_to_pointer(ALIGN_UP(page, (u64)PAGE_BYTES));

    for (u64 i = 0; i < SWEEP_BYTES / sizeof(u64); i += CACHE_LINE_BYTES / sizeof(u64))
        memory[i] = i;
}

static void flood_reboot(void)
{
    sbi_call(SBI_SYSTEM_RESET, 0, SRST_REBOOT, 0, 0);
}

static const struct {
    const char *name;
    void (*once)(void);
} floods[] = {
    {"fill", flood_fill},       {"clone", flood_clone},       {"protect", flood_protect},
    {"batch", flood_batch},     {"flush", flood_flush},       {"set", flood_set},
    {"switch", flood_switch},   {"tables", flood_tables},     {"counters", flood_counters},
    {"unknown", flood_unknown}, {"faults", flood_faults},     {"illegal", flood_illegal},
    {"output", flood_output},   {"newlines", flood_newlines}, {"bytes", flood_bytes},
    {"lines", flood_lines},     {"typed", flood_typed},       {"timer", flood_timer},
    {"past", flood_past},       {"stimecmp", flood_stimecmp}, {"naps", flood_naps},
    {"dodge", flood_dodge},     {"no-sleep", flood_no_sleep}, {"yield", flood_yield},
    {"spin", flood_spin},       {"sweep", flood_sweep},       {"reboot", flood_reboot},
};

static void prepare(void)
{
    u64 code = take_page();

    root = make_space(PLACE, NULL);
    other = make_space(PLACE, NULL);
    spare = take_pool_frame();
    *(u32 *)gpa_to_pointer(code) = ILLEGAL_INSTRUCTION;
    must("map code", candor_pte_set(root, PLACE, leaf(code, PTE_R | PTE_X | PTE_U)));
    must("switch", candor_space_switch(root));
    must("shared page", candor_shared_page(pointer_to_gpa(&shared)));
    page = take_page();
    for (u64 i = 0; i < RANGE_PAGES; i++) {
        frames[i] = page;
        updates[i].gva = PLACE + i * PAGE_BYTES;
        updates[i].entry = leaf(page, PTE_R | PTE_W);
    }
    memset(text, 'z', sizeof(text));
    for (u64 i = 0; i < sizeof(text); i += CACHE_LINE_BYTES)
        text[i] = '\n';
}

void guest_main(void)
{
    u64 which = 0;

    while (which < ARRAY_SIZE(floods) && strcmp(start->args, floods[which].name) != 0)
        which++;
    if (which == ARRAY_SIZE(floods)) {
        fail("args", "no flood is called %s", start->args);
        return;
    }
    prepare();
    while (time_now() < flood_time(FLOOD_BEGIN_MS)) {
        shared.pending = 0;
        __asm__ volatile("csrci sip, 2");
        candor_yield_idle(flood_time(FLOOD_BEGIN_MS));
    }
    while (time_now() < flood_time(FLOOD_END_MS)) {
        for (u64 round = 0; round < ROUNDS; round++)
            floods[which].once();
    }
    __asm__ volatile("csrw stimecmp, %0" : : "r"(UINT64_MAX));
}

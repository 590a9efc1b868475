/* SPDX-License-Identifier: MIT */
/*
 * All vCPUs of a machine change the same few tables at once, by any call and with any argument that
 * might fit, start and stop each other meanwhile, and use what comes of it. Candor's audit looks at
 * the tables while they do; `DONE` comes after enough of it.
 */
#include "guest.h"
#include "string.h"

enum {
    VCPUS_MAX = 8,
    STACK_BYTES = 4096,
    TABLES = 12,
    DATA_PAGES = 8,
    SECONDS = 4,
    ARGUMENTS = 6,
    ARRAY_WORDS = 64,
    TEXT = 0x400000,
    SPAN = 0x200000,
    STOP_ONE_IN = 64,
};

static u8 stacks[VCPUS_MAX][STACK_BYTES] __attribute__((aligned(16)));
static u64 arrays[VCPUS_MAX][ARRAY_WORDS] __attribute__((aligned(512)));
static u64 tables[TABLES], data[DATA_PAGES], home;
static volatile u64 ends_at, calls_done[VCPUS_MAX];

static u64 random_number(u64 *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static u64 some_table(u64 *seed)
{
    return tables[random_number(seed) % TABLES];
}

static u64 some_address(u64 *seed)
{
    u64 r = random_number(seed);

    return TEXT + r % 3 * SPAN + (r >> 8) % 4 * PAGE_BYTES;
}

static u64 some_entry(u64 *seed)
{
    u64 r = random_number(seed);

    if (r % 4 == 0)
        return 0;
    if (r % 16 == 1)
        return leaf(some_table(seed), PTE_R);
    return leaf(data[(r >> 8) % DATA_PAGES], PTE_R | (r & 64 ? PTE_W : 0) | (r & 128 ? PTE_U : 0));
}

/* Arguments that the call may take, in the tables that all have in common. */
static void choose(u64 number, u64 vcpu, u64 *seed, u64 *args)
{
    u64 array = pointer_to_gpa(arrays[vcpu]);

    args[0] = some_table(seed);
    args[1] = some_address(seed);
    args[2] = random_number(seed) % 3;
    switch (number) {
    case HC_CALL_TABLE_MAKE:
        args[1] = random_number(seed) % 3;
        break;
    case HC_CALL_TABLE_LINK:
        args[2] = some_table(seed);
        break;
    case HC_CALL_PTE_SET:
        args[2] = some_entry(seed);
        break;
    case HC_CALL_PTE_FILL:
        for (u64 i = 0; i < ARRAY_WORDS; i++)
            arrays[vcpu][i] = data[i % DATA_PAGES];
        args[2] = array;
        args[3] = random_number(seed) % 8;
        args[4] = PROT_READ | PROT_WRITE | PROT_USER;
        break;
    case HC_CALL_PTE_PROTECT:
        args[2] = random_number(seed) % 8;
        args[3] = PROT_READ;
        break;
    case HC_CALL_PTE_CLONE:
        args[1] = some_table(seed);
        args[2] = some_address(seed);
        args[3] = random_number(seed) % 8;
        args[4] = array;
        break;
    case HC_CALL_PTE_CLEAR:
        args[2] = random_number(seed) % 8;
        args[3] = array;
        break;
    }
}

static void other_start(u64 vcpu);

static void work_on(u64 vcpu, u64 seed)
{
    while (time_now() < ends_at) {
        u64 number = HC_CALL_TABLE_MAKE +
                     random_number(&seed) % (HC_CALL_FLUSH - HC_CALL_TABLE_MAKE + 1);
        u64 args[ARGUMENTS] = {0};

        choose(number, vcpu, &seed, args);
        (void)candor_call(number, args);
        calls_done[vcpu]++;
        if (random_number(&seed) % STOP_ONE_IN != 0)
            continue;
        other_start(random_number(&seed) % start->vcpu_count);
        (void)candor_vcpu_notify(random_number(&seed) % start->vcpu_count);
        (void)candor_yield_to(random_number(&seed) % start->vcpu_count);
        if (vcpu != 0) {
            (void)candor_space_switch(home);
            (void)candor_vcpu_stop();
        }
    }
}

void other_main(u64 vcpu);
void other_main(u64 vcpu)
{
    for (;;) {
        work_on(vcpu, time_now() * (vcpu + 1) | 1);
        (void)candor_space_switch(home);
        (void)candor_vcpu_stop();
    }
}

__attribute__((naked)) static void other_entry(void)
{
    __asm__ volatile("mv sp, a1\n\tcall other_main");
}

static void other_start(u64 vcpu)
{
    (void)candor_vcpu_start(vcpu, (u64)other_entry, (u64)stacks[vcpu] + STACK_BYTES);
}

void guest_main(void)
{
    u64 total = 0;

    home = make_table(2);
    must("space_switch", candor_space_switch(home));
    for (u64 i = 0; i < TABLES; i++)
        tables[i] = take_pool_frame();
    for (u64 i = 0; i < DATA_PAGES; i++)
        data[i] = take_page();
    ends_at = time_now() + SECONDS * start->timebase_hz;
    guest_printf("BEGINS\n");
    for (u64 i = 1; i < start->vcpu_count; i++)
        other_start(i);
    work_on(0, 20240229);
    for (u64 i = 0; i < start->vcpu_count; i++) {
        expect_true("a vCPU has made calls", calls_done[i] > 0);
        total += calls_done[i];
    }
    guest_printf("%lu calls\n", total);
    guest_finish();
}

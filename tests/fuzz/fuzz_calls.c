/* SPDX-License-Identifier: MIT */
/*
 * Sequences of hypercalls from several VMs on several harts, by the core and by the reference
 * models (lib/compare.h, lib/turns.h), with what happens to VMs meanwhile: accesses, moves from
 * hart to hart, time, events, pauses, reboots.
 *
 * The input is cut into records of 16 bytes, one a step: what is done, by whom, two bytes for each
 * argument, and two from which the guest's arrays are filled. Bits of the first record say with
 * what the VMs begin, and under which scheduling policy.
 *
 * CANDOR_TRACE=1 prints every call.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "compare.h"
#include "core/vm.h"
#include "turns.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);
int LLVMFuzzerInitialize(int *count, char ***words);

/* What a record asks for besides a call. */
enum {
    DO_ACCESS = HC_CALL_COUNT,
    DO_POKE,
    DO_REBOOT,
    DO_UNKNOWN_CALL,
    DO_LEAVE, /* a hart chooses anew */
    DO_PASS,  /* time passes */
    DO_SEND,  /* an event is sent */
    DO_SCAN,  /* the guest takes note of its events */
    DO_PAUSE,
    DO_COUNT,
};

enum {
    ACCESSES = 6,
    ARRAY_SHORT = 16,
    ARRAY_LONG = 512,
    REBOOTS_MAX = 1,   /* of an input: they take long, */
    REBOOT_BELOW = 24, /* and are rare */
    LEAVE_ASLEEP_BELOW = 160,
    WEIGHTED_BIT = 1, /* of the first record's array_kind: shares are weighted, by the other bits */
    PASS_BITS = 21,   /* up to a tenth of a second */
};

/* How often each is done; whatever is not named has 1. */
static const u8 weights[DO_COUNT] = {
    [HC_CALL_TABLE_MAKE] = 14,
    [HC_CALL_TABLE_FREE] = 10,
    [HC_CALL_TABLE_LINK] = 16,
    [HC_CALL_TABLE_UNLINK] = 8,
    [HC_CALL_PTE_SET] = 20,
    [HC_CALL_PTE_GET] = 6,
    [HC_CALL_PTE_BATCH] = 12,
    [HC_CALL_PTE_FILL] = 16,
    [HC_CALL_PTE_PROTECT] = 12,
    [HC_CALL_PTE_CLONE] = 16,
    [HC_CALL_PTE_CLEAR] = 10,
    [HC_CALL_SPACE_SWITCH] = 12,
    [HC_CALL_FLUSH] = 4,
    [HC_CALL_YIELD_IDLE] = 5,
    [HC_CALL_TIMER_SET] = 4,
    [HC_CALL_SHARED_PAGE] = 3,
    [HC_CALL_COUNTERS] = 2,
    [DO_ACCESS] = 32,
    [DO_POKE] = 4,
    [DO_LEAVE] = 10,
    [DO_PASS] = 3,
    [DO_SEND] = 3,
    [DO_SCAN] = 4,
};

struct record {
    u8 what;
    u8 who;
    struct argument_bytes arguments[GRAMMAR_ARGS_MAX];
    u8 array_seed; /* 0: the array stays as it is */
    u8 array_kind;
};
_Static_assert(sizeof(struct record) == 16, "inputs are cut by this");

static u8 choices[1024];
static u32 choices_count;
static u32 reboots;

static void show_count(void)
{
    fprintf(stderr, "calls: %lu\n", compare_calls);
}

int LLVMFuzzerInitialize(int *count, char ***words)
{
    (void)count;
    (void)words;
    for (u32 i = 0; i < DO_COUNT; i++) {
        bool later = i >= HC_CALL_DISK_ATTACH && i < HC_CALL_COUNT;

        for (u32 n = 0; !later && n < max((u32)weights[i], 1u); n++)
            choices[choices_count++] = (u8)i;
    }
    for (u8 i = HC_CALL_DISK_ATTACH; i < HC_CALL_COUNT;
         i++) /* kept inputs know the others' places */
        choices[choices_count++] = i;
    compare_start();
    (void)atexit(show_count);
    return 0;
}

static void call(u32 vm, u64 number, u64 a, u64 b, u64 c)
{
    const u64 args[GRAMMAR_ARGS_MAX] = {a, b, c};

    compare_call(vm, number, args);
}

/* Two roots with tables for the first pages, and some pages in one of them. */
static void begin(u32 vm, u8 how)
{
    const u64 pool = compare_model.vms[vm].pool_base;
    static const struct argument_bytes fill[GRAMMAR_ARGS_MAX] = {
        {0, 1}, {0, 0}, {0, 0}, {0, 13}, {0, 3}};
    u64 args[GRAMMAR_ARGS_MAX];

    for (u32 i = 1; i < 3; i++) {
        call(vm, HC_CALL_TABLE_MAKE, pool + i * 4096, 2, 0);
        call(vm, HC_CALL_TABLE_MAKE, pool + (3 + i) * 4096, 1, 0);
        call(vm, HC_CALL_TABLE_LINK, pool + i * 4096, 0, pool + (3 + i) * 4096);
        for (u32 table = 0; table < 2; table++) {
            u64 name = pool + (6 + 2 * i + table) * 4096;

            call(vm, HC_CALL_TABLE_MAKE, name, 0, 0);
            call(vm, HC_CALL_TABLE_LINK, pool + i * 4096, table << CHUNK_SHIFT, name);
        }
    }
    call(vm, HC_CALL_SPACE_SWITCH, pool + 4096, 0, 0);
    arguments_make(vm, HC_CALL_PTE_FILL, fill, args);
    compare_turn(vm);
    arguments_fill_array(vm, HC_CALL_PTE_FILL, args, how, (how & 4) ? ARRAY_LONG : ARRAY_SHORT);
    args[3] = (how & 4) ? ARRAY_LONG : args[3];
    compare_call(vm, HC_CALL_PTE_FILL, args);
}

static void reboot(u32 vm, struct argument_bytes bytes)
{
    if (bytes.what < REBOOT_BELOW && reboots++ < REBOOTS_MAX)
        compare_reboot(vm, bytes.which % COMPARE_END_COUNT);
}

/* What is done to VMs, and not by one of them. */
static bool step_outside(u32 vm, u64 number, struct argument_bytes bytes)
{
    switch (number) {
    case DO_LEAVE:
        turns_leave(bytes.which % TURNS_HARTS, bytes.what < LEAVE_ASLEEP_BELOW);
        return true;
    case DO_PASS:
        turns_pass(1UL << bytes.which % PASS_BITS);
        return true;
    case DO_SEND:
        turns_send(vm, bytes.which % TURNS_HARTS);
        return true;
    case DO_PAUSE:
        turns_pause(vm);
        turns_weigh(vm, bytes.which);
        return true;
    case DO_REBOOT:
        reboot(vm, bytes);
        return true;
    default:
        return false;
    }
}

static void step(const struct record *record)
{
    u32 vm = record->who % COMPARE_VMS;
    u64 number = choices[(record->what | (record->who & 0xf0u) << 4) % choices_count];
    u64 args[GRAMMAR_ARGS_MAX];

    if (step_outside(vm, number, record->arguments[0]))
        return;
    compare_turn(vm);
    if (number == DO_ACCESS) {
        for (u32 i = 0; i < ACCESSES; i++)
            compare_access(vm, arguments_page(record->arguments[i]));
    } else if (number == DO_POKE) {
        arguments_make(vm, HC_CALL_COUNTERS, record->arguments, args);
        compare_poke(vm, args[0], args[1]);
    } else if (number == DO_SCAN) {
        turns_scan(vm, record->arguments[0].which & 1);
    } else {
        if (number == DO_UNKNOWN_CALL)
            number = HC_CALL_COUNT + record->arguments[0].what;
        arguments_make(vm, number, record->arguments, args);
        if (record->array_seed != 0)
            arguments_fill_array(vm, number, args, record->array_seed,
                                 record->array_kind < 32 ? ARRAY_LONG : ARRAY_SHORT);
        compare_call(vm, number, args);
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
    struct record record;

    if (bytes < sizeof(record))
        return 0;
    reboots = 0;
    memcpy(&record, data, sizeof(record));
    turns_use(record.array_kind & WEIGHTED_BIT, record.array_kind >> 1);
    for (u32 vm = 0; (data[0] & 3) != 0 && vm < COMPARE_VMS; vm++)
        begin(vm, data[0] >> vm);
    for (size_t at = 0; at + sizeof(record) <= bytes; at += sizeof(record)) {
        memcpy(&record, data + at, sizeof(record));
        step(&record);
    }
    compare_reset();
    return 0;
}

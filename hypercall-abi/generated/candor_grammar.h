/* SPDX-License-Identifier: MIT */
/* The calls' arguments and errors as data, for the fuzzer. Made by hypercall-abi/abigen.py from abi.toml: change that, not this. */

#pragma once

#include "candor_abi.h"

/* What an argument stands for. */
enum grammar_kind {
    GRAMMAR_GVA,
    GRAMMAR_ENTRY,
    GRAMMAR_TICKS,
    GRAMMAR_COUNT,
    GRAMMAR_ROOT,
    GRAMMAR_TABLE,
    GRAMMAR_PAGE,
    GRAMMAR_UPDATES,
    GRAMMAR_FRAMES,
    GRAMMAR_ENTRIES,
    GRAMMAR_COUNTERS,
    GRAMMAR_CODE,
    GRAMMAR_LEVEL,
    GRAMMAR_PROT,
    GRAMMAR_CAUSES,
    GRAMMAR_VCPU,
    GRAMMAR_ARGUMENT,
};

enum { GRAMMAR_ARGS_MAX = 6 };

struct grammar_call {
    const char *name;
    u32 count; /* of arguments */
    u8 kinds[GRAMMAR_ARGS_MAX]; /* enum grammar_kind */
    u32 errors; /* bit n: -n may be returned */
};

static const struct grammar_call grammar_calls[HC_CALL_COUNT] = {
    [HC_CALL_VERSION] = {"version", 0, {0}, 0x0},
    [HC_CALL_SHARED_PAGE] = {"shared_page", 1, {GRAMMAR_PAGE}, 0x120020},
    [HC_CALL_TRAP_REGISTER] = {"trap_register", 2, {GRAMMAR_CODE, GRAMMAR_CAUSES}, 0x28},
    [HC_CALL_TRAP_RETURN] = {"trap_return", 0, {0}, 0x10},
    [HC_CALL_YIELD_IDLE] = {"yield_idle", 1, {GRAMMAR_TICKS}, 0x0},
    [HC_CALL_YIELD] = {"yield", 0, {0}, 0x0},
    [HC_CALL_TIMER_SET] = {"timer_set", 1, {GRAMMAR_TICKS}, 0x0},
    [HC_CALL_TABLE_MAKE] = {"table_make", 2, {GRAMMAR_TABLE, GRAMMAR_LEVEL}, 0x910028},
    [HC_CALL_TABLE_FREE] = {"table_free", 1, {GRAMMAR_TABLE}, 0x250020},
    [HC_CALL_TABLE_LINK] = {"table_link", 3, {GRAMMAR_ROOT, GRAMMAR_GVA, GRAMMAR_TABLE}, 0x1d0020},
    [HC_CALL_TABLE_UNLINK] = {"table_unlink", 3, {GRAMMAR_ROOT, GRAMMAR_GVA, GRAMMAR_LEVEL}, 0xd0028},
    [HC_CALL_PTE_SET] = {"pte_set", 3, {GRAMMAR_ROOT, GRAMMAR_GVA, GRAMMAR_ENTRY}, 0x4f0020},
    [HC_CALL_PTE_GET] = {"pte_get", 2, {GRAMMAR_ROOT, GRAMMAR_GVA}, 0xd0020},
    [HC_CALL_PTE_BATCH] = {"pte_batch", 3, {GRAMMAR_ROOT, GRAMMAR_UPDATES, GRAMMAR_COUNT}, 0x4f0028},
    [HC_CALL_PTE_FILL] = {"pte_fill", 5, {GRAMMAR_ROOT, GRAMMAR_GVA, GRAMMAR_FRAMES, GRAMMAR_COUNT, GRAMMAR_PROT}, 0x1f0028},
    [HC_CALL_PTE_PROTECT] = {"pte_protect", 4, {GRAMMAR_ROOT, GRAMMAR_GVA, GRAMMAR_COUNT, GRAMMAR_PROT}, 0x70028},
    [HC_CALL_PTE_CLONE] = {"pte_clone", 5, {GRAMMAR_ROOT, GRAMMAR_ROOT, GRAMMAR_GVA, GRAMMAR_COUNT, GRAMMAR_ENTRIES}, 0x1f0028},
    [HC_CALL_PTE_CLEAR] = {"pte_clear", 4, {GRAMMAR_ROOT, GRAMMAR_GVA, GRAMMAR_COUNT, GRAMMAR_ENTRIES}, 0x70028},
    [HC_CALL_SPACE_SWITCH] = {"space_switch", 1, {GRAMMAR_ROOT}, 0x50020},
    [HC_CALL_FLUSH] = {"flush", 3, {GRAMMAR_ROOT, GRAMMAR_GVA, GRAMMAR_COUNT}, 0x50028},
    [HC_CALL_COUNTERS] = {"counters", 1, {GRAMMAR_COUNTERS}, 0x20020},
    [HC_CALL_DISK_ATTACH] = {"disk_attach", 1, {GRAMMAR_PAGE}, 0x120024},
    [HC_CALL_DISK_KICK] = {"disk_kick", 0, {0}, 0x200018},
    [HC_CALL_DISK_DETACH] = {"disk_detach", 0, {0}, 0x200010},
    [HC_CALL_VCPU_START] = {"vcpu_start", 3, {GRAMMAR_VCPU, GRAMMAR_CODE, GRAMMAR_ARGUMENT}, 0x100038},
    [HC_CALL_VCPU_STOP] = {"vcpu_stop", 0, {0}, 0x10},
    [HC_CALL_VCPU_NOTIFY] = {"vcpu_notify", 1, {GRAMMAR_VCPU}, 0x8},
    [HC_CALL_YIELD_TO] = {"yield_to", 1, {GRAMMAR_VCPU}, 0x8},
};

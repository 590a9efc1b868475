/* SPDX-License-Identifier: MIT */
#include "arguments.h"

#include "compare.h"
#include "host.h"
#include "sv39.h"
#include "virt/pv/paging.h"
#include "world.h"

enum {
    ROOTS = 4,
    LEVEL1_TABLES = 4,
    CONVENTIONAL = 20, /* tables that are named by convention */
    DATA_FRAMES = 16,
    ARRAY_FIRST = 20, /* the data frames where arrays are */
    ARRAY_FRAMES = 4,
    SHARED_FIRST = 28,
    SHARED_FRAMES = 4,
    ODD = 224, /* from here on `what` asks for something unusual */
};

static u64 memory_end(u32 vm)
{
    return VM_MEMORY_BASE + compare_model.vms[vm].bytes;
}

/* ---- addresses ---- */

static u64 odd_frame(u32 vm, u8 which)
{
    switch (which % 16) {
    case 0:
        return compare_pool(vm, COMPARE_POOL_FRAMES - 1);
    case 1:
        return compare_data(vm, which / 16);
    case 2:
        return compare_pool(vm, COMPARE_POOL_FRAMES); /* the first frame behind the pool */
    case 3:
        return memory_end(vm) - FRAME_BYTES;
    case 4:
        return memory_end(vm);
    case 5:
        return VM_MEMORY_BASE - FRAME_BYTES;
    case 6:
        return compare_pool(vm, which / 16) + 8;
    case 7:
        return compare_data(vm, which / 16) + 1;
    case 8:
        return ~0UL << (which / 16 * 4);
    case 9:
        return compare_machine_address((vm + 1) % COMPARE_VMS,
                                       compare_data((vm + 1) % COMPARE_VMS, which / 16));
    case 10:
        return compare_machine_address(vm, compare_pool(vm, which / 16));
    case 11:
        return PV_DIRECT_MAP + compare_pool(vm, which / 16);
    case 12:
        return compare_pool(vm, 0) | 1UL << (44 + which / 16);
    case 13:
        return (u64)which << FRAME_SHIFT;
    case 14:
        return 1UL << (which / 4);
    default:
        return compare_pool(vm, which % COMPARE_TABLES);
    }
}

static u64 table_frame(u32 vm, struct argument_bytes from, u32 first, u32 count)
{
    if (from.what < ODD)
        return compare_pool(vm, first + from.which % count);
    if (from.what < ODD + 16)
        return compare_pool(vm, from.which % COMPARE_TABLES);
    return odd_frame(vm, from.which);
}

u64 arguments_page(struct argument_bytes bytes)
{
    static const u64 regions[] = {
        0,         CHUNK_BYTES - 4 * FRAME_BYTES,      3UL * CHUNK_BYTES - 8 * FRAME_BYTES,
        64 * 4096, (1UL << 30) - 4 * FRAME_BYTES,      SV39_LOWER_END - 6 * FRAME_BYTES,
        0,         SV39_LOWER_END - 260 * FRAME_BYTES,
    };
    u64 page = regions[bytes.what % ARRAY_SIZE(regions)] + (u64)(bytes.which % 8) * FRAME_BYTES;

    if (bytes.what < ODD + 16)
        return page;
    switch (bytes.which % 8) {
    case 0:
        return page + bytes.which;
    case 1:
        return SV39_LOWER_END;
    case 2:
        return page | ~(SV39_LOWER_END - 1);
    case 3:
        return PV_DIRECT_MAP + VM_MEMORY_BASE + (u64)bytes.which * FRAME_BYTES;
    case 4:
        return ~0UL << FRAME_SHIFT;
    case 5:
        return page | 1UL << (38 + bytes.which / 16);
    default:
        return page + (u64)bytes.which * CHUNK_BYTES;
    }
}

/* Any frame that an entry may name, or may not. */
static u64 mapped_frame(u32 vm, struct argument_bytes from)
{
    u8 which = from.which & 63;

    if (from.what < 150)
        return compare_data(vm, which % DATA_FRAMES);
    if (from.what < 190)
        return compare_pool(vm, which % COMPARE_TABLES);
    if (from.what < 200)
        return compare_data(vm, ARRAY_FIRST + which % 12);
    return from.what < ODD ? compare_data(vm, which) : odd_frame(vm, from.which);
}

static u64 array_at(u32 vm, struct argument_bytes from, u32 element)
{
    u64 array = compare_data(vm, ARRAY_FIRST + from.which % ARRAY_FRAMES);

    if (from.what < 128)
        return array;
    if (from.what < 176)
        return array + FRAME_BYTES - (u64)(from.what % 24) * sizeof(u64); /* into the next frame */
    if (from.what < 190)
        return memory_end(vm) - (u64)(from.which % 64) * element; /* and out of memory */
    if (from.what < 196)
        return compare_pool(vm, from.which % COMPARE_TABLES) + (u64)(from.what & 3) * sizeof(u64);
    if (from.what < 200)
        return compare_pool(vm, 0) - (u64)(from.which % 64) * sizeof(u64); /* or into the pool */
    if (from.what < ODD)
        return array + from.what % 16;
    return odd_frame(vm, from.which);
}

/* ---- words ---- */

static u64 entry_value(u32 vm, struct argument_bytes from)
{
    u64 entry = mapped_frame(vm, from) >> FRAME_SHIFT << SV39_PPN_SHIFT | SV39_V;
    u8 rights = from.which >> 6 | (from.what & 3)
                                      << 2; /* four bits that the frame hardly depends on */

    if (from.what < 24)
        return 0;
    entry |= (rights & 1) ? SV39_R | SV39_W : SV39_R;
    entry |= ((rights & 2) ? SV39_U : 0) | ((rights & 4) ? SV39_X : 0);
    if ((rights & 8) == 0)
        return entry;
    switch (from.what >> 2 & 15) {
    case 0:
        return entry & ~(u64)SV39_V;
    case 1:
        return (entry & ~(u64)SV39_R) | SV39_W;
    case 2:
        return entry & ~(u64)(SV39_R | SV39_W | SV39_X);
    case 3:
        return entry | 1UL << (54 + from.which % 10);
    case 4:
        return entry | SV39_G | SV39_RSW;
    case 5:
        return (entry & ~(u64)(SV39_R | SV39_W)) | SV39_X;
    case 6:
        return entry | 1UL << (44 + from.which % 10);
    default:
        return entry | SV39_A;
    }
}

static u64 count_value(struct argument_bytes from)
{
    static const u16 edges[] = {3,   4,   5,   15,  16,  17,  31,  32,  33,  63,   64,  65,
                                127, 128, 129, 255, 256, 257, 511, 512, 513, 1023, 261, 262};

    if (from.what < 144)
        return from.which % 14;
    if (from.what < ODD)
        return edges[from.which % ARRAY_SIZE(edges)];
    return (u64)from.which << (from.what % 64);
}

static u64 prot_value(struct argument_bytes from)
{
    if (from.what >= ODD)
        return (u64)from.which << (from.what & 7);
    return PROT_READ | ((from.which & 1) ? PROT_WRITE : 0) | ((from.which & 2) ? PROT_USER : 0) |
           ((from.which & 12) == 4 ? PROT_EXECUTE : 0);
}

static u64 level_value(u32 vm, u64 number, struct argument_bytes from, u64 table)
{
    u64 slot = (table - compare_pool(vm, 0)) >> FRAME_SHIFT;

    if (from.what >= ODD)
        return from.which < 128 ? from.which % 5 : 1UL << (from.which % 64);
    if (number != HC_CALL_TABLE_MAKE || from.what >= ODD - 24)
        return from.which % 3;
    return slot < ROOTS ? 2 : slot < ROOTS + LEVEL1_TABLES ? 1 : 0;
}

static u64 ticks_value(struct argument_bytes from)
{
    if (from.what >= ODD)
        return from.which < 128 ? ~0UL : 0;
    return host_time + (u64)from.which - 64;
}

static u64 argument(u32 vm, u64 number, enum grammar_kind kind, struct argument_bytes from,
                    u64 before)
{
    switch (kind) {
    case GRAMMAR_GVA:
        return arguments_page(from);
    case GRAMMAR_ENTRY:
        return entry_value(vm, from);
    case GRAMMAR_TICKS:
        return ticks_value(from);
    case GRAMMAR_COUNT:
        return count_value(from);
    case GRAMMAR_ROOT:
        return table_frame(vm, from, 0, ROOTS);
    case GRAMMAR_TABLE:
        return number == HC_CALL_TABLE_LINK ? table_frame(vm, from, ROOTS, CONVENTIONAL - ROOTS)
                                            : table_frame(vm, from, 0, CONVENTIONAL);
    case GRAMMAR_PAGE:
        return from.what < ODD ? compare_data(vm, SHARED_FIRST + from.which % SHARED_FRAMES)
                               : odd_frame(vm, from.which);
    case GRAMMAR_UPDATES:
        return array_at(vm, from, sizeof(struct pte_update));
    case GRAMMAR_FRAMES:
    case GRAMMAR_ENTRIES:
    case GRAMMAR_COUNTERS:
        return array_at(vm, from, sizeof(u64));
    case GRAMMAR_CODE:
        return PV_DIRECT_MAP + odd_frame(vm, from.which) + (from.what < ODD ? 0 : from.what);
    case GRAMMAR_LEVEL:
        return level_value(vm, number, from, before);
    case GRAMMAR_PROT:
        return prot_value(from);
    case GRAMMAR_CAUSES:
        return (u64)from.which << (from.what % 57);
    case GRAMMAR_VCPU:
        return from.what < ODD ? from.which % 2 : (u64)from.which << (from.what % 57);
    case GRAMMAR_ARGUMENT:
        return from.which;
    }
    return 0;
}

void arguments_make(u32 vm, u64 number, const struct argument_bytes bytes[GRAMMAR_ARGS_MAX],
                    u64 args[GRAMMAR_ARGS_MAX])
{
    for (u32 i = 0; i < GRAMMAR_ARGS_MAX; i++) {
        if (number < HC_CALL_COUNT && i < grammar_calls[number].count)
            args[i] = argument(vm, number, grammar_calls[number].kinds[i], bytes[i],
                               i > 0 ? args[i - 1] : 0);
        else
            args[i] = bytes[i].what;
    }
}

void arguments_fill_array(u32 vm, u64 number, const u64 args[GRAMMAR_ARGS_MAX], u32 seed, u32 count)
{
    for (u32 i = 0; number < HC_CALL_COUNT && i < grammar_calls[number].count; i++) {
        u8 kind = grammar_calls[number].kinds[i];

        for (u32 word = 0; word < count && (kind == GRAMMAR_UPDATES || kind == GRAMMAR_FRAMES);
             word++) {
            struct argument_bytes bytes;
            u64 value;

            seed = seed * 1664525 + 1013904223;
            bytes = (struct argument_bytes){(u8)(seed >> 24), (u8)(seed >> 16)};
            if (seed % 64 != 0 && bytes.what >= ODD - 60)
                bytes.what /= 2; /* long arrays are mostly good ones */
            if (kind == GRAMMAR_FRAMES)
                value = mapped_frame(vm, bytes);
            else
                value = word % 2 == 0 ? arguments_page(bytes) : entry_value(vm, bytes);
            compare_poke(vm, args[i] + word * sizeof(u64), value);
        }
    }
}

/* SPDX-License-Identifier: MIT */
#include "compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "candor_grammar.h"
#include "core/hypercall.h"
#include "host.h"
#include "mem/frame.h"
#include "mem/space_id.h"
#include "sv39.h"
#include "tlb.h"
#include "turns.h"
#include "virt/pv/paging.h"
#include "world.h"

enum {
    FRAMES = COMPARE_MEMORY / FRAME_BYTES,
    FULL_EVERY = 1000,
    ROOTS_MAX = 4, /* of a VM: few, so that identifiers run out and are used again */
    SPACE_IDS = COMPARE_VMS * ROOTS_MAX + 1,
    BASES_MAX = 64,
    SHARED_WORDS_BYTES = offsetof(struct shared_page, reserved), /* the rest of it never changes */
};

struct model compare_model;
u64 compare_calls;

static struct {
    u8 *expected; /* memory as it must be; entries in machine frames */
    u64 data;     /* where its plain memory is that calls name */
    mfn_t frames[FRAMES];
    u32 changed[FRAMES]; /* frames that the call at hand changes */
    u32 changed_count;
    u32 next; /* of the frames that are looked at in turn */
} sides[COMPARE_VMS];

static struct {
    u32 vm;
    u64 number;
    const u64 *args;
} doing;
static bool traced;

void compare_differ(const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "difference in call %lu, VM %u, ", compare_calls, doing.vm + 1);
    if (doing.args != NULL)
        fprintf(stderr, "%s(%lx, %lx, %lx, %lx, %lx): ",
                doing.number < HC_CALL_COUNT ? grammar_calls[doing.number].name : "no call",
                doing.args[0], doing.args[1], doing.args[2], doing.args[3], doing.args[4]);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n%s", world_log);
    abort();
}

/* ---- memory ---- */

static bool inside(u32 vm, u64 gpa)
{
    return gpa >= VM_MEMORY_BASE && gpa - VM_MEMORY_BASE < compare_model.vms[vm].bytes;
}

static u32 frames_of(u32 vm)
{
    return (u32)(compare_model.vms[vm].bytes >> FRAME_SHIFT);
}

/* The place among a VM's frames of a frame of its pool. */
static mfn_t pool_frame_of(u32 vm, u32 n)
{
    u64 first = (compare_model.vms[vm].pool_base - VM_MEMORY_BASE) >> FRAME_SHIFT;

    return sides[vm].frames[first + n];
}

u64 compare_pool(u32 vm, u32 n)
{
    return compare_model.vms[vm].pool_base + (u64)n * FRAME_BYTES;
}

u64 compare_data(u32 vm, u32 n)
{
    return sides[vm].data + (u64)n * FRAME_BYTES;
}

static u64 *word_at(u32 vm, u64 gpa)
{
    return (u64 *)(sides[vm].expected + (gpa - VM_MEMORY_BASE));
}

static u8 *actual(u32 vm, u32 frame)
{
    return arch_frame_bytes(sides[vm].frames[frame]);
}

static void note_change(u32 vm, u64 gpa)
{
    u32 frame = (u32)((gpa - VM_MEMORY_BASE) >> FRAME_SHIFT);
    u32 count = sides[vm].changed_count;

    if (count > 0 && sides[vm].changed[count - 1] == frame)
        return;
    if (count < FRAMES)
        sides[vm].changed[sides[vm].changed_count++] = frame;
}

static bool on_read(u32 vm, u64 gpa, u64 *word)
{
    if (!inside(vm, gpa))
        return false;
    *word = *word_at(vm, gpa);
    return true;
}

static void on_write(u32 vm, u64 gpa, u64 word)
{
    *word_at(vm, gpa) = word;
    note_change(vm, gpa);
}

static void on_forget(u32 vm, u64 gpa, u64 bytes)
{
    for (u64 part; bytes > 0; gpa += part, bytes -= part) {
        u32 frame = (u32)((gpa - VM_MEMORY_BASE) >> FRAME_SHIFT);

        part = min(bytes, FRAME_BYTES - gpa % FRAME_BYTES);
        memcpy(word_at(vm, gpa), actual(vm, frame) + gpa % FRAME_BYTES, part);
    }
}

static u64 machine_frame(u32 vm, u32 guest)
{
    return sides[vm].frames[guest - (VM_MEMORY_BASE >> FRAME_SHIFT)].number;
}

/* Entries that the call at hand has changed, with the addresses that it named. */
static struct {
    u64 table, gva;
    u32 place;
} entries_changed[2 * MODEL_PLACES];
static u32 entries_changed_count;

static void on_changed(u32 vm, u64 table, u32 index, u64 address)
{
    const struct model_place *place = &model_table_at(&compare_model, vm, table)->places[index];
    u64 entry = 0;

    if (place->linked)
        entry = machine_frame(vm, place->frame) << SV39_PPN_SHIFT | SV39_V;
    else if (place->flags != 0)
        entry = machine_frame(vm, place->frame) << SV39_PPN_SHIFT | place->flags;
    on_write(vm, table + index * sizeof(u64), entry);
    if (model_table_at(&compare_model, vm, table)->level > 0)
        return;
    entries_changed[entries_changed_count % ARRAY_SIZE(entries_changed)].table = table;
    entries_changed[entries_changed_count % ARRAY_SIZE(entries_changed)].gva = address;
    entries_changed[entries_changed_count++ % ARRAY_SIZE(entries_changed)].place = index;
}

/* A new table is empty, but for the direct map in a root's upper half. */
static void on_made(u32 vm, u64 table)
{
    const mfn_t *map = vms[vm]->pv.direct_map;

    memset(word_at(vm, table), 0, FRAME_BYTES);
    note_change(vm, table);
    if (model_table_at(&compare_model, vm, table)->level != SV39_ROOT_LEVEL)
        return;
    for (u32 i = sv39_index(gva(PV_DIRECT_MAP + VM_MEMORY_BASE), SV39_ROOT_LEVEL); mfn_valid(*map);
         i++, map++)
        *word_at(vm, table + i * sizeof(u64)) = sv39_link(*map);
}

static const struct model_memory memory = {on_read, on_write, on_forget, on_changed, on_made};

/* ---- comparing ---- */

static void check_memory(u32 vm, u32 frame)
{
    const u8 *should = sides[vm].expected + (u64)frame * FRAME_BYTES, *is = actual(vm, frame);
    u64 at = VM_MEMORY_BASE + (u64)frame * FRAME_BYTES;
    u32 i = at == compare_model.vms[vm].shared ? SHARED_WORDS_BYTES : 0;

    if (memcmp(should + i, is + i, FRAME_BYTES - i) == 0)
        return;
    while (memcmp(should + i, is + i, sizeof(u64)) == 0)
        i += sizeof(u64);
    compare_differ("VM %u, word at %lx: %lx, should be %lx", vm + 1, at + i, *(const u64 *)(is + i),
                   *(const u64 *)(should + i));
}

/* Its frames lie in a row in the machine. */
static void check_chunk(u32 vm, u32 first)
{
    if (memcmp(sides[vm].expected + (u64)first * FRAME_BYTES, actual(vm, first), CHUNK_BYTES) == 0)
        return;
    for (u32 frame = first; frame < first + CHUNK_FRAMES; frame++)
        check_memory(vm, frame);
}

static u32 window_frame(u32 index)
{
    return index < COMPARE_TABLES ? index : COMPARE_POOL_FRAMES - 1;
}

/* The roots that the model knows, by identifier. */
static mfn_t roots[SPACE_IDS];

static mfn_t root_of(u16 space_id)
{
    return space_id < SPACE_IDS ? roots[space_id] : MFN_NONE;
}

static void roots_find(void)
{
    memset(roots, 0, sizeof(roots));
    for (u32 vm = 0; vm < COMPARE_VMS; vm++) {
        for (u32 i = 0; i <= COMPARE_TABLES; i++) {
            const struct model_table *table = &compare_model.vms[vm].tables[window_frame(i)];
            mfn_t frame = pool_frame_of(vm, window_frame(i));

            if (table->made && table->level == SV39_ROOT_LEVEL &&
                frame_get(frame)->space_id < SPACE_IDS)
                roots[frame_get(frame)->space_id] = frame;
        }
    }
}

/* All addresses where a table of level 0 stands in some space. */
static u32 bases_of(u32 vm, u64 table, u64 bases[BASES_MAX])
{
    struct model_vm *of = &compare_model.vms[vm];
    u32 frame = (u32)(table >> FRAME_SHIFT), count = 0;

    for (u32 i = 0; i <= COMPARE_TABLES; i++) {
        const struct model_table *root = &of->tables[window_frame(i)];

        for (u64 high = 0; high < SV39_LOWER_ENTRIES && root->made; high++) {
            const struct model_place *place = &root->places[high];
            const struct model_table *middle;

            if (root->level != SV39_ROOT_LEVEL || !place->linked)
                continue;
            middle = model_table_at(&compare_model, vm, (u64)place->frame << FRAME_SHIFT);
            for (u64 low = 0; low < MODEL_PLACES; low++) {
                if (middle->places[low].linked && middle->places[low].frame == frame)
                    bases[count++ % BASES_MAX] = high << 30 | low << CHUNK_SHIFT;
            }
        }
    }
    return min(count, (u32)BASES_MAX);
}

/* What the ABI asks of a guest whose table stands at several addresses: it flushes those that the
   call did not name. */
static void flush_aliases(u32 vm)
{
    u64 bases[BASES_MAX], table = 0;
    u32 count = min(entries_changed_count, (u32)ARRAY_SIZE(entries_changed)), bases_count = 0;
    bool shared = false;
    entries_changed_count = 0;
    for (u32 i = 0; i <= COMPARE_TABLES; i++)
        shared = shared || (compare_model.vms[vm].tables[window_frame(i)].made &&
                            compare_model.vms[vm].tables[window_frame(i)].links > 1);
    if (!shared)
        return;
    for (u32 i = 0; i < count; i++) {
        u64 page = (u64)entries_changed[i].place << FRAME_SHIFT;

        if (entries_changed[i].table != table)
            bases_count = bases_of(vm, entries_changed[i].table, bases);
        table = entries_changed[i].table;
        for (u32 base = 0; base < bases_count; base++) {
            if (bases[base] + page != entries_changed[i].gva)
                tlb_drop(gva(bases[base] + page));
        }
    }
}

static void check_translations(void)
{
    struct tlb_verdict verdict = tlb_check_by(root_of);

    if (verdict.unsafe != 0 || verdict.stale != 0)
        compare_differ("%u unsafe and %u stale translations are remembered", verdict.unsafe,
                       verdict.stale);
}

static void check_tables(u32 vm)
{
    for (u32 i = 0; i <= COMPARE_TABLES; i++) {
        const struct model_table *table = &compare_model.vms[vm].tables[window_frame(i)];
        const struct frame *frame = frame_get(pool_frame_of(vm, window_frame(i)));

        if ((frame->type == FRAME_TABLE) != table->made || frame->vm != vms[vm]->id)
            compare_differ("frame %u of the pool has type %u", window_frame(i), frame->type);
        if (table->made && (frame->level != table->level || frame->links != table->links))
            compare_differ("table %u: level %u and %u links, should be %u and %u", window_frame(i),
                           frame->level, frame->links, table->level, table->links);
    }
}

static void check_all(void)
{
    for (u32 vm = 0; vm < COMPARE_VMS; vm++) {
        for (u32 frame = 0; frame < frames_of(vm); frame += CHUNK_FRAMES)
            check_chunk(vm, frame);
        check_tables(vm);
    }
    check_translations();
    if (world_audit() != 0)
        compare_differ("the audit complains");
    world_log[0] = 0;
}

static void check_step(u32 vm)
{
    for (u32 i = 0; i < sides[vm].changed_count; i++)
        check_memory(vm, sides[vm].changed[i]);
    sides[vm].changed_count = 0;
    check_memory(vm, (u32)((compare_pool(vm, window_frame(sides[vm].next)) - VM_MEMORY_BASE) >>
                           FRAME_SHIFT));
    sides[vm].next = (sides[vm].next + 1) % (COMPARE_TABLES + 1);
    check_tables(vm);
    if (doing.number == HC_CALL_TABLE_MAKE || doing.number == HC_CALL_TABLE_FREE)
        roots_find();
    flush_aliases(vm);
    check_translations();
    if (compare_calls % FULL_EVERY == 0)
        check_all();
}

/* ---- steps ---- */

static bool may_do_fewer(u64 number)
{
    return number >= HC_CALL_PTE_BATCH && number <= HC_CALL_PTE_CLEAR;
}

/* Where the count stands among the arguments of a call that may do fewer. */
static u64 count_asked(u64 number, const u64 args[6])
{
    for (u32 i = 0; i < GRAMMAR_ARGS_MAX; i++) {
        if (grammar_calls[number].kinds[i] == GRAMMAR_COUNT)
            return args[i];
    }
    return 0;
}

void compare_call(u32 vm, u64 number, const u64 args[6])
{
    struct model_vm *of = &compare_model.vms[vm];
    struct hc_result result, should;
    u64 most = ~0UL;

    doing.vm = vm;
    doing.number = number;
    doing.args = args;
    turns_become(vm);
    if (of->shared != 0)
        on_forget(vm, of->shared, SHARED_WORDS_BYTES);
    result = hypercall_handle(&vms[vm]->vcpus[0], number, args);
    compare_calls++;
    if (result.error == HC_OK && may_do_fewer(number)) {
        most = result.value;
        if (most == 0 && count_asked(number, args) > 0)
            compare_differ("nothing done, and no error");
    }
    should = model_call(&compare_model, vm, number, args, most);
    if (traced)
        fprintf(stderr, "%lu: vm%u %s(%lx, %lx, %lx, %lx, %lx) = %ld, %lx\n", compare_calls, vm + 1,
                number < HC_CALL_COUNT ? grammar_calls[number].name : "no call", args[0], args[1],
                args[2], args[3], args[4], result.error, result.value);
    if (result.error != should.error)
        compare_differ("error %ld, should be %ld", result.error, should.error);
    if (result.value != should.value && should.value != MODEL_ANY_VALUE)
        compare_differ("value %lx, should be %lx", result.value, should.value);
    if (number < HC_CALL_COUNT && result.error != HC_OK &&
        (grammar_calls[number].errors >> -result.error & 1) == 0)
        compare_differ("error %ld is not one of its errors", result.error);
    turns_called(vm, number, args, result.error);
    check_step(vm);
    turns_done(vm);
    doing.args = NULL;
}

/* What hardware must find: the space's page, or the direct map's; false: nothing. */
static bool translation(u32 vm, u64 address, u64 *frame, u32 *rights)
{
    const struct model_vm *of = &compare_model.vms[vm];
    const struct model_place *place;

    if (address >= PV_DIRECT_MAP) {
        if (!inside(vm, address - PV_DIRECT_MAP))
            return false;
        *frame = machine_frame(vm, (u32)((address - PV_DIRECT_MAP) >> FRAME_SHIFT));
        *rights = address - PV_DIRECT_MAP - of->pool_base < of->pool_bytes ? SV39_R : 0;
        return true;
    }
    if (address >= SV39_LOWER_END)
        return false;
    place = model_page(&compare_model, vm, of->root, address & ~(u64)(FRAME_BYTES - 1));
    if (place == NULL)
        return false;
    *frame = machine_frame(vm, place->frame);
    *rights = place->flags & (SV39_R | SV39_W | SV39_X | SV39_U);
    return true;
}

void compare_access(u32 vm, u64 address)
{
    struct vcpu *vcpu = &vms[vm]->vcpus[0];
    u64 leaf = 0, frame = 0;
    u32 rights = 0, has;
    bool found, should;

    doing.vm = vm;
    if (address >= SV39_LOWER_END && address < PV_DIRECT_MAP)
        return; /* no address of Sv39 */
    found = host_access(vcpu, gva(address), 0, &leaf);
    should = translation(vm, address, &frame, &rights);
    if (found != should)
        compare_differ("address %lx is %smapped", address, found ? "" : "not ");
    if (!found)
        return;
    has = leaf & (SV39_R | SV39_W | SV39_X | SV39_U);
    if (address < SV39_LOWER_END && (sv39_frame(leaf) != frame || has != rights))
        compare_differ("address %lx is mapped by %lx, should be frame %lx, rights %x", address,
                       leaf, frame, rights);
    if (address >= PV_DIRECT_MAP &&
        ((has & SV39_U) || (rights != 0 && has != rights) ||
         (frame & ~(CHUNK_FRAMES - 1UL)) != (sv39_frame(leaf) & ~(CHUNK_FRAMES - 1UL))))
        compare_differ("the direct map at %lx is %lx", address, leaf);
}

void compare_turn(u32 vm)
{
    doing.vm = vm;
    turns_become(vm);
}

void compare_poke(u32 vm, u64 gpa_value, u64 word)
{
    if (!inside(vm, gpa_value) || gpa_value % sizeof(word) != 0 ||
        gpa_value - compare_model.vms[vm].pool_base < compare_model.vms[vm].pool_bytes)
        return;
    *word_at(vm, gpa_value) = word;
    memcpy(world_bytes(vms[vm], gpa(gpa_value)), &word, sizeof(word));
    turns_done(vm);
}

/* ---- lives ---- */

/* The VM has been made: its memory is zero but for its image, its start_info and its boot root. */
static void take_over(u32 vm)
{
    static const u8 zero[FRAME_BYTES];
    const struct vm_pv *pv = &vms[vm]->pv;
    for (u32 i = 0; i < frames_of(vm); i++) {
        u64 at = VM_MEMORY_BASE + (u64)i * FRAME_BYTES;

        sides[vm].frames[i] = p2m_lookup(&vms[vm]->p2m, at >> FRAME_SHIFT);
        memcpy(word_at(vm, at), actual(vm, i), FRAME_BYTES);
        if ((at < vms[vm]->image.base || at >= vms[vm]->image.end) && at != pv->start_info &&
            at != pv->pool_base && memcmp(actual(vm, i), zero, FRAME_BYTES) != 0)
            compare_differ("a new VM finds something in its memory at %lx", at);
    }
    model_boot(&compare_model, vm);
}

void compare_reboot(u32 vm, enum compare_end how)
{
    doing.vm = vm;
    doing.args = NULL;
    turns_become(vm);
    if (how == COMPARE_END_ELSEWHERE)
        turns_end_elsewhere(vm);
    else if (how != COMPARE_END_REBOOT)
        turns_start_again(vm, how == COMPARE_END_DESTROY);
    else
        vm_end(vms[vm], VM_EXIT_REBOOT);
    model_end(&compare_model, vm);
    turns_ended(vm);
    turns_become(vm);
    take_over(vm);
    roots_find();
    check_all();
}

/* Identifiers are given out from the first one again, so that each input is tried alike. */
static void renumber(void)
{
    turns_reset();
    if (!space_id_init(SPACE_IDS))
        abort();
    for (u32 vm = 0; vm < COMPARE_VMS; vm++) {
        turns_become(vm);
        frame_get(pool_frame_of(vm, 0))->space_id = space_id_alloc();
        if (hc_space_switch(&vms[vm]->vcpus[0], gpa(compare_pool(vm, 0))).error != HC_OK)
            abort();
    }
    compare_model.roots_max = ROOTS_MAX;
    roots_find();
}

void compare_start(void)
{
    const struct world_image images[COMPARE_VMS] = {
        {.memory_bytes = COMPARE_MEMORY - CHUNK_BYTES},
        {.memory_bytes = COMPARE_MEMORY - CHUNK_BYTES, .bounced = true},
        {.memory_bytes = COMPARE_MEMORY,
         .code_at = VM_MEMORY_BASE,
         .pool_base = VM_MEMORY_BASE + CHUNK_BYTES},
    };

    traced = getenv("CANDOR_TRACE") != NULL;
    world_start(COMPARE_VMS, images);
    compare_model.memory = memory;
    for (u32 vm = 0; vm < COMPARE_VMS; vm++) {
        struct model_vm *of = &compare_model.vms[vm];

        of->base = VM_MEMORY_BASE;
        of->bytes = vms[vm]->config.memory_bytes;
        of->pool_base = vms[vm]->pv.pool_base;
        of->pool_bytes = WORLD_POOL;
        of->direct_map = PV_DIRECT_MAP;
        of->bounced = vms[vm]->traps_bounced;
        sides[vm].data = vms[vm]->image.base + CHUNK_BYTES / 2;
        sides[vm].expected = malloc(COMPARE_MEMORY);
        if (sides[vm].expected == NULL)
            abort();
        take_over(vm);
    }
    turns_start();
    renumber();
    check_all();
}

static void call1(u32 vm, u64 number, u64 argument0, u64 argument1)
{
    const u64 args[6] = {argument0, argument1};
    compare_call(vm, number, args);
}

/* Frees the tables of a level, but not the root in use. */
static void free_level(u32 vm, u32 level)
{
    for (u32 i = 0; i <= COMPARE_TABLES; i++) {
        const struct model_table *table = &compare_model.vms[vm].tables[window_frame(i)];
        u64 name = compare_pool(vm, window_frame(i));

        if (!table->made || table->level != level || name == compare_model.vms[vm].root)
            continue;
        call1(vm, HC_CALL_TABLE_FREE, name, 0);
        if (table->made)
            compare_differ("table %lx cannot be freed in the end", name);
    }
}

void compare_reset(void)
{
    for (u32 vm = 0; vm < COMPARE_VMS; vm++)
        free_level(vm, SV39_ROOT_LEVEL);
    for (u32 vm = 0; vm < COMPARE_VMS; vm++) {
        struct model_vm *of = &compare_model.vms[vm];
        u64 spare = compare_pool(vm, window_frame(COMPARE_TABLES)), boot = compare_pool(vm, 0);

        if (of->tables[window_frame(COMPARE_TABLES)].made && of->root != spare)
            spare = compare_pool(vm, COMPARE_TABLES); /* a frame that no call names */
        if (of->root != spare) {
            call1(vm, HC_CALL_TABLE_MAKE, spare, SV39_ROOT_LEVEL);
            call1(vm, HC_CALL_SPACE_SWITCH, spare, 0);
        }
        for (u32 level = SV39_LEVELS; level-- > 0;)
            free_level(vm, level);
        call1(vm, HC_CALL_TABLE_MAKE, boot, SV39_ROOT_LEVEL);
        call1(vm, HC_CALL_SPACE_SWITCH, boot, 0);
        call1(vm, HC_CALL_TABLE_FREE, spare, 0);
        vms[vm]->vcpus[0].counts = (struct counters){0};
        memset(of->calls, 0, sizeof(of->calls));
    }
    renumber();
    for (u32 vm = 0; vm < COMPARE_VMS; compare_model.vms[vm++].shared = 0) {
        if (compare_model.vms[vm].shared != 0)
            on_forget(vm, compare_model.vms[vm].shared, SHARED_WORDS_BYTES);
    }
}

u64 compare_machine_address(u32 vm, u64 gpa_value)
{
    return machine_frame(vm, (u32)(gpa_value >> FRAME_SHIFT)) << FRAME_SHIFT;
}

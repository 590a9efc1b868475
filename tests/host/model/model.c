/* SPDX-License-Identifier: MIT */
/*
 * One function for each call, in the words of the reference document. Errors come in its order:
 * argument by argument, first the form, then what it names; then what needs several arguments; then
 * state; then room.
 */
#include "model.h"

#include <string.h>

enum {
    PAGE = 4096,
    WORD = 8,
    PLACE_BITS = 9,
    PAGE_BITS = 12,
    FRAME_PLACE = 10, /* where the frame number starts in an entry */
    COUNT_MAX = 512,
    VALID = 1,
    GLOBAL = 1 << 5,
    ACCESSED_DIRTY = 3 << 6,
    LOW_BITS = (1 << FRAME_PLACE) - 1,
    RIGHTS = PROT_READ | PROT_WRITE | PROT_EXECUTE | PROT_USER,
};

#define LOWER_END (1UL << 38)
#define RESERVED_BITS (~0UL << 54)
#define KERNELS_CAUSES \
    (1UL << 0 | 1UL << 3 | 1UL << 4 | 1UL << 6 | 1UL << 8 | 1UL << 12 | 1UL << 13 | 1UL << 15)

/* A call under way. */
struct call {
    struct model *model;
    u32 number_of_vm;
    struct model_vm *vm;
    const u64 *args;
    u64 most;
};

static struct hc_result answer(i64 error, u64 value)
{
    return (struct hc_result){error, value};
}

static struct hc_result fail(i64 error)
{
    return answer(error, 0);
}

/* A call ends at the first check that does not hold. */
#define CHECK(check)             \
    do {                         \
        i64 error_ = (check);    \
        if (error_ != HC_OK)     \
            return fail(error_); \
    } while (0)

/* ---- what arguments name ---- */

static bool in_memory(const struct model_vm *vm, u64 gpa)
{
    return gpa >= vm->base && gpa - vm->base < vm->bytes;
}

static bool in_pool(const struct model_vm *vm, u64 gpa)
{
    return gpa >= vm->pool_base && gpa - vm->pool_base < vm->pool_bytes;
}

static struct model_table *table_of(struct model_vm *vm, u64 gpa)
{
    return &vm->tables[(gpa - vm->pool_base) / PAGE];
}

static i64 check_pool(const struct model_vm *vm, u64 gpa)
{
    if (gpa % PAGE != 0 || !in_memory(vm, gpa))
        return HC_INVALID_ADDRESS;
    return in_pool(vm, gpa) ? HC_OK : HC_NOT_POOL;
}

static i64 check_root(struct model_vm *vm, u64 gpa)
{
    i64 error = check_pool(vm, gpa);

    if (error != HC_OK)
        return error;
    return table_of(vm, gpa)->made && table_of(vm, gpa)->level == MODEL_ROOT_LEVEL ? HC_OK
                                                                                   : HC_BAD_LEVEL;
}

static i64 check_page(u64 gva)
{
    return gva % PAGE == 0 && gva < LOWER_END ? HC_OK : HC_INVALID_ADDRESS;
}

/* An array that Candor writes: every word in memory, none in the pool. */
static i64 check_output(const struct model_vm *vm, u64 gpa, u64 words)
{
    if (gpa % WORD != 0)
        return HC_INVALID_ADDRESS;
    for (u64 i = 0; i < words; i++) {
        if (!in_memory(vm, gpa + i * WORD))
            return HC_INVALID_ADDRESS;
        if (in_pool(vm, gpa + i * WORD))
            return HC_IS_POOL;
    }
    return HC_OK;
}

static bool rights_good(u64 rights)
{
    return (rights & (PROT_READ | PROT_EXECUTE)) != 0 &&
           ((rights & PROT_WRITE) == 0 || (rights & PROT_READ) != 0);
}

static i64 check_range(u64 gva, u64 count)
{
    i64 error = check_page(gva);

    if (error == HC_OK && (count > COUNT_MAX || count > (LOWER_END - gva) / PAGE))
        error = HC_INVALID_PARAM;
    return error;
}

static i64 check_prot(u64 prot)
{
    return (prot & ~(u64)RIGHTS) == 0 && rights_good(prot) ? HC_OK : HC_INVALID_PARAM;
}

/* ---- places ---- */

/* The place for `gva` in the table of that level; NULL without one; *table is that table. */
static struct model_place *place_of(struct model_vm *vm, u64 root, u64 gva, u32 level, u64 *table)
{
    *table = root;
    for (u32 at = MODEL_ROOT_LEVEL;; at--) {
        u32 index = gva >> (PAGE_BITS + PLACE_BITS * at) & (MODEL_PLACES - 1);
        struct model_place *place = &table_of(vm, *table)->places[index];

        if (at == level)
            return place;
        if (!place->linked)
            return NULL;
        *table = (u64)place->frame * PAGE;
    }
}

static u64 entry_of(const struct model_place *place)
{
    return place->flags != 0 ? (u64)place->frame << FRAME_PLACE | place->flags : 0;
}

static void place_set(struct call *call, u64 table, struct model_place *place, u64 gva,
                      struct model_place now)
{
    *place = now;
    call->model->memory.changed(call->number_of_vm, table,
                                (u32)(place - table_of(call->vm, table)->places), gva);
}

/* The page of a range that is `done` pages from its start. */
static struct model_place *page_place(struct call *call, u64 root, u64 gva, u64 done, u64 *table)
{
    return place_of(call->vm, root, gva + done * PAGE, 0, table);
}

struct model_table *model_table_at(struct model *model, u32 vm, u64 gpa)
{
    struct model_vm *of = &model->vms[vm];

    return check_pool(of, gpa) == HC_OK && table_of(of, gpa)->made ? table_of(of, gpa) : NULL;
}

const struct model_place *model_page(struct model *model, u32 vm, u64 root, u64 gva)
{
    u64 table;
    struct model_place *place = place_of(&model->vms[vm], root, gva, 0, &table);

    return place != NULL && place->flags != 0 ? place : NULL;
}

/* ---- tables ---- */

static struct hc_result table_make(struct call *call)
{
    u64 name = call->args[0], level = call->args[1];
    struct model_table *table;

    CHECK(check_pool(call->vm, name));
    CHECK(level > MODEL_ROOT_LEVEL ? HC_INVALID_PARAM : HC_OK);
    table = table_of(call->vm, name);
    CHECK(table->made ? HC_EXISTS : HC_OK);
    CHECK(level == MODEL_ROOT_LEVEL && call->vm->roots == call->model->roots_max ? HC_NO_SPACE
                                                                                 : HC_OK);
    call->vm->roots += level == MODEL_ROOT_LEVEL;
    memset(table, 0, sizeof(*table));
    table->made = true;
    table->level = (u8)level;
    call->model->memory.made(call->number_of_vm, name);
    return answer(HC_OK, 0);
}

static struct hc_result table_free(struct call *call)
{
    u64 name = call->args[0], linked = 0;
    struct model_table *table;

    CHECK(check_pool(call->vm, name));
    table = table_of(call->vm, name);
    CHECK(table->made ? HC_OK : HC_BAD_LEVEL);
    CHECK(table->links > 0 || call->vm->root == name ? HC_IN_USE : HC_OK);
    for (u32 i = 0; i < MODEL_PLACES; i++) {
        if (table->places[i].linked) {
            table_of(call->vm, (u64)table->places[i].frame * PAGE)->links--;
            linked++;
        }
    }
    call->vm->roots -= table->level == MODEL_ROOT_LEVEL;
    table->made = false;
    call->model->memory.forget(call->number_of_vm, name, PAGE);
    return answer(HC_OK, linked);
}

static struct hc_result table_link(struct call *call)
{
    u64 root = call->args[0], gva = call->args[1], name = call->args[2], above;
    struct model_table *table;
    struct model_place *place;

    CHECK(check_root(call->vm, root));
    CHECK(gva >= LOWER_END ? HC_INVALID_ADDRESS : HC_OK);
    CHECK(check_pool(call->vm, name));
    table = table_of(call->vm, name);
    CHECK(!table->made || table->level == MODEL_ROOT_LEVEL ? HC_BAD_LEVEL : HC_OK);
    place = place_of(call->vm, root, gva, table->level + 1u, &above);
    CHECK(place == NULL ? HC_NO_TABLE : place->linked ? HC_EXISTS : HC_OK);
    table->links++;
    place_set(call, above, place, gva,
              (struct model_place){.frame = (u32)(name / PAGE), .linked = 1});
    return answer(HC_OK, 0);
}

static struct hc_result table_unlink(struct call *call)
{
    u64 root = call->args[0], gva = call->args[1], level = call->args[2], above, name;
    struct model_place *place;

    CHECK(check_root(call->vm, root));
    CHECK(gva >= LOWER_END ? HC_INVALID_ADDRESS : HC_OK);
    CHECK(level >= MODEL_ROOT_LEVEL ? HC_INVALID_PARAM : HC_OK);
    place = place_of(call->vm, root, gva, (u32)level + 1, &above);
    CHECK(place == NULL || !place->linked ? HC_NO_TABLE : HC_OK);
    name = (u64)place->frame * PAGE;
    table_of(call->vm, name)->links--;
    place_set(call, above, place, gva, (struct model_place){0});
    return answer(HC_OK, name);
}

static struct hc_result space_switch(struct call *call)
{
    CHECK(check_root(call->vm, call->args[0]));
    call->vm->root = call->args[0];
    return answer(HC_OK, 0);
}

/* ---- entries ---- */

static struct hc_result set_one(struct call *call, u64 root, u64 gva, u64 entry)
{
    struct model_place *place, now = {0};
    u64 table, old, page = entry >> FRAME_PLACE << PAGE_BITS;

    CHECK(check_page(gva));
    if (entry != 0) {
        CHECK((entry & RESERVED_BITS) != 0 || (entry & VALID) == 0 || !rights_good(entry)
                  ? HC_BAD_ENTRY
                  : HC_OK);
        CHECK(in_memory(call->vm, page) ? HC_OK : HC_BAD_ENTRY);
        CHECK(in_pool(call->vm, page) && (entry & PROT_WRITE) ? HC_IS_POOL : HC_OK);
        now.frame = (u32)(entry >> FRAME_PLACE);
        now.flags = (u16)((entry & LOW_BITS & ~(u64)GLOBAL) | ACCESSED_DIRTY);
    }
    place = place_of(call->vm, root, gva, 0, &table);
    CHECK(place != NULL ? HC_OK : HC_NO_TABLE);
    old = entry_of(place);
    place_set(call, table, place, gva, now);
    return answer(HC_OK, old);
}

static struct hc_result pte_set(struct call *call)
{
    CHECK(check_root(call->vm, call->args[0]));
    return set_one(call, call->args[0], call->args[1], call->args[2]);
}

static struct hc_result pte_get(struct call *call)
{
    struct model_place *place;
    u64 table;

    CHECK(check_root(call->vm, call->args[0]));
    CHECK(check_page(call->args[1]));
    place = place_of(call->vm, call->args[0], call->args[1], 0, &table);
    return place != NULL ? answer(HC_OK, entry_of(place)) : fail(HC_NO_TABLE);
}

static struct hc_result pte_batch(struct call *call)
{
    u64 root = call->args[0], updates = call->args[1], count = call->args[2], done = 0;

    CHECK(check_root(call->vm, root));
    CHECK(updates % WORD != 0 ? HC_INVALID_ADDRESS : HC_OK);
    CHECK(count > COUNT_MAX ? HC_INVALID_PARAM : HC_OK);
    for (; done < count && done < call->most; done++) {
        u64 at = updates + done * sizeof(struct pte_update), gva, entry;
        struct hc_result one = fail(HC_INVALID_ADDRESS);

        if (call->model->memory.read(call->number_of_vm, at, &gva) &&
            call->model->memory.read(call->number_of_vm, at + WORD, &entry))
            one = set_one(call, root, gva, entry);
        if (one.error != HC_OK)
            return answer(one.error, done);
    }
    return answer(HC_OK, done);
}

/* ---- ranges ---- */

/* A page of pte_fill, whose address stands at `from`. */
static i64 fill_one(struct call *call, u64 from, u64 done)
{
    u64 page, table, prot = call->args[4];
    struct model_place *place;

    if (!call->model->memory.read(call->number_of_vm, from, &page) || page % PAGE != 0 ||
        !in_memory(call->vm, page))
        return HC_INVALID_ADDRESS;
    if (in_pool(call->vm, page) && (prot & PROT_WRITE))
        return HC_IS_POOL;
    place = page_place(call, call->args[0], call->args[1], done, &table);
    if (place == NULL)
        return HC_NO_TABLE;
    if (place->flags != 0)
        return HC_EXISTS;
    place_set(call, table, place, call->args[1] + done * PAGE,
              (struct model_place){.frame = (u32)(page / PAGE),
                                   .flags = (u16)(prot | VALID | ACCESSED_DIRTY)});
    return HC_OK;
}

static i64 protect_one(struct call *call, u64 array, u64 done)
{
    u64 table, prot = call->args[3];
    struct model_place *place = page_place(call, call->args[0], call->args[1], done, &table);

    (void)array;
    if (place == NULL || place->flags == 0)
        return HC_OK;
    if (in_pool(call->vm, (u64)place->frame * PAGE) && (prot & PROT_WRITE))
        return HC_IS_POOL;
    place_set(call, table, place, call->args[1] + done * PAGE,
              (struct model_place){.frame = place->frame,
                                   .flags = (u16)((place->flags & ~RIGHTS) | prot)});
    return HC_OK;
}

static i64 clone_one(struct call *call, u64 array, u64 done)
{
    u64 from_table, to_table, old;
    struct model_place *from = page_place(call, call->args[1], call->args[2], done, &from_table);
    struct model_place *to = page_place(call, call->args[0], call->args[2], done, &to_table), now;

    old = from != NULL ? entry_of(from) : 0;
    if (old != 0) {
        if (to == NULL)
            return HC_NO_TABLE;
        if (to->flags != 0)
            return HC_EXISTS;
        now = (struct model_place){.frame = from->frame, .flags = (u16)(from->flags & ~PROT_WRITE)};
        place_set(call, to_table, to, call->args[2] + done * PAGE, now);
        place_set(call, from_table, from, call->args[2] + done * PAGE, now);
    }
    call->model->memory.write(call->number_of_vm, array, old);
    return HC_OK;
}

static i64 clear_one(struct call *call, u64 array, u64 done)
{
    u64 table;
    struct model_place *place = page_place(call, call->args[0], call->args[1], done, &table);

    call->model->memory.write(call->number_of_vm, array, place != NULL ? entry_of(place) : 0);
    if (place != NULL && place->flags != 0)
        place_set(call, table, place, call->args[1] + done * PAGE, (struct model_place){0});
    return HC_OK;
}

/* One page after the other, until an error; `array` has a word for each. */
static struct hc_result each_page(struct call *call, u64 count, u64 array,
                                  i64 (*one)(struct call *call, u64 array, u64 done))
{
    i64 error = HC_OK;
    u64 done = 0;

    while (error == HC_OK && done < count && done < call->most) {
        error = one(call, array + done * WORD, done);
        done += error == HC_OK;
    }
    return answer(error, done);
}

static struct hc_result pte_fill(struct call *call)
{
    const u64 *args = call->args;

    CHECK(check_root(call->vm, args[0]));
    CHECK(check_page(args[1]));
    CHECK(args[2] % WORD != 0 ? HC_INVALID_ADDRESS : HC_OK);
    CHECK(check_range(args[1], args[3]));
    CHECK(check_prot(args[4]));
    return each_page(call, args[3], args[2], fill_one);
}

static struct hc_result pte_protect(struct call *call)
{
    const u64 *args = call->args;

    CHECK(check_root(call->vm, args[0]));
    CHECK(check_range(args[1], args[2]));
    CHECK(check_prot(args[3]));
    return each_page(call, args[2], 0, protect_one);
}

static struct hc_result pte_clone(struct call *call)
{
    const u64 *args = call->args;

    CHECK(check_root(call->vm, args[0]));
    CHECK(check_root(call->vm, args[1]));
    CHECK(check_range(args[2], args[3]));
    CHECK(check_output(call->vm, args[4], args[3]));
    CHECK(args[0] == args[1] ? HC_INVALID_PARAM : HC_OK);
    return each_page(call, args[3], args[4], clone_one);
}

static struct hc_result pte_clear(struct call *call)
{
    const u64 *args = call->args;

    CHECK(check_root(call->vm, args[0]));
    CHECK(check_range(args[1], args[2]));
    CHECK(check_output(call->vm, args[3], args[2]));
    return each_page(call, args[2], args[3], clear_one);
}

static struct hc_result flush(struct call *call)
{
    const u64 *args = call->args;

    CHECK(check_root(call->vm, args[0]));
    CHECK(check_page(args[1]));
    CHECK(args[2] > (LOWER_END - args[1]) / PAGE ? HC_INVALID_PARAM : HC_OK);
    return answer(HC_OK, 0);
}

/* ---- the others ---- */

static struct hc_result shared_page(struct call *call)
{
    u64 page = call->args[0];

    CHECK(page % PAGE != 0 ? HC_INVALID_ADDRESS : check_output(call->vm, page, PAGE / WORD));
    CHECK(call->vm->shared != 0 ? HC_EXISTS : HC_OK);
    call->vm->shared = page;
    call->model->memory.forget(call->number_of_vm, page, PAGE);
    return answer(HC_OK, 0);
}

static struct hc_result trap_register(struct call *call)
{
    u64 entry = call->args[0], causes = call->args[1], map = call->vm->direct_map;

    CHECK(entry % 4 != 0 || entry < map || !in_memory(call->vm, entry - map) ? HC_INVALID_ADDRESS
                                                                             : HC_OK);
    CHECK((causes & ~KERNELS_CAUSES) != 0 ? HC_INVALID_PARAM : HC_OK);
    return answer(HC_OK, call->vm->bounced ? 0 : causes);
}

static struct hc_result counters(struct call *call)
{
    u64 at = call->args[0];

    CHECK(check_output(call->vm, at, sizeof(struct counters) / WORD));
    call->model->memory.forget(call->number_of_vm, at, sizeof(struct counters));
    for (u32 i = 0; i < HC_CALL_COUNT; i++)
        call->model->memory.write(call->number_of_vm,
                                  at + offsetof(struct counters, calls) + i * WORD,
                                  call->vm->calls[i]);
    return answer(HC_OK, 0);
}

/* No VM of the model has a disk: what the calls do with one, tests/host/test_ring.c compares. */
static struct hc_result disk_attach(struct call *call)
{
    u64 page = call->args[0];

    CHECK(page % PAGE != 0 ? HC_INVALID_ADDRESS : check_output(call->vm, page, PAGE / WORD));
    return fail(HC_NOT_SUPPORTED);
}

static struct hc_result denied(struct call *call)
{
    (void)call;
    return fail(HC_DENIED);
}

static struct hc_result version(struct call *call)
{
    (void)call;
    return answer(HC_OK, CANDOR_ABI_VERSION);
}

static struct hc_result trap_return(struct call *call)
{
    return call->vm->shared != 0 ? answer(HC_OK, MODEL_ANY_VALUE) : fail(HC_DENIED);
}

/* A VM of the model has one vCPU, which is on. */
static struct hc_result vcpu_start(struct call *call)
{
    u64 entry = call->args[1], map = call->vm->direct_map;

    CHECK(call->args[0] != 0 ? HC_INVALID_PARAM : HC_OK);
    CHECK(entry % 2 != 0 || entry < map || !in_memory(call->vm, entry - map) ? HC_INVALID_ADDRESS
                                                                             : HC_OK);
    return fail(HC_EXISTS);
}

static struct hc_result to_vcpu(struct call *call)
{
    CHECK(call->args[0] != 0 ? HC_INVALID_PARAM : HC_OK);
    return answer(HC_OK, 0);
}

/* When a vCPU runs is not the model's matter. */
static struct hc_result of_time(struct call *call)
{
    (void)call;
    return answer(HC_OK, 0);
}

static struct hc_result (*const calls[HC_CALL_COUNT])(struct call *call) = {
    [HC_CALL_VERSION] = version,
    [HC_CALL_SHARED_PAGE] = shared_page,
    [HC_CALL_TRAP_REGISTER] = trap_register,
    [HC_CALL_TRAP_RETURN] = trap_return,
    [HC_CALL_YIELD_IDLE] = of_time,
    [HC_CALL_YIELD] = of_time,
    [HC_CALL_TIMER_SET] = of_time,
    [HC_CALL_TABLE_MAKE] = table_make,
    [HC_CALL_TABLE_FREE] = table_free,
    [HC_CALL_TABLE_LINK] = table_link,
    [HC_CALL_TABLE_UNLINK] = table_unlink,
    [HC_CALL_PTE_SET] = pte_set,
    [HC_CALL_PTE_GET] = pte_get,
    [HC_CALL_PTE_BATCH] = pte_batch,
    [HC_CALL_PTE_FILL] = pte_fill,
    [HC_CALL_PTE_PROTECT] = pte_protect,
    [HC_CALL_PTE_CLONE] = pte_clone,
    [HC_CALL_PTE_CLEAR] = pte_clear,
    [HC_CALL_SPACE_SWITCH] = space_switch,
    [HC_CALL_FLUSH] = flush,
    [HC_CALL_COUNTERS] = counters,
    [HC_CALL_DISK_ATTACH] = disk_attach,
    [HC_CALL_DISK_KICK] = denied,
    [HC_CALL_DISK_DETACH] = denied,
    [HC_CALL_VCPU_START] = vcpu_start,
    [HC_CALL_VCPU_STOP] = denied,
    [HC_CALL_VCPU_NOTIFY] = to_vcpu,
    [HC_CALL_YIELD_TO] = to_vcpu,
};

struct hc_result model_call(struct model *model, u32 vm, u64 number, const u64 args[6], u64 most)
{
    struct call call = {model, vm, &model->vms[vm], args, most};

    if (number >= HC_CALL_COUNT)
        return fail(HC_NOT_SUPPORTED);
    call.vm->calls[number]++;
    return calls[number] != NULL ? calls[number](&call)
                                 : fail(HC_FAILED); /* a call without a model */
}

/* SPDX-License-Identifier: MIT */
/*
 * Every place that takes memory, or another thing that can run out, fails in turn, through whole
 * lives of VMs. Each time: the right error, the neighbour goes on, the audit is clean, nothing is
 * lost, and the same can be done again.
 *
 * The places are wrapped by the linker (tests/build.mk): the code under test is the code that runs.
 */
#include "check.h"

#include "arch/arch.h"
#include "core/hypercall.h"
#include "core/sched.h"
#include "core/vm_list.h"
#include "debug/trace.h"
#include "host.h"
#include "mem/frame.h"
#include "mem/space_id.h"
#include "virt/pv/paging.h"
#include "virt/virt.h"
#include "world.h"

enum { NEVER = -1, ROOTS_MADE = 3, PLACES_LEAST = 12 };

/* What fails: the kind of it tells which error is right. */
enum place {
    PLACE_NONE,
    PLACE_RECORD,
    PLACE_MAP,
    PLACE_CHUNK,
    PLACE_TABLE,
    PLACE_SPACE,
    PLACE_PORT,
    PLACES,
};

static struct {
    int at; /* the call that fails, counted from 0; NEVER */
    int calls;
    enum place failed;
} inject;

static bool fails(enum place place)
{
    if (inject.calls++ != inject.at)
        return false;
    inject.failed = place;
    return true;
}

#define WRAP(type, name, parameters, arguments, place, failure)    \
    type __real_##name parameters;                                 \
    type __wrap_##name parameters;                                 \
    type __wrap_##name parameters                                  \
    {                                                              \
        return fails(place) ? (failure) : __real_##name arguments; \
    }

/* clang-format off */
WRAP(void *, frame_run_alloc, (u64 bytes), (bytes), PLACE_RECORD, NULL)
WRAP(void *, frame_run_take, (u64 bytes), (bytes), PLACE_MAP, NULL)
WRAP(mfn_t, frame_chunk_alloc, (u16 vm), (vm), PLACE_CHUNK, MFN_NONE)
WRAP(mfn_t, frame_table_alloc, (u16 vm, u8 level), (vm, level), PLACE_TABLE, MFN_NONE)
WRAP(u16, space_id_alloc, (void), (), PLACE_SPACE, 0)
WRAP(bool, console_port_open,
     (struct console_port *port, u32 number, const char *name, bool coloured,
      void (*notify)(void *owner, enum console_event event), void *owner),
     (port, number, name, coloured, notify, owner), PLACE_PORT, false)
/* clang-format on */

/* What a person reads, by what failed while a VM was made or rebooted. */
static const char *const words[PLACES] = {
    [PLACE_RECORD] = "no room for another machine",
    [PLACE_MAP] = "no room for the map of its memory",
    [PLACE_CHUNK] = "not started: it needs 8 MiB, and",
    [PLACE_TABLE] = "not started: no memory is left for its direct map",
    [PLACE_SPACE] = "not started: no address-space identifier is left",
    [PLACE_PORT] = "the console has no port left",
};

static void inject_at(int place)
{
    inject.at = place;
    inject.calls = 0;
    inject.failed = PLACE_NONE;
}

/* ---- one life beside a neighbour ---- */

struct holdings {
    u32 chunks, heap, count;
    u32 spaces;
};

static struct holdings holdings(void)
{
    struct holdings now = {frame_chunks_free(), frame_heap_free(), vm_count, 0};

    for (u32 id = 1; id <= space_id_share(1); id++)
        now.spaces += space_id_used((u16)id);
    return now;
}

static void check_same(struct holdings before)
{
    struct holdings now = holdings();

    assert_int_equal(now.chunks, before.chunks);
    assert_int_equal(now.heap, before.heap);
    assert_int_equal(now.count, before.count);
    assert_int_equal(now.spaces, before.spaces);
    assert_int_equal(world_audit(), 0);
}

/* The calls of a guest that take something. False where one failed, in the way it must. */
static bool guest_calls(struct vcpu *cpu)
{
    for (u32 i = 1; i <= ROOTS_MADE; i++) {
        struct hc_result made = hc_table_make(cpu, world_pool(i), 2);

        if (inject.failed == PLACE_NONE) {
            check_value(made);
            check_value(hc_space_switch(cpu, world_pool(i)));
            continue;
        }
        check_error(made, HC_NO_SPACE);
        check_error(hc_space_switch(cpu, world_pool(i)), HC_BAD_LEVEL);
        inject_at(NEVER);
        check_value(hc_table_make(cpu, world_pool(i), 2));
        return false;
    }
    return true;
}

/* Made, used, rebooted, used. The first that fails is returned; PLACE_NONE: nothing did. */
static enum place live(struct vm_refusal *why)
{
    const struct vm_order order = {"made", "vm2", 0};
    struct bundle_vm_view plan;
    struct vm *vm;

    if (!vm_plan(&order, &plan, why) || !vm_create(&plan, why))
        return inject.failed;
    vm = vm_find("made");
    assert_non_null(vm);
    for (u32 boots = 0; boots < 2; boots++) {
        world_settle();
        if (vm->state != VM_RUNNING) {
            assert_int_equal(vm->state, VM_OFF);
            return inject.failed;
        }
        if (!guest_calls(&vm->vcpus[0]))
            return PLACE_SPACE;
        if (boots == 0)
            vm_end(vm, VM_EXIT_REBOOT);
    }
    return PLACE_NONE;
}

static void take_away(const char *name)
{
    struct vm *vm = vm_find(name);

    if (vm == NULL)
        return;
    vm->leaving = true;
    vm_end(vm, VM_EXIT_KILLED);
    world_settle();
    assert_int_equal(vm->state, VM_OFF);
    assert_true(vm_destroy(vm));
}

static void check_neighbour(void)
{
    struct vcpu *cpu = &vms[0]->vcpus[0];

    assert_int_equal(vms[0]->state, VM_RUNNING);
    check_value(hc_table_make(cpu, world_pool(9), 2));
    check_value(hc_table_free(cpu, world_pool(9)));
}

static void test_each_place_fails_in_the_life_of_a_vm_and_nothing_is_lost(void **state)
{
    const struct world_image images[] = {{0}, {.later = true}};
    u32 seen[PLACES] = {0};
    int place = 0;

    (void)state;
    inject_at(NEVER);
    world_start(2, images);
    struct holdings before = holdings();
    for (;; place++) {
        struct vm_refusal why = {""};
        enum place failed;

        world_log[0] = '\0';
        inject_at(place);
        failed = live(&why);
        if (failed == PLACE_NONE)
            break;
        if (failed == PLACE_SPACE && inject.at == NEVER)
            assert_string_equal(world_log + strlen(world_log), ""); /* the guest was told */
        else if (strstr(why.text, words[failed]) == NULL &&
                 strstr(world_log, words[failed]) == NULL)
            fail_msg("place %d: expected '%s': '%s' '%s'", place, words[failed], why.text,
                     world_log);
        seen[failed]++;
        inject_at(NEVER);
        check_neighbour();
        take_away("made");
        check_same(before);
        assert_int_equal(live(&why), PLACE_NONE);
        take_away("made");
        check_same(before);
        assert_int_equal(world_status, -1);
    }
    inject_at(NEVER);
    take_away("made");
    check_same(before);
    assert_true(place >= PLACES_LEAST);
    for (enum place kind = PLACE_RECORD; kind < PLACES; kind++)
        assert_true(seen[kind] > 0);
}

/* ---- at the start of the machine ---- */

static void test_each_place_fails_at_the_start_and_the_other_vm_starts(void **state)
{
    int place = 0;

    (void)state;
    for (;; place++) {
        u32 running = 0;

        inject_at(place);
        world_start(2, NULL);
        if (inject.failed == PLACE_NONE)
            break;
        for (u32 i = 0; i < VMS_MAX; i++)
            running += i < vm_count && vms[i] != NULL && vms[i]->state == VM_RUNNING;
        assert_int_equal(running, 1);
        if (strstr(world_log, words[inject.failed]) == NULL)
            fail_msg("place %d: expected '%s': %s", place, words[inject.failed], world_log);
        inject_at(NEVER);
        assert_int_equal(world_audit(), 0);
        assert_int_equal(world_status, -1);
        for (u32 i = 0; i < vm_count; i++) {
            if (vms[i] != NULL && vms[i]->state == VM_RUNNING)
                vm_end(vms[i], VM_EXIT_SHUTDOWN);
        }
        world_settle();
        assert_int_equal(frame_chunks_free(), frame_chunks_all());
        assert_int_equal(world_status, 1); /* one of them did not start */
    }
    inject_at(NEVER);
    assert_true(place >= PLACES_LEAST);
}

static void test_without_room_for_the_trace_the_machine_goes_on(void **state)
{
    (void)state;
    inject_at(NEVER);
    world_start(1, NULL);
    u32 heap = frame_heap_free();

    inject_at(0);
    trace_start(TRACE_ON);
    assert_int_equal(inject.failed, PLACE_MAP);
    assert_non_null(strstr(world_log, "no trace: no room for its rings"));
    assert_int_equal(trace_header.level, TRACE_OFF);
    assert_int_equal(frame_heap_free(), heap);
    check_neighbour();
    inject_at(NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_place_fails_in_the_life_of_a_vm_and_nothing_is_lost),
        cmocka_unit_test(test_each_place_fails_at_the_start_and_the_other_vm_starts),
        cmocka_unit_test(test_without_room_for_the_trace_the_machine_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

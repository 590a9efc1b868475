/* SPDX-License-Identifier: MIT */
/*
 * The monitor for tests of it: the code itself; console, VMs and audit are fakes. For one source
 * file of a program.
 */
#pragma once

#include "check.h"

#include "candor_dispatch.h"
#include "debug/line_editor.c"
#include "debug/monitor.c"
#include "debug/monitor_checks.c"
#include "debug/monitor_life.c"
#include "debug/monitor_more.c"
#include "debug/monitor_trace.c"
#include "debug/monitor_vms.c"
#include "debug/monitor_walk.c"
#include "debug/trace_text.c"

enum { SCREEN_BYTES = 65536, HZ = 10000000 };

static struct {
    char screen[SCREEN_BYTES];
    u32 used, room, switched, audits;
    int stopped;
    bool broken;
    u64 now, alarm, walked;
    char records[SCREEN_BYTES];
    u32 records_used, record_room;
    struct console_activity activity;
    struct virt_walk walk;
    bool may_create;
    char created[64], created_from[64];
    u64 created_bytes;
    bool may_trace;
    u32 rings;
    u32 looks_in_turn; /* times that a VM is found in its turn yet */
    bool line_cut;     /* a line of Candor's has ended the one with the prompt */
    u32 unshown;       /* times that vm_destroy must be asked again */
} fake;

/* ---- fakes ---- */

struct machine machine = {.timebase_hz = HZ};
struct vm *vms[VMS_MAX];
u32 vm_count;
const char *const hypercall_names[HC_CALL_COUNT] = {[HC_CALL_YIELD] = "yield"};

void console_system_write(const char *text, u32 count)
{
    assert_true(count <= fake.room);
    assert_true(fake.used + count < SCREEN_BYTES);
    memcpy(fake.screen + fake.used, text, count);
    fake.used += count;
    fake.screen[fake.used] = '\0';
}

bool console_line_is_cut(void)
{
    return fake.line_cut;
}

void console_line_begins(void)
{
    fake.line_cut = false;
}

u32 console_system_room(void)
{
    return fake.room;
}

void console_record_write(const char *text, u32 count)
{
    memcpy(fake.records + fake.records_used, text, count);
    fake.records_used += count;
    fake.records[fake.records_used++] = '\n';
    fake.records[fake.records_used] = '\0';
}

u32 console_record_room(void)
{
    return fake.record_room;
}

struct console_activity console_activity(void)
{
    fake.activity.system_bytes = fake.used;
    return fake.activity;
}

void console_feed(void)
{
    monitor_continue();
}

void stay_is_measured(u32 kind)
{
    (void)kind;
}

void sched_alarm(u64 time, void (*ring)(void))
{
    assert_ptr_equal(ring, monitor_alarm);
    fake.alarm = time;
}

void vm_pause(struct vm *vm)
{
    vm->paused = true;
}

bool vm_stands(struct vm *vm)
{
    (void)vm;
    if (fake.looks_in_turn == 0)
        return true;
    fake.looks_in_turn--;
    return false;
}

void vm_resume(struct vm *vm)
{
    vm->paused = false;
}

void vm_end(struct vm *vm, enum vm_exit why)
{
    if (vm->state == VM_OFF)
        return;
    vm->state = VM_ENDING;
    vm->exit = (u8)why;
}

struct vm *vm_find(const char *name)
{
    for (u32 i = 0; i < vm_count; i++) {
        if (vms[i] != NULL && strcmp(vms[i]->name, name) == 0)
            return vms[i];
    }
    return NULL;
}

bool vm_plan(const struct vm_order *order, struct bundle_vm_view *config, struct vm_refusal *why)
{
    (void)why;
    strcpy(config->name, order->name);
    strcpy(fake.created, order->name);
    strcpy(fake.created_from, order->record);
    fake.created_bytes = order->memory_bytes;
    return true;
}

bool vm_create(const struct bundle_vm_view *config, struct vm_refusal *why)
{
    assert_string_equal(config->name, fake.created);
    strcpy(why->text, "there is no room");
    return fake.may_create;
}

bool vm_start(struct vm *vm, struct vm_refusal *why)
{
    strcpy(why->text, "there is no room");
    if (fake.may_create)
        vm->state = VM_BUILDING;
    return fake.may_create;
}

bool vm_destroy(struct vm *vm)
{
    assert_int_equal(vm->state, VM_OFF);
    if (fake.unshown > 0) {
        fake.unshown--;
        return false;
    }
    vms[vm->id - 1] = NULL;
    free(vm);
    return true;
}

u32 vm_record_count(void)
{
    return 2;
}

int vm_record(u32 index, struct bundle_vm_view *view)
{
    *view = (struct bundle_vm_view){.memory_bytes = 64 << 20};
    snprintf(view->name, sizeof(view->name), "record%u", index);
    view->flags = index == 0 ? 0 : BUNDLE_FLAG_LATER;
    return BUNDLE_OK;
}

u64 vm_memory_free(void)
{
    return 100 << 20;
}

u32 frame_heap_free(void)
{
    return 8;
}

static void fake_walk(const struct vcpu *vcpu, gva_t address, struct virt_walk *walk)
{
    assert_ptr_equal(vcpu, &vms[0]->vcpus[0]);
    fake.walked = address.value;
    *walk = fake.walk;
}

/* Nine of one group, of which one is none and one is 0, and two of another. */
static bool fake_count(const struct vm *vm, u32 number, struct virt_count *count)
{
    static const struct virt_count counts[] = {
        {"first", "a", 1}, {"first", NULL, 2}, {"first", "c", 0}, {"first", "d", 4},
        {"first", "e", 5}, {"first", "f", 6},  {"first", "g", 7}, {"first", "h", 8},
        {"first", "i", 9}, {"other", "a", 10}, {"other", "b", 11}};

    if (vm != vms[0] || number >= ARRAY_SIZE(counts))
        return false;
    *count = counts[number];
    return true;
}

static const struct virt_ops fake_ops = {.walk = fake_walk, .count = fake_count};

void console_drain(void)
{
}

bool console_switch(u32 number)
{
    if (number == 0 || number > vm_count)
        return false;
    fake.switched = number;
    return true;
}

void audit_run(struct audit_result *result)
{
    fake.audits++;
    *result = (struct audit_result){.frames = 7, .tables = 3, .entries = 9};
    if (fake.broken) {
        result->violations = 2;
        strcpy(result->first, "a leaf is wrong");
    }
}

void machine_stop(u32 status)
{
    fake.stopped = (int)status;
}

enum monitor_step monitor_weight_step(struct monitor_job *job)
{
    return monitor_fail(job, "see test_monitor_weight.c");
}

struct vcpu_times sched_times(struct vcpu *vcpu)
{
    u64 since = fake.now - vcpu->state_since;
    bool sleeps = vcpu->state == VCPU_SLEEPING;

    return (struct vcpu_times){vcpu->running_time, vcpu->idle_time + (sleeps ? since : 0),
                               vcpu->steal_time + (sleeps ? 0 : since), 0};
}

u64 stay_longest(u32 kind)
{
    return kind == STAY_BUILDING ? 12345 : 0;
}

const char *stay_name(u32 kind)
{
    (void)kind;
    return "a kind";
}

u64 arch_time_now(void)
{
    return fake.now;
}

const char *arch_entry_name(u32 cause)
{
    return cause == ENTRY_CAUSES - 1 ? "last" : "cause";
}

u32 arch_record_cause(u64 what)
{
    return (u32)((what ^ 9) % ENTRY_CAUSES);
}

/* The trace's rings, of two harts. */
struct trace_header trace_header;
struct hart harts[HARTS_MAX];
u32 hart_count = 2;
static struct trace_record fake_rings[2][TRACE_RING_RECORDS];

bool trace_ready(void)
{
    return trace_header.magic != 0;
}

int trace_prepare(void)
{
    if (!fake.may_trace)
        return -1;
    if (fake.rings < 2) {
        u32 i = fake.rings++;

        memset(fake_rings[i], 0, sizeof(fake_rings[i]));
        trace_header.rings[i].address = (u64)fake_rings[i];
        harts[i].trace_next = (u64)fake_rings[i];
        harts[i].trace_place = &harts[i].trace_next;
    }
    trace_header.magic = fake.rings == 2;
    return fake.rings < 2;
}

void trace_set(enum trace_level level)
{
    trace_header.level = level;
    harts[0].trace_level = harts[1].trace_level = (u8)level;
}

/* ---- helpers ---- */

static void start_monitor(void)
{
    memset(&monitor, 0, sizeof(monitor));
    memset(&fake, 0, sizeof(fake));
    fake.room = 4096;
    fake.record_room = 1 << 14;
    fake.alarm = TIME_NEVER;
    fake.stopped = -1;
    fake.now = 100 * (u64)HZ;
    memset(&trace_header, 0, sizeof(trace_header));
    trace_set(TRACE_OFF);
    for (u32 i = 0; i < 2; i++) {
        free(vms[i]);
        vms[i] = calloc(1, sizeof(struct vm) + sizeof(struct vcpu));
        snprintf(vms[i]->name, sizeof(vms[i]->name), "vm%u", i + 1);
        vms[i]->id = (u16)(i + 1);
        vms[i]->serial = i + 1;
        vms[i]->vcpu_count = 1;
        vms[i]->virt = &fake_ops;
        vms[i]->state = VM_RUNNING;
        vms[i]->vcpus[0].state = i == 0 ? VCPU_SLEEPING : VCPU_RUNNABLE;
        vms[i]->vcpus[0].state_since = fake.now;
    }
    vm_count = 2;
}

static u32 run_steps(void)
{
    u32 steps = 0;

    for (; monitor_busy(); steps++) {
        assert_true(steps < 1000);
        monitor_continue();
    }
    return steps;
}

static void type(const char *text)
{
    for (; *text != '\0'; text++)
        monitor_input((u8)*text);
    run_steps();
}

static void clear_screen(void)
{
    fake.used = 0;
    fake.screen[0] = '\0';
}

#define assert_shows(text) assert_non_null(strstr(fake.screen, text))

/* The alarm rings at its time, and what follows is done. */
static inline void time_passes(void)
{
    assert_true(fake.alarm != TIME_NEVER);
    fake.now = fake.alarm;
    fake.alarm = TIME_NEVER;
    monitor_alarm();
    run_steps();
}

static void request(const char *line)
{
    fake.records_used = 0;
    fake.records[0] = '\0';
    for (; *line != '\0'; line++)
        monitor_request((u8)*line);
    run_steps();
}

/* SPDX-License-Identifier: MIT */
#include "turns.h"

#include <setjmp.h>

#include "arch/arch.h"
#include "compare.h"
#include "core/event.h"
#include "core/machine.h"
#include "core/sched.h"
#include "core/sched_policy.h"
#include "core/vm.h"
#include "core/vm_list.h"
#include <string.h>

#include "host.h"
#include "tlb.h"

enum {
    TURNS_MAX = 32,
    TIME_START = 1000000,
    TURNS_PER_SECOND = 100, /* in which the others have theirs */
    WEIGHT_LEAST = 50,      /* and up to eight times that: TURNS_MAX are enough for each */
    WEIGHT_BITS = 2,
};

/* What is promised to each VM. */
static struct {
    u64 wanted;  /* sent, and not shown yet */
    u64 pending; /* what the shared page must hold; 0 without one */
    bool registered;
    bool doorbell;
    u64 timer;
    u64 until;       /* while it sleeps: when it wants to go on */
    bool was_paused; /* no time of it is counted meanwhile */
} promised[COMPARE_VMS];

static const struct sched_policy *policy = &sched_round_robin;
static u32 weights; /* at the start: two bits for each VM */
static u64 clock_start;
static bool fell_asleep[TURNS_HARTS];

static struct vcpu *vcpu_of(u32 vm)
{
    return &vms[vm]->vcpus[0];
}

/* ---- the scheduler's work ---- */

/* The hart has called nobody and looks at its queue: it goes to sleep if there is nothing. */
static void choose_on(struct hart *hart)
{
    jmp_buf asleep;

    harts_idle &= ~BIT(hart->index); /* as on waking up */
    hart->reschedule = true;
    fell_asleep[hart->index] = true;
    host_asleep = &asleep;
    if (setjmp(asleep) == 0) {
        (void)sched_next(hart);
        fell_asleep[hart->index] = false;
    }
    host_asleep = NULL;
}

/* The hart that executes leaves the hypervisor, or goes on sleeping. */
static void leave(void)
{
    if (arch_hart()->reschedule)
        choose_on(arch_hart());
}

/* That hart executes: it enters the hypervisor, serves its mail and its timer, and leaves it. */
static void run_on(u32 hart)
{
    host_run_on(hart);
    leave();
}

/* A hart that has yet to choose, or has mail, will see to it by itself. */
static bool waits(const struct vcpu *vcpu)
{
    return vcpu->state == VCPU_RUNNABLE && vcpu->hart->current != vcpu &&
           vcpu->hart->loaded != vcpu && !vcpu->hart->reschedule && vcpu->hart->mail == 0;
}

/* A millisecond's virtual time. */
static u64 nearly(const struct vcpu *vcpu)
{
    return ((machine.timebase_hz / 1000 << 16) + vcpu->weight - 1) / vcpu->weight;
}

/* Weighted shares: who is behind is first, and nobody is behind the hart's own virtual time; but by
 * a millisecond of its own, and one of another that has just arrived before it. */
static void check_order(const struct hart *hart)
{
    u64 furthest = hart->virtual_time, most = 0;
    const struct vcpu *vcpu;

    list_for_each (vcpu, &hart->ready, link)
        most = max(most, nearly(vcpu));
    list_for_each (vcpu, &hart->ready, link) {
        i64 behind = (i64)(furthest - vcpu->virtual_time);

        if (behind > (i64)(nearly(vcpu) + most))
            compare_differ("hart %u: the virtual time of VM %u is behind, by %lu", hart->index,
                           vcpu->vm->id, (u64)behind);
        if (behind < 0)
            furthest = vcpu->virtual_time;
    }
}

/* Whoever sleeps has nothing to do; a hart that sleeps has nothing to take. */
static void check_sleepers(void)
{
    for (u32 hart = 0; sched_policy == &sched_weighted && hart < hart_count; hart++)
        check_order(&harts[hart]);
    for (u32 vm = 0; vm < COMPARE_VMS; vm++) {
        if (vcpu_of(vm)->state == VCPU_SLEEPING && promised[vm].wanted != 0)
            compare_differ("VM %u sleeps, and events %lx were sent to it", vm + 1,
                           promised[vm].wanted);
        for (u32 hart = 0; hart < hart_count; hart++) {
            if (fell_asleep[hart] && harts[hart].mail == 0 && waits(vcpu_of(vm)))
                compare_differ("hart %u sleeps, and VM %u waits on hart %u", hart, vm + 1,
                               vcpu_of(vm)->hart->index);
        }
    }
}

static void check_times(u32 vm)
{
    struct vcpu_times times = sched_times(vcpu_of(vm));
    u64 passed = host_time - clock_start, sum = times.running + times.idle + times.steal;

    if (sum > passed || (sum < passed && !promised[vm].was_paused))
        compare_differ("times: %lu running, %lu idle, %lu stolen of %lu", times.running, times.idle,
                       times.steal, passed);
}

static u32 weight_of(u32 bits)
{
    return WEIGHT_LEAST << (bits & ((1u << WEIGHT_BITS) - 1));
}

void turns_use(bool weighted, u32 bits)
{
    const struct sched_policy *wanted = weighted ? &sched_weighted : &sched_round_robin;

    if (wanted == policy && (!weighted || bits == weights))
        return;
    policy = wanted;
    weights = bits;
    turns_reset();
}

void turns_weigh(u32 vm, u32 bits)
{
    if (sched_policy != &sched_weighted)
        return;
    vm_set_weight(vms[vm], weight_of(bits));
    leave();
    check_sleepers();
}

/* Somebody's turn is waited for, the n-th time. Under round robin it comes though time stands
 * still; with weights only when the others have had so much of it as they are behind. */
static void time_for_others(u32 n)
{
    if (n == TURNS_MAX)
        compare_differ("its turn does not come");
    if (sched_policy == &sched_weighted)
        host_time += n * machine.timebase_hz / TURNS_PER_SECOND;
}

void turns_start(void)
{
    sched_use(policy);
    for (u32 vm = 0; vm < COMPARE_VMS; vm++) {
        promised[vm].timer = TIME_NEVER;
        promised[vm].was_paused = true; /* while it was being built nothing was counted here */
    }
}

void turns_reset(void)
{
    for (u32 vm = 0; vm < COMPARE_VMS; vm++) {
        turns_become(vm);
        sched_unload(vcpu_of(vm));
        sched_stop(vcpu_of(vm));
    }
    sched_use(policy);
    host_time = TIME_START;
    clock_start = TIME_START;
    hart_count = TURNS_HARTS;
    harts_idle = 0;
    for (u32 i = 0; i < TURNS_HARTS; i++) {
        host_hart = i;
        host_timer = TIME_NEVER;
        tlb_drop_all();
        fell_asleep[i] = false;
        harts[i] = (struct hart){.index = i};
        hart_init(i, i);
        hart_go_online(&harts[i]);
    }
    host_hart = 0;
    for (u32 vm = 0; vm < COMPARE_VMS; vm++) {
        struct vcpu *vcpu = vcpu_of(vm);

        vcpu->hart = &harts[0];
        vcpu->ran_on = NULL;
        vcpu->shared = NULL;
        vcpu->timer = TIME_NEVER;
        vcpu->events_wanted = 0;
        vcpu->arch.doorbell = false;
        vcpu->running_time = vcpu->idle_time = vcpu->steal_time = 0;
        vcpu->ran_lately = vcpu->waited_lately = 0;
        vcpu->virtual_time = 0;
        vcpu->weight = weight_of(weights >> vm * WEIGHT_BITS);
        memset(&promised[vm], 0, sizeof(promised[vm]));
        promised[vm].timer = TIME_NEVER;
        sched_start(vcpu);
    }
}

void turns_end_elsewhere(u32 vm)
{
    run_on((vcpu_of(vm)->hart->index + 1) % TURNS_HARTS);
    vm_end(vms[vm], VM_EXIT_REBOOT);
    event_send_vm(vms[vm], EVENT_CONSOLE); /* too late: its next life knows nothing of it */
    leave();
}

void turns_pass(u64 ticks)
{
    for (u32 i = 0; i < TURNS_HARTS; i++)
        run_on(i);
    host_time += ticks;
    for (u32 i = 0; i < TURNS_HARTS; i++)
        run_on(i);
    for (u32 vm = 0; vm < COMPARE_VMS; vm++) {
        if (vcpu_of(vm)->state == VCPU_SLEEPING &&
            min(promised[vm].until, promised[vm].timer) <= host_time)
            compare_differ("VM %u sleeps beyond its time", vm + 1);
    }
    check_sleepers();
}

void turns_pause(u32 vm)
{
    vm_pause(vms[vm]);
    promised[vm].was_paused = true;
    leave();
    run_on(vcpu_of(vm)->hart->index);
    check_sleepers();
}

void turns_start_again(u32 vm, bool made_anew)
{
    static const char *const names[COMPARE_VMS] = {"vm1", "vm2", "vm3"};
    const struct vm_order order = {.name = names[vm], .record = names[vm]};
    struct bundle_vm_view plan;
    struct vm_refusal why;

    vm_end(vms[vm], VM_EXIT_KILLED);
    for (u32 i = 0; vms[vm]->state != VM_OFF; i++) {
        time_for_others(i);
        host_run_on(vcpu_of(vm)->hart->index);
        choose_on(arch_hart());
    }
    run_on(0);
    if (made_anew && (!vm_destroy(vms[vm]) || !vm_plan(&order, &plan, &why) ||
                      !vm_create(&plan, &why) || vms[vm] == NULL))
        compare_differ("it cannot be made anew: %s", why.text);
    if (!made_anew && !vm_start(vms[vm], &why))
        compare_differ("it does not start again: %s", why.text);
    leave();
    promised[vm].was_paused = true;
}

/* ---- events ---- */

static void send(u32 vm)
{
    event_send_vm(vms[vm], EVENT_CONSOLE);
    promised[vm].wanted |= EVENT_CONSOLE;
    leave();
}

void turns_send(u32 vm, u32 from_hart)
{
    run_on(from_hart % TURNS_HARTS);
    send(vm);
    check_sleepers();
}

/* In its turn: what was sent has been shown. */
static void check_events(u32 vm)
{
    const struct vcpu *vcpu = vcpu_of(vm);
    u64 pending = vcpu->shared != NULL ? vcpu->shared->pending : 0;

    if (promised[vm].timer <= host_time) {
        promised[vm].timer = TIME_NEVER;
        promised[vm].wanted |= EVENT_TIMER;
    }
    promised[vm].doorbell = promised[vm].doorbell || promised[vm].wanted != 0;
    if (promised[vm].registered)
        promised[vm].pending |= promised[vm].wanted;
    promised[vm].wanted = 0;
    if ((vcpu->shared != NULL) != promised[vm].registered)
        compare_differ("its shared page is %sregistered", vcpu->shared != NULL ? "" : "not ");
    if (pending != promised[vm].pending)
        compare_differ("events %lx are pending, should be %lx", pending, promised[vm].pending);
    if (vcpu->arch.doorbell != promised[vm].doorbell)
        compare_differ("its doorbell is %srung", vcpu->arch.doorbell ? "" : "not ");
}

static bool has_turn(const struct vcpu *vcpu)
{
    return vcpu->hart->current == vcpu && !vcpu->hart->reschedule;
}

void turns_become(u32 vm)
{
    struct vcpu *wanted = vcpu_of(vm);

    host_time++;
    if (vms[vm]->paused) {
        vm_resume(vms[vm]);
        leave();
    }
    if (wanted->state == VCPU_SLEEPING)
        send(vm);
    for (u32 i = 0;; i++) {
        struct hart *hart = wanted->hart;

        time_for_others(i);
        run_on(hart->index);
        if (has_turn(wanted))
            break;
        if (wanted->hart == hart)
            choose_on(hart);
        if (has_turn(wanted))
            break;
    }
    check_events(vm);
    check_times(vm);
    check_sleepers();
}

void turns_leave(u32 hart, bool asleep)
{
    struct vcpu *vcpu = harts[hart].current;

    if (asleep && vcpu != NULL) {
        turns_become(vcpu->vm->id - 1u);
        promised[vcpu->vm->id - 1].until = TIME_NEVER;
        sched_sleep(vcpu, TIME_NEVER);
    }
    run_on(hart);
    choose_on(&harts[hart]);
    check_sleepers();
}

void turns_scan(u32 vm, bool doorbell_only)
{
    vcpu_of(vm)->arch.doorbell = false;
    promised[vm].doorbell = false;
    if (doorbell_only)
        return;
    if (vcpu_of(vm)->shared != NULL)
        vcpu_of(vm)->shared->pending = 0;
    promised[vm].pending = 0;
}

void turns_called(u32 vm, u64 number, const u64 args[6], i64 error)
{
    struct vcpu *vcpu = vcpu_of(vm);
    bool waits = promised[vm].pending != 0 || promised[vm].doorbell;
    bool sleeps = number == HC_CALL_YIELD_IDLE && args[0] > host_time && !waits;

    if (number == HC_CALL_SHARED_PAGE && error == HC_OK)
        promised[vm].registered = true;
    if (number == HC_CALL_TIMER_SET)
        promised[vm].timer = args[0];
    if (number == HC_CALL_VCPU_NOTIFY && error == HC_OK)
        promised[vm].wanted |= EVENT_VCPU;
    if (number == HC_CALL_SHARED_PAGE || number == HC_CALL_TIMER_SET ||
        number == HC_CALL_VCPU_NOTIFY)
        check_events(vm);
    if (sleeps != (vcpu->state == VCPU_SLEEPING))
        compare_differ("%s, and events %lx are pending, its doorbell is %srung",
                       sleeps ? "it does not sleep" : "it sleeps", promised[vm].pending,
                       promised[vm].doorbell ? "" : "not ");
    promised[vm].until = args[0];
}

void turns_done(u32 vm)
{
    const struct shared_page *page = vcpu_of(vm)->shared;

    promised[vm].pending = page != NULL ? page->pending : 0; /* a guest may write there */
}

void turns_ended(u32 vm)
{
    promised[vm].wanted = promised[vm].pending = 0;
    promised[vm].registered = promised[vm].doorbell = false;
    promised[vm].timer = TIME_NEVER;
}

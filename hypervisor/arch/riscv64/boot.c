/* SPDX-License-Identifier: MIT */
/*
 * From the first C instruction to the first guest.
 */
#include "boot.h"
#include "arch/arch.h"
#include "bundle.h"
#include "candor_abi.h"
#include "core/hart.h"
#include "core/vm_list.h"
#include "csr.h"
#include "debug/console.h"
#include "debug/log.h"
#include "driver/clint.h"
#include "driver/devices.h"
#include "driver/rtc.h"
#include "mem/frame.h"
#include "mem/space_id.h"
#include "string.h"

enum {
    DEVICE_TREE_LIMIT = 2 << 20,
    ARRIVAL_MS = 500, /* that other harts have to come up in */
    MS_PER_SECOND = 1000,
};

u8 hart_stacks[HARTS_MAX][HART_STACK_BYTES] ALIGNED(FRAME_BYTES);
struct machine machine;
extern u32 boot_done;

/* The boot hart waits for others no more: who comes now comes late. Atomic. */
static bool arrival_over;

register struct hart *hart_register __asm__("tp");

u64 arch_time_now(void)
{
    return csr_read(time);
}

void arch_timer_set(u64 deadline)
{
    clint_set_timer(arch_hart()->hardware_id, deadline);
}

void arch_hart_wake(struct hart *hart)
{
    clint_send_ipi(hart->hardware_id);
}

/* Where the bundle ends, by its own word, which is checked later; its start if there is none. */
static u64 bundle_end(void)
{
    const struct bundle_header *header = (const struct bundle_header *)BUNDLE_LOAD_ADDRESS;
    u64 limit = machine.memory_base + machine.memory_bytes - BUNDLE_LOAD_ADDRESS;

    if (memcmp(header->magic, BUNDLE_MAGIC, sizeof(header->magic)) != 0 ||
        header->total_bytes > limit)
        return BUNDLE_LOAD_ADDRESS;
    return BUNDLE_LOAD_ADDRESS + header->total_bytes;
}

/* A hart that the device tree does not list has no part in the machine. */
static bool listed(u64 hardware_id)
{
    u32 place = 0;

    while (place < machine.hart_count && machine.hart_ids[place] != hardware_id)
        place++;
    return place < machine.hart_count;
}

NORETURN static void refuse(const char *why)
{
    log_line("this machine is refused: %s", why);
    console_drain();
    machine_stop(1);
    arch_hart_halt();
}

static void describe_machine(void)
{
    log_line("Candor, a paravirtualizing microhypervisor; hypercall ABI version %u",
             CANDOR_ABI_VERSION);
    log_line("%s: %u hart%s, %lu MiB of RAM, timebase %lu Hz, %s", machine.model,
             machine.hart_count, machine.hart_count == 1 ? "" : "s", machine.memory_bytes >> 20,
             machine.timebase_hz, machine.isa);
    log_line("uart %lx (interrupt %u), clint %lx, plic %lx, finisher %lx, timer %s",
             machine.uart_base, machine.uart_interrupt, machine.clint_base, machine.plic_base,
             machine.finisher_base, machine.has_sstc ? "Sstc" : "by hypercall");
}

static bool arrived(u64 hardware_id)
{
    for (u32 i = 0; i < hart_count; i++) {
        if (hart_is_online(&harts[i]) && harts[i].hardware_id == hardware_id)
            return true;
    }
    return false;
}

/* The first hart that is listed and not there, by its place; hart_count when all are. */
static u32 first_missing(u32 from)
{
    while (from < machine.hart_count && arrived(machine.hart_ids[from]))
        from++;
    return from;
}

/* Calls the other harts and waits a bounded time for them. One that is not there by then takes part
 * whenever it comes: nobody waits for a hart, or gives it anything, that is not online. */
static void call_harts(void)
{
    const u64 since = arch_time_now(), patience = ARRIVAL_MS * machine.timebase_hz / MS_PER_SECOND;
    struct hart *self = arch_hart();

    __atomic_store_n(&boot_done, 1, __ATOMIC_RELEASE);
    for (u32 i = 0; i < machine.hart_count; i++) {
        if (machine.hart_ids[i] != self->hardware_id)
            clint_send_ipi(machine.hart_ids[i]);
    }
    while (first_missing(0) < machine.hart_count && arch_time_now() - since < patience) {
        hart_serve_flush(self);
        arch_relax();
    }
    __atomic_store_n(&arrival_over, true, __ATOMIC_SEQ_CST);
    for (u32 i = first_missing(0); i < machine.hart_count; i = first_missing(i + 1))
        log_line("hart %lu has not come up in %u ms: the machine goes on without it",
                 machine.hart_ids[i], ARRIVAL_MS);
}

void boot_first(u64 hardware_id, u64 device_tree)
{
    const char *why;
    u64 closed, end;

    hart_register = &harts[0];
    why = machine_read(&machine, (const void *)device_tree, DEVICE_TREE_LIMIT);
    if (machine.uart_base == 0)
        arch_hart_halt(); /* nothing to say it with */
    hart_init(0, hardware_id);
    drivers_init(&machine, hardware_id);
    if (why == NULL)
        why = cpu_refuse(machine.isa);
    if (why == NULL && !listed(hardware_id)) /* no interrupt of a device would reach it */
        why = "the hart that came first is none that its device tree lists: start it again";
    if (why != NULL)
        refuse(why);
    describe_machine();
    if (machine.rtc_base != 0)
        machine.wall_base_ns = rtc_read_ns(machine.rtc_base) - machine_ns(arch_time_now());
    closed = bundle_end();
    end = machine.memory_base + machine.memory_bytes;
    if (!frame_init(maddr(closed), maddr(end)))
        refuse("its memory is too small for Candor, the bundle and a guest: start it with more "
               "(--mem)");
    if (!space_id_init(arch_space_ids()))
        refuse("it has no address-space identifiers, by which Candor tells spaces apart");
    hart_count = machine.hart_count;
    cpu_init(0);
    hart_go_online(&harts[0]);
    log_line("%u MiB for guests at %lx", frame_chunks_all() * 2,
             mfn_to_maddr(frame_open_base).value);
    drivers_init_disks(&machine);
    console_start_interrupts();
    vm_start_all((const void *)BUNDLE_LOAD_ADDRESS, closed - BUNDLE_LOAD_ADDRESS);
    call_harts();
    trap_resume(&harts[0]);
}

void boot_other(u64 hardware_id, u64 ticket)
{
    struct hart *hart = &harts[ticket];

    hart_register = hart;
    hart_init((u32)ticket, hardware_id);
    if (!listed(hardware_id) || ticket >= machine.hart_count) { /* it has taken another's place */
        log_line("hart %lu stays out: the device tree does not list it, or lists fewer harts",
                 hardware_id);
        arch_hart_halt();
    }
    cpu_init((u32)ticket);
    clint_clear_ipi(hardware_id);
    hart_go_online(hart);
    if (__atomic_load_n(&arrival_over, __ATOMIC_SEQ_CST))
        log_line("hart %lu has come up late, and takes part", hardware_id);
    trap_resume(hart);
}

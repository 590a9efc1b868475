/* SPDX-License-Identifier: MIT */
#include "virt/shadow/machine.h"

#include "arch/arch.h"
#include "core/event.h"
#include "core/sched.h"
#include "core/vm.h"
#include "debug/panic.h"
#include "driver/disk.h"
#include "mem/guest_memory.h"
#include "string.h"
#include "virt/shadow/shadow.h"

#define FINISHER_BASE 0x100000UL
#define RTC_BASE 0x101000UL
#define PLIC_BASE 0xc000000UL
#define UART_BASE 0x10000000UL
#define DISK_BASE 0x10001000UL
#define DISK_ID "candor-disk"
enum { DISK_INTERRUPT = 1, UART_INTERRUPT = 10 };

/* ---- the serial port is the VM's end of the console ---- */

static u32 port_write(void *context, const u8 *bytes, u32 count)
{
    struct vm *vm = context;

    return (u32)console_guest_write(&vm->console, (const char *)bytes, count);
}

static u32 port_read(void *context, u8 *bytes, u32 size)
{
    struct vm *vm = context;

    return (u32)console_guest_read(&vm->console, (char *)bytes, size);
}

static const struct vuart_port port = {port_write, port_read};

/* ---- the disk: the VM's memory, and the machine's disk ---- */

static bool memory_read(void *context, u64 at, void *to, u32 bytes)
{
    return guest_copy_in(context, to, gpa(at), bytes) == HC_OK;
}

static bool memory_write(void *context, u64 at, const void *from, u32 bytes)
{
    struct vm *vm = context;

    /* Where only a part is memory, that is written. */
    vm->shadow->machine.over_tables |= shadow_tables_in(vm, gpa(at), bytes);
    return guest_copy_out(vm, gpa(at), from, bytes) == HC_OK;
}

/* Once for all that the disk has written by one trap: the guest has not gone on. */
static void disk_served(struct vcpu *vcpu)
{
    struct shadow_machine *devices = &vcpu->vm->shadow->machine;

    if (devices->over_tables)
        shadow_drop_all(vcpu);
    devices->over_tables = false;
}

static bool media_begin(void *context, u32 operation, u64 sector, u32 sectors)
{
    struct disk_transfer transfer = {.operation = operation,
                                     .piece_count = operation != DISK_OPERATION_FLUSH,
                                     .sector = sector,
                                     .pieces = {disk_bounce_piece(context)}};

    transfer.pieces[0].bytes = sectors * VIRTIO_SECTOR_BYTES;
    if (disk_submit(context, &transfer) < 0)
        return false;
    disk_kick(context);
    return true;
}

static bool media_over(void *context, bool *good)
{
    u32 number;

    return disk_take_done(context, &number, good);
}

static const struct vblk_media media = {media_begin, media_over};

static bool disk_add(struct vm *vm)
{
    struct shadow_machine *devices = &vm->shadow->machine;
    struct vblk *disk = &devices->disk;

    if (vm->disk == NULL)
        return true;
    disk->media = &media;
    disk->media_context = vm->disk;
    disk->buffer = disk_bounce(vm->disk);
    disk->memory = (struct vdev_memory){memory_read, memory_write, vm};
    disk->line = (struct vdev_line){vplic_line, &devices->plic, DISK_INTERRUPT, false};
    disk->capacity = vm->disk->sectors;
    disk->read_only = vm->disk->read_only;
    memcpy(disk->id, DISK_ID, sizeof(DISK_ID));
    vblk_reset(disk);
    return vdev_bus_add(&devices->bus, DISK_BASE, VBLK_BYTES, &vblk_ops, disk);
}

/* ---- the other wires ---- */

static void external_line(void *context, u32 number, bool level)
{
    struct vcpu *vcpu = vm_vcpu(context, number);

    vcpu->shadow->external = level;
    if (sched_in_turn(vcpu))
        shadow_line_set(vcpu, BIT(IRQ_S_EXTERNAL), level);
    else
        event_send(vcpu, EVENT_VCPU);
}

static void finish(void *context, enum vfinisher_order order, u32 status)
{
    static const enum vm_exit exits[] = {
        [VFINISHER_PASS] = VM_EXIT_SHUTDOWN,
        [VFINISHER_FAIL] = VM_EXIT_FAILURE,
        [VFINISHER_RESET] = VM_EXIT_REBOOT,
    };

    (void)status;
    vm_end(context, exits[order]);
}

static u64 wall_now_ns(void)
{
    return machine_wall_ns(arch_time_now());
}

void shadow_machine_start(struct vm *vm)
{
    struct shadow_machine *devices = &vm->shadow->machine;
    bool room;

    *devices = (struct shadow_machine){
        .plic.harts = vm->vcpu_count,
        .uart = {.port = &port,
                 .port_context = vm,
                 .line = {vplic_line, &devices->plic, UART_INTERRUPT, false}},
        .finisher = {finish, vm},
        .rtc = {.now_ns = wall_now_ns},
    };
    for (u32 i = 0; i < vm->vcpu_count; i++)
        devices->plic.outputs[i] = (struct vdev_line){external_line, vm, i, false};
    vplic_reset(&devices->plic);
    vuart_reset(&devices->uart);
    room = vdev_bus_add(&devices->bus, FINISHER_BASE, VFINISHER_BYTES, &vfinisher_ops,
                        &devices->finisher) &&
           vdev_bus_add(&devices->bus, RTC_BASE, VRTC_BYTES, &vrtc_ops, &devices->rtc) &&
           vdev_bus_add(&devices->bus, PLIC_BASE, VPLIC_BYTES, &vplic_ops, &devices->plic) &&
           vdev_bus_add(&devices->bus, UART_BASE, VUART_BYTES, &vuart_ops, &devices->uart) &&
           disk_add(vm);
    if (!room)
        panic("the bus of a virtual machine is too short");
    vuart_service(&devices->uart); /* what was typed before could not be announced */
}

/* What other vCPUs have done to this one. */
static void others_did(struct vcpu *vcpu)
{
    struct vcpu_shadow *shadow = vcpu->shadow;

    shadow_line_set(vcpu, BIT(IRQ_S_EXTERNAL), shadow->external);
    if (shadow->soft)
        shadow_soft_interrupt(vcpu);
    shadow->soft = false;
}

void shadow_events(struct vcpu *vcpu, u64 events)
{
    struct vm_shadow *shadow = vcpu->vm->shadow;
    bool taken = shadow_lock(vcpu);

    if (events & EVENT_CONSOLE)
        vuart_service(&shadow->machine.uart);
    if (events & EVENT_VCPU)
        others_did(vcpu);
    if ((events & EVENT_TIMER) && vcpu->shadow->timer <= arch_time_now()) {
        vcpu->shadow->timer = TIME_NEVER;
        shadow_line_set(vcpu, BIT(IRQ_S_TIMER), true);
    }
    if ((events & EVENT_DISK) || shadow->machine.disk.more)
        (void)vblk_serve(&shadow->machine.disk);
    if (events & (EVENT_TIMER | EVENT_DISK)) {
        disk_served(vcpu);
        shadow_timer_program(vcpu);
    }
    shadow_unlock(vcpu, taken);
}

/* The rest of a long request is due at once: the hart's timer comes back for it, and between two
 * pieces whoever has a right to the hart gets it. */
void shadow_timer_program(struct vcpu *vcpu)
{
    const struct vcpu_shadow *shadow = vcpu->shadow;
    bool more = vcpu->vm->shadow->machine.disk.more;

    vcpu->timer = more ? 0 : min(shadow->timer, shadow->probe);
    sched_timer_changed(vcpu->hart);
}

void shadow_machine_written(struct vcpu *vcpu)
{
    disk_served(vcpu);
    if (vcpu->vm->shadow->machine.disk.more)
        shadow_timer_program(vcpu);
}

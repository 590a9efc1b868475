/* SPDX-License-Identifier: MIT */
#include "virt/shadow/machine.h"

#include "core/vm.h"
#include "debug/panic.h"
#include "virt/shadow/shadow.h"

#define FINISHER_BASE 0x100000UL
#define PLIC_BASE 0xc000000UL
#define UART_BASE 0x10000000UL
enum { UART_INTERRUPT = 10 };

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

/* ---- the other wires ---- */

static void external_line(void *context, u32 number, bool level)
{
    struct vm *vm = context;

    (void)number;
    shadow_line_set(&vm->vcpus[0], BIT(IRQ_S_EXTERNAL), level);
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

void shadow_machine_start(struct vm *vm)
{
    struct shadow_machine *machine = &vm->shadow->machine;
    bool room;

    *machine = (struct shadow_machine){
        .plic.output = {external_line, vm, 0, false},
        .uart = {.port = &port,
                 .port_context = vm,
                 .line = {vplic_line, &machine->plic, UART_INTERRUPT, false}},
        .finisher = {finish, vm},
    };
    vplic_reset(&machine->plic);
    vuart_reset(&machine->uart);
    room = vdev_bus_add(&machine->bus, FINISHER_BASE, VFINISHER_BYTES, &vfinisher_ops,
                        &machine->finisher) &&
           vdev_bus_add(&machine->bus, PLIC_BASE, VPLIC_BYTES, &vplic_ops, &machine->plic) &&
           vdev_bus_add(&machine->bus, UART_BASE, VUART_BYTES, &vuart_ops, &machine->uart);
    if (!room)
        panic("the bus of a virtual machine is too short");
    vuart_service(&machine->uart); /* what was typed before could not be announced */
}

void shadow_events(struct vcpu *vcpu, u64 events)
{
    if (events & EVENT_CONSOLE)
        vuart_service(&vcpu->vm->shadow->machine.uart);
    if (events & EVENT_TIMER)
        shadow_line_set(vcpu, BIT(IRQ_S_TIMER), true);
}

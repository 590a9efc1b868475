/* SPDX-License-Identifier: MIT */
/*
 * Finding, starting and serving the machine's own devices.
 */
#include "driver/devices.h"

#include "debug/console.h"
#include "driver/clint.h"
#include "driver/disk.h"
#include "driver/finisher.h"
#include "driver/plic.h"
#include "driver/uart16550.h"

enum {
    MACHINE_EXTERNAL = 11, /* the hart interrupt that a PLIC context in M-mode is wired to */
    CELLS_A_CONTEXT = 2,   /* in interrupts-extended: the hart's controller, its interrupt */
};

static struct {
    struct uart16550 uart;
    struct plic plic;
    u32 context;
    u32 uart_source;
    struct finisher finisher;
} devices;

/* ---- finding ---- */

static u64 find_base(const struct fdt *tree, const char *compatible, i32 *node)
{
    struct fdt_range range;

    *node = fdt_find_compatible(tree, FDT_NONE, compatible);
    while (*node >= 0 && !fdt_enabled(tree, *node))
        *node = fdt_find_compatible(tree, *node, compatible);
    return *node >= 0 && fdt_reg(tree, *node, 0, &range) == FDT_OK ? range.base : 0;
}

static u32 cell_or(const struct fdt *tree, i32 node, const char *name, u32 otherwise)
{
    u32 value;

    return node >= 0 && fdt_property_cell(tree, node, name, 0, &value) == FDT_OK ? value
                                                                                 : otherwise;
}

/* The hart whose interrupt controller has this phandle, as a place in hart_ids; hart_count if it is
 * none. */
static u32 hart_of_controller(const struct machine *found, const struct fdt *tree, u32 phandle)
{
    i32 controller = fdt_find_phandle(tree, phandle);
    i32 cpu = controller >= 0 ? fdt_parent(tree, controller) : FDT_NONE;
    struct fdt_range id;
    u32 place = 0;

    if (cpu < 0 || fdt_reg(tree, cpu, 0, &id) != FDT_OK)
        return found->hart_count;
    while (place < found->hart_count && found->hart_ids[place] != id.base)
        place++;
    return place;
}

/* Contexts are numbered by their place in interrupts-extended. */
static void find_contexts(struct machine *found, const struct fdt *tree, i32 plic)
{
    u32 phandle, interrupt;

    for (u32 context = 0;; context++) {
        u32 cell = context * CELLS_A_CONTEXT;

        if (fdt_property_cell(tree, plic, "interrupts-extended", cell, &phandle) != FDT_OK ||
            fdt_property_cell(tree, plic, "interrupts-extended", cell + 1, &interrupt) != FDT_OK)
            return;
        u32 place = interrupt == MACHINE_EXTERNAL ? hart_of_controller(found, tree, phandle)
                                                  : found->hart_count;
        if (place < found->hart_count)
            found->plic_contexts[place] = context;
    }
}

/* Sorted by address: so slot n is the n-th of QEMU's, whatever order the tree has them in. */
static void find_disk_slots(struct machine *found, const struct fdt *tree)
{
    i32 node = FDT_NONE;
    struct fdt_range range;

    while ((node = fdt_find_compatible(tree, node, "virtio,mmio")) >= 0) {
        u32 at = found->disk_slots;

        if (at == MACHINE_DISKS_MAX || !fdt_enabled(tree, node) ||
            fdt_reg(tree, node, 0, &range) != FDT_OK)
            continue;
        for (; at > 0 && found->disks[at - 1].base > range.base; at--)
            found->disks[at] = found->disks[at - 1];
        found->disks[at].base = range.base;
        found->disks[at].interrupt = cell_or(tree, node, "interrupts", PLIC_SOURCE_NONE);
        found->disk_slots++;
    }
}

void devices_find(struct machine *found, const struct fdt *tree)
{
    i32 node;

    found->uart_base = find_base(tree, "ns16550a", &node);
    found->uart_interrupt = cell_or(tree, node, "interrupts", PLIC_SOURCE_NONE);
    found->uart_shift = cell_or(tree, node, "reg-shift", 0);
    found->uart_io_width = cell_or(tree, node, "reg-io-width", 1);
    found->clint_base = find_base(tree, "riscv,clint0", &node);
    found->finisher_base = find_base(tree, "sifive,test0", &node);
    found->rtc_base = find_base(tree, "google,goldfish-rtc", &node);
    found->plic_base = find_base(tree, "riscv,plic0", &node);
    found->plic_sources = cell_or(tree, node, "riscv,ndev", 0);
    if (node >= 0)
        find_contexts(found, tree, node);
    find_disk_slots(found, tree);
}

/* ---- the console's device ---- */

static int console_uart_read(void *context)
{
    return uart16550_read(context);
}

static u32 console_uart_write(void *context, const u8 *bytes, u32 count)
{
    return uart16550_write(context, bytes, count);
}

static void console_uart_want_room(void *context, bool wanted)
{
    uart16550_want_room(context, wanted);
}

static void console_uart_write_polled(void *context, u8 byte)
{
    uart16550_write_polled(context, byte);
}

static const struct console_device console_uart = {
    .context = &devices.uart,
    .read = console_uart_read,
    .write = console_uart_write,
    .want_room = console_uart_want_room,
    .write_polled = console_uart_write_polled,
};

/* ---- starting and serving ---- */

static u32 context_of(const struct machine *m, u64 hart_id)
{
    u32 place = 0;

    while (place + 1 < m->hart_count && m->hart_ids[place] != hart_id)
        place++;
    return m->plic_contexts[place];
}

void drivers_init(const struct machine *m, u64 hart_id)
{
    uart16550_init(&devices.uart, m->uart_base, m->uart_shift, m->uart_io_width);
    console_init(&console_uart);
    if (m->finisher_base != 0)
        finisher_init(&devices.finisher, m->finisher_base);
    if (m->clint_base != 0)
        clint_init(m->clint_base);
    if (m->plic_base == 0)
        return;
    devices.context = context_of(m, hart_id);
    devices.uart_source = m->uart_interrupt;
    plic_init(&devices.plic, m->plic_base, m->plic_sources);
    plic_context_init(&devices.plic, devices.context);
    plic_source_enable(&devices.plic, devices.context, devices.uart_source, true);
}

void drivers_init_disks(const struct machine *m)
{
    disks_init(m, &devices.plic, devices.context);
}

/* One source each time: what else waits interrupts again, after others have had their turn. */
struct vm *device_interrupt(void)
{
    u32 source = plic_claim(&devices.plic, devices.context);
    struct vm *served = NULL;

    if (source == PLIC_SOURCE_NONE)
        return NULL;
    if (source == devices.uart_source)
        served = console_interrupt();
    else
        served = disk_interrupt(source);
    plic_complete(&devices.plic, devices.context, source);
    return served;
}

void machine_stop(u32 status)
{
    if (devices.finisher.base != 0)
        finisher_poweroff(&devices.finisher, status);
}

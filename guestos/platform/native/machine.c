/* SPDX-License-Identifier: MIT */
/* Reading the device tree of QEMU's virt machine, and of others that resemble it. */
#include "machine.h"

#include "fdt.h"
#include "isa.h"
#include "riscv.h"
#include "string.h"

enum tree_limits {
    TREE_BYTES_MAX = 1 << 21,
    PLIC_PAIR_CELLS = 2,
};

static bool read_memory(const struct fdt *tree, struct plat_info *info)
{
    struct fdt_range range;

    for (i32 node = FDT_ROOT; node != FDT_NONE; node = fdt_next_node(tree, node, NULL)) {
        if (fdt_property_lists(tree, node, "device_type", "memory") &&
            fdt_reg(tree, node, 0, &range) == FDT_OK) {
            info->memory.base = range.base;
            info->memory.bytes = range.size_bytes;
            return true;
        }
    }
    return false;
}

static void read_chosen(const struct fdt *tree, struct plat_info *info)
{
    i32 chosen = fdt_find_path(tree, "/chosen");
    const char *args;
    u64 start, end;

    if (chosen == FDT_NONE)
        return;
    args = fdt_property_string(tree, chosen, "bootargs");
    if (args != NULL)
        strlcpy(info->args, args, sizeof(info->args));
    if (fdt_property_number(tree, chosen, "linux,initrd-start", &start) == FDT_OK &&
        fdt_property_number(tree, chosen, "linux,initrd-end", &end) == FDT_OK && start < end &&
        start >= info->memory.base && end <= info->memory.base + info->memory.bytes)
        info->initrd = (struct plat_range){start, end - start};
}

static bool read_uart(const struct fdt *tree, struct machine *machine)
{
    i32 node = fdt_find_compatible(tree, FDT_NONE, "ns16550a");
    struct fdt_range range;

    if (node == FDT_NONE || fdt_reg(tree, node, 0, &range) != FDT_OK ||
        fdt_property_cell(tree, node, "interrupts", 0, &machine->uart_interrupt) != FDT_OK)
        return false;
    machine->uart = range.base;
    return true;
}

/* A hart's own interrupt controller, which stands below the hart; FDT_NONE: there is none. */
static i32 find_hart_controller(const struct fdt *tree, u64 hart)
{
    i32 node = FDT_NONE;

    while ((node = fdt_find_compatible(tree, node, "riscv,cpu-intc")) != FDT_NONE) {
        u64 number;

        if (fdt_property_number(tree, fdt_parent(tree, node), "reg", &number) == FDT_OK &&
            number == hart)
            return node;
    }
    return FDT_NONE;
}

/* All harts that can be started, behind the one that boots. */
static void read_harts(const struct fdt *tree, u64 boot_hart, struct machine *machine)
{
    i32 node = FDT_NONE;
    u64 number;

    machine->harts[machine->hart_count++] = boot_hart;
    while ((node = fdt_find_compatible(tree, node, "riscv,cpu-intc")) != FDT_NONE &&
           machine->hart_count < CPU_COUNT_MAX) {
        if (fdt_property_number(tree, fdt_parent(tree, node), "reg", &number) == FDT_OK &&
            number != boot_hart && number < MACHINE_HART_LIMIT && boot_hart < MACHINE_HART_LIMIT)
            machine->harts[machine->hart_count++] = number;
    }
}

/* A PLIC's context is the place in its list of (controller, interrupt) pairs. */
static bool read_plic(const struct fdt *tree, i32 hart_controller, struct machine *machine)
{
    i32 node = fdt_find_compatible(tree, FDT_NONE, "sifive,plic-1.0.0");
    u32 controller, interrupt, phandle, index = 0;
    struct fdt_range range;

    if (node == FDT_NONE)
        node = fdt_find_compatible(tree, FDT_NONE, "riscv,plic0");
    if (node == FDT_NONE || fdt_reg(tree, node, 0, &range) != FDT_OK ||
        fdt_property_cell(tree, hart_controller, "phandle", 0, &phandle) != FDT_OK)
        return false;
    machine->plic = range.base;
    while (fdt_property_cell(tree, node, "interrupts-extended", index, &controller) == FDT_OK &&
           fdt_property_cell(tree, node, "interrupts-extended", index + 1, &interrupt) == FDT_OK) {
        if (controller == phandle && interrupt == IRQ_EXTERNAL) {
            machine->plic_context = index / PLIC_PAIR_CELLS;
            return true;
        }
        index += PLIC_PAIR_CELLS;
    }
    return false;
}

/* Keep the slots in order of their addresses, whatever the tree's order is. */
static void add_disk_slot(struct machine *machine, pa_t base, u32 interrupt)
{
    u32 i = machine->disk_slot_count++;

    for (; i > 0 && machine->disk_slots[i - 1].base > base; i--)
        machine->disk_slots[i] = machine->disk_slots[i - 1];
    machine->disk_slots[i].base = base;
    machine->disk_slots[i].interrupt = interrupt;
}

static void read_disk_slots(const struct fdt *tree, struct machine *machine)
{
    i32 node = FDT_NONE;
    struct fdt_range range;
    u32 interrupt;

    while ((node = fdt_find_compatible(tree, node, "virtio,mmio")) != FDT_NONE &&
           machine->disk_slot_count < MACHINE_DISKS_MAX) {
        if (fdt_reg(tree, node, 0, &range) == FDT_OK &&
            fdt_property_cell(tree, node, "interrupts", 0, &interrupt) == FDT_OK)
            add_disk_slot(machine, range.base, interrupt);
    }
}

static void read_clock(const struct fdt *tree, struct machine *machine)
{
    i32 node = fdt_find_compatible(tree, FDT_NONE, "google,goldfish-rtc");
    struct fdt_range range;

    if (node != FDT_NONE && fdt_reg(tree, node, 0, &range) == FDT_OK)
        machine->rtc = range.base;
}

static void read_isa(const struct fdt *tree, i32 hart_controller, struct machine *machine)
{
    const char *isa = fdt_property_string(tree, fdt_parent(tree, hart_controller), "riscv,isa");

    machine->sstc = isa != NULL && isa_lists(isa, "sstc");
}

u64 machine_read(const void *tree_address, u64 hart, struct plat_info *info,
                 struct machine *machine)
{
    struct fdt tree;
    i32 harts_node, controller;

    if (fdt_open(&tree, tree_address, TREE_BYTES_MAX) != FDT_OK)
        return 0;
    harts_node = fdt_find_path(&tree, "/cpus");
    controller = find_hart_controller(&tree, hart);
    if (harts_node == FDT_NONE || controller == FDT_NONE ||
        fdt_property_number(&tree, harts_node, "timebase-frequency", &info->timebase_hz) !=
            FDT_OK ||
        info->timebase_hz == 0 || !read_memory(&tree, info) || !read_uart(&tree, machine) ||
        !read_plic(&tree, controller, machine))
        return 0;
    read_isa(&tree, controller, machine);
    read_harts(&tree, hart, machine);
    info->cpu_count = machine->hart_count;
    read_disk_slots(&tree, machine);
    read_clock(&tree, machine);
    read_chosen(&tree, info);
    return tree.total_bytes;
}

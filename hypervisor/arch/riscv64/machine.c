/* SPDX-License-Identifier: MIT */
/*
 * The machine as its device tree describes it.
 */
#include "boot.h"
#include "driver/devices.h"
#include "fdt.h"
#include "isa.h"
#include "string.h"

static void read_harts(struct machine *found, const struct fdt *tree, i32 cpus)
{
    for (i32 node = fdt_first_child(tree, cpus); node >= 0; node = fdt_next_sibling(tree, node)) {
        const char *type = fdt_property_string(tree, node, "device_type");
        const char *isa = fdt_property_string(tree, node, "riscv,isa");
        struct fdt_range id;

        if (type == NULL || strcmp(type, "cpu") != 0 || !fdt_enabled(tree, node) ||
            fdt_reg(tree, node, 0, &id) != FDT_OK)
            continue;
        if (found->hart_count < HARTS_MAX)
            found->hart_ids[found->hart_count++] = id.base;
        if (isa != NULL && found->isa[0] == 0)
            strlcpy(found->isa, isa, sizeof(found->isa));
    }
}

/* The bank of RAM in which Candor itself stands. */
static void read_memory(struct machine *found, const struct fdt *tree)
{
    for (i32 node = fdt_first_child(tree, FDT_ROOT); node >= 0;
         node = fdt_next_sibling(tree, node)) {
        const char *type = fdt_property_string(tree, node, "device_type");
        struct fdt_range bank;

        if (type == NULL || strcmp(type, "memory") != 0)
            continue;
        for (u32 i = 0; fdt_reg(tree, node, i, &bank) == FDT_OK; i++) {
            u64 offset = (u64)image_start - bank.base;

            if ((u64)image_start >= bank.base && offset < bank.size_bytes) {
                found->memory_base = bank.base;
                found->memory_bytes = bank.size_bytes;
            }
        }
    }
}

const char *machine_read(struct machine *found, const void *blob, u64 limit_bytes)
{
    struct fdt tree;
    const char *model;
    u32 timebase = 0;
    i32 cpus;
    int error = fdt_open(&tree, blob, limit_bytes);

    if (error != FDT_OK)
        return fdt_error_text(error);
    model = fdt_property_string(&tree, FDT_ROOT, "model");
    strlcpy(found->model, model != NULL ? model : "unnamed machine", sizeof(found->model));
    cpus = fdt_find_path(&tree, "/cpus");
    if (cpus >= 0)
        read_harts(found, &tree, cpus);
    read_memory(found, &tree);
    devices_find(found, &tree);
    if (cpus < 0 || fdt_property_cell(&tree, cpus, "timebase-frequency", 0, &timebase) != FDT_OK)
        return "its device tree has no timebase-frequency";
    found->timebase_hz = timebase;
    found->has_sstc = isa_lists(found->isa, "sstc");
    if (found->hart_count == 0)
        return "its device tree lists no hart";
    if (found->memory_bytes == 0)
        return "its device tree lists no RAM where Candor stands";
    if (found->clint_base == 0 || found->plic_base == 0)
        return "its device tree lists no CLINT or no PLIC";
    return NULL;
}

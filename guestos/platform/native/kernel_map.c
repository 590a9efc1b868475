/* SPDX-License-Identifier: MIT */
/*
 * The kernel's half of every space: devices and memory at their address plus the direct map's
 * offset, in the largest pages that fit. The image's text can be executed and not written, its
 * constants only read; nothing else can be executed.
 */
#include "kernel/printk.h"
#include "platform.h"
#include "riscv.h"
#include "string.h"
#include "sv39.h"

extern const char kernel_text_start[], kernel_rodata_start[], kernel_data_start[], kernel_end[];

pa_t sv39_kernel_root;

static u64 *table_at(pa_t table)
{
    return (u64 *)(table + PLAT_DIRECT_MAP_OFFSET);
}

static pa_t take_table(pa_t *place)
{
    pa_t table = *place;

    memset(table_at(table), 0, PAGE_SIZE);
    *place += PAGE_SIZE;
    return table;
}

/* Map [start, end) in the direct map, with entries as large as alignment allows. */
static void map_range(pa_t start, pa_t end, u64 rights, pa_t *place)
{
    while (start < end) {
        u64 *table = table_at(sv39_kernel_root);
        u64 address = start + PLAT_DIRECT_MAP_OFFSET;
        int level = SV39_LEVEL_ROOT;

        while (level > 0 && (!IS_ALIGNED(start, sv39_entry_bytes(level)) ||
                             end - start < sv39_entry_bytes(level))) {
            u64 *entry = &table[sv39_index(address, level)];

            if (*entry == 0)
                *entry = pte_make(take_table(place), PTE_V);
            table = table_at(pte_page(*entry));
            level--;
        }
        table[sv39_index(address, level)] = pte_make(start, PTE_V | PTE_G | PTE_A | PTE_D | rights);
        start += sv39_entry_bytes(level);
    }
}

void sv39_init_kernel(pa_t memory_base, u64 memory_bytes, pa_t *place)
{
    pa_t text = (pa_t)kernel_text_start - PLAT_DIRECT_MAP_OFFSET;
    pa_t rodata = (pa_t)kernel_rodata_start - PLAT_DIRECT_MAP_OFFSET;
    pa_t data = (pa_t)kernel_data_start - PLAT_DIRECT_MAP_OFFSET;

    sv39_kernel_root = take_table(place);
    map_range(0, ALIGN_DOWN(memory_base, sv39_entry_bytes(SV39_LEVEL_ROOT)), PTE_R | PTE_W, place);
    map_range(memory_base, text, PTE_R | PTE_W, place);
    map_range(text, rodata, PTE_R | PTE_X, place);
    map_range(rodata, data, PTE_R, place);
    map_range(data, memory_base + memory_bytes, PTE_R | PTE_W, place);
    sv39_use_kernel();
    __asm__ volatile("sfence.vma" : : : "memory");
}

void sv39_use_kernel(void)
{
    csr_write(satp, (u64)SATP_MODE_SV39 << SATP_MODE_SV39_SHIFT | sv39_kernel_root >> PAGE_SHIFT);
}

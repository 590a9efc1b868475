/* SPDX-License-Identifier: MIT */
/*
 * A hart's fixed configuration: memory protection, delegation, counters; and which processors
 * Candor refuses.
 */
#include "arch/arch.h"
#include "boot.h"
#include "core/hart.h"
#include "csr.h"
#include "mem/frame.h"
#include "string.h"

/* Extensions with state that a switch between vCPUs does not carry. */
static const struct {
    const char *name;
    const char *why;
} refused_extensions[] = {
    {"zve", "it has vector registers (zve*), which Candor does not switch between machines"},
    {"zcmt",
     "it has the jump table register (zcmt), which Candor does not switch between machines"},
    {"ssaia",
     "it has the advanced interrupt state (ssaia), which Candor does not switch between machines"},
    {"smaia",
     "it has the advanced interrupt state (smaia), which Candor does not switch between machines"},
    {"sscsrind",
     "it has indirect registers (sscsrind), which Candor does not switch between machines"},
    {"ssctr", "it records branches (ssctr), which Candor does not switch between machines"},
    {"smctr", "it records branches (smctr), which Candor does not switch between machines"},
    {"zicfiss", "it has shadow stacks (zicfiss), which Candor does not switch between machines"},
    {"zicfilp", "it has landing pads (zicfilp), which Candor does not switch between machines"},
    {"zfinx", "it keeps floating point in integer registers (zfinx); Candor expects F and D"},
    {"ssqosid",
     "it has the register srmcfg (ssqosid), which Candor does not switch between machines"},
};

const char *cpu_refuse(const char *isa)
{
    enum { MISA_D = 1 << 3, MISA_S = 1 << 18, MISA_A = 1 << 0, MISA_C = 1 << 2 };
    const u64 needed = MISA_A | MISA_C | MISA_D | MISA_S;
    u64 misa = csr_read(misa);

    if (misa & MISA_H)
        return "it has the hypervisor extension (H): a kernel in S-mode would be a hypervisor "
               "itself and read all guests' memory past its page tables; start it with h=false";
    if (misa & MISA_V)
        return "it has vector registers (V), which Candor does not switch between machines";
    if ((misa & needed) != needed)
        return "it lacks one of the extensions A, C, D and S";
    if (strlen(isa) == MACHINE_ISA_BYTES - 1)
        return "its list of extensions is too long to be looked through";
    for (const char *word = strchr(isa, '_'); word != NULL; word = strchr(word, '_')) {
        word++;
        for (unsigned i = 0; i < ARRAY_SIZE(refused_extensions); i++) {
            if (strncmp(word, refused_extensions[i].name, strlen(refused_extensions[i].name)) == 0)
                return refused_extensions[i].why;
        }
    }
    return NULL;
}

/*
 * The protected regions, all locked, so that they bind Candor too: the guard page below this hart's
 * stack; Candor's text, never written; and the memory that guests may reach by their page tables.
 * What matches no entry is closed to S and U and open to M. An entry that binds Candor also lets S
 * and U do what it allows: PMP alone would let a guest read the text, which has no secrets, and
 * which no page table of a guest maps.
 */
static void protect_memory(u32 index)
{
    enum { GUARD = 0, TEXT_START, TEXT, OPEN_START, OPEN, ENTRY_BITS = 8 };
    const u64 config = (u64)(PMP_LOCK | PMP_NAPOT) << (GUARD * ENTRY_BITS) |
                       (u64)(PMP_LOCK | PMP_TOR | PMP_READ | PMP_EXECUTE) << (TEXT * ENTRY_BITS) |
                       (u64)(PMP_LOCK | PMP_TOR | PMP_READ | PMP_WRITE | PMP_EXECUTE)
                           << (OPEN * ENTRY_BITS);
    u64 guard = (u64)hart_stacks[index];

    csr_write(pmpaddr0, guard >> PMP_ADDRESS_SHIFT | (HART_GUARD_BYTES / 8 - 1));
    csr_write(pmpaddr1, (u64)image_start >> PMP_ADDRESS_SHIFT);
    csr_write(pmpaddr2, (u64)text_end >> PMP_ADDRESS_SHIFT);
    csr_write(pmpaddr3, mfn_to_maddr(frame_open_base).value >> PMP_ADDRESS_SHIFT);
    csr_write(pmpaddr4, mfn_to_maddr(frame_open_end).value >> PMP_ADDRESS_SHIFT);
    csr_write(pmpcfg0, config);
    arch_translation_drop_all();
}

void cpu_init(u32 index)
{
    protect_memory(index);
    csr_write(mideleg, BIT(IRQ_S_SOFT) | BIT(IRQ_S_TIMER) | BIT(IRQ_S_EXTERNAL));
    csr_write(mcountinhibit, 0);
    if (machine.has_sstc)
        csr_write(menvcfg, MENVCFG_STCE | MENVCFG_ADUE);
    csr_write(mie, BIT(IRQ_M_SOFT) | BIT(IRQ_M_TIMER) | BIT(IRQ_M_EXTERNAL));
    arch_vcpu_switch(NULL, NULL);
}

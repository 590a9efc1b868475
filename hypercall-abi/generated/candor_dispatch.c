/* SPDX-License-Identifier: MIT */
/* From registers to typed handlers. Made by hypercall-abi/abigen.py from abi.toml: change that, not this. */

#include "candor_dispatch.h"

const char *const hypercall_names[HC_CALL_COUNT] = {
    [HC_CALL_VERSION] = "version",
    [HC_CALL_SHARED_PAGE] = "shared_page",
    [HC_CALL_TRAP_REGISTER] = "trap_register",
    [HC_CALL_TRAP_RETURN] = "trap_return",
    [HC_CALL_YIELD_IDLE] = "yield_idle",
    [HC_CALL_YIELD] = "yield",
    [HC_CALL_TIMER_SET] = "timer_set",
    [HC_CALL_TABLE_MAKE] = "table_make",
    [HC_CALL_TABLE_FREE] = "table_free",
    [HC_CALL_TABLE_LINK] = "table_link",
    [HC_CALL_TABLE_UNLINK] = "table_unlink",
    [HC_CALL_PTE_SET] = "pte_set",
    [HC_CALL_PTE_GET] = "pte_get",
    [HC_CALL_PTE_BATCH] = "pte_batch",
    [HC_CALL_PTE_FILL] = "pte_fill",
    [HC_CALL_PTE_PROTECT] = "pte_protect",
    [HC_CALL_PTE_CLONE] = "pte_clone",
    [HC_CALL_PTE_CLEAR] = "pte_clear",
    [HC_CALL_SPACE_SWITCH] = "space_switch",
    [HC_CALL_FLUSH] = "flush",
    [HC_CALL_COUNTERS] = "counters",
    [HC_CALL_DISK_ATTACH] = "disk_attach",
    [HC_CALL_DISK_KICK] = "disk_kick",
    [HC_CALL_DISK_DETACH] = "disk_detach",
    [HC_CALL_VCPU_START] = "vcpu_start",
    [HC_CALL_VCPU_STOP] = "vcpu_stop",
    [HC_CALL_VCPU_NOTIFY] = "vcpu_notify",
    [HC_CALL_YIELD_TO] = "yield_to",
};

struct hc_result hypercall_dispatch(struct vcpu *vcpu, u64 number, const u64 a[6])
{
    switch (number) {
    case HC_CALL_VERSION:
        return hc_version(vcpu);
    case HC_CALL_SHARED_PAGE:
        return hc_shared_page(vcpu, gpa(a[0]));
    case HC_CALL_TRAP_REGISTER:
        return hc_trap_register(vcpu, gva(a[0]), a[1]);
    case HC_CALL_TRAP_RETURN:
        return hc_trap_return(vcpu);
    case HC_CALL_YIELD_IDLE:
        return hc_yield_idle(vcpu, a[0]);
    case HC_CALL_YIELD:
        return hc_yield(vcpu);
    case HC_CALL_TIMER_SET:
        return hc_timer_set(vcpu, a[0]);
    case HC_CALL_TABLE_MAKE:
        return hc_table_make(vcpu, gpa(a[0]), a[1]);
    case HC_CALL_TABLE_FREE:
        return hc_table_free(vcpu, gpa(a[0]));
    case HC_CALL_TABLE_LINK:
        return hc_table_link(vcpu, gpa(a[0]), gva(a[1]), gpa(a[2]));
    case HC_CALL_TABLE_UNLINK:
        return hc_table_unlink(vcpu, gpa(a[0]), gva(a[1]), a[2]);
    case HC_CALL_PTE_SET:
        return hc_pte_set(vcpu, gpa(a[0]), gva(a[1]), a[2]);
    case HC_CALL_PTE_GET:
        return hc_pte_get(vcpu, gpa(a[0]), gva(a[1]));
    case HC_CALL_PTE_BATCH:
        return hc_pte_batch(vcpu, gpa(a[0]), gpa(a[1]), a[2]);
    case HC_CALL_PTE_FILL:
        return hc_pte_fill(vcpu, gpa(a[0]), gva(a[1]), gpa(a[2]), a[3], a[4]);
    case HC_CALL_PTE_PROTECT:
        return hc_pte_protect(vcpu, gpa(a[0]), gva(a[1]), a[2], a[3]);
    case HC_CALL_PTE_CLONE:
        return hc_pte_clone(vcpu, gpa(a[0]), gpa(a[1]), gva(a[2]), a[3], gpa(a[4]));
    case HC_CALL_PTE_CLEAR:
        return hc_pte_clear(vcpu, gpa(a[0]), gva(a[1]), a[2], gpa(a[3]));
    case HC_CALL_SPACE_SWITCH:
        return hc_space_switch(vcpu, gpa(a[0]));
    case HC_CALL_FLUSH:
        return hc_flush(vcpu, gpa(a[0]), gva(a[1]), a[2]);
    case HC_CALL_COUNTERS:
        return hc_counters(vcpu, gpa(a[0]));
    case HC_CALL_DISK_ATTACH:
        return hc_disk_attach(vcpu, gpa(a[0]));
    case HC_CALL_DISK_KICK:
        return hc_disk_kick(vcpu);
    case HC_CALL_DISK_DETACH:
        return hc_disk_detach(vcpu);
    case HC_CALL_VCPU_START:
        return hc_vcpu_start(vcpu, a[0], gva(a[1]), a[2]);
    case HC_CALL_VCPU_STOP:
        return hc_vcpu_stop(vcpu);
    case HC_CALL_VCPU_NOTIFY:
        return hc_vcpu_notify(vcpu, a[0]);
    case HC_CALL_YIELD_TO:
        return hc_yield_to(vcpu, a[0]);
    default:
        return (struct hc_result){HC_NOT_SUPPORTED, 0};
    }
}

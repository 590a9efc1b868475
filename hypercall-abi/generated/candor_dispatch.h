/* SPDX-License-Identifier: MIT */
/* The hypervisor's side of the hypercalls: one handler a call. Made by hypercall-abi/abigen.py from abi.toml: change that, not this. */

#pragma once

#include "candor_abi.h"
#include "mem/addr.h"

struct vcpu;

struct hc_result hc_version(struct vcpu *vcpu);
struct hc_result hc_shared_page(struct vcpu *vcpu, gpa_t page);
struct hc_result hc_trap_register(struct vcpu *vcpu, gva_t entry, u64 causes);
struct hc_result hc_trap_return(struct vcpu *vcpu);
struct hc_result hc_yield_idle(struct vcpu *vcpu, u64 until);
struct hc_result hc_yield(struct vcpu *vcpu);
struct hc_result hc_timer_set(struct vcpu *vcpu, u64 deadline);
struct hc_result hc_table_make(struct vcpu *vcpu, gpa_t table, u64 level);
struct hc_result hc_table_free(struct vcpu *vcpu, gpa_t table);
struct hc_result hc_table_link(struct vcpu *vcpu, gpa_t root, gva_t address, gpa_t table);
struct hc_result hc_table_unlink(struct vcpu *vcpu, gpa_t root, gva_t address, u64 level);
struct hc_result hc_pte_set(struct vcpu *vcpu, gpa_t root, gva_t address, u64 entry);
struct hc_result hc_pte_get(struct vcpu *vcpu, gpa_t root, gva_t address);
struct hc_result hc_pte_batch(struct vcpu *vcpu, gpa_t root, gpa_t updates, u64 count);
struct hc_result hc_pte_fill(struct vcpu *vcpu, gpa_t root, gva_t address, gpa_t frames, u64 count, u64 prot);
struct hc_result hc_pte_protect(struct vcpu *vcpu, gpa_t root, gva_t address, u64 count, u64 prot);
struct hc_result hc_pte_clone(struct vcpu *vcpu, gpa_t to_root, gpa_t from_root, gva_t address, u64 count, gpa_t entries);
struct hc_result hc_pte_clear(struct vcpu *vcpu, gpa_t root, gva_t address, u64 count, gpa_t entries);
struct hc_result hc_space_switch(struct vcpu *vcpu, gpa_t root);
struct hc_result hc_flush(struct vcpu *vcpu, gpa_t root, gva_t address, u64 count);
struct hc_result hc_counters(struct vcpu *vcpu, gpa_t counters);
struct hc_result hc_disk_attach(struct vcpu *vcpu, gpa_t page);
struct hc_result hc_disk_kick(struct vcpu *vcpu);
struct hc_result hc_disk_detach(struct vcpu *vcpu);
struct hc_result hc_vcpu_start(struct vcpu *vcpu, u64 number, gva_t entry, u64 argument);
struct hc_result hc_vcpu_stop(struct vcpu *vcpu);
struct hc_result hc_vcpu_notify(struct vcpu *vcpu, u64 number);
struct hc_result hc_yield_to(struct vcpu *vcpu, u64 number);

/* Calls the handler of `number` with a0 to a5; HC_NOT_SUPPORTED for an unknown number. */
struct hc_result hypercall_dispatch(struct vcpu *vcpu, u64 number, const u64 a[6]);

/* The calls' names, by number. */
extern const char *const hypercall_names[HC_CALL_COUNT];

/* SPDX-License-Identifier: MIT */
/*
 * Direct paging: what other parts of the pv path use of it. The calls themselves are declared in
 * candor_dispatch.h.
 */
#pragma once

#include "mem/addr.h"

struct vcpu;
struct virt_walk;
struct vm;

/* Where the direct map of every root puts guest-physical address 0. */
#define PV_DIRECT_MAP 0xffffffc000000000UL

enum { PAGING_COUNT_MAX = 512 }; /* pages or elements that a call takes */

/* Makes an untyped pool frame the root with which a VM starts: HC_OK or the error of table_make. */
MUST_CHECK int paging_make_root(struct vcpu *vcpu, gpa_t name);

/* The walk of virt_ops, through the guest's own tables. */
void paging_walk(const struct vcpu *vcpu, gva_t address, struct virt_walk *walk);

/* Ends whatever table a pool frame is, for a VM that ends: its identifier is given back. */
void paging_release_frame(mfn_t frame);

/* virt_ops.audit */
void paging_audit(const struct vm *vm);

/* SPDX-License-Identifier: MIT */
/*
 * Candor's only ways into guest memory: copies checked against the p2m, frame by frame.
 *
 * A guest may change its memory at any time, so whatever is checked is copied first. Copies to the
 * guest never touch the pool: its frames are written by the paging calls alone.
 */
#pragma once

#include "mem/addr.h"

struct vm;

/* Copies `bytes` from guest-physical memory. HC_OK, or HC_INVALID_ADDRESS with part copied. */
MUST_CHECK int guest_copy_in(const struct vm *vm, void *to, gpa_t from, u64 bytes);

/* Copies to guest-physical memory. HC_OK, or HC_INVALID_ADDRESS or HC_IS_POOL with part copied. */
MUST_CHECK int guest_copy_out(const struct vm *vm, gpa_t to, const void *from, u64 bytes);

/* Says what guest_copy_out would say, without copying. */
MUST_CHECK int guest_check_out(const struct vm *vm, gpa_t to, u64 bytes);

/* The bytes at an address, to the end of their frame; NULL and *error as the copies say. What is
   read there is read once: the guest may change it meanwhile. */
void *guest_bytes(const struct vm *vm, gpa_t address, bool writing, int *error);

/* The bytes of one data frame: HC_OK and *bytes, or HC_INVALID_ADDRESS (also when misaligned) or
   HC_IS_POOL. Valid as long as the VM keeps the frame. */
MUST_CHECK int guest_data_frame(const struct vm *vm, gpa_t page, void **bytes);

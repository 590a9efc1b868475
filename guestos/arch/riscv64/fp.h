/* SPDX-License-Identifier: MIT */
/* Floating-point registers as a whole (fp_registers.S). They turn FS on and leave it so. */
#pragma once

struct arch_fp;

void fp_store_registers(struct arch_fp *to);
void fp_load_registers(const struct arch_fp *from);
void fp_zero_registers(void);

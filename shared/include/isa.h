/* SPDX-License-Identifier: MIT */
/* The string by which a device tree names a processor's extensions (riscv,isa). */
#pragma once

#include "types.h"

/* Whether it lists an extension of more than one letter. */
bool isa_lists(const char *isa, const char *extension);

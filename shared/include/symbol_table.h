/* SPDX-License-Identifier: MIT */
/*
 * A table of functions, by which a guest's addresses are named. The launcher packs one for each VM
 * into the bundle (tools/candorlib/bundle.py writes it); it is not trusted.
 *
 * Little-endian: u32 count; u32 bytes of the names; `count` times u64 address, u32 bytes of the
 * function, u32 place of its name, in rising order of addresses; then the names, each ended by a
 * zero.
 */
#pragma once

#include "types.h"

/* The name of the function that `address` lies in, and how far in, by the `bytes` of `table`, which
 * may be damaged, or NULL with none. NULL if there is none, or its name is not printable. */
const char *symbol_table_find(const u8 *table, u64 bytes, u64 address, u64 *offset);

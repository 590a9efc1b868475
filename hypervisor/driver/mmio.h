/* SPDX-License-Identifier: MIT */
/*
 * Device registers: one access of exactly the width named, in program order with other device
 * accesses.
 */
#pragma once

#include "types.h"

static inline u8 mmio_read8(uintptr_t address)
{
    return *(volatile u8 *)address;
}

static inline void mmio_write8(uintptr_t address, u8 value)
{
    *(volatile u8 *)address = value;
}

static inline u32 mmio_read32(uintptr_t address)
{
    return *(volatile u32 *)address;
}

static inline void mmio_write32(uintptr_t address, u32 value)
{
    *(volatile u32 *)address = value;
}

static inline u64 mmio_read64(uintptr_t address)
{
    return *(volatile u64 *)address;
}

static inline void mmio_write64(uintptr_t address, u64 value)
{
    *(volatile u64 *)address = value;
}

/* What was written to memory before is there before what is told to a device afterwards, and the
 * other way round. */
static inline void mmio_order(void)
{
    __asm__ volatile("fence iorw, iorw" : : : "memory");
}

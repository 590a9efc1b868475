/* SPDX-License-Identifier: MIT */
#pragma once
#include "types.h"
struct vm;
struct vdev_bus { struct vm *vm; };
struct shadow_machine { struct vdev_bus bus; };
bool vdev_read(struct vdev_bus *bus, u64 address, u32 bytes, u64 *value);
bool vdev_write(struct vdev_bus *bus, u64 address, u32 bytes, u64 value);
void shadow_machine_start(struct vm *vm);

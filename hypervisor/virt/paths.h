/* SPDX-License-Identifier: MIT */
/*
 * The paths there are. Which of them a build has is decided by what it links: paths_core.c or
 * paths_full.c.
 */
#pragma once

#include "virt/virt.h"

extern const struct virt_ops virt_pv;
extern const struct virt_ops virt_shadow;

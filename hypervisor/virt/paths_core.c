/* SPDX-License-Identifier: MIT */
/* The core alone: paravirtual machines. */
#include "bundle.h"

#include "virt/paths.h"

const struct virt_ops *virt_find(u32 kind)
{
    return kind == BUNDLE_VIRT_PV ? &virt_pv : NULL;
}

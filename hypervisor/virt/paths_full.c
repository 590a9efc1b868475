/* SPDX-License-Identifier: MIT */
/* All paths. */
#include "bundle.h"

#include "virt/paths.h"

const struct virt_ops *virt_find(u32 kind)
{
    switch ((enum bundle_virt)kind) {
    case BUNDLE_VIRT_PV:
        return &virt_pv;
    case BUNDLE_VIRT_SHADOW:
        return &virt_shadow;
    }
    return NULL;
}

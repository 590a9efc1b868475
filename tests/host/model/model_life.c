/* SPDX-License-Identifier: MIT */
/* How the model's machines begin and end. */
#include "model.h"
#include <string.h>

void model_end(struct model *model, u32 vm)
{
    struct model_vm *of = &model->vms[vm];

    for (u32 i = 0; i < MODEL_POOL; i++)
        of->tables[i].made = false;
    of->roots = 0;
    memset(of->calls, 0, sizeof(of->calls));
    of->shared = 0;
}

void model_boot(struct model *model, u32 vm)
{
    struct model_table *root = &model->vms[vm].tables[0];

    memset(root, 0, sizeof(*root));
    root->made = true;
    root->level = MODEL_ROOT_LEVEL;
    model->vms[vm].roots = 1;
    model->vms[vm].root = model->vms[vm].pool_base;
}

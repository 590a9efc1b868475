/* SPDX-License-Identifier: MIT */
/*
 * How VMs come and go: from the bundle's records, at start-up or later. All of it is for the
 * console's hart (vm.h), in bounded steps but for vm_start_all.
 */
#pragma once

#include "bundle_reader.h"

#include "core/vm.h"

/* Why something was not done: one clause for a person, with the cure where there is one. */
struct vm_refusal {
    char text[160];
};

/* What a VM is to be made of. */
struct vm_order {
    const char *name;
    const char *record; /* the record's name */
    u64 memory_bytes;   /* 0: the record's */
};

/* Reads the bundle and makes a VM of every good record that is to be started; each bad one is one
 * line on the console. Powers the machine off if there is neither a VM nor a record to make one of.
 */
void vm_start_all(const void *bundle, u64 limit_bytes);

/* Finds the record of an order and says what the VM will be made of. False: `why` says why not. */
MUST_CHECK bool vm_plan(const struct vm_order *order, struct bundle_vm_view *config,
                        struct vm_refusal *why);

/* Makes a VM of what vm_plan gave, then or later. False: nothing has changed, and `why` says why
 * not. */
MUST_CHECK bool vm_create(const struct bundle_vm_view *config, struct vm_refusal *why);

/* Starts a VM that is OFF again, from its image. False as vm_create. */
MUST_CHECK bool vm_start(struct vm *vm, struct vm_refusal *why);

/* Takes away a VM that is OFF, and all that it had. False while it has something to say that was
 * not shown yet: call again. */
MUST_CHECK bool vm_destroy(struct vm *vm);

/* The VM of that name, or NULL. */
struct vm *vm_find(const char *name);

/* The bundle's records: how many, and one of them, checked: BUNDLE_OK or why it is unusable. */
u32 vm_record_count(void);
MUST_CHECK int vm_record(u32 index, struct bundle_vm_view *view);

/* Memory that a VM that is made now can have. */
u64 vm_memory_free(void);

/* SPDX-License-Identifier: MIT */
/*
 * Calls of guests: counted, dispatched to the handlers that candor_dispatch.h declares.
 */
#pragma once

#include "candor_dispatch.h"

static inline struct hc_result hc_error(enum hc_error error)
{
    return (struct hc_result){error, 0};
}

static inline struct hc_result hc_value(u64 value)
{
    return (struct hc_result){HC_OK, value};
}

/* Counts the call and hands it to its handler; a0 to a5 in `arguments`. */
struct hc_result hypercall_handle(struct vcpu *vcpu, u64 number, const u64 arguments[6]);

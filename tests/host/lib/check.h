/* SPDX-License-Identifier: MIT */
/*
 * cmocka's headers in their order, and checks of calls' results.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The call fails with that error, and nothing is the worse for it. */
#define check_error(call, expected) assert_int_equal((call).error, expected)

/* The call works; its value. */
#define check_value(call)                       \
    ({                                          \
        struct hc_result result_ = (call);      \
        assert_int_equal(result_.error, HC_OK); \
        result_.value;                          \
    })

/* SPDX-License-Identifier: MIT */
/*
 * What a trace record can say: the one list of kinds, for C, for the assembly (by asm-offsets.c)
 * and for tools/candorlib/trace.py, which reads this file.
 *
 * TRACE_KIND(NAME, number, "name", "value 1", "value 2"). Of ENTRY the number is added to what
 * stands in the code below (trace.h); of CALL_FAST to the call's number.
 */
#pragma once

/* clang-format off */
#define TRACE_KINDS(TRACE_KIND)                                                                    \
    TRACE_KIND(CALL_FAST, 0x100, "hypercall, served in assembly", "argument 1", "argument 2")      \
    TRACE_KIND(CALL,      0x200, "hypercall",           "number",       "argument 2")              \
    TRACE_KIND(EXIT,      0x300, "exit",                "pc",           "status")                  \
    TRACE_KIND(SWITCH,    0x400, "switch",              "from",         "to")                      \
    TRACE_KIND(TIMER,     0x401, "timer",               "vm",           "0")                       \
    TRACE_KIND(EVENT,     0x402, "event",               "vm",           "bits")                    \
    TRACE_KIND(FAULT,     0x403, "fault",               "pc",           "address")                 \
    TRACE_KIND(SLEEP,     0x404, "sleep",               "0",            "0")                       \
    TRACE_KIND(WAKE,      0x405, "wake",                "0",            "0")                       \
    TRACE_KIND(START,     0x406, "start",               "vm",           "0")                       \
    TRACE_KIND(END,       0x407, "end",                 "vm",           "why")                     \
    TRACE_KIND(NAME,      0x408, "name",                "vm",           "text")                    \
    TRACE_KIND(NAME_MORE, 0x409, "name, its rest",      "vm",           "text")                    \
    TRACE_KIND(EMULATE,   0x40a, "emulated",            "instruction",  "value")                   \
    TRACE_KIND(REFLECT,   0x40b, "into its kernel",     "cause",        "value")                   \
    TRACE_KIND(FENCE,     0x40c, "fence",               "address",      "tables compared")         \
    TRACE_KIND(FILL,      0x40d, "fill",                "address",      "guest's entry")           \
    TRACE_KIND(FILL_MORE, 0x40e, "fill, its rest",      "guest-physical", "shadow's entry")
/* clang-format on */

/* SPDX-License-Identifier: MIT */
/*
 * Panic: see panic.h. It trusts nothing but the console's device, takes no lock and allocates
 * nothing.
 */
#include "debug/panic.h"

#include "arch/arch.h"
#include "arch/arch_names.h"
#include "core/hart.h"
#include "core/vm.h"
#include "debug/backtrace.h"
#include "debug/console.h"
#include "debug/panic_parts.h"
#include "debug/trace.h"
#include "driver/devices.h"

enum {
    PATIENCE_PARTS = 5, /* of a second: how long other harts may take to stand */
    OWN_RECORDS = 16,
    OTHER_RECORDS = 4,
};

static struct {
    u32 part; /* of the report: what comes next */
    const u64 *registers;
    u64 cause;
    u64 value;
    u64 time;
} fault;

/* Harts that had a fault of their own after the first (the port's trap entry counts). */
extern u32 panic_others;

/* ---- output ---- */

static void panic_take(void *context, const char *text, size_t length)
{
    (void)context;
    console_seized_write(text, (u32)length);
}

void panic_say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vformat(panic_take, NULL, format, arguments);
    va_end(arguments);
}

static const char *cause_name(u64 cause)
{
    return cause < ENTRY_CAUSES ? arch_entry_name((u32)cause) : "trap";
}

/* ---- the report ---- */

static void say_headline(void)
{
    const struct hart *hart = arch_hart();
    const char *text = hart->panic_text, *hint = arch_fault_hint(fault.cause, fault.value);
    struct backtrace_start where;
    u64 offset;

    if (arch_fault_is_panic(fault.cause) && text != NULL) {
        panic_say("candor: PANIC on hart %u: %s\n", hart->index, text);
        return;
    }
    arch_registers_where(fault.registers, &where);
    const char *function = symbol_find(where.pc, &offset);
    panic_say("candor: PANIC on hart %u: %s of 0x%lx in %s+0x%lx: %s\n", hart->index,
              cause_name(fault.cause), fault.value, function, offset, hint != NULL ? hint : "?");
}

static void say_registers(void)
{
    enum { IN_A_LINE = 4 };

    for (u32 i = 0; arch_register_name(i) != NULL; i++)
        panic_say("  %-4s %016lx%s", arch_register_name(i), fault.registers[i],
                  i % IN_A_LINE == IN_A_LINE - 1 || arch_register_name(i + 1) == NULL ? "\n" : "");
}

static void say_call(void *context, u64 address, const char *name, u64 offset)
{
    (void)context;
    panic_say("    %016lx  %s+0x%lx\n", address, name, offset);
}

static void say_calls(void)
{
    struct backtrace_start where;

    arch_registers_where(fault.registers, &where);
    panic_say("  calls, the innermost first:\n");
    backtrace_each(&where, say_call, NULL);
}

static void say_guest(void)
{
    panic_say_guest(arch_hart());
}

static void say_records(void)
{
    panic_say("  hart %u: %s\n", arch_hart()->index,
              trace_header.level == TRACE_OFF ? "no records, the trace is off" : "reports this");
    panic_say_records(arch_hart(), OWN_RECORDS, fault.time);
}

static void say_name(void *context, u64 address, const char *name, u64 offset)
{
    bool *first = context;

    (void)address;
    panic_say("%s%s+0x%lx", *first ? "" : " < ", name, offset);
    *first = false;
}

static void say_other(const struct hart *hart)
{
    bool halted = __atomic_load_n(&hart->halted, __ATOMIC_SEQ_CST), first = true;
    const struct vcpu *vcpu = __atomic_load_n(&hart->loaded, __ATOMIC_SEQ_CST);

    panic_say("  hart %u: %s", hart->index, halted ? "stands" : "does not answer");
    if (halted) {
        panic_say(" in ");
        backtrace_each(&hart->halted_at, say_name, &first);
    }
    if (vcpu != NULL) {
        u64 offset, pc = arch_vcpu_pc(vcpu);
        const char *name = panic_guest_symbol(vcpu->vm, pc, &offset);

        panic_say("\n    its guest: %s, at %016lx  %s+0x%lx", vcpu->vm->name, pc, name, offset);
    }
    panic_say("\n");
    panic_say_records(hart, OTHER_RECORDS, fault.time);
}

static void say_others(void)
{
    u32 lost = __atomic_load_n(&panic_others, __ATOMIC_SEQ_CST);

    for (u32 i = 0; i < hart_count; i++) {
        if (&harts[i] != arch_hart() && hart_is_online(&harts[i]))
            say_other(&harts[i]);
    }
    if (lost == 1)
        panic_say("  another hart had a fault of its own meanwhile\n");
    else if (lost > 1)
        panic_say("  %u more harts had faults of their own meanwhile\n", lost);
}

static void say_end(void)
{
    panic_say("candor: the machine stops\n");
}

static void stop(void)
{
    machine_stop(PANIC_STATUS);
}

static void (*const parts[])(void) = {
    say_headline, say_registers, say_calls, say_guest, say_records, say_others, say_end, stop,
};

static void say_nested(const u64 *registers, u64 cause, u64 value)
{
    struct backtrace_start where;
    u64 offset;

    arch_registers_where(registers, &where);
    const char *function = symbol_find(where.pc, &offset);
    panic_say("\ncandor: PANIC in the report itself: %s of 0x%lx in %s+0x%lx\n", cause_name(cause),
              value, function, offset);
}

void panic_fault(const u64 *registers, u64 cause, u64 value)
{
    static bool reporting, nested;

    if (!reporting) {
        reporting = true;
        fault.registers = registers;
        fault.cause = cause;
        fault.value = value;
        fault.time = arch_time_now();
        hart_halt_others(machine.timebase_hz / PATIENCE_PARTS);
        console_seize();
    } else if (!nested) {
        nested = true; /* this line, too, may fault: then it is left out */
        say_nested(registers, cause, value);
    }
    nested = false;
    while (fault.part < ARRAY_SIZE(parts))
        parts[fault.part++]();
    arch_hart_halt();
}

void panic(const char *format, ...)
{
    char text[PANIC_TEXT_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    __atomic_store_n(&arch_hart()->panic_text, text, __ATOMIC_SEQ_CST);
    __builtin_trap(); /* which stores the registers as they are and goes on in panic_fault */
}

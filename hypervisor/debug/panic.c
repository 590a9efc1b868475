/* SPDX-License-Identifier: MIT */
/*
 * Panic: see panic.h. It trusts nothing but the console's device, takes no lock and allocates
 * nothing.
 */
#include "debug/panic.h"

#include "arch/arch.h"
#include "arch/arch_names.h"
#include "core/vcpu.h"
#include "debug/backtrace.h"
#include "debug/console.h"
#include "driver/devices.h"

enum { PANIC_STATUS = 101 };

static void panic_take(void *context, const char *text, size_t length)
{
    (void)context;
    console_seized_write(text, (u32)length);
}

static void panic_say(const char *format, ...) PRINTF_LIKE(1, 2);
static void panic_say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vformat(panic_take, NULL, format, arguments);
    va_end(arguments);
}

static void panic_say_call(void *context, u64 address, const char *name, u64 offset)
{
    (void)context;
    panic_say("    %016lx  %s+0x%lx\n", address, name, offset);
}

static NORETURN void stop(const u64 *stack)
{
    panic_say("  calls (also stale ones):\n");
    backtrace_each(stack, panic_say_call, NULL);
    for (;;)
        machine_stop(PANIC_STATUS);
}

void panic(const char *format, ...)
{
    va_list arguments;

    console_seize();
    panic_say("candor: PANIC: ");
    va_start(arguments, format);
    vformat(panic_take, NULL, format, arguments);
    va_end(arguments);
    panic_say("\n");
    stop(__builtin_frame_address(0));
}

void panic_registers_dump(const u64 *registers, u64 cause, u64 value)
{
    enum { IN_A_LINE = 4 };
    u64 pc, stack, offset;

    console_seize();
    arch_registers_where(registers, &pc, &stack);
    const char *function = symbol_find(pc, &offset);
    panic_say("candor: PANIC: %s (%lx) of %lx in %s+0x%lx (%016lx)\n",
              cause < ENTRY_CAUSES ? arch_entry_name((u32)cause) : "trap", cause, value, function,
              offset, pc);
    for (u32 i = 0; arch_register_name(i) != NULL; i++)
        panic_say("  %-4s %016lx%s", arch_register_name(i), registers[i],
                  i % IN_A_LINE == IN_A_LINE - 1 || arch_register_name(i + 1) == NULL ? "\n" : "");
    stop((const u64 *)stack);
}

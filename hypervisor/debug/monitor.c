/* SPDX-License-Identifier: MIT */
/*
 * The monitor's commands. A command is a step function that prints one piece and says whether there
 * is more.
 *
 * Everything here runs in the console's interrupt, which the interrupt controller hands to one hart
 * at a time: no lock. What is shown of other harts' vCPUs is read as it changes.
 */
#include "debug/monitor.h"

#include "candor_dispatch.h"
#include "printf.h"
#include "string.h"

#include "arch/arch.h"
#include "arch/arch_names.h"
#include "core/audit.h"
#include "core/hart.h"
#include "core/machine.h"
#include "core/sched.h"
#include "core/vm.h"
#include "debug/console.h"
#include "debug/line_editor.h"
#include "debug/stay.h"
#include "driver/devices.h"

enum {
    MONITOR_TYPED_BYTES = 256, /* kept while a command runs */
    MONITOR_ROOM_BYTES = 2048, /* of console room before a step: more than any step prints */
    MONITOR_TEXT_BYTES = 256,
    THOUSAND = 1000,
};

static const char prompt[] = "candor> ";

struct command {
    const char *name;
    const char *argument; /* how it is called in the help: "" without one */
    const char *help;
    bool (*step)(u32 step, const char *argument); /* true: call again with step + 1 */
};

/* What a VM's times were when `vms` last looked. */
struct share_base {
    u64 time;
    u64 running;
};

static struct {
    struct line_editor editor;
    const struct command *running;
    const char *argument;
    u32 step;
    bool prompt_after; /* the command was typed, not run by a key */
    char command_line[LINE_EDITOR_BYTES];
    struct byte_ring typed;
    u8 typed_bytes[MONITOR_TYPED_BYTES];
    struct share_base shares[VMS_MAX];
} monitor;

static void say(const char *format, ...) PRINTF_LIKE(1, 2);
static void say(const char *format, ...)
{
    char text[MONITOR_TEXT_BYTES];
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    console_system_write(text, min((u32)length, (u32)sizeof(text) - 1));
}

/* ---- vms ---- */

static const char *state_name(const struct vm *vm)
{
    switch ((enum vm_state)vm->state) {
    case VM_BUILDING:
        return "starting";
    case VM_ENDING:
        return "ending";
    case VM_OFF:
        return "off";
    case VM_RUNNING:
        for (u32 i = 0; i < vm->vcpu_count; i++) {
            if (vm->vcpus[i].state == VCPU_RUNNABLE)
                return "running";
        }
        return "idle";
    }
    return "?";
}

/* Sums the times of a VM's vCPUs; the hart is the first one's. */
static struct vcpu_times read_times(struct vm *vm)
{
    struct vcpu_times times = {0, 0, 0, 0};

    for (u32 i = vm->vcpu_count; i-- > 0;) {
        struct vcpu_times one = sched_times(&vm->vcpus[i]);

        times.running += one.running;
        times.idle += one.idle;
        times.steal += one.steal;
        times.hart = one.hart;
    }
    return times;
}

struct time_text {
    char text[24];
};

static struct time_text seconds(u64 ticks)
{
    struct time_text t;
    u64 hz = max(machine.timebase_hz, (u64)1);

    snprintf(t.text, sizeof(t.text), "%lu.%03lu", ticks / hz, ticks % hz * THOUSAND / hz);
    return t;
}

static void say_vm(struct vm *vm)
{
    u64 now = arch_time_now();
    struct vcpu_times times = read_times(vm);
    struct share_base *base = &monitor.shares[vm->id - 1];
    u64 known = (times.running + times.idle + times.steal) / max(vm->vcpu_count, 1u);
    u64 span = base->time != 0 ? now - base->time : known;
    u64 ran = times.running - base->running;

    say("%2u  %-15s %-8s %9s %9s %9s  %4lu%%  %7u  %4u\n", vm->id, vm->name, state_name(vm),
        seconds(times.running).text, seconds(times.idle).text, seconds(times.steal).text,
        span > 0 ? min(ran * 100 / span, (u64)100 * vm->vcpu_count) : 0, vm->reboots, times.hart);
    *base = (struct share_base){.time = now, .running = times.running};
}

/* Prints the counts that are not 0, in lines of a terminal's width. */
struct count_line {
    char text[MONITOR_TEXT_BYTES];
    u32 used;
    u32 items;
};

enum { COUNT_LINE_WIDTH = 90 };

static void count_line_flush(struct count_line *line)
{
    if (line->items > 0)
        say("%s\n", line->text);
    line->used = 0;
    line->items = 0;
}

static void count_line_add(struct count_line *line, const char *title, const char *name, u64 count)
{
    if (count == 0)
        return;
    if (line->used > COUNT_LINE_WIDTH)
        count_line_flush(line);
    if (line->items == 0)
        line->used = (u32)snprintf(line->text, sizeof(line->text), "    %-8s", title);
    line->used += (u32)snprintf(line->text + line->used, sizeof(line->text) - line->used, " %s %lu",
                                name, count);
    line->items++;
}

static void say_entries(const struct vm *vm)
{
    struct count_line line = {.used = 0};

    for (u32 cause = 0; cause < ENTRY_CAUSES; cause++) {
        u64 count = 0;

        for (u32 i = 0; i < vm->vcpu_count; i++)
            count += vm->vcpus[i].counts.entries[cause];
        count_line_add(&line, "entries", arch_entry_name(cause), count);
    }
    count_line_flush(&line);
}

static void say_calls(const struct vm *vm)
{
    struct count_line line = {.used = 0};
    u64 standard = 0, upcalls = 0;

    for (u32 number = 0; number < HC_CALL_COUNT; number++) {
        u64 count = 0;

        for (u32 i = 0; i < vm->vcpu_count; i++)
            count += vm->vcpus[i].counts.calls[number];
        count_line_add(&line, "calls", hypercall_names[number], count);
    }
    for (u32 i = 0; i < vm->vcpu_count; i++) {
        standard += vm->vcpus[i].counts.standard_calls;
        upcalls += vm->vcpus[i].counts.upcalls;
    }
    count_line_add(&line, "calls", "(standard)", standard);
    count_line_add(&line, "calls", "(upcalls)", upcalls);
    count_line_flush(&line);
}

static void say_heads(void)
{
    say(" #  %-15s %-8s %9s %9s %9s  %5s  %7s  %s\n", "VM", "state", "run s", "idle s", "stolen s",
        "share", "reboots", "hart");
}

static bool list_step(u32 step, const char *argument)
{
    (void)argument;
    if (step == 0)
        say_heads();
    else
        say_vm(vms[step - 1]);
    return step < vm_count;
}

static bool vms_step(u32 step, const char *argument)
{
    enum { STEPS_A_VM = 3 };
    struct vm *vm = step == 0 || vm_count == 0 ? NULL : vms[(step - 1) / STEPS_A_VM];

    (void)argument;
    if (vm == NULL) {
        say_heads();
        return vm_count > 0;
    }
    switch ((step - 1) % STEPS_A_VM) {
    case 0:
        say_vm(vm);
        break;
    case 1:
        say_entries(vm);
        break;
    default:
        say_calls(vm);
    }
    return step < vm_count * STEPS_A_VM;
}

/* ---- the other commands ---- */

static bool audit_step(u32 step, const char *argument)
{
    struct audit_result result = {.violations = 0};

    (void)argument;
    if (step == 0) {
        say("audit: the machine stands still meanwhile\n");
        return true;
    }
    u64 start = arch_time_now();
    audit_run(&result);
    struct time_text took = seconds(arch_time_now() - start);
    if (result.violations == 0)
        say("audit: clean: %lu frames, %lu tables, %lu entries in %s s\n", result.frames,
            result.tables, result.entries, took.text);
    else
        say("audit: BROKEN: %lu violations, the first: %s\n", result.violations, result.first);
    return false;
}

/* The VM that a word names: its name, or else its number; 0 if it is neither. */
static u32 vm_number(const char *word)
{
    u32 number = console_port_by_name(word);

    if (number != 0)
        return number;
    for (; *word >= '0' && *word <= '9' && number <= VMS_MAX; word++)
        number = number * 10 + (u32)(*word - '0');
    return *word == '\0' ? number : 0;
}

static bool switch_step(u32 step, const char *argument)
{
    u32 number = vm_number(argument);

    (void)step;
    if (*argument == '\0')
        say("switch: to which VM? Give its number or its name\n");
    else if (!console_switch(number))
        say("switch: there is no VM %s, or it has ended\n", argument);
    else
        monitor.prompt_after = false;
    return false;
}

static bool stay_step(u32 step, const char *argument)
{
    static u32 kind;

    (void)argument;
    if (step == 0)
        kind = 0;
    while (kind < STAY_KINDS && stay_longest(kind) == 0)
        kind++;
    if (kind < STAY_KINDS)
        say("stay: %6lu %s\n", stay_longest(kind), stay_name(kind));
    else if (step == 0)
        say("stay: nothing is measured; start build/debug/candor.elf, under icount\n");
    return ++kind < STAY_KINDS;
}

static bool quit_step(u32 step, const char *argument)
{
    (void)step;
    (void)argument;
    console_drain();
    machine_stop(0);
    return false;
}

static bool help_step(u32 step, const char *argument);

static const struct command commands[] = {
    {"help", "", "this list", help_step},
    {"list", "", "each VM: state, times, share since the last look (also: Ctrl-T v)", list_step},
    {"vms", "", "the same, with entries and calls by kind", vms_step},
    {"switch", "N|NAME", "type to that VM (also: Ctrl-T and its digit)", switch_step},
    {"audit", "", "check every invariant of the VMs' memory; stops the machine meanwhile",
     audit_step},
    {"stay", "", "the longest stay in the hypervisor by entry, in instructions (debug builds)",
     stay_step},
    {"quit", "", "power the machine off", quit_step},
};

static bool help_step(u32 step, const char *argument)
{
    (void)argument;
    say("%-7s%-8s %s\n", commands[step].name, commands[step].argument, commands[step].help);
    return step + 1 < ARRAY_SIZE(commands);
}

/* ---- lines and steps ---- */

/* Splits off the first word of the command line, in place; the rest is the argument. */
static const struct command *parse(char *text, const char **argument)
{
    while (*text == ' ')
        text++;
    char *end = text;
    while (*end != ' ' && *end != '\0')
        end++;
    char *rest = end;
    while (*rest == ' ')
        rest++;
    size_t rest_length = strlen(rest);
    while (rest_length > 0 && rest[rest_length - 1] == ' ')
        rest[--rest_length] = '\0';
    *argument = rest;
    if (end != text && *end == ' ')
        *end = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (strcmp(text, commands[i].name) == 0)
            return &commands[i];
    }
    if (*text != '\0')
        say("unknown command: %s (try help)\n", text);
    return NULL;
}

static void start(const char *line, bool prompt_after)
{
    strlcpy(monitor.command_line, line, sizeof(monitor.command_line));
    monitor.prompt_after = prompt_after;
    monitor.step = 0;
    monitor.running = parse(monitor.command_line, &monitor.argument);
    if (monitor.running == NULL && prompt_after)
        say("%s", prompt);
}

static void edit_line(u8 byte)
{
    char echo[LINE_EDITOR_ECHO_BYTES];
    u32 echo_bytes;
    enum line_event event = line_editor_byte(&monitor.editor, byte, echo, &echo_bytes);

    console_system_write(echo, echo_bytes);
    if (event == LINE_EDITING)
        return;
    line_editor_reset(&monitor.editor);
    if (event == LINE_COMPLETE)
        start(monitor.editor.line, true);
    else
        say("%s", prompt);
}

void monitor_enter(void)
{
    line_editor_reset(&monitor.editor);
    if (monitor.running != NULL)
        monitor.prompt_after = true;
    else
        say("%s", prompt);
}

void monitor_input(u8 byte)
{
    if (monitor.typed.size == 0)
        byte_ring_init(&monitor.typed, monitor.typed_bytes, MONITOR_TYPED_BYTES);
    if (monitor.running == NULL && byte_ring_used(&monitor.typed) == 0)
        edit_line(byte);
    else if (byte_ring_room(&monitor.typed) > 0)
        byte_ring_put(&monitor.typed, byte);
}

void monitor_run(const char *command)
{
    if (monitor.running == NULL)
        start(command, false);
}

bool monitor_busy(void)
{
    return READ_ONCE(monitor.running) != NULL || byte_ring_used(&monitor.typed) > 0;
}

void monitor_continue(void)
{
    if (console_system_room() < MONITOR_ROOM_BYTES)
        return;
    if (monitor.running == NULL) {
        if (byte_ring_used(&monitor.typed) > 0)
            edit_line(byte_ring_take(&monitor.typed));
        return;
    }
    if (monitor.running->step(monitor.step++, monitor.argument))
        return;
    monitor.running = NULL;
    if (monitor.prompt_after)
        say("%s", prompt);
}
